/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay_upper: the writable part of a stack. */

#include "overlay_upper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "clone.h"
#include "common_dir.h"
#include "dirent_at.h"
#include "mkdir_owned.h"
#include "mount_attr.h"
#include "newfs.h"
#include "probe.h"
#include "reachable.h"
#include "upper_place.h"

/* What is known beforehand about an upper or a work directory. */
struct dir_plan {
	const char *path; /* for messages, too */
	struct place at;
	struct owner_mode owner; /* for a new one */
};

/* Everything that upper_prepare() works with. */
struct preparation {
	const struct mount_plan *plan;
	int lower, lower_raw; /* the topmost layer's root: mapped, and as on the disk */
	struct dir_plan upper, work;
	struct upper *ret;
};

static int remember(struct upper_made *m, int dirfd, const char *name, struct err *e)
{
	int r;

	m->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	r = m->dirfd < 0 ? err_set(e, errno, name, "cannot keep the directory above it open") : 0;
	m->name = strdup(name);
	if (r == 0 && m->name)
		return 0;
	(void)unlinkat(dirfd, name, AT_REMOVEDIR); /* it is new and empty */
	return r < 0 ? r : err_nomem(e);
}

/*
 * Open the directory, after creating it if it is missing. via: the directory to create it in, which
 * is d->at.dirfd or a clone of it.
 */
