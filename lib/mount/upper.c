/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upper: the writable part of a stack. */

#include "upper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "fsids.h"
#include "probe.h"
#include "tree.h"

/* An owner and mode to be born with. */
struct birth {
	uint32_t uid, gid, mode;
};

/* The last component of a path and the directory that holds it. */
struct place {
	int dirfd;
	char name[NAME_MAX + 1];
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int place_open(const char *path, struct place *ret, struct err *e)
{
	scoped_free char *copy = strdup(path);
	char *slash, *name;
	size_t n;

	if (!copy)
		return err_nomem(e);
	for (n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_say(e, EINVAL, path, "must end in a name of its own");
	if (strlen(name) > NAME_MAX)
		return err_set(e, ENAMETOOLONG, path, "cannot use this directory");
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name); /* fits: checked */

	if (slash)
		slash[slash == copy ? 1 : 0] = '\0';
	ret->dirfd = open(slash ? copy : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->dirfd < 0) {
		err_op(e, "open");
		return err_set(e, errno, path, "cannot open the directory above it");
	}
	return 0;
}

/* --- who can get there ------------------------------------------------------------------------- */

static bool has_acl(int fd)
{
	char path[32];

	return getxattr(fd_proc_path(fd, path), "system.posix_acl_access", NULL, 0) >= 0;
}

/* Does this directory keep all but root out? With an ACL the group bits are its mask, which is an upper bound. */
static bool keeps_out(int fd, const struct stat *st)
{
	if (st->st_uid != 0 || st->st_mode & S_IXOTH)
		return false;
	return !(st->st_mode & S_IXGRP) || (st->st_gid == 0 && !has_acl(fd));
}

static int check_private(int dirfd, const char *path, struct err *e)
{
	scoped_fd int dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	struct stat st, above;

	while (dir >= 0 && fstat(dir, &st) == 0) {
		int up;

		if (keeps_out(dir, &st))
			return 0;
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &above) < 0) {
			cleanup_fd(&up);
			break;
		}
		cleanup_fd(&dir);
		dir = up;
		if (!same_file(&st, &above))
			continue;
		(void)err_say(e, EPERM, path, "cannot keep changes where others can reach them");
		err_op(e, "upper");
		err_why(e, "set-uid files of the stack's root are stored there as set-uid files of disk id 0");
		err_try(e, "put it below a directory that only root can enter (chmod 0700), or give -o upper-map=none");
		return -EPERM;
	}
	return err_set(e, errno, path, "cannot find out who can reach it");
}

/* --- birth ------------------------------------------------------------------------------------- */

/*
 * A set-gid parent gives its group to what is born below it, and a default ACL its entries. So the directory is born in
 * a plain directory beside, and moved.
 */
static int born_beside(int dirfd, const char *name, const struct birth *b, struct err *e)
{
	scoped_fd int tmp = -1;
	char tmpname[32];
	char path[32];
	int r = 0;

	(void)snprintf(tmpname, sizeof(tmpname), ".shiftbox-%d", (int)getpid()); /* fits */
	if (mkdirat(dirfd, tmpname, 0700) < 0)
		return err_set(e, errno, name, "cannot create a directory beside it");
	tmp = openat(dirfd, tmpname, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tmp < 0 || fchmod(tmp, 0700) < 0)
		r = -errno;
	if (r == 0) {
		/* none there, or a filesystem without: both fine */
		(void)removexattr(fd_proc_path(tmp, path), "system.posix_acl_default");
		(void)removexattr(path, "system.posix_acl_access");
		if (mkdirat(tmp, "d", 0700) < 0 || fchmodat(tmp, "d", b->mode & 07777, 0) < 0 ||
		    renameat2(tmp, "d", dirfd, name, RENAME_NOREPLACE) < 0)
			r = -errno;
	}
	if (r < 0 && tmp >= 0)
		(void)unlinkat(tmp, "d", AT_REMOVEDIR); /* if it is there at all */
	(void)unlinkat(dirfd, tmpname, AT_REMOVEDIR); /* empty now */
	return r < 0 ? err_set(e, -r, name, "cannot create the directory") : 0;
}

/* Create a directory with its final owner, which is never changed afterwards. */
static int give_birth(int dirfd, const char *name, const struct birth *b, const char *path, struct err *e)
{
	scoped_fsids struct fsids ids = FSIDS_INIT;
	int r = fsids_enter(&ids, b->uid, b->gid, e);

	if (r == 0)
		r = born_beside(dirfd, name, b, e);
	if (r < 0) {
		err_prefix(e, "'%s', owner %u:%u on the disk", path, b->uid, b->gid);
		err_op(e, "mkdir");
	}
	return r;
}

