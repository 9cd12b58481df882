/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_LINE_H
#define CMD_MOUNT_LINE_H

#include "../lib/base/err.h"
#include "../lib/mount/plan.h"

/*
 * mount(8) resolves SOURCE before it calls a helper, whoever owns the links on the way (before
 * util-linux 2.41 with X-mount.nocanonicalize, too), and TARGET likewise. So the line of the fstab
 * says what is meant: it is found by TARGET, and its SOURCE is looked up by the rule of path.h. If
 * there is none, mount(8)'s command line says it; if that does not name TARGET either, a link led
 * there.
 *
 * source, target: as mount(8) gives them. ret: the SOURCE to mount, for the caller to free: that of
 * the line, or as it was given if mount(8) is not who called, or the line has a tag or a file that
 * mount(8) has attached to a loop device. -ELOOP: a link that is not followed. -EINVAL: neither a
 * line nor the command line has this target, or none has such a source.
 */
int mount_line_source(const char *source, const char *target, char **ret, struct err *e);

/*
 * The plan was made from such a SOURCE: -EINVAL if it is not what mount(8) found. Else, and for any
 * other plan, 0.
 */
int mount_line_check(const struct mount_plan *p, struct err *e);

#endif
