/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_mount: find the layers and images of a store that are mounted.
 *
 * The overlays that this program makes name their layers (lib/mount/overlay.c). So do overlays that
 * other programs make of the layers' paths, and bind mounts of a layer. In the caller's mount
 * namespace and in those of root and of the store's owner, the names count. A name identifies the
 * content, so a mounted layer of another store also counts and keeps the layer of this store from
 * being pruned, which is harmless.
 *
 * Other users can put any text into the options of mounts in their own namespaces. There, a layer
 * counts if a mount's root is its directory, by device and inode, or if an overlay names a path
 * that leads to it and that these users can traverse. A path that is closed to them was never that
 * of a layer in use, but can be made to lead to one after the overlay was mounted. A stack that
 * exists only as a copy in such a namespace cannot be told from a forged one, and does not keep
 * layers from being pruned.
 *
 * A layer whose directory is in podman/ (stored_layer.h) is shown there, with podman's id. These
 * ids count in the namespaces of all users, as podman's own mounts do.
 */

#include "store_mount.h"

#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../mount/image_source.h"
#include "../mount/info_all.h"
#include "../mount/overlay_options.h"
#include "../mount/stored_layer.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_image.h"
#include "store_layer.h"

enum { NAME = 71, VARIANT = 88 }; /* lengths of sha256-DIFF_ID and of sha256-DIFF_ID.HASH */
enum { OVERFLOW_ID = 65534 };

struct mount_search {
	const struct store *store;
	uid_t owner;       /* of the store */
	bool open;         /* other users may traverse the store */
	const char *image; /* look for a mount of this image, and store it in ... */
	struct store_mount *mount;
	struct store_mounted *mounted; /* or collect the mounted layers here, */
	struct strv links;             /* ... by these links of podman's, sorted */
	struct err *e;

	const struct mntns *ns; /* current namespace */
	uint64_t inode;
	bool trusted;
	const struct mount_info *i; /* current mount */
	size_t told, ours; /* number of layers that the mount names, and of those that are in this
	                      store */
};

/* Does text begin with the name of a layer? Then copy the name into ret. */
static bool layer_name(const char *text, char ret[static VARIANT + 1])
{
	(void)snprintf(ret, VARIANT + 1, "%s", text); /* truncated on purpose */
	if (strlen(ret) < VARIANT || !store_layer_name_ok(ret))
		ret[NAME] = '\0';
	return store_layer_name_ok(ret);
}

/* Open what is at rel: "sha256-..." in a layer, or a path below the store. */
static int open_stored(const struct store *s, const char *rel, int *ret)
{
	const char *rest = strchr(rel, '/');
	scoped_fd int layer = -1;
	char name[VARIANT + 1];
	int r;

	if (strncmp(rel, "sha256-", strlen("sha256-")) != 0)
		return fd_open_beneath(s->fd, rel, O_PATH, ret, NULL);
	(void)snprintf(name, sizeof(name), "%.*s", rest ? (int)(rest - rel) : VARIANT, rel);
	r = stored_layer_open(s->fd, name, O_PATH, &layer, NULL);
	if (r == 0 && rest && rest[1])
		return fd_open_beneath(layer, rest + 1, O_PATH, ret, NULL);
	if (r == 0)
		*ret = TAKE_FD(layer);
	return r;
}

/*
 * Does path, in its mount namespace, lead to the file at rel (open_stored()) on the mount with this
 * id (-1: any)? 1, 0, or -1 if it cannot be opened, like paths in a detached clone.
 */
