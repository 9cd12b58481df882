/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UPPER_PLACE_H
#define MOUNT_UPPER_PLACE_H

#include "../base/err.h"
#include "../base/path.h"
#include "plan.h"

/*
 * Check whether the upper and the work directory of a plan can be where they are, before they are
 * created: neither is on an overlay; with mapped, their filesystem can be ID-mapped; both are on
 * one mount of one filesystem, or in one subvolume of it; and neither is inside the other.
 * upper, work: their places (dirent_at.h); either directory may be missing. -EXDEV, -EINVAL, or
 * the error of the kernel.
 */
MUST_CHECK int upper_place_check(const struct mount_plan *p, const struct place *upper,
	const struct place *work, bool mapped, struct err *e);

#endif
