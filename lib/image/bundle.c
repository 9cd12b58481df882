/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bundle: make an OCI runtime bundle of a stored image. */

#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/plural.h"
#include "../mount/reachable.h"
#include "../store/store_view.h"
#include "image_config.h"
#include "open_place_view.h"
#include "runtime_config.h"

enum {
	MAX_ACCOUNTS = 4 << 20, /* bytes of /etc/passwd or /etc/group */
	VOLUMES_TOLD = 100,
	MODE = 0711,     /* of the bundle: the container's root must be able to traverse it */
	MODE_OWN = 0700, /* ... and owns it */
};

/* --- The image --- */

static int find_user(const struct store_view *v, const struct image_config *c,
	struct image_user *ret, struct err *e)
{
	scoped_buf struct buf passwd = BUF_INIT, group = BUF_INIT;
	int r = store_view_read(v, "/etc/passwd", MAX_ACCOUNTS, &passwd, e);

	if (r >= 0)
		r = store_view_read(v, "/etc/group", MAX_ACCOUNTS, &group, e);
	if (r < 0)
		return r;
	return image_user_resolve(c->user, buf_get(&passwd), buf_get(&group), ret, e);
}

struct coverage {
	const struct idmap *map;
	uint64_t files;    /* files whose owner or group is not covered */
	uint32_t uid, gid; /* an example */
};

static int look_at_owner(const struct mtree_entry *s, void *arg)
{
	struct coverage *c = arg;
	uint32_t seen;

	if ((!s->has_uid || idmap_uid_seen(c->map, s->uid, &seen)) &&
		(!s->has_gid || idmap_gid_seen(c->map, s->gid, &seen)))
		return 0;
	if (!c->files++) {
		c->uid = s->uid;
		c->gid = s->gid;
	}
	return 0;
}

static int tell_uncovered(const struct store_view *v, const struct idmap *map, struct err *e)
{
	struct coverage c = { .map = map };
	int r = store_view_entries(v, look_at_owner, &c, e);

	if (r == 0 && c.files)
		log_warn("the map does not cover the owners of %" PRIu64
			 " %s of the image (for example %u:%u): in the container they belong "
			 "to the overflow ids and cannot be changed",
			c.files, plural(c.files, "file", "files"), c.uid, c.gid);
	return r;
}

