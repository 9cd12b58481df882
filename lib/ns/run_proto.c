/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run_proto: messages between the processes of a run. */

#include "run_proto.h"

#include <errno.h>
#include <sys/socket.h>

#include "../broker/fdmsg.h"

int wire_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_set(e, errno, NULL, "cannot make a pair of sockets");
	return 0;
}

static size_t wire_len(const struct wire *w)
{
	return w->kind == WIRE_FAILED ? sizeof(*w) : offsetof(struct wire, e);
}

int wire_send(int sock, const struct wire *w, int fd)
{
	return message_send(sock, w, wire_len(w), &fd, fd >= 0);
}

int wire_tell(int sock, const struct wire *w, struct err *e)
{
	int r = wire_send(sock, w, -1);

	return r == 0 || r == -EPIPE || r == -ECONNRESET ?
		0 :
		err_set(e, -r, NULL, "cannot tell another process of this run to go on");
}

int wire_receive(int sock, struct wire *w, int *ret_fd)
{
	int fds[MESSAGE_FDS], n;
	size_t n_fds;

	*ret_fd = -1;
	n = message_receive(sock, w, sizeof(*w), fds, &n_fds);
	if (n <= 0)
		return n == -ECONNRESET ? 0 : n; /* it ended with a message of ours unread */
	if ((size_t)n == wire_len(w) && n_fds <= 1) {
		*ret_fd = n_fds ? fds[0] : -1;
		return 1;
	}
	for (size_t i = 0; i < n_fds; i++)
		cleanup_fd(&fds[i]);
	return -EPROTO;
}
