/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PRIVNS_H
#define MOUNT_PRIVNS_H

#include "../base/err.h"

/*
 * Call fn in a thread of its own that is in a new mount namespace, whose working directory is an
 * empty tmpfs there: mounts can be attached below it, which old kernels ask for, and nobody sees
 * them. Descriptors are shared with the caller, so that what is to last comes back as one; the
 * namespace ends with the thread. name: what it is for, for messages. Returns what fn returns, or
 * -errno with e filled. Needs CAP_SYS_ADMIN in the user namespace of the caller.
 */
int run_in_private_mntns(
	const char *name, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

#endif
