/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_VIEW_H
#define MOUNT_VIEW_H

#include "../base/buf.h"
#include "../idmap/names.h"
#include "options.h"
#include "table.h"

/*
 * Views: a line with each= of a table is mounted once for each of these users. In its target and
 * its options, %u stands for the user's name, and %U for the uid. A name that is not a safe
 * component of a path is replaced by the uid.
 */
#define VIEWS_TABLE "/etc/shiftbox/views"

/* What %u stands for; a name that is not safe becomes the uid. */
const char *view_word(const struct user *user, char number[static 16]);

/* Append the text with %u and %U replaced. */
void view_expand(const char *text, const struct user *user, struct buf *ret);

/* A line with each=, checked. */
struct view_line {
	const struct table_line *line;
	struct mount_options options; /* as written: %u is not replaced */
	char *dir;                    /* where the views are: the target without its last name */
	const char *name;             /* that last name, with %u or %U */
	char id[65];                  /* tells this line from others, for records of its mounts */
};

/*
 * Check a line of the table at path. ret->line and ret->options are borrowed from the arguments.
 * -EINVAL: it is not one that can be mounted for each user. The caller frees ret->dir.
 */
MUST_CHECK int view_line_check(const char *path, const struct table_line *l,
	const struct mount_options *options, struct view_line *ret, struct err *e);

/* Warn about a map that names one user, whose ids it gives to all. */
void view_warn_of_map(const struct view_line *l);

/* May the table have lines with each=? Its file must be root's, and writable by root alone. */
MUST_CHECK int view_check_table(const char *path, const struct fstab *t, struct err *e);

/* Check that a line with %u or %U has each=: else -EINVAL. */
MUST_CHECK int view_check_user(
	const struct table_line *l, const struct mount_options *options, struct err *e);

/*
 * Check a line of /etc/fstab: each= and %u do not belong there, unless the line has noauto.
 * -EINVAL: with the place where it belongs.
 */
MUST_CHECK int view_refuse_in_fstab(
	const struct table_line *l, const struct mount_options *options, struct err *e);

#endif
