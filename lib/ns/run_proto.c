/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between the processes of a run. */

#include "run_proto.h"

#include <errno.h>
#include <sys/socket.h>

#include "../base/fdmsg.h"

int run_proto_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_set(e, errno, NULL, "cannot create a pair of sockets");
	return 0;
}

static size_t msg_len(const struct run_msg *msg)
{
	return msg->kind == RUN_MSG_FAILED ? sizeof(*msg) : offsetof(struct run_msg, e);
}

int run_proto_send(int sock, const struct run_msg *msg, int fd)
{
	return fdmsg_send(sock, msg, msg_len(msg), &fd, fd >= 0);
}

int run_proto_tell(int sock, const struct run_msg *msg, struct err *e)
{
	int r = run_proto_send(sock, msg, -1);

	return r == 0 || r == -EPIPE || r == -ECONNRESET ?
		0 :
		err_set(e, -r, NULL, "cannot send a message to another process of this run");
}

int run_proto_receive(int sock, struct run_msg *msg, int *ret_fd)
{
	int fds[FDMSG_FDS_MAX], n;
	size_t n_fds;

	*ret_fd = -1;
	n = fdmsg_receive(sock, msg, sizeof(*msg), fds, &n_fds);
	if (n <= 0)
		return n == -ECONNRESET ?
			0 :
			n; /* ECONNRESET: the other side ended before it had read everything */
	if ((size_t)n == msg_len(msg) && n_fds <= 1) {
		*ret_fd = n_fds ? fds[0] : -1;
		return 1;
	}
	for (size_t i = 0; i < n_fds; i++)
		cleanup_fd(&fds[i]);
	return -EPROTO;
}
