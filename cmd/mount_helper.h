/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_HELPER_H
#define CMD_MOUNT_HELPER_H

#include <stdbool.h>

#include "../lib/base/err.h"
#include "../lib/base/vec.h"

/*
 * Translate the command line that mount(8) passes to a helper, mount.TYPE SOURCE TARGET [-sfnv] [-N
 * NAMESPACE] [-o OPTIONS] [-t TYPE] (mount(8), EXTERNAL HELPERS), into one for mount-idmapped. ret:
 * its words and a final NULL, which the caller frees with strv_done(). Returns 1 if --help was
 * answered and there is nothing to do. -EINVAL with usage set: an option is not supported.
 */
MUST_CHECK int mount_helper_argv(int argc, char **argv, struct strv *ret, struct err *e);

/* Did mount.shiftbox start this program, for a SOURCE and a TARGET? */
bool mount_helper_asked(void);

/* Was mount(8) told to write no table (mount -n)? */
bool mount_helper_no_table(void);

/*
 * After mount_helper_argv() or the mount has failed with r: add the line of the fstab to the error,
 * and return an exit status of mount(8): 1 for options and permissions, 2 for a lack of memory,
 * descriptors or processes, else 32. With the option nofail, a missing source is not an error
 * (0).
 */
MUST_CHECK int mount_helper_failed(int r, struct err *e);

#endif
