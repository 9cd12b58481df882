/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_HOST_H
#define SURVEY_HOST_H

#include "../base/err.h"

/*
 * Report what the running kernel, as it is configured, lets this caller do. Every feature is tried
 * where possible, because a version number proves little: distributions backport features, modules
 * are missing, sandboxes forbid calls. The trials run in a child process in a private mount
 * namespace (for ordinary users also in a new user namespace), on mounts that no other process
 * sees, and leave nothing behind.
 */
enum host_answer { HOST_YES, HOST_NO, HOST_NOT_TRIED, HOST_INFO };

#define HOST_ANSWER_WORDS "yes|no|not tried|-"

struct host_row {
	const char *section; /* "kernel", "filesystem", "overlay", "namespaces" */
	const char *name;
	enum host_answer answer; /* HOST_INFO: the row is a value, which is in detail */
	const char *since;  /* the Linux version that added the feature, "5.12"; "" if unknown */
	const char *detail; /* the reason, or what it was tried on; one escaped line, maybe "" */
};

/*
 * Call fn for each row, section by section; with path, only for the row of the filesystem that
 * path is on. Strings are valid during the call. fn returns 0 to continue. Returns 0, the first
 * non-zero result of fn, or -errno.
 */
MUST_CHECK int host_survey(
	const char *path, int (*fn)(const struct host_row *r, void *arg), void *arg, struct err *e);

#endif
