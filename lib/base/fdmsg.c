/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Datagrams with descriptors between the processes of this program. */

#include "fdmsg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int) * FDMSG_FDS_MAX)];
	struct cmsghdr align;
};

int fdmsg_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	union control control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (n_fds > FDMSG_FDS_MAX)
		return -EINVAL;
	if (n_fds) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *m, int *ret_fds, size_t *n_fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret_fds, CMSG_DATA(c), sizeof(int) * *n_fds);
	}
}

int fdmsg_receive(int fd, void *data, size_t size, int *ret_fds, size_t *n_fds)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&m, ret_fds, n_fds);
	if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return (int)n;
	for (size_t i = 0; i < *n_fds; i++)
		(void)close(ret_fds[i]);
	*n_fds = 0;
	return -EMSGSIZE;
}
