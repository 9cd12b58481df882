/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_HELPER_H
#define CMD_MOUNT_HELPER_H

#include "../lib/base/err.h"
#include "../lib/base/vec.h"

/*
 * Translate the command line that mount(8) passes to a helper, mount.TYPE SOURCE TARGET [-sfnv] [-N
 * NAMESPACE] [-o OPTIONS] [-t TYPE] (mount(8), EXTERNAL HELPERS), into one for mount-idmapped. ret:
 * its words and a final NULL, which the caller frees with strv_done(). -EINVAL with usage set: an
 * option is not supported.
 */
MUST_CHECK int mount_helper_argv(int argc, char **argv, struct strv *ret, struct err *e);

#endif
