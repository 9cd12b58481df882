/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_CALL_H
#define CMD_MOUNT_CALL_H

#include <stdbool.h>

#include "../lib/base/buf.h"
#include "../lib/base/err.h"

/*
 * What mount(8) was called with. It passes to its helpers only the paths that it has resolved.
 * known: the parent process is mount(8). The other members are NULL if they were not specified: -T
 * FSTAB, SOURCE ("LABEL=..." for -L), and TARGET or the only operand. options: all of -o, joined by
 * commas.
 */
struct mount_call {
	bool known;
	char *fstab, *source, *target;
	struct buf options;
};

#define MOUNT_CALL_INIT ((struct mount_call){ .options = BUF_INIT })

/* The only error is -ENOMEM. Free the result with mount_call_done(). */
MUST_CHECK int mount_call_read(struct mount_call *ret, struct err *e);

void mount_call_done(struct mount_call *c);

#endif