static int remember(struct upper_made *m, int dirfd, const char *name, struct err *e)
{
	m->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	m->name = strdup(name);
	if (m->dirfd >= 0 && m->name)
		return 0;
	(void)unlinkat(dirfd, name, AT_REMOVEDIR); /* ours, and empty */
	return err_nomem(e);
}

/* Open the directory at a place, after creating it if it is missing. via: where to create, the same directory or a view of it. */
static int open_or_create(const struct place *at, int via, const struct birth *b, const char *path,
			  struct upper_made *made, int *ret_fd, struct err *e)
{
	int r;

	*ret_fd = openat(at->dirfd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT) {
		r = give_birth(via, at->name, b, path, e);
		if (r == 0)
			r = remember(made, via, at->name, e);
		if (r < 0)
			return r;
		*ret_fd = openat(at->dirfd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (*ret_fd < 0)
		return err_set(e, errno, path, "cannot open the directory");
	return 0;
}

/* --- under one mount --------------------------------------------------------------------------- */

struct spot { struct stat st; uint64_t mnt; };

static int spot_of(int fd, struct spot *ret)
{
	struct statx stx;

	if (fstat(fd, &ret->st) < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	ret->mnt = stx.stx_mnt_id;
	return 0;
}

static bool same_spot(const struct spot *a, const struct spot *b)
{
	return a->mnt == b->mnt && same_file(&a->st, &b->st);
}

/* How many steps up from fd is `above`? -1: it is not above it within the mount. */
static int steps_up(int fd, const struct spot *above)
{
	scoped_fd int dir = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct spot here, last = { .mnt = 0 };

	for (int n = 0; dir >= 0 && spot_of(dir, &here) == 0; n++) {
		int up;

		if (same_spot(&here, above))
			return n;
		if (here.mnt != above->mnt || (n && same_spot(&here, &last)))
			return -1;
		last = here;
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&dir);
		dir = up;
	}
	return -1;
}

/* The last n components of the path of fd, and name. It is only a guess (somebody may rename): checked by open_below(). */
static char *relative(int fd, int n, const char *name)
{
	scoped_buf struct buf b = BUF_INIT;
	char link[32], path[PATH_MAX + 1];
	ssize_t len = readlink(fd_proc_path(fd, link), path, sizeof(path) - 1);
	char *p;

	if (len < 0)
		return NULL;
	path[len] = '\0';
	for (p = path + len; n && p > path; p--)
		n -= p[-1] == '/';
	if (p != path + len)
		buf_printf(&b, "%s/", p + (*p == '/'));
	buf_str(&b, name);
	return buf_take(&b);
}

/* The closest directory above both, and the names of both below it. */
struct base {
	int fd;
	char *upper, *work;
};

static void base_done(struct base *b)
{
	cleanup_fd(&b->fd);
	free(b->upper);
	free(b->work);
}

static int find_base(const struct place *upper, const struct place *work, struct base *ret, struct err *e)
{
	scoped_fd int base = fcntl(upper->dirfd, F_DUPFD_CLOEXEC, 3);
	struct spot here, last = { .mnt = 0 }, other;
	int up = 0, down;

	if (base < 0 || spot_of(work->dirfd, &other) < 0)
		return err_set(e, errno, NULL, "cannot compare upper and work directory");
	for (;; up++) {
		int next;

		if (spot_of(base, &here) < 0)
			return err_set(e, errno, NULL, "cannot compare upper and work directory");
		if (here.mnt != other.mnt || (up && same_spot(&here, &last))) {
			(void)err_say(e, EXDEV, NULL, "the upper and the work directory are on different mounts");
			err_op(e, "upper");
			err_why(e, "OverlayFS renames files from one to the other");
			err_try(e, "leave out work=, and it is made beside the upper");
			return -EXDEV;
		}
		down = steps_up(work->dirfd, &here);
		if (down >= 0)
			break;
		last = here;
		next = openat(base, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&base);
		base = next;
	}
	ret->upper = relative(upper->dirfd, up, upper->name);
	ret->work = relative(work->dirfd, down, work->name);
	if (!ret->upper || !ret->work)
		return err_nomem(e);
	ret->fd = TAKE_FD(base);
	return 0;
}

/* The same directory again, this time by way of the clone. */
static int open_below(int mnt, const char *rel, int original, const char *path, int *ret_fd, struct err *e)
{
	struct stat a, b;
	int r = fd_open_beneath(mnt, rel, O_PATH | O_DIRECTORY, ret_fd, e);

	if (r < 0)
		return r;
	if (fstat(*ret_fd, &a) < 0 || fstat(original, &b) < 0)
		return err_set(e, errno, path, "cannot stat the directory");
	if (!same_file(&a, &b))
		return err_say(e, ESTALE, path, "the directory was moved meanwhile");
	return 0;
}

static int check_dirs(int upper, int work, const struct mount_plan *p, struct err *e)
{
	struct stat u, w;

	if (fstat(upper, &u) < 0 || fstat(work, &w) < 0)
		return err_set(e, errno, p->upper, "cannot stat the directory");
	if (!S_ISDIR(u.st_mode) || !S_ISDIR(w.st_mode))
		return err_say(e, ENOTDIR, S_ISDIR(u.st_mode) ? p->work : p->upper, "is no directory (symbolic links are not followed here)");
	if (same_file(&u, &w))
		return err_say(e, EINVAL, p->work, "the upper and the work directory are the same");
	if (u.st_dev != w.st_dev) {
		(void)err_say(e, EXDEV, p->work, "the upper and the work directory are on different filesystems");
		err_op(e, "upper");
		err_why(e, "OverlayFS renames files from one to the other");
		err_try(e, "leave out work=, and it is made beside the upper");
		return -EXDEV;
	}
	return 0;
}

/* --- who owns what ----------------------------------------------------------------------------- */

/* Some id of the disk that the map shows: 0, or the first one that there is. */
static uint32_t anchor(const struct idranges *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->items[i].disk == 0)
			return 0;
	return r->items[0].disk;
}

/* Who owns what nobody in this user namespace can own? We do. */
static void keep_to_ours(struct birth *b)
{
	bool initial = probe_initial_userns();

	if (!initial && b->uid == IDMAP_OVERFLOW)
		b->uid = (uint32_t)geteuid();
	if (!initial && b->gid == IDMAP_OVERFLOW)
		b->gid = (uint32_t)getegid();
}

/* With what the new upper and work directory are born. */
static int choose_owners(const struct mount_plan *p, int lower, int lower_raw, struct upper *u,
			 struct birth *upper, struct birth *work, struct err *e)
{
	struct stat seen, raw;

