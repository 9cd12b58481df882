/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_RUN_PROTO_H
#define NS_RUN_PROTO_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * Messages between the processes of a run, over a pair of SOCK_SEQPACKET sockets, which keeps
 * messages whole and in order; the end of the stream means that the other process has died. Only
 * processes that have not executed a program hold an end.
 */
enum run_msg_kind {
	RUN_MSG_GO = 1,   /* to init: the map is written; or: the terminal is set up */
	RUN_MSG_SIGNAL,   /* to init: send signal value to the command, or to its process group */
	RUN_MSG_TTY,      /* from init, with the supervisor's side of the command's terminal;
	                     answered by RUN_MSG_GO */
	RUN_MSG_STARTED,  /* from the command's process: it has its terminal, and from now on gets
	                     the signals and the input */
	RUN_MSG_LISTENER, /* from the command's process, with the listener for the broker */
	RUN_MSG_FAILED,   /* from init or the command's process: e, and the exit status in value */
	RUN_MSG_ENDED,    /* from init: the command's wait status (waitpid(2)) in value */
};

struct run_msg {
	int kind, value;
	bool group;   /* RUN_MSG_SIGNAL: to the process group */
	struct err e; /* only sent with RUN_MSG_FAILED */
};

/* Create the socket pair. Both ends are close-on-exec. */
MUST_CHECK int run_proto_pair(int ret[2], struct err *e);

/*
 * Send a message, and descriptor fd unless it is -1. Returns 0 or -errno (-EPIPE: the other side
 * has ended); raises no SIGPIPE, sets no message.
 */
MUST_CHECK int run_proto_send(int sock, const struct run_msg *msg, int fd);

/*
 * Send a message without a descriptor. Succeeds if the other side has ended, which the caller
 * notices otherwise.
 */
MUST_CHECK int run_proto_tell(int sock, const struct run_msg *msg, struct err *e);

/*
 * Wait for a message. Returns 1, 0 at the end of the stream, or -errno (-EPROTO: a malformed
 * message). *ret_fd: the descriptor that came with it, which the caller closes, or -1.
 */
MUST_CHECK int run_proto_receive(int sock, struct run_msg *msg, int *ret_fd);

#endif
