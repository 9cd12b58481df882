/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read the state of the thread that made the call: credentials, memory, descriptors. */

#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "../base/fd.h"
#include "../base/num.h"
#include "../base/sys.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* 6.9 */
#endif

/* Bytes: room for 1,000 groups. The call of a thread with more is denied. */
enum { STATUS_MAX = 16 << 10 };

void caller_done(struct caller *c)
{
	cleanup_fd(&c->proc);
	c->proc = -1;
}

/* The value of "KEY:\tvalue" in /proc/TID/status, up to its newline. */
static const char *status_value(const char *status, const char *key, size_t *ret_len)
{
	size_t n = strlen(key);
	const char *line = status;

	while (line && *line) {
		if (strncmp(line, key, n) == 0 && line[n] == ':') {
			line += n + 1;
			line += strspn(line, " \t");
			*ret_len = strcspn(line, "\n");
			return line;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* Parse a list of numbers. Returns how many there are, and stores as many as fit into ret. */
static size_t status_numbers(const char *status, const char *key, uint32_t *ret, size_t room)
{
	size_t len = 0, found = 0, n;
	const char *p = status_value(status, key, &len), *end = p + len;
	uint64_t v;

	for (; p && p < end; p += n) {
		p += strspn(p, " \t");
		n = strcspn(p, " \t\n");
		if (n == 0 || num_u64_n(p, n, &v) < 0 || v > UINT32_MAX)
			break;
		if (found < room)
			ret[found] = (uint32_t)v;
		found++;
	}
	return found;
}

/* Parse an octal (bits: 3) or hexadecimal (bits: 4) number of the kernel's. */
static uint64_t bits_value(const char *s, size_t len, unsigned bits)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	for (size_t i = 0; s && i < len; i++) {
		const char *d = memchr(digits, s[i], sizeof(digits) - 1);

		v = v << bits | (d ? (uint64_t)(d - digits) : 0);
	}
	return v;
}

/* CapEff is the last of these lines in the file: if it is there, all of them were read. */
static int parse_status(struct caller *c, const char *status)
{
	uint32_t pid, uids[4], gids[4];
	const char *name;
	size_t len;

	if (status_numbers(status, "Tgid", &pid, 1) != 1 ||
		status_numbers(status, "Uid", uids, 4) != 4 ||
		status_numbers(status, "Gid", gids, 4) != 4)
		return -ENODATA;
	c->pid = (pid_t)pid;
	c->uid = uids[3];
	c->gid = gids[3];
	c->n_groups = status_numbers(status, "Groups", c->groups, CALLER_GROUPS_MAX);
	name = status_value(status, "Umask", &len);
	c->umask = (mode_t)bits_value(name, name ? len : 0, 3);
	name = status_value(status, "Name", &len);
	(void)snprintf(
		c->command, sizeof(c->command), "%.*s", name ? (int)len : 0, name ? name : "");
	name = status_value(status, "CapEff", &len);
	c->caps = bits_value(name, name ? len : 0, 4);
	return name ? 0 : -ENODATA;
}

/* One read(2) returns the whole file (fs/proc/array.c; single_open()). */
static int read_status(struct caller *c)
{
	scoped_fd int fd = openat(c->proc, "status", O_RDONLY | O_CLOEXEC);
	char status[STATUS_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);

	if (n < 0)
		return -errno;
	status[n] = '\0';
	return parse_status(c, status);
}

int caller_open(pid_t tid, struct caller *ret, struct err *e)
{
	scoped_caller struct caller c = CALLER_INIT;
	char path[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)tid); /* fits */
	c.tid = tid;
	c.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.proc < 0)
		return err_set(
			e, errno == ENOENT ? ESRCH : errno, path, "cannot open the calling thread");
	r = read_status(&c);
	if (r == -ENODATA)
		return err_say(e, ESRCH, path, "the status of the calling thread is incomplete");
	if (r < 0)
		return err_set(e, -r, path, "cannot read the status of the calling thread");

	*ret = c;
	c.proc = -1;
	return 0;
}

bool caller_in_userns(const struct caller *c, const struct stat *userns)
{
	struct stat st;

	return fstatat(c->proc, "ns/user", &st, 0) == 0 && st.st_ino == userns->st_ino &&
		st.st_dev == userns->st_dev;
}

int caller_string(const struct caller *c, uint64_t address, size_t max, struct buf *ret)
{
	size_t had = ret->len;

	while (ret->len - had < max) {
		char piece[256];
		size_t want =
			sizeof(piece) - address % sizeof(piece); /* do not cross a page boundary */
		size_t left = max - (ret->len - had);
		struct iovec here = { .iov_base = piece, .iov_len = want < left ? want : left };
		struct iovec there = { .iov_base = (void *)(uintptr_t)address,
			.iov_len = here.iov_len };
		ssize_t n = process_vm_readv(c->tid, &here, 1, &there, 1, 0);
		const char *nul;

		if (n <= 0)
			return -EFAULT;
		nul = memchr(piece, '\0', (size_t)n);
		buf_add(ret, piece, nul ? (size_t)(nul - piece) : (size_t)n);
		if (nul)
			return buf_get(ret) ? 0 : -ENOMEM;
		address += (uint64_t)n;
	}
	return -ENAMETOOLONG;
}

static int open_link(const struct caller *c, const char *name, int flags, int *ret_fd)
{
	int fd = openat(c->proc, name, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int caller_root(const struct caller *c, int *ret_fd)
{
	return open_link(c, "root", O_PATH | O_DIRECTORY, ret_fd);
}

/*
 * Open a pidfd by tid. The tid was not reused if the /proc directory, which was opened before, is
 * still valid afterwards.
 */
static int open_pidfd(const struct caller *c, int *ret_fd)
{
	scoped_fd int fd = sys_pidfd_open(c->tid, PIDFD_THREAD);

	if (fd < 0 && errno == EINVAL)
		fd = sys_pidfd_open(c->pid, 0);
	if (fd < 0 || faccessat(c->proc, "status", F_OK, 0) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int caller_fd(const struct caller *c, int fd, int *ret_fd)
{
	scoped_fd int pidfd = -1;
	int r = fd < 0 ? -EBADF : open_pidfd(c, &pidfd);

	if (r < 0)
		return r;
	r = sys_pidfd_getfd(pidfd, fd);
	if (r < 0)
		return -errno;
	*ret_fd = r;
	return 0;
}

int caller_dir(const struct caller *c, int dirfd, int *ret_fd)
{
	scoped_fd int fd = -1;
	struct statx st;
	int r;

	if (dirfd == AT_FDCWD)
		return open_link(c, "cwd", O_PATH | O_DIRECTORY, ret_fd);
	r = caller_fd(c, dirfd, &fd);
	if (r < 0)
		return r;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) <
		0) /* cached attributes will do: a hanging filesystem must not block us */
		return -errno;
	if (!S_ISDIR(st.stx_mode))
		return -ENOTDIR;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int caller_ns(const struct caller *c, const char *name, int *ret_fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "ns/%s", name); /* fits */
	return open_link(c, path, O_RDONLY, ret_fd);
}
