/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_STATMOUNT_H
#define MOUNT_STATMOUNT_H

#include <stdlib.h>

#include "../base/sys.h"
#include "info.h"

/* For info*.c alone: replies of statmount(2). One serves for many calls. Zero-initialise. */
struct statmount_reply {
	struct sys_statmount *sm;
	size_t size;
	bool too_large; /* the strings did not fit: sm is without them */
};

static inline void cleanup_statmount_reply(struct statmount_reply *r)
{
	free(r->sm);
}

#define scoped_statmount __attribute__((cleanup(cleanup_statmount_reply)))

/*
 * Ask for the mount of that unique id in the namespace ns (0: ours), for the fields more beside
 * those that every mount_info has. What is longer than 1 MiB is left out (too_large). Returns 0 or
 * -errno; -ENOENT: there is no such mount, or the namespace is closed to the caller.
 */
int statmount_ask(uint64_t ns, uint64_t id, uint64_t more, struct statmount_reply *r);

/* Does this kernel tell maps (6.15)? */
bool statmount_has_maps(const struct statmount_reply *r);

/*
 * What the reply says, but for target and dev. Returns 0 or -ENOMEM; *ret is to be freed with
 * mount_info_done() in either case.
 */
int statmount_fill(const struct statmount_reply *r, struct mount_info *ret);

/* The mount point; "" where it is not in the reply. */
const char *statmount_target(const struct statmount_reply *r);

#endif
