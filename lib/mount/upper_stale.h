/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UPPER_STALE_H
#define MOUNT_UPPER_STALE_H

#include <stdbool.h>

#include "../base/err.h"
#include "overlay_upper.h"

/*
 * The marks that OverlayFS leaves with index=on or nfs_export=on: the attribute "origin" of an
 * upper holds the file handle of the topmost layer's root, and "upper" of WORK/index that of the
 * upper (fs/overlayfs/super.c, ovl_get_indexdir()). With index=on it refuses (ESTALE) an upper over
 * another layer, or one that was copied. With index=off it does not look at the marks.
 */

/* What an upper's marks refer to. */
struct upper_marks {
	bool other_layer; /* the upper was made over another directory than the topmost layer */
	bool other_upper; /* the index of the work directory belongs to another upper */
};

/*
 * Compare the marks with the upper and with lower, the root of the topmost layer. A mark that is
 * missing, or cannot be compared, counts as right.
 */
struct upper_marks upper_marks_read(const struct upper *u, int lower, bool userxattr);

/* Explain in e why OverlayFS found the upper of the plan to be stale (ESTALE). */
void upper_stale_explain(const struct mount_plan *p, struct upper_marks m, struct err *e);

/* Warn about an upper that was made over another layer, which index=off mounts. */
void upper_stale_warn(const struct mount_plan *p, struct upper_marks m);

/*
 * For a dry run: find out by the marks whether OverlayFS would refuse the upper of the plan
 * (-ESTALE), or warn as the mount would. What cannot be opened or compared counts as right.
 */
MUST_CHECK int upper_stale_check(const struct mount_plan *p, struct err *e);

#endif
