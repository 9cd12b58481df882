/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_H
#define MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "options.h"

/* A line of an fstab that this program mounts, unescaped. */
struct table_line {
	char *source, *target, *type, *options; /* target is normalised by table_path() */
	unsigned number; /* in its file, from 1; 0: unknown, as in a directory of such files */
	bool own;        /* the type is shiftbox; else the line has X-mount.idmap= */
};

/* Zero-initialise, free with table_done(). */
struct fstab {
	VEC(struct table_line) lines; /* in the order of the file */
	bool warned; /* a warning said why a line, or any, is not one that this program mounts */
	struct stat file; /* of the file or directory that was read */
};

/* What happens if a line is faulty. Lines of other programs are never more than a warning. */
enum table_faults {
	TABLE_STRICT, /* a line of ours is an error, since all lines will be mounted */
	TABLE_WARN,   /* it is a warning, and skipped */
	TABLE_UNDO,   /* as TABLE_WARN, to unmount: no word about maps that mount(8) would drop */
	TABLE_QUIET,  /* all are skipped without a warning */
};

/*
 * Read the lines of type shiftbox, and those with X-mount.idmap=, of an fstab or a directory of
 * such files. Faulty lines of ours: libmount cannot parse the line, a field is missing, the target
 * is not an absolute path, or a line of type shiftbox has X-mount.idmap=, which mount(8) would
 * drop. -EINVAL for these with TABLE_STRICT.
 */
MUST_CHECK int table_read(
	const char *path, enum table_faults faults, struct fstab *ret, struct err *e);

/*
 * Say in an error, which is not a usage error then, that it is about a line of the file path.
 * number: 0 if it is not known.
 */
void table_place(const char *path, unsigned number, const char *target, struct err *e);

/*
 * Parse the options of a line, and apply its type. The caller initialises *ret with
 * MOUNT_OPTIONS_INIT and frees it, also after a failure. -EINVAL: options that are not valid, or
 * that mount(8) would not pass on. -EOPNOTSUPP: a map on a line whose type cannot have one.
 */
MUST_CHECK int table_line_options(
	const struct table_line *l, struct mount_options *ret, struct err *e);

/*
 * Find the line whose target, or else whose source, is word or the path that word leads to; or else
 * whose source is another name of the device that word names (UUID=, /dev/vda1). NULL: there is
 * none.
 */
const struct table_line *table_find(const struct fstab *t, const char *word);

/*
 * What a line needs: its target, and the paths that it uses. Words that are not absolute paths are
 * ignored.
 */
struct table_need {
	const char *target;
	unsigned line;    /* its number in the file, for errors; 0: unknown */
	struct strv uses; /* normalised by table_path() */
};

/*
 * Remove doubled slashes and "." from an absolute path; other words are copied. The caller frees
 * the result. NULL: out of memory.
 */
char *table_path(const char *path);

/*
 * Sort n lines into ret_order (n indices): a line comes after those on whose targets its own
 * target, or a path that it uses, lies; else the lines keep their order. ret_waits[i]: a path that
 * line i uses is on the target of another line, so that it may be missing before. -EEXIST: two
 * lines have the same target. Takes time in proportion to the length of all paths. Lines that wait
 * for each other come in any order.
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