	if (fstat(lower, &seen) < 0 || fstat(lower_raw, &raw) < 0)
		return err_set(e, errno, NULL, "cannot stat the topmost layer");
	*upper = (struct birth){ .uid = seen.st_uid, .gid = seen.st_gid, .mode = seen.st_mode & 07777 };
	*work = (struct birth){ .uid = (uint32_t)geteuid(), .gid = (uint32_t)getegid(), .mode = 0700 };
	u->switch_ids = false;
	if (u->plain) {
		keep_to_ours(upper);
		return 0;
	}

	/* On the disk, so that the map shows upper's root as it shows the layer's. What it hides stays as it is. */
	if (!idmap_uid_disk(&p->map.map, seen.st_uid, &upper->uid))
		upper->uid = raw.st_uid;
	if (!idmap_gid_disk(&p->map.map, seen.st_gid, &upper->gid))
		upper->gid = raw.st_gid;
	keep_to_ours(upper);
	work->uid = anchor(&p->map.map.uid);
	work->gid = anchor(&p->map.map.gid);
	u->switch_ids = idmap_uid_seen(&p->map.map, work->uid, &u->uid) && idmap_gid_seen(&p->map.map, work->gid, &u->gid);
	return 0;
}

/* --- both kinds -------------------------------------------------------------------------------- */

static const struct mount_map map_keep = { .wish = MAP_KEEP }, map_none = { .wish = MAP_NONE };

/* Upper and work directory as files of the plan, wherever they are; created if they are missing. */
static int make_dirs(const struct mount_plan *p, const struct place *at_upper, const struct place *at_work,
		     const struct birth *b, struct upper *u, int *ret_upper, int *ret_work, struct err *e)
{
	const struct mount_map *map = u->plain ? &map_keep : &map_none;
	scoped_fd int via_upper = -1, via_work = -1;
	enum map_done done;
	int r;

	/* Owners are ids of the disk, so they are born in a view without a map, should the place have one. */
	r = tree_clone(at_upper->dirfd, p->upper, map, &tree_flags_private, &via_upper, &done, e);
	if (r == 0)
		r = open_or_create(at_upper, via_upper, &b[0], p->upper, &u->made[0], ret_upper, e);
	if (r == 0)
		r = tree_clone(at_work->dirfd, p->work, map, &tree_flags_private, &via_work, &done, e);
	if (r == 0)
		r = open_or_create(at_work, via_work, &b[1], p->work, &u->made[1], ret_work, e);
	return r == 0 ? check_dirs(*ret_upper, *ret_work, p, e) : r;
}

/* The clone is mapped last: through the map its own directories may be closed even to root. */
static int prepare_dirs(const struct mount_plan *p, const struct place *at_upper, const struct place *at_work,
			const struct birth *b, struct upper *u, struct err *e)
{
	struct base base = { .fd = -1 };
	scoped_fd int upper = -1, work = -1;
	enum map_done done;
	int r;

	r = make_dirs(p, at_upper, at_work, b, u, &upper, &work, e);
	if (r == 0)
		r = find_base(at_upper, at_work, &base, e);
	if (r == 0)
		r = tree_clone(base.fd, p->upper, u->plain ? &map_keep : &map_none, &tree_flags_private, &u->mnt, &done, e);
	if (r == 0)
		r = open_below(u->mnt, base.upper, upper, p->upper, &u->upper, e);
	if (r == 0)
		r = open_below(u->mnt, base.work, work, p->work, &u->work, e);
	if (r == 0 && !u->plain)
		r = tree_map(u->mnt, base.fd, p->upper, &p->map.map, &tree_flags_private, e);
	base_done(&base);
	return r;
}

static int prepare_on_disk(const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	struct place at_upper = { .dirfd = -1 }, at_work = { .dirfd = -1 };
	struct birth b[2];
	int r;

	r = place_open(p->upper, &at_upper, e);
	if (r == 0)
		r = place_open(p->work, &at_work, e);
	if (r == 0 && !u->plain)
		r = check_private(at_upper.dirfd, p->upper, e);
	if (r == 0)
		r = choose_owners(p, lower, lower_raw, u, &b[0], &b[1], e);
	if (r == 0)
		r = prepare_dirs(p, &at_upper, &at_work, b, u, e);
	cleanup_fd(&at_upper.dirfd);
	cleanup_fd(&at_work.dirfd);
	return r;
}

/* A tmpfs that exists only for this. */
static int make_tmpfs(uint64_t bytes, int *ret_mnt, struct err *e)
{
	scoped_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	char size[32];

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes); /* fits: 20 digits */
	if (fs < 0) {
		err_op(e, "fsopen");
		return err_set(e, errno, "tmpfs", "cannot make a filesystem in memory");
	}
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "shiftbox", 0) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
	    (bytes && sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0) ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		err_op(e, "fsconfig");
		return err_set(e, errno, "tmpfs", "cannot make a filesystem in memory");
	}
	*ret_mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (*ret_mnt < 0) {
		err_op(e, "fsmount");
		return err_set(e, errno, "tmpfs", "cannot make a filesystem in memory");
	}
	return 0;
}

