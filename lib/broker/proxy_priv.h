/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_PROXY_PRIV_H
#define BROKER_PROXY_PRIV_H

#include "proxy.h"

enum { PROXY_NAMESPACES = 6, PROXY_STRINGS = 4 };

/*
 * What goes over the socket, the strings (path, source, type, data) behind it. Ids are the
 * broker's.
 */
struct proxy_message {
	enum proxy_op op;
	uint64_t flags, caps;
	uint32_t uid, gid;
	uint32_t caller_uid, caller_gid, groups[CALLER_GROUPS_MAX];
	size_t n_groups;
	mode_t umask;
	int len[PROXY_STRINGS]; /* with their NUL; -1: none */
};

enum { PROXY_MESSAGE_MAX = sizeof(struct proxy_message) + PROXY_STRINGS * CALLER_PATH_MAX };

/*
 * The proxy's life: enters userns, says on the socket how that went, and answers until the socket
 * is closed.
 */
_Noreturn void proxy_child(pid_t parent, int socket, int userns, const struct idmap *map);

/*
 * One request, as the caller: 0 or a positive errno, and perhaps a descriptor. strings are of no
 * use afterwards.
 */
int proxy_act(
	const struct proxy_message *m, char *const strings[PROXY_STRINGS], int dir, int *ret_fd);

#endif
