/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_FDMSG_H
#define BROKER_FDMSG_H

#include <stddef.h>

enum { FDMSG_FDS_MAX = 8 };

/*
 * One datagram with descriptors, over a socket pair of type SOCK_SEQPACKET. Send returns 0 or
 * -errno. Receive returns how many bytes came (0: the other side is gone) and sets n_fds to how
 * many descriptors, close-on-exec and the caller's; -EMSGSIZE when more came than there is room
 * for, -EINTR is handled. They fill nothing.
 */
int fdmsg_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds);
int fdmsg_receive(int fd, void *data, size_t size, int *ret_fds, size_t *n_fds);

#endif
