/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_BROKER_BOX_H
#define UNIT_BROKER_BOX_H

#include <sys/types.h>

/*
 * The broker on the real kernel, with a command in a user namespace of its own whose ids 0 to 65535
 * are 100000 to 165535 outside.
 */
enum { BOX_BASE = 100000 };

/* A directory of the namespace's root, on a tmpfs of the test; the command's working directory. */
extern const char box_dir[];

/* Make box_dir, in a mount namespace of the test. box_run() calls it unless it was called before.
 */
void box_make_dir(void);

/*
 * Run work under these rules, a list that ends with NULL. Returns its exit status, and in said, if
 * said_size is not 0, what the broker reported as JSON. audit: a file, or NULL. Skips the test
 * unless root runs it.
 */
int box_run(const char *const *rules, const char *audit, int (*work)(void), char *said,
	size_t said_size);

/* The path of name in box_dir, in a static buffer. */
const char *box_at(const char *name);

/* Is it this device node, and does it belong to this user and group? */
int box_node_is(const char *name, mode_t mode, unsigned major, unsigned minor, uid_t owner);

#endif
