/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain_chain: the way of a file from where it is seen to where it is stored. In the root of a
 * podman container, that is an overlay in the mount namespace of another process; its layers are
 * directories of a view, which is an ID-mapped mount of a store. The kernel shows none of these
 * steps, but the names of the layers are in the options of the overlay. The names are believed only
 * if what is found there is the file that the overlay shows, by inode number and change time.
 */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../check/named_layers.h"
#include "../idmap/userns.h"
#include "../mount/info_anywhere.h"

/* What containers-storage has in an image store, and podman in its storage. */
#define IMAGES "overlay-images/images.json"
#define VOLUMES "/volumes/"
#define VOLUME_DATA "/_data"

/* OverlayFS may put the number of the filesystem into the highest bits (xino). */
enum { INO_BITS = 56 };

static int add_step(struct explanation *x, struct explain_step step, const char *path)
{
	step.path = strdup(path);
	if (step.path && VEC_ADD(&x->chain, step) == 0)
		return 0;
	free(step.path);
	if (step.has_map)
		idmap_done(&step.map);
	return -ENOMEM;
}

void explain_chain_done(struct explanation *x)
{
	for (size_t i = 0; i < x->chain.len; i++) {
		free(x->chain.items[i].path);
		if (x->chain.items[i].has_map)
			idmap_done(&x->chain.items[i].map);
	}
	VEC_DONE(&x->chain);
}

/*
 * --- the container -----------------------------------------------------------------------------
 */

/* The ids that a process of the mount namespace sees, if it is in another user namespace. */
static int add_container(struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct explain_step step = { .place = PLACE_CONTAINER };
	struct stat own, its;

	if (!x->elsewhere || stat("/proc/self/ns/user", &own) < 0 ||
		fstatat(x->elsewhere->proc, "ns/user", &its, 0) < 0 || own.st_ino == its.st_ino)
		return 0;
	step.pid = x->elsewhere->pid;
	if (userns_map_of_pid(step.pid, &map, NULL) < 0 || mntns_has_left(x->elsewhere))
		step.why = "the map of its user namespace cannot be read";
	else if (!idmap_uid_disk(&map, n->seen.uid, &step.uid) ||
		!idmap_gid_disk(&map, n->seen.gid, &step.gid))
		step.why = "an id has no number in its user namespace";
	else
		step.has_ids = true;
	return add_step(x, step, n->path + strlen(x->root));
}

/*
 * --- the layer ---------------------------------------------------------------------------------
 */

static int open_in_layer(const struct named_layer *in, const char *below)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			(in->users ? RESOLVE_CACHED : 0),
	};

	return sys_openat2(in->fd, *below ? below : ".", &how);
}

static bool is_whiteout(const struct statx *s)
{
	return S_ISCHR(s->stx_mode) && !s->stx_rdev_major && !s->stx_rdev_minor;
}

static bool is_shown(const struct explain_inode *n, const struct statx *s)
{
	const uint64_t mask = (UINT64_C(1) << INO_BITS) - 1;

	return (s->stx_mode & S_IFMT) == (n->seen.mode & S_IFMT) &&
		s->stx_ctime.tv_sec == n->ctime && s->stx_ctime.tv_nsec == n->ctime_nsec &&
		(S_ISDIR(n->seen.mode) || (s->stx_ino & mask) == (n->seen.ino & mask));
}

/* Find the layer with the file, which is the topmost one that has it. Returns it, or NULL. */
static const struct named_layer *find_layer(
	const struct explanation *x, const struct named_layers *l, const char *below, int *ret_fd)
{
	for (size_t i = 0; i < l->items.len; i++) {
		scoped_fd int fd = open_in_layer(&l->items.items[i], below);
		struct statx s;

		if (fd < 0)
			continue;
		if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
			    STATX_TYPE | STATX_INO | STATX_CTIME, &s) < 0 ||
			is_whiteout(&s) || !is_shown(explain_file(x), &s))
			return NULL;
		*ret_fd = TAKE_FD(fd);
		return &l->items.items[i];
	}
	return NULL;
}

/*
 * --- the disk ----------------------------------------------------------------------------------
 */

struct disk_search {
	const struct mount_info *of; /* show this directory of its filesystem, and rest below it */
	const char *rest;
	char *path;      /* the best one so far */
	size_t root_len; /* of the directory that its mount shows */
};

/* Is this a mount without a map of what the other one shows? */
static int look_for_disk(const struct mount_info *i, void *arg)
{
	struct disk_search *s = arg;
	const char *below;
	char *path;

	if (i->mapped || i->too_large || i->dev != s->of->dev || i->id == s->of->id)
		return 0;
	below = path_below(s->of->root, i->root);
	if (!below ||
		asprintf(&path, "%s%s%s", strcmp(i->target, "/") ? i->target : "", below, s->rest) <
			0)
		return below ? -ENOMEM : 0;
	/* The mount that shows most of the filesystem has the path that people know. */
	if (s->path && strlen(i->root) >= s->root_len) {
		free(path);
		return 0;
	}
	free(s->path);
	s->path = path;
	s->root_len = strlen(i->root);
	return 0;
}

