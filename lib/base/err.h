/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

/*
 * An error, printed by the program as
 *
 *   shiftbox CMD: 'on': what: <text of num>
 *     why:  ...
 *     try:  ...
 *
 * A function that can fail takes a struct err as its last argument and returns -errno. It fills the
 * err once, where the facts are known; callers add context with err_prefix(). Names from outside
 * are stored as they are: the program escapes everything when it prints. Nothing is allocated, so
 * that ENOMEM is an error like any other. Initialise with ERR_INIT.
 */
struct err {
	int num;       /* a positive errno; 0 when nothing failed or no errno applies */
	bool usage;    /* a usage error: exit status 2 */
	bool set;      /* the err describes an error */
	char op[32];   /* the step that failed, a key for hint.c and --json: "mount_setattr"; may be
	                  empty */
	char on[4352]; /* the path, entry or word that it failed on, as raw bytes; may be empty */
	char place[512]; /* what it is part of, such as a line of a file; may be empty */
	char what[1024]; /* what failed, without a full stop or newline */
	char why[1024];  /* the cause, found by probing; may be empty */
	char hint[1024]; /* what to try; may be empty */
};

#define ERR_INIT ((struct err){ .num = 0 })

/*
 * Describe an error. num: a positive errno, or 0 if the text says all. on: the path, entry or word,
 * or NULL for none. Overwrites any earlier error. Returns -num, or -EINVAL if num is 0, so that
 * `return err_set(...)` always returns an error. e may be NULL, here and below.
 */
int err_set(struct err *e, int num, const char *on, const char *fmt, ...) PRINTF(4, 5);

/*
 * As err_set(), for a path of the caller's that cannot be opened: the step is "open", for which
 * hint.c has hints about missing components, files used as directories, and permissions.
 */
int err_path(struct err *e, int num, const char *path, const char *fmt, ...) PRINTF(4, 5);

/*
 * As err_set(), but the text of errno is not printed: for errors that a system call did not report.
 * Returns -num.
 */
int err_say(struct err *e, int num, const char *on, const char *fmt, ...) PRINTF(4, 5);

/* Describe a usage error (exit status 2). Returns -EINVAL. */
int err_usage(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Describe a usage error, with what to try about it. */
int err_usage_try(struct err *e, const char *remedy, const char *fmt, ...) PRINTF(3, 4);

/* Describe a failed allocation. Returns -ENOMEM. */
int err_nomem(struct err *e);

/* Set the step that failed ("mount_setattr"), for --json and for the table of hints. */
void err_op(struct err *e, const char *op);

/* Set the cause, and what to try about it. A later call replaces the text of an earlier one. */
void err_why(struct err *e, const char *fmt, ...) PRINTF(2, 3);
void err_try(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Put context in front of the text: "layer 3 of 5 (sha256:...)" makes it "layer 3 of ...: what". */
void err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Tell the place, which is printed first: "f, line 2" makes "f, line 2: 'on': what". */
void err_place(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/*
 * Return "EINVAL" for EINVAL, and "E4711" for a number without a name. The text is static, or in
 * buf.
 */
const char *err_name(int num, char buf[static 16]);

#endif
