/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_HELPER_H
#define CMD_MOUNT_HELPER_H

#include "../lib/base/err.h"
#include "../lib/base/vec.h"

/*
 * Turn the command line that mount(8) gives a helper, mount.TYPE SOURCE TARGET [-sfnv] [-N
 * NAMESPACE]
 * [-o OPTIONS] [-t TYPE] (mount(8), EXTERNAL HELPERS), into one of mount-idmapped. ret: words and a
 * final NULL, for the caller to strv_done(). -EINVAL with usage set for what cannot be honoured.
 */
int mount_helper_argv(int argc, char **argv, struct strv *ret, struct err *e);

#endif
