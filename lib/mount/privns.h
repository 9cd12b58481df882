/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PRIVNS_H
#define MOUNT_PRIVNS_H

#include "../base/err.h"

/*
 * Call fn in a thread that has a new, private mount namespace and an empty tmpfs there as its
 * working directory: mounts can be attached to it, which old kernels require, without other
 * processes seeing them. The thread shares the caller's descriptors, so that a mount can be handed
 * over as one; the namespace ends with the thread. name is for messages. Returns what fn returns,
 * or -errno. Needs CAP_SYS_ADMIN in the caller's user namespace.
 */
MUST_CHECK int run_in_private_mntns(
	const char *name, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

#endif
