/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_HOST_H
#define SURVEY_HOST_H

#include "../base/err.h"

/*
 * What this kernel, as it runs and as it is set up, lets this caller do. Everything that can be
 * tried is tried, because versions say little: distributions backport, modules are missing,
 * sandboxes forbid. Trials run in a child with a mount namespace (for ordinary users a user
 * namespace too) of its own, on mounts that are never attached where anybody could see them, and
 * nothing is left.
 */
enum host_answer { HOST_YES, HOST_NO, HOST_NOT_TRIED, HOST_INFO };

#define HOST_ANSWER_WORDS "yes|no|not tried|-"

struct host_row {
	const char *section; /* "kernel", "filesystem", "overlay", "namespaces" */
	const char *name;
	enum host_answer answer; /* HOST_INFO: a value, in detail */
	const char
		*since; /* the Linux that brought it, "5.12"; "" where none did or none is known */
	const char *detail; /* why not, or where it was tried; escaped, of one line, may be "" */
};

/*
 * All rows, section by section. With path only the row of the filesystem that path is on. fn
 * returns 0 to go on. Returns 0, what fn returned, or -errno.
 */
int host_survey(
	const char *path, int (*fn)(const struct host_row *r, void *arg), void *arg, struct err *e);

#endif
