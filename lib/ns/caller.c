/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* caller: the thread whose call is held, and what may be known of it. */

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

enum { STATUS_MAX = 1 << 20 };

void caller_done(struct caller *c)
{
	cleanup_fd(&c->proc);
	cleanup_fd(&c->pidfd);
	c->proc = c->pidfd = -1;
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

/* The i-th number of a list. */
static int status_number(const char *status, const char *key, size_t i, uint32_t *ret)
{
	size_t len, n;
	uint64_t v;
	const char *p = status_value(status, key, &len), *end;

	if (!p)
		return -ENODATA;
	for (end = p + len; p < end; p += n) {
		n = strspn(p, " \t");
		p += n;
		n = strcspn(p, " \t\n");
		if (i-- == 0)
			break;
	}
	if (p >= end || num_u64_n(p, n, &v) < 0 || v > UINT32_MAX)
		return -ENODATA;
	*ret = (uint32_t)v;
	return 0;
}

/* Octal or hexadecimal, in the kernel's own digits; bits: of one digit. */
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

static int read_status(struct caller *c, const char *status)
{
	const char *name;
	uint32_t pid;
	size_t len;

	if (status_number(status, "Tgid", 0, &pid) < 0 || status_number(status, "Uid", 3, &c->uid) < 0 ||
	    status_number(status, "Gid", 3, &c->gid) < 0)
		return -ENODATA;
	c->pid = (pid_t)pid;
	while (c->n_groups < CALLER_GROUPS_MAX && status_number(status, "Groups", c->n_groups, &c->groups[c->n_groups]) == 0)
		c->n_groups++;
	name = status_value(status, "CapEff", &len);
	c->caps = bits_value(name, name ? len : 0, 4);
	name = status_value(status, "Umask", &len);
	c->umask = (mode_t)bits_value(name, name ? len : 0, 3);
	name = status_value(status, "Name", &len);
	(void)snprintf(c->command, sizeof(c->command), "%.*s", name ? (int)len : 0, name ? name : "");
	return 0;
}

int caller_open(pid_t tid, struct caller *ret, struct err *e)
{
	scoped_caller struct caller c = CALLER_INIT;
	scoped_buf struct buf status = BUF_INIT;
	char path[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)tid); /* fits */
	c.tid = tid;
	c.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.proc < 0)
		return err_set(e, errno == ENOENT ? ESRCH : errno, path, "cannot look at the calling thread");
	r = fd_read_file(c.proc, "status", STATUS_MAX, &status, e);
	if (r < 0)
		return r;
	if (read_status(&c, buf_get(&status)) < 0)
		return err_say(e, ESRCH, path, "the status of the calling thread is not whole");
	c.pidfd = sys_pidfd_open(tid, PIDFD_THREAD);
	if (c.pidfd < 0 && errno == EINVAL)
		c.pidfd = sys_pidfd_open(c.pid, 0);
	if (c.pidfd < 0)
		return err_set(e, errno, path, "cannot get a descriptor of the calling thread");

	*ret = c;
	c.proc = c.pidfd = -1;
	return 0;
}

bool caller_in_userns(const struct caller *c, const struct stat *userns)
{
	struct stat st;

	return fstatat(c->proc, "ns/user", &st, 0) == 0 && st.st_ino == userns->st_ino && st.st_dev == userns->st_dev;
}

int caller_string(const struct caller *c, uint64_t address, size_t max, struct buf *ret)
{
	size_t had = ret->len;

	while (ret->len - had < max) {
		char piece[256];
		size_t want = sizeof(piece) - address % sizeof(piece); /* never over the edge of a page */
		size_t left = max - (ret->len - had);
		struct iovec here = { .iov_base = piece, .iov_len = want < left ? want : left };
		struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = here.iov_len };
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

int caller_fd(const struct caller *c, int fd, int *ret_fd)
{
	int r = fd < 0 ? -1 : sys_pidfd_getfd(c->pidfd, fd);

	if (r < 0)
		return fd < 0 ? -EBADF : -errno;
	*ret_fd = r;
	return 0;
}

int caller_dir(const struct caller *c, int dirfd, int *ret_fd)
{
	scoped_fd int fd = -1;
	struct stat st;
	int r;

	if (dirfd == AT_FDCWD)
		return open_link(c, "cwd", O_PATH | O_DIRECTORY, ret_fd);
	r = caller_fd(c, dirfd, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
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
