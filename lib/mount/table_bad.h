/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_BAD_H
#define MOUNT_TABLE_BAD_H

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a line of an fstab. */
struct table_bad {
	bool own;         /* the line is meant for this program */
	char why[160];    /* may be cut */
	const char *hint; /* NULL: none */
};

/*
 * Find out why libmount cannot parse the line of len bytes, which has no newline and may have any
 * other byte. text NULL: it is unknown.
 */
void table_bad_line(const char *text, size_t len, struct table_bad *ret);

#endif