/* Is the file at path the one of fd? 1, 0, or -errno if it cannot be opened. */
static int leads_to(const char *path, int fd)
{
	scoped_fd int there = -1;
	struct stat a, b;
	int r = path_open(path, O_PATH | O_NOFOLLOW, "cannot open it", NULL, &there, NULL);

	if (r < 0)
		return r;
	return fstat(there, &a) == 0 && fstat(fd, &b) == 0 && same_file(&a, &b);
}

static bool is_volume(const char *path)
{
	const char *volume = strstr(path, VOLUMES),
		   *data = volume ? strstr(volume, VOLUME_DATA) : NULL;

	return data && (!data[strlen(VOLUME_DATA)] || data[strlen(VOLUME_DATA)] == '/');
}

/*
 * Set the disk ids of the file at fd. mapped: its mount has a map, which is map, or is not known
 * (NULL).
 */
static void set_disk_ids(int fd, bool mapped, const struct idmap *map, struct explain_step *step)
{
	scoped_fd int raw = -1;
	struct meta seen = { .known = 0 };

	if (mapped && unmapped_clone(fd, "", &raw, NULL) == 0)
		mapped = false;
	if (mapped && !map) {
		step->why = "the map of the mount is not known";
		return;
	}
	if (meta_stat(raw >= 0 ? raw : fd, "", &seen) < 0)
		return;
	step->uid = seen.uid;
	step->gid = seen.gid;
	step->has_ids = !mapped ||
		(idmap_uid_disk(map, seen.uid, &step->uid) &&
			idmap_gid_disk(map, seen.gid, &step->gid));
	if (!step->has_ids)
		step->why = "an id that is seen there is in no line of the map";
}

/*
 * Add the place on a mount without a map where the file at fd is, which is on the mount i with this
 * map (or NULL), at the path below.
 */
static int add_disk(struct explanation *x, int fd, const struct mount_info *i,
	const struct idmap *map, const char *below, enum explain_place place)
{
	struct disk_search s = { .of = i, .rest = below };
	struct explain_step step = { .place = place };
	struct err ignored = ERR_INIT;
	int r, leads;

	if (mount_info_each(NULL, look_for_disk, &s, &ignored) < 0) {
		free(s.path);
		return -ENOMEM;
	}
	leads = s.path ? leads_to(s.path, fd) : 0;
	step.closed = leads < 0;
	if (s.path && leads != 0 && place == PLACE_DISK && is_volume(s.path))
		step.place = PLACE_VOLUME;
	set_disk_ids(fd, i->mapped, map, &step);
	r = s.path && leads != 0 ? add_step(x, step, s.path) : 0;
	free(s.path);
	return r;
}

/*
 * A file in a layer of a store: overlay/ID/diff/... path is that of the file, and below its end
 * from the store on.
 */
static int look_for_store_marks(
	struct explanation *x, int store, const char *path, const char *below)
{
	static const char diff[] = "/diff/";
	const char *rest = strstr(below, diff);
	scoped_free char *layer = NULL, *name = NULL;
	scoped_fd int fd = -1;

	if (strncmp(below, "/overlay/", strlen("/overlay/")) != 0 || !rest)
		return 0;
	rest += strlen(diff);
	layer = strndup(below + 1, (size_t)(rest - below) - 2);
	name = strndup(path, strlen(path) - strlen(rest) - 1);
	if (!layer || !name)
		return -ENOMEM;
	if (fd_open_beneath(store, layer, O_PATH | O_DIRECTORY, &fd, NULL) < 0)
		return 0;
	return explain_marks_look(x, fd, name, rest);
}

/*
 * Add the mount that fd is on, if it has a map, and the place on disk. only_stores: nothing is
 * added unless the mount shows an image store.
 */
static int add_mount(struct explanation *x, int fd, bool only_stores)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	scoped_buf struct buf path = BUF_INIT;
	struct explain_step view = { .place = PLACE_VIEW };
	scoped_fd int top = -1;
	const char *below;
	int r;

	path_of_fd(fd, &path);
	if (mount_info_get(fd, &i, NULL) < 0 || !i.mapped || !buf_get(&path))
		return 0;
	below = path_below(buf_get(&path), i.target);
	if (!below ||
		path_open(i.target, O_PATH | O_DIRECTORY, "cannot open it", NULL, &top, NULL) < 0 ||
		(only_stores && faccessat(top, IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) < 0))
		return 0;
	r = only_stores ? look_for_store_marks(x, top, buf_get(&path), below) : 0;
	if (r == 0)
		r = mount_map_read(fd, i.target, &map, NULL);
	if (r == -ENOMEM)
		return r;
	view.has_map = r == MOUNT_MAP_KNOWN;
	if (view.has_map && idmap_copy(&map, &view.map, NULL) < 0)
		return -ENOMEM;
	r = add_step(x, view, i.target);
	return r < 0 ? r : add_disk(x, fd, &i, view.has_map ? &map : NULL, below, PLACE_STORE);
}

/*
 * --- all together ------------------------------------------------------------------------------
 */

