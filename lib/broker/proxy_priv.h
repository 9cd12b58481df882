/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_PROXY_PRIV_H
#define BROKER_PROXY_PRIV_H

#include "proxy.h"

enum { PROXY_NAMESPACES = 6, PROXY_STRINGS = 4 };

/*
 * A request on the socket, followed by its strings (path, source, type, data). Ids are those of the
 * broker's user namespace. The answer is an int: 0 or a positive errno.
 */
struct proxy_message {
	enum proxy_op op;
	uint64_t flags, caps;
	uint32_t uid, gid;
	uint32_t caller_uid, caller_gid, groups[CALLER_GROUPS_MAX];
	size_t n_groups;
	mode_t umask;
	int len[PROXY_STRINGS]; /* bytes with the NUL; -1: NULL */
};

enum { PROXY_MESSAGE_MAX = sizeof(struct proxy_message) + PROXY_STRINGS * CALLER_PATH_MAX };

/*
 * The main function of the proxy: enter userns, report on the socket whether that worked (an int,
 * as for an answer), and serve requests until the socket is closed.
 */
_Noreturn void proxy_child(pid_t parent, int socket, int userns, const struct idmap *map);

/*
 * Perform one request with the credentials that the process has. Returns 0 or a positive errno, and
 * in *ret_fd a descriptor for the requests that return one. The contents of strings are lost.
 */
MUST_CHECK int proxy_act(
	const struct proxy_message *m, char *const strings[PROXY_STRINGS], int dir, int *ret_fd);

#endif