static int leads_to(const struct mount_search *s, const char *path, int id, const char *rel)
{
	scoped_fd int there = mntns_open_path(s->ns, path, O_PATH, 0), here = -1;
	struct statx a, b;

	if (there < 0)
		return -1;
	if (open_stored(s->store, rel, &here) < 0 ||
		statx(there, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &a) <
			0 ||
		statx(here, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &b) < 0)
		return 0;
	return (id < 0 || a.stx_mnt_id == (uint64_t)id) && a.stx_ino == b.stx_ino &&
		a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

static int add_name(struct mount_search *s, const char *name)
{
	return strv_has(&s->mounted->names, name) ? 0 : strv_add(&s->mounted->names, name);
}

/* Does the store lack the file? If that cannot be found out, a layer stays. */
static bool is_missing(const struct mount_search *s, const char *path)
{
	return faccessat(s->store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		(errno == ENOENT || errno == ENOTDIR);
}

/* Collect podman's layer with this id, if the store has it. Returns 0 or -ENOMEM. */
static int add_id(struct mount_search *s, const char *id)
{
	char path[STORED_LAYER_PATH], link[PODMAN_LINK];

	(void)snprintf(path, sizeof(path), PODMAN_DIR "/overlay/%s", id);
	if (is_missing(s, path) || strv_has(&s->mounted->links, podman_link(id, link)))
		return 0;
	return strv_add(&s->mounted->links, link);
}

/*
 * Collect the name if a mount other than an overlay shows a layer or a part of one. Returns 0 or
 * -ENOMEM (not set in an error).
 */
static int look_at_root(struct mount_search *s)
{
	char id[STORED_LAYER_ID], rel[PATH_MAX];

	for (const char *p = s->i->root; (p = strstr(p, "sha256-")); p += strlen("sha256-")) {
		char name[VARIANT + 1];

		if (layer_name(p, name) &&
			(s->trusted || leads_to(s, s->i->target, s->i->id, p) > 0) &&
			add_name(s, name) < 0)
			return -ENOMEM;
	}
	if (!stored_layer_id_in(s->i->root, id))
		return 0;
	(void)snprintf(rel, sizeof(rel), PODMAN_DIR "/overlay/%s", strstr(s->i->root, id));
	return s->trusted || leads_to(s, s->i->target, s->i->id, rel) > 0 ? add_id(s, id) : 0;
}

static int by_layer(const void *a, const void *b)
{
	return podman_link_compare(*(char *const *)a, *(char *const *)b);
}

/*
 * podman mounts layers by their links: "/VIEW/overlay/l/LINK", or "l/LINK" if there are many, where
 * a layer under another map has a link of its own (podman_maps.h). The links count in the
 * namespaces of all users, since each user who can see the store can make a container of it.
 */
static int look_at_link(struct mount_search *s, const char *path)
{
	const char *link = strrchr(path, '/');

	if (!link++ || !podman_link_ok(link, strlen(link)) || !s->links.len ||
		!bsearch(&link, s->links.items, s->links.len, sizeof(link), by_layer))
		return 0;
	return strv_has(&s->mounted->links, link) ? 0 : strv_add(&s->mounted->links, link);
}

/*
 * A directory of podman's: "/podman/overlay/ID/diff" in a stack that this program made, or
 * "/VIEW/overlay/ID/diff" where podman mounts an image alone.
 */
static int look_at_id(struct mount_search *s, const char *path)
{
	char id[STORED_LAYER_ID], rel[STORED_LAYER_PATH];
	int leads;

	if (!stored_layer_id_in(path, id))
		return 0;
	(void)snprintf(rel, sizeof(rel), PODMAN_DIR "/overlay/%s/diff", id);
	leads = leads_to(s, path, -1, rel);
	s->told++;
	s->ours += leads > 0 ||
		(leads < 0 && faccessat(s->store->fd, rel, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return s->mounted ? add_id(s, id) : 0;
}

/*
 * Collect the name of a lower directory of an overlay. Returns 0 or -ENOMEM (not set in an error).
 */
static int look_at_layer(const struct overlay_dir *dir, void *arg)
{
	struct mount_search *s = arg;

	if (dir->kind == OVERLAY_UPPER)
		return 0;
	if ((s->mounted && look_at_link(s, dir->path) < 0) || look_at_id(s, dir->path) < 0)
		return -ENOMEM;
	for (const char *p = dir->path; (p = strstr(p, "sha256-")); p += strlen("sha256-")) {
		char name[VARIANT + 1];
		int leads;

		if (!layer_name(p, name))
			continue;
		leads = leads_to(s, dir->path, -1, p);
		s->told++;
		s->ours += leads > 0 ||
			(leads < 0 &&
				faccessat(s->store->layers, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
		if (s->mounted && (s->trusted || (s->open && leads > 0)) && add_name(s, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Could this overlay, whose layers mountinfo does not show, belong to this store? An older version
 * made it, or it has more layers than an older kernel accepts by name. Only if the store has an
 * image of that name: mounted images are never removed.
 */
static bool is_ours(const struct mount_search *s, const char *source)
{
	const char *name = image_source_name(source);
	char file[STORE_IMAGE_FILE];

	return name && store_image_file(name, file, NULL) == 0 &&
		(s->image ? !strcmp(name, s->image) :
			    faccessat(s->store->images, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

/* An overlay of which at most the source is known. */
static bool may_be_of_the_store(const struct mount_search *s)
{
	return s->trusted && !s->told && (s->i->too_large || is_ours(s, s->i->source));
}

/*
 * Is it a mount of the image that is searched for? Mounts of other users do not prevent its
 * removal: --prune keeps mounted layers in any case.
 */
static bool is_of_the_image(const struct mount_search *s)
{
	return s->trusted && !s->i->too_large && is_ours(s, s->i->source) && (!s->told || s->ours);
}

static void note(const struct mount_search *s, struct store_mount *m)
{
	if (m->target.len)
		return;
	buf_str(&m->target, *s->i->target ? s->i->target : "/");
	m->pid = s->ns->ours ? 0 : s->ns->pid;
	(void)snprintf(m->command, sizeof(m->command), "%s", s->ns->command); /* same size */
}

static void enter(struct mount_search *s, const struct mntns *ns)
{
	uid_t uid;

	s->inode = ns->inode;
	/*
	 * mntns_owner() fails for namespaces above the caller's user namespace, and for those that
	 * cannot be inspected.
	 */
	s->trusted = ns->ours || !mntns_owner(ns, &uid) || uid == 0 ||
		(uid == s->owner && uid != OVERFLOW_ID);
}

static int unreadable(const struct mount_search *s)
{
	if (!s->trusted)
		return 0;
	(void)err_say(s->e, EIO, NULL,
		"the mounts of process %d cannot be read, and it may use the image's layers",
		(int)s->ns->pid);
	err_try(s->e, "end that process, and those that share its mount namespace (lsns -t mnt)");
	return -EIO;
}

static int look(const struct mount_info *i, const struct mntns *ns, void *arg)
{
	struct mount_search *s = arg;
	int r = 0;

	s->ns = ns;
	if (ns->inode != s->inode)
		enter(s, ns);
	if (!i)
		return unreadable(s);
	s->i = i;
	s->told = s->ours = 0;
	if (!strcmp(i->type, "overlay"))
		r = overlay_dirs_each(i->options, look_at_layer, s);
	else if (s->mounted)
		r = look_at_root(s);
	if (r < 0)
		return err_nomem(s->e);
	if (strcmp(i->type, "overlay") != 0)
		return 0;
	if (s->mounted && may_be_of_the_store(s))
		note(s, &s->mounted->opaque);
	if (!s->mount || !is_of_the_image(s))
		return 0;
	note(s, s->mount);
	return 1;
}

static int search(struct mount_search *s)
{
	struct stat st;

	if (fstat(s->store->fd, &st) < 0)
		return err_set(s->e, errno, s->store->path, "cannot find the owner of the store");
	s->owner = st.st_uid;
	s->open = st.st_mode & S_IXOTH;
	return mount_info_all_namespaces(look, s, s->e);
}

/* List the links that podman's layers have. A store may have none. */
static int list_links(const struct store *store, struct strv *ret, struct err *e)
{
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_beneath(
		store->fd, PODMAN_DIR "/overlay/l", O_RDONLY | O_DIRECTORY, &fd, &own);

	if (r == 0)
		return store_dir_list(fd, store->path, ret, e);
	if (r == -ENOENT)
		return 0;
	if (e)
		*e = own;
	return r;
}

int store_mount_find_layers(const struct store *store, struct store_mounted *ret, struct err *e)
{
	struct mount_search s = { .store = store, .mounted = ret, .e = e };
	int r = list_links(store, &s.links, e);

	if (r == 0)
		r = search(&s);
	strv_done(&s.links);
	return r;
}

/* Returns 1 and the first mount of the image, 0, or -errno. */
static int find_mount(
	const struct store *store, const char *image, struct store_mount *ret, struct err *e)
{
	struct mount_search s = { .store = store, .image = image, .mount = ret, .e = e };

	return search(&s);
}

void store_mount_explain(const struct store_mount *m, const char *why, struct err *e)
{
	const char *target = buf_get(&m->target) ? buf_get(&m->target) : "";
	scoped_buf struct buf word = BUF_INIT;

	if (m->pid) {
		err_why(e, "%sat '%s', in the mount namespace of process %d (%s)", why, target,
			(int)m->pid, m->command);
		err_try(e,
			"end process %d, and those that share its mount namespace (lsns -t mnt), "
			"or have it unmounted by them",
			(int)m->pid);
	} else {
		err_why(e, "%sat '%s'", why, target);
		buf_shell_word(&word, target);
		err_try(e, "unmount it: shiftbox mount-idmapped -u %s",
			*target && buf_get(&word) ? buf_get(&word) : "TARGET");
	}
}

static void mount_done(struct store_mount *m)
{
	buf_done(&m->target);
}

int store_mount_refuse(const struct store *s, const char *image, struct err *e)
{
	struct store_mount m = { .pid = 0 };
	int r = find_mount(s, image, &m, e);

	if (r > 0) {
		r = err_say(e, EBUSY, image, "the image is mounted");
		store_mount_explain(&m, "", e);
	}
	mount_done(&m);
	return r;
}

void store_mounted_done(struct store_mounted *u)
{
	strv_done(&u->names);
	strv_done(&u->links);
	mount_done(&u->opaque);
}
