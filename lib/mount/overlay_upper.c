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

static int remember(struct upper_made *m, int dirfd, const char *name, struct err *e)
{
	int r;

	m->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	r = m->dirfd < 0 ? err_set(e, errno, name, "cannot keep the directory above it open") : 0;
	m->name = strdup(name);
	if (r == 0 && m->name)
		return 0;
	(void)unlinkat(dirfd, name, AT_REMOVEDIR); /* ours, and empty */
	return r < 0 ? r : err_nomem(e);
}

/*
 * Open the directory at a place, after creating it if it is missing. via: where to create, the same
 * directory or a view of it.
 */
static int open_or_create(const struct place *at, int via, const struct owner_mode *b,
	const char *path, struct upper_made *made, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = openat(at->dirfd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT) {
		r = mkdir_owned(via, at->name, b, path, e);
		if (r == 0)
			r = remember(made, via, at->name, e);
		if (r < 0)
			return r;
		*ret_fd = openat(at->dirfd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (*ret_fd < 0)
		return err_path(e, errno, path, "cannot open the directory");
	return 0;
}

static int check_dirs(int upper, int work, const struct mount_plan *p, struct err *e)
{
	struct stat u, w;

	if (fstat(upper, &u) < 0 || fstat(work, &w) < 0)
		return err_set(e, errno, p->upper, "cannot stat the directory");
	if (!S_ISDIR(u.st_mode) || !S_ISDIR(w.st_mode))
		return err_say(e, ENOTDIR, S_ISDIR(u.st_mode) ? p->work : p->upper,
			"is no directory (symbolic links are not followed here)");
	if (same_file(&u, &w))
		return err_say(e, EINVAL, p->work, "the upper and the work directory are the same");
	if (u.st_dev != w.st_dev) {
		(void)err_say(e, EXDEV, p->work,
			"the upper and the work directory are on different filesystems");
		err_op(e, "upper");
		err_why(e, "OverlayFS renames files from one to the other");
		err_try(e, "leave out work=, and it is made beside the upper");
		return -EXDEV;
	}
	return 0;
}

/*
 * --- who owns what -----------------------------------------------------------------------------
 */

/* Some id of the disk that the map shows: 0, or the first one that there is. */
static uint32_t anchor(const struct idranges *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->items[i].disk == 0)
			return 0;
	return r->items[0].disk;
}

/* Who owns what nobody in this user namespace can own? We do. */
static void keep_to_ours(struct owner_mode *b)
{
	bool initial = userns_is_initial();

	if (!initial && b->uid == IDMAP_OVERFLOW)
		b->uid = (uint32_t)geteuid();
	if (!initial && b->gid == IDMAP_OVERFLOW)
		b->gid = (uint32_t)getegid();
}

/* With what the new upper and work directory are born. */
static int choose_owners(const struct mount_plan *p, int lower, int lower_raw, struct upper *u,
	struct owner_mode *upper, struct owner_mode *work, struct err *e)
{
	struct stat seen, raw;

	if (fstat(lower, &seen) < 0 || fstat(lower_raw, &raw) < 0)
		return err_set(e, errno, NULL, "cannot stat the topmost layer");
	*upper = (struct owner_mode){
		.uid = seen.st_uid, .gid = seen.st_gid, .mode = seen.st_mode & 07777
	};
	*work = (struct owner_mode){
		.uid = (uint32_t)geteuid(), .gid = (uint32_t)getegid(), .mode = 0700
	};
	u->switch_ids = false;
	if (u->plain) {
		keep_to_ours(upper);
		return 0;
	}

	/*
	 * On the disk, so that the map shows upper's root as it shows the layer's. What it hides
	 * stays as it is.
	 */
	if (!idmap_uid_disk(&p->map.map, seen.st_uid, &upper->uid))
		upper->uid = raw.st_uid;
	if (!idmap_gid_disk(&p->map.map, seen.st_gid, &upper->gid))
		upper->gid = raw.st_gid;
	keep_to_ours(upper);
	work->uid = anchor(&p->map.map.uid);
	work->gid = anchor(&p->map.map.gid);
	u->switch_ids = idmap_uid_seen(&p->map.map, work->uid, &u->uid) &&
		idmap_gid_seen(&p->map.map, work->gid, &u->gid);
	return 0;
}

/*
 * --- both kinds --------------------------------------------------------------------------------
 */

static const struct mount_map map_keep = { .wish = MAP_KEEP }, map_none = { .wish = MAP_NONE };

/* Upper and work directory as files of the plan, wherever they are; created if they are missing. */
static int make_dirs(const struct mount_plan *p, const struct place *at_upper,
	const struct place *at_work, const struct owner_mode *b, struct upper *u, struct err *e)
{
	const struct mount_map *map = u->plain ? &map_keep : &map_none;
	scoped_fd int via_upper = -1, via_work = -1;
	enum map_done done;
	int r;

	/*
	 * Owners are ids of the disk, so they are born in a view without a map, should the place
	 * have one.
	 */
	r = clone_mapped(
		at_upper->dirfd, p->upper, map, &mount_flags_private, NULL, &via_upper, &done, e);
	if (r == 0)
		r = open_or_create(
			at_upper, via_upper, &b[0], p->upper, &u->made[0], &u->found[0], e);
	if (r == 0)
		r = clone_mapped(at_work->dirfd, p->work, map, &mount_flags_private, NULL,
			&via_work, &done, e);
	if (r == 0)
		r = open_or_create(at_work, via_work, &b[1], p->work, &u->made[1], &u->found[1], e);
	return r == 0 ? check_dirs(u->found[0], u->found[1], p, e) : r;
}

/* The clone is mapped last: through the map its own directories may be closed even to root. */
static int prepare_dirs(const struct mount_plan *p, const struct place *at_upper,
	const struct place *at_work, const struct owner_mode *b, struct upper *u, struct err *e)
{
	scoped_common_dir struct common_dir base = COMMON_DIR_INIT;
	enum map_done done;
	int r;

	r = make_dirs(p, at_upper, at_work, b, u, e);
	if (r == 0)
		r = common_dir_find(at_upper, at_work, &base, e);
	if (r == 0)
		r = clone_mapped(base.fd, p->upper, u->plain ? &map_keep : &map_none,
			&mount_flags_private, NULL, &u->mnt, &done, e);
	if (r == 0)
		r = common_dir_open(u->mnt, base.first, u->found[0], p->upper, &u->upper, e);
	if (r == 0)
		r = common_dir_open(u->mnt, base.second, u->found[1], p->work, &u->work, e);
	if (r == 0 && !u->plain)
		r = clone_set_map(u->mnt, base.fd, p->upper, &p->map.map, &mount_flags_private, e);
	return r;
}

static int check_closed(const struct place *at, const char *path, struct err *e)
{
	if (reachable_closed_in(at->dirfd, REACHABLE_NO_GROUP))
		return 0;
	(void)err_say(e, EPERM, path, "cannot keep changes where others can reach them");
	err_op(e, "upper");
	err_why(e,
		"set-uid files of the stack's root are stored there as set-uid files of disk id 0");
	err_try(e,
		"put it below a directory that only root can enter (chmod 0700), or give -o "
		"upper-map=none");
	return -EPERM;
}

/*
 * Was it this one that was asked, from outside of the user namespace, whether others can reach it?
 */
static int check_same(
	const struct place *at, const struct stat *want, const char *path, struct err *e)
{
	struct stat st;

	if (!want || (fstat(at->dirfd, &st) == 0 && same_file(&st, want)))
		return 0;
	return err_say(e, ESTALE, path, "leads to another place than a moment ago");
}

static int prepare_on_disk(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	scoped_place struct place at_upper = PLACE_INIT, at_work = PLACE_INIT;
	struct owner_mode b[2];
	int r;

	r = dirent_at_open(p->upper, &at_upper, e);
	if (r == 0)
		r = dirent_at_open(p->work, &at_work, e);
	if (r == 0)
		r = check_same(&at_upper, p->upper_in, p->upper, e);
	if (r == 0 && !u->plain)
		r = check_closed(&at_upper, p->upper, e);
	if (r == 0)
		r = choose_owners(p, lower, lower_raw, u, &b[0], &b[1], e);
	if (r == 0)
		r = prepare_dirs(p, &at_upper, &at_work, b, u, e);
	return r;
}

static int fill_tmpfs(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	struct owner_mode b[2];
	int r;

	r = newfs_tmpfs(p->ephemeral_size, &u->mnt, e);
	if (r == 0)
		r = choose_owners(p, lower, lower_raw, u, &b[0], &b[1], e);
	if (r == 0)
		r = mkdir_owned(u->mnt, "upper", &b[0], "(in memory)/upper", e);
	if (r == 0)
		r = mkdir_owned(u->mnt, "work", &b[1], "(in memory)/work", e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "upper", O_PATH | O_DIRECTORY, &u->upper, e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "work", O_PATH | O_DIRECTORY, &u->work, e);
	if (r == 0 && !u->plain)
		r = clone_set_map(
			u->mnt, u->mnt, "(in memory)", &p->map.map, &mount_flags_private, e);
	return r;
}

static int prepare_in_memory(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	int r = fill_tmpfs(p, lower, lower_raw, u, e);

	/*
	 * Nobody will look at what is stored, so on kernels that cannot map a tmpfs (before 6.3)
	 * seen ids do as well.
	 */
	if (r == -EINVAL && !u->plain) {
		log_verbose("this kernel cannot ID-map a tmpfs: changes in memory are stored as "
			    "seen ids");
		if (e)
			*e = ERR_INIT;
		upper_done(u);
		u->plain = true;
		r = fill_tmpfs(p, lower, lower_raw, u, e);
	}
	return r;
}

int upper_prepare(
	const struct mount_plan *p, int lower, int lower_raw, struct upper *ret, struct err *e)
{
	struct upper u = UPPER_INIT;
	int r;

	u.plain = p->upper_plain || p->map.wish != MAP_SET;
	r = p->upper_kind == UPPER_DIR ? prepare_on_disk(p, lower, lower_raw, &u, e) :
					 prepare_in_memory(p, lower, lower_raw, &u, e);
	if (r < 0) {
		upper_undo(&u);
		upper_done(&u);
		return r;
	}

	*ret = u;
	return 0;
}

bool upper_is_old(const struct upper *u)
{
	return !u->made[0].name || !u->made[1].name;
}

void upper_undo(struct upper *u)
{
	/* Work first: OverlayFS has put directories of its own into it. */
	for (size_t i = ARRAY_LEN(u->made); i-- > 0;)
		if (u->made[i].name)
			(void)fd_remove_tree(u->made[i].dirfd, u->made[i].name,
				NULL); /* the first failure is what is reported */
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
