/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_FDMSG_H
#define BASE_FDMSG_H

#include <stddef.h>

#include "cleanup.h"

enum { FDMSG_FDS_MAX = 8 };

/*
 * Send and receive one datagram with descriptors (SCM_RIGHTS, unix(7)) over a socket pair of type
 * SOCK_SEQPACKET. EINTR is handled; no SIGPIPE is raised; neither sets a message.
 *
 * fdmsg_send() returns 0 or -errno; the descriptors stay the caller's. fdmsg_receive() returns the
 * number of bytes, 0 if the other side has closed its socket, or -errno, and sets *n_fds to the
 * number of descriptors in ret_fds (room for FDMSG_FDS_MAX), which are close-on-exec and belong to
 * the caller. -EMSGSIZE: the message was larger than size or had more descriptors; it is dropped.
 */
MUST_CHECK int fdmsg_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds);
MUST_CHECK int fdmsg_receive(int fd, void *data, size_t size, int *ret_fds, size_t *n_fds);

#endif
