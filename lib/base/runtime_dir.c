/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* runtime_dir: the directories for files that last until the next boot. */

#include "runtime_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "fd.h"
#include "num.h"
#include "path.h"

#define NAME "shiftbox"

enum { ID_MAP_MAX = 64 << 10, OVERFLOW_ID = 65534 };

/*
 * Open the directory below parent. closed: the mode bits that it must not have. -EPERM: other users
 * can write in it, or replace it.
 */
static int open_below(int parent, bool create, mode_t closed)
{
	scoped_fd int fd = -1;
	struct stat st;

	if (fstat(parent, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022 && !(st.st_mode & S_ISVTX)))
		return -EPERM;
	if (create && faccessat(parent, NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		mkdirat(parent, NAME, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || st.st_mode & closed ? -EPERM : TAKE_FD(fd);
}

static int open_parent(const char *dir, bool strict)
{
	const int flags = O_PATH | O_DIRECTORY | (strict ? O_NOFOLLOW : 0);
	scoped_fd int fd = -1;
	struct stat st;
	int r = path_open(dir, flags, "cannot open it", NULL, &fd, NULL);

	if (r < 0)
		return r;
	if (strict && (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 077))
		return -EPERM;
	return TAKE_FD(fd);
}

int runtime_dir_root(void)
{
	scoped_fd int parent = -1;

	if (geteuid() != 0)
		return -EPERM;
	parent = open("/run", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (parent < 0)
		parent = open_parent("/run", false); /* it may be a link */
	return parent < 0 ? parent : open_below(parent, true, 022);
}

/*
 * --- a user's ------------------------------------------------------------------------------------
 */

/* Parse the next number of a line "INSIDE OUTSIDE COUNT" of /proc/self/uid_map. */
static bool next_number(const char **p, uint64_t *ret)
{
	size_t n;

	*p += strspn(*p, " ");
	n = strspn(*p, "0123456789");
	if (!n || num_u64_n(*p, n, ret) < 0)
		return false;
	*p += n;
	return true;
}

/* The uid of the caller in the parent user namespace, which is the one in /run/user. */
static uint64_t outer_uid(void)
{
	scoped_buf struct buf map = BUF_INIT;
	uint64_t uid = geteuid(), in, out, count;

	if (fd_read_file(AT_FDCWD, "/proc/self/uid_map", ID_MAP_MAX, &map, NULL) < 0 ||
		!buf_get(&map))
		return uid;
	for (const char *p = buf_get(&map);
		next_number(&p, &in) && next_number(&p, &out) && next_number(&p, &count);
		p += *p == '\n')
		if (uid >= in && uid - in < count)
			return out + (uid - in);
	return uid;
}

/* Is this the initial user namespace, as far as the map of its ids tells? If in doubt, it is. */
static bool is_initial(void)
{
	scoped_buf struct buf map = BUF_INIT;
	uint64_t in, out, count;
	const char *p;

	if (fd_read_file(AT_FDCWD, "/proc/self/uid_map", ID_MAP_MAX, &map, NULL) < 0)
		return true;
	p = buf_get(&map);
	return !p ||
		(next_number(&p, &in) && next_number(&p, &out) && next_number(&p, &count) &&
			count == UINT32_MAX);
}

static int open_user(const char *dir, bool create, bool strict)
{
	scoped_fd int parent = open_parent(dir, strict);

	return parent < 0 ? parent : open_below(parent, create, 077);
}

int runtime_dir_user(bool create, bool strict)
{
	const char *runtime = env_get("XDG_RUNTIME_DIR");
	char path[64];
	int fd = -ENOENT;

	/*
	 * The host's root may have inherited the variable from another user, as by "sudo -E". A
	 * FUSE filesystem of that user shows any owner, and need not answer.
	 */
	if (runtime && runtime[0] == '/' && (geteuid() != 0 || !is_initial()))
		fd = open_user(runtime, create, strict);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof(path), "/run/user/%llu",
		(unsigned long long)outer_uid()); /* fits: 20 digits */
	return open_user(path, create, strict);
}

/*
 * --- root's, as others see it --------------------------------------------------------------------
 */

/* Does fd, a directory on the way, belong to the root of the host, and can only root change it? */
static bool is_of_root(int fd, bool may_be_sticky, bool *overflow)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (st.st_mode & 022 && !(may_be_sticky && st.st_mode & S_ISVTX))
		return false;
	*overflow = *overflow && st.st_uid == OVERFLOW_ID;
	return st.st_uid == 0 || *overflow;
}

int runtime_dir_of_root(const char *name, uid_t *ret_owner)
{
	const char *const names[] = { "run", NAME, name };
	scoped_fd int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool overflow = true;

	if (at < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const int how = i + 1 < ARRAY_LEN(names) ? O_PATH : O_RDONLY;
		int next;

		if (!is_of_root(at, i <= 1, &overflow))
			return -EPERM;
		next = openat(at, names[i], how | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		cleanup_fd(&at);
		at = next;
	}
	/* In the initial user namespace, the overflow id is an account like any other. */
	if (!is_of_root(at, false, &overflow) || (overflow && is_initial()))
		return -EPERM;
	*ret_owner = overflow ? OVERFLOW_ID : 0;
	return TAKE_FD(at);
}
