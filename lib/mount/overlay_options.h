/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_OPTIONS_H
#define MOUNT_OVERLAY_OPTIONS_H

#include "../base/cleanup.h"

/* A directory in the options of an overlay mount, as mountinfo and statmount(2) show them. */
struct overlay_dir {
	enum overlay_dir_kind {
		OVERLAY_LOWER, /* of lowerdir= or lowerdir+= */
		OVERLAY_DATA,  /* of datadir+= */
		OVERLAY_UPPER, /* of upperdir= */
	} kind;
	/*
	 * Unescaped, and never "". The path is that within the directory's mount, or whatever the
	 * process that mounted the overlay wrote: it need not lead there from anywhere.
	 */
	const char *path;
};

/*
 * Call fn for each directory, in the order of the options (layers are topmost first), until it
 * returns other than 0. Returns that, 0 or -ENOMEM. The argument of fn is valid during the call.
 */
MUST_CHECK int overlay_dirs_each(
	const char *options, int (*fn)(const struct overlay_dir *dir, void *arg), void *arg);

#endif
