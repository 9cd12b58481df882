/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upper_place: check that OverlayFS can use the upper and the work directory where they are. */

#include "upper_place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "clone.h"
#include "fs_limits.h"

/* The place of a directory, which may be missing. */
struct upper_spot {
	const char *path;
	int fd; /* O_PATH: the directory, or the one above it */
	bool exists;
	struct statx at, above;
};

static void spot_done(struct upper_spot *s)
{
	cleanup_fd(&s->fd);
}

#define scoped_upper_spot __attribute__((cleanup(spot_done)))

static bool same_mount(const struct statx *a, const struct statx *b)
{
	return a->stx_mnt_id == b->stx_mnt_id;
}

/* The subvolumes of a btrfs have device numbers of their own. */
static bool same_device(const struct statx *a, const struct statx *b)
{
	return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

static bool same_place(const struct statx *a, const struct statx *b)
{
	return same_mount(a, b) && same_device(a, b);
}

static int look(const struct place *at, const char *path, struct upper_spot *ret, struct err *e)
{
	ret->path = path;
	ret->fd = openat(at->dirfd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ret->exists = ret->fd >= 0;
	if (ret->fd < 0)
		ret->fd = fcntl(at->dirfd, F_DUPFD_CLOEXEC, 3);
	if (ret->fd < 0 ||
		statx(ret->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &ret->at) < 0 ||
		statx(at->dirfd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &ret->above) <
			0)
		return err_path(e, errno, path, "cannot stat the directory");
	return 0;
}

/*
 * Say what the directory is the root of, if its neighbours are on another filesystem or mount for
 * that reason; else NULL.
 */
static const char *root_of(const struct upper_spot *s)
{
	if (!s->exists || same_place(&s->at, &s->above))
		return NULL;
	return same_mount(&s->at, &s->above) ? "a subvolume" : "a mount";
}

static const char *trimmed(const char *path, int *ret_len)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	*ret_len = (int)n;
	return path;
}

static void try_inside(const struct upper_spot *upper, struct err *e)
{
	int n;
	const char *path = trimmed(upper->path, &n);

	err_try(e,
		"name a directory in it: upper=%.*s/upper, whose work directory is "
		"%.*s/upper.work if work= is omitted",
		n, path, n, path);
}

/*
 * --- one mount, one filesystem -----------------------------------------------------------------
 */

static int apart(const struct upper_spot *upper, const struct upper_spot *work, struct err *e)
{
	const char *root = root_of(upper), *other = root_of(work);

	(void)err_say(e, EXDEV, work->path, "the upper and the work directory are on different %s",
		same_device(&upper->at, &work->at) ? "mounts" : "filesystems");
	err_op(e, "upper");
	if (root) {
		err_why(e,
			"OverlayFS renames files from one to the other, and '%s' is the root of %s",
			upper->path, root);
		try_inside(upper, e);
	} else if (other) {
		err_why(e,
			"OverlayFS renames files from one to the other, and '%s' is the root of %s",
			work->path, other);
		err_try(e, "name another work directory, in the directory of the upper: work=DIR");
	} else {
		err_why(e, "OverlayFS renames files from one to the other");
		err_try(e, "omit work=: a work directory is created beside the upper");
	}
	return -EXDEV;
}

/*
 * --- inside each other -------------------------------------------------------------------------
 */

/* Is the place inside dir? It is known to be on the same mount. */
static bool is_inside(int place, const struct upper_spot *dir)
{
	scoped_fd int at = fcntl(place, F_DUPFD_CLOEXEC, 3);
	struct stat want, st, last = { .st_ino = 0 };

	if (!dir->exists || fstat(dir->fd, &want) < 0)
		return false;
	for (int depth = 0; at >= 0 && fstat(at, &st) == 0; depth++) {
		int up;

		if (same_file(&st, &want))
			return true;
		if (depth && same_file(&st, &last))
			return false;
		last = st;
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&at);
		at = up;
	}
	return false;
}

static int nested(const struct upper_spot *inner, const struct upper_spot *outer,
	const struct upper_spot *upper, struct err *e)
{
	(void)err_say(e, EINVAL, inner->path, "is inside the %s directory '%s'",
		outer == upper ? "upper" : "work", outer->path);
	err_op(e, "upper");
	err_why(e, "OverlayFS needs two directories of which neither contains the other");
	if (root_of(upper))
		try_inside(upper, e);
	else
		err_try(e, "omit work=: a work directory is created beside the upper");
	return -EINVAL;
}

/*
 * --- the filesystem ----------------------------------------------------------------------------
 */

static int refuse_overlay(const struct upper_spot *s, struct err *e)
{
	(void)err_say(e, EINVAL, s->path, "is on an overlay, which cannot hold an upper");
	err_op(e, "upper");
	err_why(e, "OverlayFS refuses an overlay as the place of its changes");
	err_try(e,
		"name an upper on another filesystem, such as ext4, xfs, btrfs or tmpfs; or keep "
		"the changes in memory: -o ephemeral");
	return -EINVAL;
}

static int check_map(const struct mount_plan *p, const struct upper_spot *s, struct err *e)
{
	scoped_fd int clone = -1;
	int r = clone_private(s->fd, s->path, &p->map, &clone, e);

	if (r < 0) {
		err_prefix(e, "the place of the upper");
		err_try(e,
			"name an upper on a filesystem that can be ID-mapped, such as ext4, xfs, "
			"btrfs or tmpfs; or keep the changes in memory: -o ephemeral");
	}
	return r;
}

int upper_place_check(const struct mount_plan *p, const struct place *upper,
	const struct place *work, bool mapped, struct err *e)
{
	scoped_upper_spot struct upper_spot u = { .fd = -1 }, w = { .fd = -1 };
	enum fs_kind kind;
	int r = look(upper, p->upper, &u, e);

	if (r == 0)
		r = look(work, p->work, &w, e);
	if (r < 0)
		return r;
	kind = fs_kind_of(u.fd);
	if (kind == FS_OVERLAY)
		return refuse_overlay(&u, e);
	if (!same_place(&u.at, &w.at))
		return apart(&u, &w, e);
	if (is_inside(work->dirfd, &u))
		return nested(&w, &u, &u, e);
	if (is_inside(upper->dirfd, &w))
		return nested(&u, &w, &u, e);
	return mapped && kind != FS_COMPLETE ? check_map(p, &u, e) : 0;
}
