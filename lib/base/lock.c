/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lock: locks that other users cannot hold, and marks. */

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"
#include "num.h"
#include "runtime_dir.h"

enum { FILE_MAX = 4 << 20 };

static int open_directory(void)
{
	int fd = geteuid() == 0 ? runtime_dir_root() : -ENOENT, first = fd;

	if (fd < 0)
		fd = runtime_dir_user(true, false);
	return fd < 0 && first != -ENOENT ? first : fd;
}

/*
 * --- locks ---------------------------------------------------------------------------------------
 */

/* Other users may enter root's directory: the file itself must be closed to them. */
static int open_lock(int dir, const char *name)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	scoped_fd int fd = openat(dir, name, flags, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || st.st_mode & 077 ? -EPERM : TAKE_FD(fd);
}

int lock_open(const struct stat *st, const char *kind)
{
	static atomic_bool told;
	scoped_fd int dir = open_directory();
	char name[96];
	int fd = dir;

	(void)snprintf(name, sizeof(name), "%.30s-%u:%u-%llu", kind, major(st->st_dev),
		minor(st->st_dev), (unsigned long long)st->st_ino); /* fits */
	if (dir >= 0)
		fd = open_lock(dir, name);
	if (fd >= 0)
		return fd;
	if (!atomic_exchange(&told, true))
		log_verbose("there is no directory for locks that is the caller's alone (%s)",
			strerrordesc_np(-fd));
	return -1;
}

static int do_flock(int fd, enum lock_how how, int more)
{
	static const int ops[] = {
		[LOCK_OFF] = LOCK_UN, [LOCK_SHARED] = LOCK_SH, [LOCK_EXCLUSIVE] = LOCK_EX
	};

	return flock(fd, ops[how] | more) < 0 ? -errno : 0;
}

int lock_try(int fd, enum lock_how how)
{
	return do_flock(fd, how, LOCK_NB);
}

int lock_wait(int fd, enum lock_how how)
{
	return do_flock(fd, how, 0);
}

/*
 * Lines are "1: FLOCK  ADVISORY  WRITE 123 00:1a:456 0 EOF", with "->" before FLOCK for a process
 * that waits (fs/locks.c, lock_get_status()).
 */
static uint64_t find_holder(const char *line, const char *where, const char *kind)
{
	while (*line) {
		size_t n = strcspn(line, "\n");
		const char *at = memmem(line, n, where, strlen(where)), *pid = at;
		uint64_t number;

		while (pid && pid > line && pid[-1] >= '0' && pid[-1] <= '9')
			pid--;
		if (at && memmem(line, n, kind, strlen(kind)) &&
			num_u64_n(pid, (size_t)(at - pid), &number) == 0)
			return number;
		line += n + (line[n] == '\n');
	}
	return 0;
}

/* The process that holds a lock of this kind on the file, or 0. */
static uint64_t holder_of(int fd, const char *kind)
{
	scoped_buf struct buf locks = BUF_INIT;
	char where[64];
	struct stat st;

	if (fstat(fd, &st) < 0 ||
		fd_read_file(AT_FDCWD, "/proc/locks", FILE_MAX, &locks, NULL) < 0 ||
		!buf_get(&locks))
		return 0;
	(void)snprintf(where, sizeof(where), " %02x:%02x:%llu 0 EOF", major(st.st_dev),
		minor(st.st_dev), (unsigned long long)st.st_ino); /* fits */
	return find_holder(buf_get(&locks), where, kind);
}

static void print_process(uint64_t pid, struct buf *b)
{
	scoped_buf struct buf comm = BUF_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)pid); /* fits */
	if (fd_read_file(AT_FDCWD, path, 64, &comm, NULL) < 0 || !comm.len || !buf_get(&comm))
		buf_printf(b, "process %llu", (unsigned long long)pid);
	else
		buf_printf(b, "process %llu (%.*s)", (unsigned long long)pid, (int)comm.len - 1,
			comm.data);
}

void lock_print_holder(int fd, struct buf *b)
{
	uint64_t pid = holder_of(fd, ": FLOCK ");

	if (pid)
		print_process(pid, b);
	else
		buf_str(b, "one that cannot be seen from here");
}

bool lock_print_delegate(int fd, struct buf *b)
{
	uint64_t pid = holder_of(fd, ": DELEG ");

	if (pid)
		print_process(pid, b);
	return pid;
}

/*
 * --- marks ---------------------------------------------------------------------------------------
 */

static int ofd_lock(int fd, int command, short *type)
{
	struct flock l = { .l_type = *type, .l_whence = SEEK_SET };

	if (fcntl(fd, command, &l) < 0)
		return errno == EACCES ? -EAGAIN : -errno; /* POSIX allows EACCES, too */
	*type = l.l_type;
	return 0;
}

int mark_new(int dirfd, const char *name, int *ret_fd)
{
	char path[MARK_NAME_MAX + 2];
	scoped_fd int fd = -1;
	short type = F_WRLCK;
	int r;

	/* Lock it under a temporary name, so that it is held when it appears under its own name. */
	(void)snprintf(path, sizeof(path), "%.*s~", (int)MARK_NAME_MAX, name); /* fits */
	fd = openat(dirfd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = ofd_lock(fd, F_OFD_SETLK, &type);
	if (r == 0 && renameat2(dirfd, path, dirfd, name, RENAME_NOREPLACE) < 0)
		r = errno == ENOENT || errno == EEXIST ? -EAGAIN :
							 -errno; /* another process removed it */
	if (r < 0) {
		(void)unlinkat(dirfd, path, 0); /* otherwise a later sweep removes it */
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_mark(int dirfd, const char *name)
{
	scoped_fd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && st.st_uid == geteuid() ? TAKE_FD(fd) : -ENOENT;
}

int mark_look(int dirfd, const char *name)
{
	scoped_fd int fd = open_mark(dirfd, name);
	short type = F_RDLCK; /* conflicts with write locks only */
	int r;

	if (fd < 0)
		return fd == -ENOENT ? MARK_GONE : fd;
	r = ofd_lock(fd, F_OFD_GETLK, &type);
	return r < 0 ? r : type == F_UNLCK ? MARK_DEAD : MARK_HELD;
}

int mark_wait(int dirfd, const char *name)
{
	scoped_fd int fd = open_mark(dirfd, name);
	short type = F_RDLCK;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return ofd_lock(fd, F_OFD_SETLKW, &type); /* closing fd releases it */
}

void mark_drop(int dirfd, const char *name, int *fd)
{
	if (*fd < 0)
		return;
	(void)unlinkat(dirfd, name, 0); /* otherwise it stays as a dead mark, which is harmless */
	cleanup_fd(fd);
	*fd = -1;
}
