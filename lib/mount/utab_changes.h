/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_UTAB_CHANGES_H
#define MOUNT_UTAB_CHANGES_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/vec.h"
#include "info.h"

/* A line that is to be written or removed; strings are escaped as in the table. */
struct utab_change {
	char *target, *source, *root; /* source and root NULL: any */
	char *options;                /* NULL: the mount is gone */
	bool below;                   /* ... and all below it */
};

/*
 * Changes of libmount's table of user options (utab.h), and what they make of its text: pure
 * functions. Zero-initialise, free with utab_changes_done().
 */
struct utab_changes {
	VEC(struct utab_change) list; /* in order */
	bool adds, below;             /* a change has options; ... has below set */
	bool oom;
};

/* The mount i was made, with these options. A failed allocation sets oom. */
void utab_changes_mount(struct utab_changes *s, const struct mount_info *i, const char *options);

/* The mount at path is gone: see utab_note_umount(). */
void utab_changes_umount(
	struct utab_changes *s, const char *path, const struct mount_info *i, bool below);

/* Append old, the n bytes of a table, to ret with the changes. */
void utab_changes_merge(const struct utab_changes *s, const char *old, size_t n, struct buf *ret);

void utab_changes_done(struct utab_changes *s);

#endif
