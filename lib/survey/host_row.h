/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_HOST_ROW_H
#define SURVEY_HOST_ROW_H

#include <stdbool.h>

#include "../base/buf.h"
#include "host.h"

/*
 * The process that runs the trials, and the rows that it writes to its parent. Used by
 * lib/survey/host*.c only.
 */
struct host {
	int out;            /* the pipe for the rows */
	bool entered;       /* in a private mount namespace in which mounts may be made */
	bool may_attach;    /* mounts may also be attached: no other process sees them */
	bool own_userns;    /* in a user namespace that was made for the trials */
	bool in_userns;     /* not in the initial user namespace */
	int userns;         /* a user namespace whose map is 0:0:1, or -1 if none could be made */
	char mappable[512]; /* set by host_filesystems(): a mount that can be ID-mapped, or "" */
	char refused[256];  /* why entered is false or userns is -1 */
};

/* What a row is about; see struct host_row. */
struct host_feature {
	const char *section, *name, *since;
};

/* Write a row. Exits with status 1 if the pipe cannot be written. */
void host_row(struct host *h, struct host_feature f, enum host_answer answer, const char *fmt, ...)
	PRINTF(4, 5);

/* Write a row: HOST_YES if r >= 0, else HOST_NO with the text of the errno -r. */
void host_row_result(struct host *h, struct host_feature f, int r);

/* Call fn for each row of the text. Returns 0, the first non-zero result of fn, or -EPROTO. */
MUST_CHECK int host_rows_parse(
	const struct buf *rows, int (*fn)(const struct host_row *r, void *arg), void *arg);

/*
 * Clone the mount (or directory) at fd and ID-map the clone with h->userns. Returns a descriptor
 * of the detached mount, which the caller closes, or -errno.
 */
MUST_CHECK int host_mapped_clone(const struct host *h, int fd);

#endif