/* Take the disk side from the layer, if it was not known before. */
static int take_disk(struct explanation *x, const struct named_layer *l, int fd, const char *path)
{
	struct explain_inode *n = &x->inodes.items[x->inodes.len - 1];
	const struct idmap *map = l->kind == MOUNT_MAP_KNOWN ? &l->map : NULL;
	struct meta disk = { .known = 0 };
	scoped_fd int raw = -1;

	if (x->layer)
		return 0;
	x->layer = strdup(path);
	if (!x->layer)
		return -ENOMEM;
	x->layer_unknown = NULL;
	/* Where the disk side was inferred, facts for the rules point into it. */
	if (n->how != DISK_UNKNOWN || (map && unmapped_clone(fd, path, &raw, NULL) < 0) ||
		explain_read_meta(raw >= 0 ? raw : fd, path, &disk, NULL) < 0)
		return 0;
	meta_done(&n->disk);
	n->disk = disk;
	n->how = DISK_LAYER;
	return 0;
}

/* A server of the user might not answer. */
static int look_for_marks(struct explanation *x, const struct named_layers *l, const char *below)
{
	int r = 0;

	for (size_t i = 0; i < l->items.len && r == 0; i++) {
		const struct named_layer *in = &l->items.items[i];
		scoped_buf struct buf path = BUF_INIT;

		if (in->upper || in->users)
			continue;
		path_of_fd(in->fd, &path);
		r = buf_get(&path) ? explain_marks_look(x, in->fd, path.data, below) : -ENOMEM;
	}
	return r;
}

static int add_layer(struct explanation *x, const struct named_layers *l, const char *below)
{
	scoped_fd int fd = -1;
	scoped_buf struct buf path = BUF_INIT, dir = BUF_INIT;
	const struct named_layer *in = find_layer(x, l, below, &fd);
	struct explain_step step = { .place = PLACE_LAYER };
	struct meta seen = { .known = 0 };
	int r;

	if (!in)
		return 0;
	path_of_fd(fd, &path);
	path_of_fd(in->fd, &dir);
	if (!buf_get(&path) || !buf_get(&dir))
		return -ENOMEM;
	step.place = in->upper ? PLACE_UPPER : PLACE_LAYER;
	step.has_ids = meta_stat(fd, "", &seen) == 0;
	step.uid = seen.uid;
	step.gid = seen.gid;
	r = add_step(x, step, buf_get(&path));
	if (r == 0)
		r = take_disk(x, in, fd, buf_get(&dir));
	return r < 0 ? r : add_mount(x, fd, false);
}

/* The path below the mount point, without a slash at its start. */
static const char *below_mount(const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);
	const char *below = path_below(n->path, x->mounts.items[n->mount].target);

	return below ? below + strspn(below, "/") : NULL;
}

static int add_merged(struct explanation *x, int fd, struct err *e)
{
	const struct explain_inode *n = explain_file(x);
	scoped_named_layers struct named_layers l = { .whole = false };
	const char *below = below_mount(x);
	struct explain_step step = {
		.place = PLACE_MERGED, .has_ids = true, .uid = n->seen.uid, .gid = n->seen.gid
	};
	int r = add_step(x, step, n->path);

	if (r < 0)
		return r;
	r = named_layers_open(fd, &l, e);
	if (r == 0 && below)
		r = look_for_marks(x, &l, below);
	return r < 0 || !below ? r : add_layer(x, &l, below);
}

/* A file that is on one mount of another mount namespace: the place on disk. */
static int add_elsewhere(struct explanation *x, int fd)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	const char *below = below_mount(x);

	if (!x->elsewhere || !below || mount_info_there(x->elsewhere, fd, &i) < 0)
		return 0;
	/* With its slash, unless it is empty. */
	return add_disk(
		x, fd, &i, i.map_known ? &i.map : NULL, *below ? below - 1 : below, PLACE_DISK);
}

static bool has_userxattr(const struct explain_mount *m)
{
	const char *p = strstr(m->fs_options, "userxattr");

	return p && (p == m->fs_options || p[-1] == ',');
}

static int add_volume(struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);

	return add_step(x,
		(struct explain_step){ .place = PLACE_VOLUME,
			.has_ids = true,
			.uid = n->seen.uid,
			.gid = n->seen.gid },
		n->path);
}

static int look(struct explanation *x, int fd, struct err *e)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	int r = x->detached ? 0 : add_container(x);

	if (r < 0)
		return r;
	if (m->kind == MOUNT_MAP_OVERLAY)
		return x->elsewhere || (has_userxattr(m) && !m->recorded) ? add_merged(x, fd, e) :
									    0;
	if (x->elsewhere)
		return add_elsewhere(x, fd);
	if (m->kind == MOUNT_MAP_NONE)
		return is_volume(explain_file(x)->path) ? add_volume(x) : 0;
	return add_mount(x, fd, true);
}

int explain_chain_look(struct explanation *x, int fd, struct err *e)
{
	int r = look(x, fd, e);

	return r == -ENOMEM ? err_nomem(e) : r;
}
