/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_RUN_PROTO_H
#define NS_RUN_PROTO_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * What the processes of one run tell each other, over a pair of SOCK_SEQPACKET sockets: a message
 * is whole or not there, in order, and the end of the stream is the other side's death. Only
 * processes that have not yet executed anything hold one.
 */
enum run_msg_kind {
	RUN_MSG_GO = 1,  /* to init: the map is written; the terminal is set up */
	RUN_MSG_SIGNAL,  /* to init: send value to the command, or to its process group */
	RUN_MSG_TTY,     /* the other side of the command's terminal, with a descriptor; answered by
	                 RUN_MSG_GO */
	RUN_MSG_STARTED, /* the command's process has its terminal: signals and what is typed are
	                 for it from now on */
	RUN_MSG_LISTENER, /* what the broker answers, with a descriptor */
	RUN_MSG_FAILED,   /* e, and in value the exit status that goes with it */
	RUN_MSG_ENDED,    /* the command's status, as of waitpid(2) */
};

struct run_msg {
	int kind, value;
	bool group;
	struct err e; /* of RUN_MSG_FAILED alone: no other message has it */
};

/* Both ends close on exec. */
int run_proto_pair(int ret[2], struct err *e);

/*
 * fd: a descriptor that goes with it, or -1. Returns 0 or -errno (EPIPE: nobody is there); never a
 * SIGPIPE.
 */
int run_proto_send(int sock, const struct run_msg *msg, int fd);

/*
 * The same without a descriptor, and nothing is wrong when nobody is there: the sender sees that
 * death otherwise. Fills e for all else.
 */
int run_proto_tell(int sock, const struct run_msg *msg, struct err *e);

/*
 * Wait for a message: 1; 0 at the end of the stream; -errno. *ret_fd: the descriptor that came with
 * it, the caller's, or -1.
 */
int run_proto_receive(int sock, struct run_msg *msg, int *ret_fd);

#endif
