/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_SETTINGS_H
#define MOUNT_OVERLAY_SETTINGS_H

#include <stdbool.h>

#include "../base/err.h"
#include "options.h"
#include "plan.h"

/*
 * Options that are OverlayFS's own and are passed to it as they are, such as index=on: see
 * Documentation/filesystems/overlayfs.rst. The fs_options of a plan contain them.
 */

/* Is the option one of OverlayFS's own? */
bool overlay_setting_is(const struct fs_option *o);

/*
 * Check that the options of a stack without a row are OverlayFS's own, with values that it has: a
 * usage error if not, which names what to write instead. sloppy: others are ignored.
 */
MUST_CHECK int overlay_settings_check(
	const struct fs_option *items, size_t n, bool sloppy, struct err *e);

/* Is a setting with this value among them, such as nfs_export=on? */
bool overlay_settings_have(
	const struct fs_option *items, size_t n, const char *name, const char *value);

/* Will OverlayFS have an index: by the plan's options, or as the default of the module? */
bool overlay_settings_index(const struct mount_plan *p);

/*
 * Compare the plan's own options of OverlayFS with those of the mount, as mountinfo shows them:
 * OverlayFS switches off what the filesystems of its layers do not support, and only logs that.
 * -EOPNOTSUPP.
 */
MUST_CHECK int overlay_settings_verify(
	const struct mount_plan *p, const char *options, struct err *e);

#endif
