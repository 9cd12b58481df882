/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_BROKER_BOX_H
#define UNIT_BROKER_BOX_H

#include <sys/types.h>

/*
 * The broker on the real kernel: a command in a user namespace of its own, disk 0-65535 seen as
 * 100000-165535, whose calls are held.
 */
enum { BOX_BASE = 100000 };

extern const char box_dir[]; /* a directory of the namespace's root, on a tmpfs of the test's own;
                                the command's working directory */

/* Make it, in a mount namespace of the test's own; box_run() does it where it was not done. */
void box_make_dir(void);

/*
 * Run work under the rules (a list that ends with NULL): its exit status, and in said (if said_size
 * is not 0) what the broker reported, as JSON. audit: a file or NULL. Skips the test for others
 * than root.
 */
int box_run(const char *const *rules, const char *audit, int (*work)(void), char *said,
	size_t said_size);

/* The path of a name in box_dir; in a buffer of its own until the next call. */
const char *box_at(const char *name);

/* Is it this device node, owned by that user and group? */
int box_node_is(const char *name, mode_t mode, unsigned major, unsigned minor, uid_t owner);

#endif
