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
enum wire_kind {
	WIRE_GO = 1,   /* to init: the map is written; the terminal is set up */
	WIRE_SIGNAL,   /* to init: send value to the command, or to its process group */
	WIRE_TTY,      /* the other side of the command's terminal, with a descriptor; answered by
	                  WIRE_GO */
	WIRE_STARTED,  /* the command's process has its terminal: signals and what is typed are for
	                  it from now on */
	WIRE_LISTENER, /* what the broker answers, with a descriptor */
	WIRE_FAILED,   /* e, and in value the exit status that goes with it */
	WIRE_ENDED,    /* the command's status, as of waitpid(2) */
};

struct wire {
	int kind, value;
	bool group;
	struct err e; /* of WIRE_FAILED alone: no other message has it */
};

/* Both ends close on exec. */
int wire_pair(int ret[2], struct err *e);

/*
 * fd: a descriptor that goes with it, or -1. Returns 0 or -errno (EPIPE: nobody is there); never a
 * SIGPIPE.
 */
int wire_send(int sock, const struct wire *w, int fd);

/*
 * The same without a descriptor, and nothing is wrong when nobody is there: the sender sees that
 * death otherwise. Fills e for all else.
 */
int wire_tell(int sock, const struct wire *w, struct err *e);

/*
 * Wait for a message: 1; 0 at the end of the stream; -errno. *ret_fd: the descriptor that came with
 * it, the caller's, or -1.
 */
int wire_receive(int sock, struct wire *w, int *ret_fd);

#endif
