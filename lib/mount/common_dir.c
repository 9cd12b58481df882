/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common_dir: the deepest directory above two directory entries. */

#include "common_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "dirent_at.h"

struct spot {
	struct stat st;
	uint64_t mnt;
};

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

/* Count the steps from fd up to `above`. -1: it is not above fd within the mount. */
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

/*
 * The last n components of the path of fd, followed by name. Since directories can be renamed, the
 * result is a guess, which common_dir_open() verifies.
 */
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

int common_dir_find(const struct place *first, const struct place *second, struct common_dir *ret,
	struct err *e)
{
	scoped_fd int base = fcntl(first->dirfd, F_DUPFD_CLOEXEC, 3);
	struct spot here, last = { .mnt = 0 }, other;
	int up = 0, down;

	if (base < 0 || spot_of(second->dirfd, &other) < 0)
		return err_set(e, errno, NULL, "cannot compare upper and work directory");
	for (;; up++) {
		int next;

		if (spot_of(base, &here) < 0)
			return err_set(e, errno, NULL, "cannot compare upper and work directory");
		if (here.mnt != other.mnt || (up && same_spot(&here, &last))) {
			(void)err_say(e, EXDEV, NULL,
				"the upper and the work directory are on different mounts");
			err_op(e, "upper");
			err_why(e, "OverlayFS renames files from one to the other");
			err_try(e, "omit work=: a work directory is created beside the upper");
			return -EXDEV;
		}
		down = steps_up(second->dirfd, &here);
		if (down >= 0)
			break;
		last = here;
		next = openat(base, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&base);
		base = next;
	}
	ret->first = relative(first->dirfd, up, first->name);
	ret->second = relative(second->dirfd, down, second->name);
	if (!ret->first || !ret->second)
		return err_nomem(e);
	ret->fd = TAKE_FD(base);
	return 0;
}

int common_dir_open(
	int mnt, const char *rel, int original, const char *path, int *ret_fd, struct err *e)
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

void common_dir_done(struct common_dir *b)
{
	cleanup_fd(&b->fd);
	free(b->first);
	free(b->second);
	*b = COMMON_DIR_INIT;
}