static void tell_volumes(const struct image_config *c)
{
	scoped_buf struct buf names = BUF_INIT;
	size_t n = c->volumes.len;

	for (size_t i = 0; i < n && i < VOLUMES_TOLD; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", c->volumes.items[i]);
	if (n > VOLUMES_TOLD)
		buf_printf(&names, " and %zu more", n - VOLUMES_TOLD);
	if (n)
		log_warn("the image declares %zu %s (%s): config.json has none, so what is "
			 "written there goes to the stack",
			n, plural(n, "volume", "volumes"), buf_get(&names) ? buf_get(&names) : "");
}

/* Set *ret if the image lacks a directory that the runtime mounts on and would have to create. */
static int lacks_mount_points(const struct store_view *v, bool *ret, struct err *e)
{
	for (const char *const *p = runtime_mount_points; *p; p++) {
		scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
		int r = store_view_find(v, *p, &hit, e);

		if (r < 0)
			return r;
		*ret |= r == 0;
	}
	return 0;
}

static uint64_t most_files(void)
{
	struct rlimit l;

	return getrlimit(RLIMIT_NOFILE, &l) == 0 ? l.rlim_max : 1024;
}

static int describe(const struct store_view *v, const struct bundle_options *o,
	struct bundle_result *ret, struct err *e)
{
	scoped_image_config struct image_config config = { .user = NULL };
	const struct runtime_options ro = {
		.name = o->image,
		.map = o->map,
		.in_namespace = o->in_namespace,
		.args = o->args,
		.n_args = o->n_args,
		.terminal = o->terminal,
		.max_files = most_files(),
	};
	int r = image_config_read(buf_get(&v->config), v->config.len, &config, e);

	if (r == 0)
		r = find_user(v, &config, &ret->user, e);
	if (r == 0)
		r = runtime_config_make(&config, &ret->user, &ro, &ret->config, e);
	if (r == 0)
		r = lacks_mount_points(v, &ret->writable, e);
	if (r == 0)
		r = tell_uncovered(v, o->map, e);
	if (r == 0)
		tell_volumes(&config);
	return r;
}

/* --- The directory --- */

struct bundle_spot {
	struct place at;
	int fd;
	bool made, rootfs; /* created by this process */
};

static void bundle_spot_done(struct bundle_spot *p)
{
	place_done(&p->at);
	cleanup_fd(&p->fd);
}

static int check_empty(int fd, const char *path, struct err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *d;

	if (!dir) {
		r = err_set(e, errno, path, "cannot list the directory");
		cleanup_fd(&copy);
		return r;
	}
	while (r == 0 && (errno = 0, d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			r = -ENOTEMPTY;
	if (r == 0 && errno)
		r = err_set(e, errno, path, "cannot list the directory");
	(void)closedir(dir); /* only read from */
	if (r == -ENOTEMPTY) {
		(void)err_say(e, ENOTEMPTY, path,
			"a bundle needs an empty directory, and this one is not empty");
		err_try(e, "name a directory that is empty, or does not exist yet");
	}
	return r;
}

/* The group of the container's root, which must be able to traverse the bundle. */
static gid_t root_group(const struct idmap *map)
{
	uint32_t gid;

	return idmap_gid_seen(map, 0, &gid) ? gid : REACHABLE_NO_GROUP;
}

/* Does the directory exist and let only that group traverse it? Then its mode is kept. */
static bool lets_pass(const struct bundle_spot *p, gid_t group)
{
	struct stat st;

	return p->fd >= 0 && fstat(p->fd, &st) == 0 && st.st_gid == group &&
		(st.st_mode & 07077) == S_IXGRP;
}

/* Let the container's root traverse an existing directory. It is empty, so this exposes nothing. */
static int widen(const struct bundle_spot *p, const char *dir, gid_t group, struct err *e)
{
	struct stat st;

	if (fstat(p->fd, &st) < 0)
		return err_set(e, errno, dir, "cannot stat the directory of the bundle");
	if ((st.st_mode & 07777) == MODE || lets_pass(p, group))
		return 0;
	if (st.st_uid != geteuid() && st.st_mode & S_IXOTH)
		return 0;
	if (st.st_uid != geteuid())
		return err_say(e, EPERM, dir,
			"is closed (mode %04o), and belongs to another user (%u)",
			st.st_mode & 07777, st.st_uid);
	return fchmod(p->fd, MODE) < 0 ?
		err_set(e, errno, dir, "cannot let the container's root traverse the directory") :
		0;
}

static int open_place(const struct bundle_options *o, struct bundle_spot *p, struct err *e)
{
	const char *dir = o->dir;
	bool dry_run = o->dry_run;
	int r = path_find(dir, true, "cannot create the directory of the bundle", &p->at, e);

	if (r < 0)
		return r;
	p->made = !dry_run &&
		fd_make_dir(p->at.dirfd, p->at.name, o->in_namespace ? MODE_OWN : MODE) == 0;
	if (!p->made && !dry_run && errno != EEXIST)
		return err_path(e, errno, dir, "cannot create the directory of the bundle");
	p->fd = openat(p->at.dirfd, p->at.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0 && errno == ENOENT && dry_run)
		return 0;
	if (p->fd < 0)
		return err_path(e, errno, dir, "cannot open the directory of the bundle");
	return check_empty(p->fd, dir, e);
}

static int spot_path(const struct bundle_spot *p, struct buf *ret, struct err *e)
{
	path_of_fd(p->fd >= 0 ? p->fd : p->at.dirfd, ret);
	if (p->fd < 0)
		buf_printf(ret, "/%s", p->at.name);
	return buf_get(ret) ? 0 : err_nomem(e);
}

/*
 * The directory's own mode counts only if it is kept: the mode that widen() sets lets all users
 * traverse it.
 */
static bool is_closed(const struct bundle_spot *p, gid_t group)
{
	if (p->fd < 0)
		return reachable_closed_in(p->at.dirfd, group);
	return lets_pass(p, group) ? reachable_closed_in(p->fd, group) :
				     reachable_closed(p->fd, group);
}

/*
 * Refuse an image with files that give rights to other users. The stack will be a mount of its own,
 * so the flags of the mount below the bundle do not count.
 */
static int check_exposed(
	const struct store_view *v, const struct bundle_spot *p, gid_t group, struct err *e)
{
	static const struct open_place all = { .programs = true, .devices = true };
	struct exposed_tree t = { .option = "--bundle", .group = group };
	scoped_buf struct buf dir = BUF_INIT, path = BUF_INIT;
	enum exposed what = EXPOSED_NOTHING;
	int r;

	if (is_closed(p, group))
		return 0;
	r = open_place_find(v, &all, &what, &path, e);
	if (r == 0)
		r = spot_path(p, &dir, e);
	if (r < 0 || what == EXPOSED_NOTHING)
		return r;
	t.path = buf_get(&dir);
	return open_place_refuse(&t, what, buf_get(&path), e);
}

static int fill_place(struct bundle_spot *p, const struct buf *config, struct err *e)
{
	int r;

	if (mkdirat(p->fd, "rootfs", 0755) < 0)
		return err_set(e, errno, "rootfs", "cannot create the directory in the bundle");
	p->rootfs = true;
	r = fd_write_file(p->fd, ".config.json", 0600, buf_get(config), config->len, e);
	if (r == 0 && renameat2(p->fd, ".config.json", p->fd, "config.json", RENAME_NOREPLACE) < 0)
		r = err_set(e, errno, "config.json", "cannot move the file into the bundle");
	return r == 0 ? fd_sync(p->fd, "config.json", e) : r;
}

/* Remove what this process created. */
static void undo_place(const struct bundle_spot *p)
{
	int bad = 0;

	if (p->rootfs) {
		static const char *const files[] = { ".config.json", "config.json" };

		for (size_t i = 0; i < ARRAY_LEN(files); i++)
			bad |= unlinkat(p->fd, files[i], 0) < 0 && errno != ENOENT;
		bad |= unlinkat(p->fd, "rootfs", AT_REMOVEDIR) < 0;
	}
	if (p->made)
		bad |= unlinkat(p->at.dirfd, p->at.name, AT_REMOVEDIR) < 0;
	if (bad)
		log_warn("cannot remove the incomplete bundle: %s", strerrordesc_np(errno));
}

static void tell_closed(int dir, const struct stat *st, uint32_t uid)
{
	scoped_buf struct buf path = BUF_INIT;

	path_of_fd(dir, &path);
	log_warn("'%s' is closed to others (mode %04o): the container's root, uid %u, cannot reach "
		 "the bundle, which runtimes require",
		buf_get(&path) ? buf_get(&path) : "?", st->st_mode & 07777, uid);
}

/*
 * Warn if the container's root cannot traverse a parent of the bundle: the runtime mounts with its
 * ids.
 */
static void tell_unreachable(int bundle, const struct idmap *map)
{
	scoped_fd int dir = openat(bundle, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;
	uint32_t uid = 0;

	(void)idmap_uid_seen(map, 0, &uid); /* check_map() has checked that it is covered */
	while (uid && dir >= 0 && fstat(dir, &st) == 0) {
		int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (up < 0 || fstat(up, &above) < 0 ||
			(st.st_dev == above.st_dev && st.st_ino == above.st_ino)) {
			cleanup_fd(&up); /* the root, which all users can traverse */
			return;
		}
		if (st.st_uid != uid &&
			!(st.st_mode & (st.st_gid == root_group(map) ? S_IXGRP : S_IXOTH)))
			tell_closed(dir, &st, uid);
		cleanup_fd(&dir);
		dir = up;
	}
}

int bundle_make(
	struct store *s, const struct bundle_options *o, struct bundle_result *ret, struct err *e)
{
	struct bundle_result b = { .config = BUF_INIT };
	struct bundle_spot p = { .at = PLACE_INIT, .fd = -1 };
	scoped_view struct store_view view = { .store = s };
	scoped_buf struct buf dir = BUF_INIT;
	gid_t group = root_group(o->map);
	int r = store_view_open(s, o->image, &view, e);

	if (r == 0)
		r = describe(&view, o, &b, e);
	if (r == 0)
		r = open_place(o, &p, e);
	/* Other users do not see a mount in a namespace of the caller. */
	if (r == 0 && !o->open_to_all && !o->in_namespace)
		r = check_exposed(&view, &p, group, e);
	if (r == 0 && !o->dry_run && !o->in_namespace)
		r = widen(&p, o->dir, group, e);
	if (r == 0 && !o->dry_run)
		r = fill_place(&p, &b.config, e);
	if (r == 0 && !o->dry_run) {
		path_of_fd(p.fd, &dir);
		b.dir = buf_take(&dir);
		if (!b.dir)
			r = err_nomem(e);
		else if (!o->in_namespace)
			tell_unreachable(p.fd, o->map);
	}
	if (r < 0) {
		undo_place(&p);
		bundle_result_done(&b);
	} else {
		*ret = b;
	}
	bundle_spot_done(&p);
	return r;
}

void bundle_result_done(struct bundle_result *b)
{
	image_user_done(&b->user);
	buf_done(&b->config);
	free(b->dir);
	b->dir = NULL;
}