static int open_or_create(
	const struct dir_plan *d, int via, struct upper_made *made, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = openat(d->at.dirfd, d->at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT) {
		r = mkdir_owned(via, d->at.name, &d->owner, d->path, e);
		if (r == 0)
			r = remember(made, via, d->at.name, e);
		if (r < 0)
			return r;
		*ret_fd = openat(d->at.dirfd, d->at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (*ret_fd < 0)
		return err_path(e, errno, d->path, "cannot open the directory");
	return 0;
}

/* Check the two directories, which are open, and set what identifies them. */
static int check_dirs(struct upper *ret, const struct mount_plan *p, struct err *e)
{
	struct stat u, w;

	if (fstat(ret->found[0], &u) < 0 || fstat(ret->found[1], &w) < 0)
		return err_set(e, errno, p->upper, "cannot stat the directory");
	if (!S_ISDIR(u.st_mode) || !S_ISDIR(w.st_mode)) {
		(void)err_say(e, ENOTDIR, S_ISDIR(u.st_mode) ? p->work : p->upper,
			"is not a directory (symbolic links are not followed here)");
		err_try(e, "name a directory; one that does not exist is created");
		return -ENOTDIR;
	}
	if (same_file(&u, &w)) {
		(void)err_say(e, EINVAL, p->work, "the upper and the work directory are the same");
		err_try(e, "omit work=: a work directory is created beside the upper");
		return -EINVAL;
	}
	if (u.st_dev != w.st_dev) {
		(void)err_say(e, EXDEV, p->work,
			"the upper and the work directory are on different filesystems");
		err_op(e, "upper");
		err_why(e, "OverlayFS renames files from one to the other");
		err_try(e, "omit work=: a work directory is created beside the upper");
		return -EXDEV;
	}
	ret->ids = (struct upper_ids){ u.st_dev, { u.st_ino, w.st_ino } };
	return 0;
}

/*
 * --- owners ------------------------------------------------------------------------------------
 */

/* A disk id that the map shows: 0, or else its first. */
static uint32_t visible_id(const struct idranges *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->items[i].disk == 0)
			return 0;
	return r->items[0].disk;
}

/* In a user namespace, the caller owns what has no owner there. */
static void replace_overflow_ids(struct owner_mode *o)
{
	bool initial = userns_is_initial();

	if (!initial && o->uid == IDMAP_OVERFLOW)
		o->uid = (uint32_t)geteuid();
	if (!initial && o->gid == IDMAP_OVERFLOW)
		o->gid = (uint32_t)getegid();
}

/* The owners and modes of a new upper and work directory. */
static int choose_owners(struct preparation *x, struct err *e)
{
	struct owner_mode *upper = &x->upper.owner, *work = &x->work.owner;
	const struct idmap *map = &x->plan->map.map;
	struct upper *u = x->ret;
	struct stat seen, raw;

	if (fstat(x->lower, &seen) < 0 || fstat(x->lower_raw, &raw) < 0)
		return err_set(e, errno, NULL, "cannot stat the topmost layer");
	*upper = (struct owner_mode){
		.uid = seen.st_uid, .gid = seen.st_gid, .mode = seen.st_mode & 07777
	};
	*work = (struct owner_mode){
		.uid = (uint32_t)geteuid(), .gid = (uint32_t)getegid(), .mode = 0700
	};
	u->switch_ids = false;
	if (u->plain) {
		replace_overflow_ids(upper);
		return 0;
	}

	/*
	 * The disk ids that the map shows as the layer's. Ids that the map does not show are those
	 * of the layer on the disk.
	 */
	if (!idmap_uid_disk(map, seen.st_uid, &upper->uid))
		upper->uid = raw.st_uid;
	if (!idmap_gid_disk(map, seen.st_gid, &upper->gid))
		upper->gid = raw.st_gid;
	replace_overflow_ids(upper);
	work->uid = visible_id(&map->uid);
	work->gid = visible_id(&map->gid);
	u->switch_ids =
		idmap_uid_seen(map, work->uid, &u->uid) && idmap_gid_seen(map, work->gid, &u->gid);
	return 0;
}

/*
 * --- on a disk ---------------------------------------------------------------------------------
 */

static const struct mount_map map_keep = { .wish = MAP_KEEP }, map_none = { .wish = MAP_NONE };

/*
 * Open or create one of the two directories. Owners are disk ids, so it is created in a clone
 * without a map, in case its place is on an ID-mapped mount.
 */
static int make_dir(struct preparation *x, const struct dir_plan *d, int i, struct err *e)
{
	struct upper *u = x->ret;
	scoped_fd int via = -1;
	int r = clone_private(d->at.dirfd, d->path, u->plain ? &map_keep : &map_none, &via, e);

	return r == 0 ? open_or_create(d, via, &u->made[i], &u->found[i], e) : r;
}

/* The clone is mapped last: with the map, even root may lack access to its directories. */
static int prepare_dirs(struct preparation *x, struct err *e)
{
	scoped_common_dir struct common_dir above = COMMON_DIR_INIT;
	const struct mount_plan *p = x->plan;
	struct upper *u = x->ret;
	int r;

	r = make_dir(x, &x->upper, 0, e);
	if (r == 0)
		r = make_dir(x, &x->work, 1, e);
	if (r == 0)
		r = check_dirs(u, p, e);
	if (r == 0)
		r = common_dir_find(&x->upper.at, &x->work.at, &above, e);
	if (r == 0)
		r = clone_private(above.fd, p->upper, u->plain ? &map_keep : &map_none, &u->mnt, e);
	if (r == 0)
		r = common_dir_open(u->mnt, above.first, u->found[0], p->upper, &u->upper, e);
	if (r == 0)
		r = common_dir_open(u->mnt, above.second, u->found[1], p->work, &u->work, e);
	if (r == 0 && !u->plain)
		r = clone_set_map(u->mnt, above.fd, p->upper, &p->map.map, e);
	return r;
}

static int check_unreachable_by_others(
	const struct mount_plan *p, const struct dir_plan *d, struct err *e)
{
	if (reachable_closed_in(d->at.dirfd, REACHABLE_NO_GROUP))
		return 0;
	(void)err_say(e, EPERM, d->path, "cannot keep changes where others can reach them");
	err_op(e, "upper");
	err_why(e,
		"set-uid files of the stack's root are stored there as set-uid files of disk id 0");
	err_try(e, "%s, or give -o upper-map=none",
		p->mstack ? "close the directory rw to other users (chmod 0700)" :
			    "move it below a directory that only root can enter (chmod 0700)");
	return -EPERM;
}

/*
 * The check whether other users can reach the upper may have been made outside of the user
 * namespace, or its directory was read before: is it still the same?
 */
static int check_same(const struct dir_plan *d, const struct stat *want, struct err *e)
{
	struct stat st;

	if (!want || (fstat(d->at.dirfd, &st) == 0 && same_file(&st, want)))
		return 0;
	return err_say(e, ESTALE, d->path, "leads to another place than a moment ago");
}

static int find_places(struct preparation *x, struct err *e)
{
	const struct mount_plan *p = x->plan;
	const struct stat seen = { .st_dev = p->upper_dev, .st_ino = p->upper_ino };
	int r;

	r = dirent_at_open(x->upper.path, "be an upper", &x->upper.at, e);
	if (r == 0)
		r = dirent_at_open(x->work.path, "be a work directory", &x->work.at, e);
	if (r == 0)
		r = check_same(&x->upper, p->upper_seen ? &seen : p->upper_in, e);
	if (r == 0)
		r = upper_place_check(p, &x->upper.at, &x->work.at, !x->ret->plain, e);
	if (r == 0 && !x->ret->plain)
		r = check_unreachable_by_others(p, &x->upper, e);
	return r;
}

static int prepare_on_disk(struct preparation *x, struct err *e)
{
	int r = find_places(x, e);

	if (r == 0)
		r = choose_owners(x, e);
	if (r == 0)
		r = prepare_dirs(x, e);
	return r;
}

/*
 * --- in memory ---------------------------------------------------------------------------------
 */

static int fill_tmpfs(struct preparation *x, struct err *e)
{
	const struct mount_plan *p = x->plan;
	struct upper *u = x->ret;
	int r;

	r = newfs_tmpfs(p->ephemeral_size, &u->mnt, e);
	if (r == 0)
		r = choose_owners(x, e);
	if (r == 0)
		r = mkdir_owned(u->mnt, "upper", &x->upper.owner, "(in memory)/upper", e);
	if (r == 0)
		r = mkdir_owned(u->mnt, "work", &x->work.owner, "(in memory)/work", e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "upper", O_PATH | O_DIRECTORY, &u->upper, e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "work", O_PATH | O_DIRECTORY, &u->work, e);
	if (r == 0 && !u->plain)
		r = clone_set_map(u->mnt, u->mnt, "(in memory)", &p->map.map, e);
	return r;
}

static int prepare_in_memory(struct preparation *x, struct err *e)
{
	int r = fill_tmpfs(x, e);

	/*
	 * The stored ids are never looked at, so kernels that cannot map a tmpfs (before 6.3) may
	 * store seen ids.
	 */
	if (r == -EINVAL && !x->ret->plain) {
		log_verbose("this kernel cannot ID-map a tmpfs: changes in memory are stored as "
			    "seen ids");
		if (e)
			*e = ERR_INIT;
		upper_done(x->ret);
		x->ret->plain = true;
		r = fill_tmpfs(x, e);
	}
	return r;
}

int upper_prepare(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *ret, struct err *e)
{
	struct upper u = UPPER_INIT;
	struct preparation x = {
		.plan = p,
		.lower = lower,
		.lower_raw = lower_raw,
		.upper = { .path = p->upper, .at = PLACE_INIT },
		.work = { .path = p->work, .at = PLACE_INIT },
		.ret = &u,
	};
	int r;

	u.plain = p->upper_plain || p->map.wish != MAP_SET;
	r = p->upper_kind == UPPER_DIR ? prepare_on_disk(&x, e) : prepare_in_memory(&x, e);
	place_done(&x.upper.at);
	place_done(&x.work.at);
	if (r < 0) {
		upper_undo(&u);
		upper_done(&u);
		return r;
	}

	*ret = u;
	return 0;
}

int upper_check(const struct mount_plan *p, struct err *e)
{
	struct upper u = { .plain = p->upper_plain || p->map.wish != MAP_SET };
	struct preparation x = {
		.plan = p,
		.upper = { .path = p->upper, .at = PLACE_INIT },
		.work = { .path = p->work, .at = PLACE_INIT },
		.ret = &u,
	};
	int r = p->upper_kind == UPPER_DIR ? find_places(&x, e) : 0;

	place_done(&x.upper.at);
	place_done(&x.work.at);
	return r;
}

bool upper_existed(const struct upper *u)
{
	return !u->made[0].name || !u->made[1].name;
}

void upper_undo(struct upper *u)
{
	/* The work directory first: OverlayFS has created directories in it. */
	for (size_t i = ARRAY_LEN(u->made); i-- > 0;)
		if (u->made[i].name)
			(void)fd_remove_tree(u->made[i].dirfd, u->made[i].name,
				NULL); /* the first failure is the one that is reported */
}

void upper_close(struct upper *u)
{
	cleanup_fd(&u->upper);
	cleanup_fd(&u->work);
	cleanup_fd(&u->mnt);
	cleanup_fd(&u->found[0]);
	cleanup_fd(&u->found[1]);
	u->upper = u->work = u->mnt = u->found[0] = u->found[1] = -1;
}

void upper_done(struct upper *u)
{
	for (size_t i = 0; i < ARRAY_LEN(u->made); i++) {
		cleanup_fd(&u->made[i].dirfd);
		free(u->made[i].name);
	}
	upper_close(u);
	*u = UPPER_INIT;
}
