/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* utab: write libmount's table of user options. */

#include "utab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/lock.h"
#include "utab_changes.h"

enum { UTAB_MAX = 64 << 20, TRIES = 200, TRY_MS = 10 };

static struct utab_changes pending;

void utab_note_mount(const struct mount_info *i, const char *options)
{
	utab_changes_mount(&pending, i, options);
}

void utab_note_umount(const char *path, const struct mount_info *i, bool below)
{
	utab_changes_umount(&pending, path, i, below);
}

/*
 * --- the file ------------------------------------------------------------------------------------
 */

/* Open /run/mount, or create it as libmount does. -EPERM: other users can write it. */
static int open_table_dir(bool create)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	scoped_fd int run = open("/run", O_PATH | flags), fd = -1;
	struct stat st;

	if (run < 0)
		return -errno;
	if (fstat(run, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	fd = openat(run, "mount", O_RDONLY | flags);
	if (fd < 0 && errno == ENOENT && create && mkdirat(run, "mount", 0755) == 0)
		fd = openat(run, "mount", O_RDONLY | flags);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022 ||
		faccessat(fd, ".", W_OK, AT_EACCESS) < 0)
		return -EPERM;
	return TAKE_FD(fd);
}

/* The lock of libmount's lib/lock.c. Every user can hold it, since the file is readable. */
static int lock_table(int dir, int *ret, struct err *e)
{
	const struct timespec wait = { .tv_nsec = TRY_MS * 1000000L };
	scoped_fd int fd = openat(
		dir, "utab.lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : -EWOULDBLOCK;

	for (int i = 0; i < TRIES && r == -EWOULDBLOCK; i++) {
		r = lock_try(fd, LOCK_EXCLUSIVE);
		if (r == -EWOULDBLOCK)
			(void)nanosleep(&wait, NULL); /* shorter after a signal */
	}
	if (r == -EWOULDBLOCK) {
		scoped_buf struct buf who = BUF_INIT;

		lock_print_holder(fd, &who);
		(void)err_say(e, EBUSY, "/run/mount/utab", "another process has locked it");
		err_why(e, "it is %s", who.data ? who.data : "not known which one");
		return -EBUSY;
	}
	if (r < 0)
		return err_set(e, -r, "/run/mount/utab.lock", "cannot lock the table");
	*ret = TAKE_FD(fd);
	return 0;
}

static int replace(int dir, const struct buf *text)
{
	char name[48];
	scoped_fd int fd = -1;
	int r;

	(void)snprintf(name, sizeof(name), "utab.shiftbox-%d", (int)getpid()); /* fits */
	(void)unlinkat(dir, name, 0); /* usually it does not exist */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text->data ? text->data : "", text->len);
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0 && close(TAKE_FD(fd)) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, name, dir, "utab") < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, name, 0); /* it disturbs no other process */
	return r;
}

static int rewrite(int dir, struct err *e)
{
	scoped_buf struct buf old = BUF_INIT, new = BUF_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_regular(dir, "utab", O_NOFOLLOW, &fd, e);

	if (r == 0)
		r = fd_read_all(fd, "/run/mount/utab", UTAB_MAX, &old, e);
	if (r == -EINVAL || r == -EISDIR)
		return err_say(e, -r, "/run/mount/utab", "is not a regular file");
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && !buf_get(&old))
		return err_nomem(e);
	utab_changes_merge(&pending, r == 0 ? buf_get(&old) : "", old.len, &new);
	if (!buf_get(&new))
		return err_nomem(e);
	if (new.len == old.len && !memcmp(buf_get(&new), buf_get(&old), new.len))
		return 0;
	r = replace(dir, &new);
	return r < 0 ? err_set(e, -r, "/run/mount/utab", "cannot write the table") : 0;
}

static int write_changes(struct err *e)
{
	scoped_fd int dir = -1, lock = -1;
	struct stat st;
	int r;

	if (pending.oom)
		return err_nomem(e);
	if (!pending.list.len)
		return 0;
	dir = open_table_dir(pending.adds);
	if (dir < 0)
		return 0; /* libmount could not write it either, and shows no user options */
	if (!pending.adds && (fstatat(dir, "utab", &st, AT_SYMLINK_NOFOLLOW) < 0 || !st.st_size))
		return 0;
	r = lock_table(dir, &lock, e);
	return r < 0 ? r : rewrite(dir, e);
}

int utab_write(struct err *e)
{
	int r = write_changes(e);

	utab_changes_done(&pending);
	return r;
}
