/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_STATMOUNT_H
#define MOUNT_STATMOUNT_H

#include <stdlib.h>

#include "../base/sys.h"
#include "info.h"

/*
 * A reply of statmount(2), for info*.c only. One reply serves for many calls, and starts with all
 * zeros.
 */
struct statmount_reply {
	struct sys_statmount *sm;
	size_t size;
	bool too_large; /* sm lacks the strings, which take more than 1 MiB */
};

static inline void cleanup_statmount_reply(struct statmount_reply *r)
{
	free(r->sm);
}

#define scoped_statmount __attribute__((cleanup(cleanup_statmount_reply)))

/*
 * Ask for the mount with this unique id in the namespace ns (0: ours): the members of struct
 * mount_info. Returns 0 or -errno. -ENOENT: there is no such mount, or the
 * caller may not inspect the namespace.
 */
MUST_CHECK int statmount_ask(uint64_t ns, uint64_t id, struct statmount_reply *r);

/* Does the kernel report maps (6.15)? */
bool statmount_has_maps(const struct statmount_reply *r);

/*
 * Convert a reply. Returns 0 or -ENOMEM. Call mount_info_done() in either case.
 */
MUST_CHECK int statmount_fill(const struct statmount_reply *r, struct mount_info *ret);

#endif