static int fill_tmpfs(const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	struct birth b[2];
	int r;

	r = make_tmpfs(p->ephemeral_size, &u->mnt, e);
	if (r == 0)
		r = choose_owners(p, lower, lower_raw, u, &b[0], &b[1], e);
	if (r == 0)
		r = give_birth(u->mnt, "upper", &b[0], "(in memory)/upper", e);
	if (r == 0)
		r = give_birth(u->mnt, "work", &b[1], "(in memory)/work", e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "upper", O_PATH | O_DIRECTORY, &u->upper, e);
	if (r == 0)
		r = fd_open_beneath(u->mnt, "work", O_PATH | O_DIRECTORY, &u->work, e);
	if (r == 0 && !u->plain)
		r = tree_map(u->mnt, u->mnt, "(in memory)", &p->map.map, &tree_flags_private, e);
	return r;
}

static int prepare_in_memory(const struct mount_plan *p, int lower, int lower_raw, struct upper *u, struct err *e)
{
	int r = fill_tmpfs(p, lower, lower_raw, u, e);

	/* Nobody will look at what is stored, so on kernels that cannot map a tmpfs (before 6.3) seen ids do as well. */
	if (r == -EINVAL && !u->plain) {
		log_verbose("this kernel cannot ID-map a tmpfs: changes in memory are stored as seen ids");
		if (e)
			*e = ERR_INIT;
		upper_done(u);
		u->plain = true;
		r = fill_tmpfs(p, lower, lower_raw, u, e);
	}
	return r;
}

int upper_prepare(const struct mount_plan *p, int lower, int lower_raw, struct upper *ret, struct err *e)
{
	struct upper u = UPPER_INIT;
	int r;

	u.plain = p->upper_plain || p->map.wish != MAP_SET;
	r = p->upper_kind == UPPER_DIR ? prepare_on_disk(p, lower, lower_raw, &u, e)
				       : prepare_in_memory(p, lower, lower_raw, &u, e);
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
			(void)fd_remove_tree(u->made[i].dirfd, u->made[i].name, NULL); /* the first failure is what is reported */
}

void upper_done(struct upper *u)
{
	for (size_t i = 0; i < ARRAY_LEN(u->made); i++) {
		cleanup_fd(&u->made[i].dirfd);
		free(u->made[i].name);
	}
	cleanup_fd(&u->upper);
	cleanup_fd(&u->work);
	cleanup_fd(&u->mnt);
	*u = UPPER_INIT;
}
