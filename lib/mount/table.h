/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_H
#define MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "options.h"

/* A line of an fstab that is for us, unescaped. */
struct table_line {
	char *source, *target, *type,
		*options; /* target: without what changes nothing, as doubled slashes */
	bool own;         /* its type is shiftbox; else it has X-mount.idmap= */
};

/* Zero-initialise, free with table_done(). */
struct fstab {
	VEC(struct table_line) lines; /* as in the file */
};

/*
 * Read the lines of type shiftbox and those with X-mount.idmap= of an fstab (or a directory of such
 * files). -EINVAL: a line that is none, a target that is no absolute path, or a line of type
 * shiftbox with X-mount.idmap=, which mount(8) would drop.
 */
MUST_CHECK int table_read(const char *path, struct fstab *ret, struct err *e);

/*
 * Read the options of a line, and what its type adds to them. ret: MOUNT_OPTIONS_INIT at first; to
 * be freed also after a failure. -EINVAL: options that are wrong, or that mount(8) would not hand
 * on; -EOPNOTSUPP: a map on a line of a type that has none.
 */
MUST_CHECK int table_line_options(
	const struct table_line *l, struct mount_options *ret, struct err *e);

/*
 * The line whose target, or else whose source, is word, or the path that word leads to: NULL when
 * there is none.
 */
const struct table_line *table_find(const struct fstab *t, const char *word);

/*
 * What a line needs: where it is mounted, and the paths that it reads (those that are not absolute
 * are no paths).
 */
struct table_need {
	const char *target;
	struct strv uses; /* each by way of table_path() */
};

/*
 * The same path without what changes nothing (doubled slashes, "."); NULL: out of memory. A copy of
 * what is no absolute path.
 */
char *table_path(const char *path);

/*
 * An order for n lines, into ret_order (n indices), in which what a line's target or one of its
 * used paths lies on comes before it; else as given. ret_waits[i]: a path that line i uses is on
 * the target of another line, so that it may not be there yet. -EEXIST: two lines have one target.
 * Takes time in proportion to the length of all paths. Of lines that wait for each other any may be
 * the first.
 */
MUST_CHECK int table_order(const struct table_need *needs, size_t n, size_t *ret_order,
	bool *ret_waits, struct err *e);

void table_done(struct fstab *t);

static inline void cleanup_fstab(struct fstab *t)
{
	table_done(t);
}

#define scoped_fstab __attribute__((cleanup(cleanup_fstab)))

#endif
