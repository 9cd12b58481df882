/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_LINE_H
#define CMD_MOUNT_LINE_H

#include "../lib/base/err.h"
#include "../lib/mount/plan.h"

/*
 * mount(8) resolves SOURCE before it calls a helper, even by symbolic links of other users
 * (before util-linux 2.41 even with X-mount.nocanonicalize), and TARGET as well. So the helper
 * looks up the line of the fstab with this TARGET, and opens the line's SOURCE by the rules of
 * path.h. Without such a line, it uses the command line of mount(8). If neither has this TARGET, a
 * symbolic link has led to it.
 *
 * source, target: what mount(8) passes. *ret, which the caller frees, is the SOURCE to mount: that
 * of the line; or the one that was passed, if the caller is not mount(8) or the line has a tag, or
 * a file that mount(8) has attached to a loop device. -ELOOP: a symbolic link that is not followed.
 * -EINVAL: neither the fstab nor the command line has this target, or none of them has such a
 * source.
 */
MUST_CHECK int mount_line_source(const char *source, const char *target, char **ret, struct err *e);

/*
 * The source that mount(8) passed, if mount_line_source() returned the line's SOURCE instead;
 * NULL otherwise.
 */
const char *mount_line_found(void);

/*
 * The file and the line of the fstab that mount_line_source() found, such as "/etc/fstab, line 3";
 * NULL: there was none.
 */
const char *mount_line_place(void);

/*
 * The options among those of the line, and of mount(8)'s command line, that mount(8) keeps in its
 * table of user options by itself after the helper: "_netdev,x-foo". "": there are none.
 */
const char *mount_line_user_options(void);

/*
 * Compare the source of a plan with path, the source that mount(8) passed: -EINVAL if they are
 * different files. Returns 0 if path is NULL.
 */
MUST_CHECK int mount_line_check(const struct mount_plan *p, const char *path, struct err *e);

#endif
