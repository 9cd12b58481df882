/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

/*
 * One error, told the way a person needs it:
 *
 *   shiftbox CMD: 'on': what: <text of num>
 *     why:  ...
 *     try:  ...
 *
 * A function that can fail takes one as its last argument, returns -errno and fills it once, where
 * the fact is known; callers add context with err_prefix(). Names from outside are given as they
 * are: the program escapes all of it when it prints. Nothing is allocated, so that being out of
 * memory is an error like any other. Zero-initialise with ERR_INIT.
 */
struct err {
	int num;       /* a positive errno; 0 when nothing failed or no errno applies */
	bool usage;    /* the command line is at fault: exit status 2 */
	bool set;      /* an error is described here */
	char op[32];   /* the step, as a key for hint.c and --json: "mount_setattr"; may be empty */
	char on[4352]; /* path, entry or word it happened on, raw bytes; may be empty */
	char what[1024]; /* what could not be done: no trailing full stop or newline */
	char why[1024];  /* the cause, found by probing; may be empty */
	char hint[1024]; /* what to do; may be empty */
};

#define ERR_INIT ((struct err){ .num = 0 })

/*
 * Describe a failure. num: positive errno, or 0 when the text says all; on: the path or entry, or
 * NULL. Overwrites what was there. Returns -num, or -EINVAL when num is 0, so that
 * `return err_set(...)` always returns a negative value. e may be NULL.
 */
int err_set(struct err *e, int num, const char *on, const char *fmt, ...) PRINTF(4, 5);

/*
 * err_set() for a path that the user named and that could not be opened: the step is "open", for
 * which hint.c knows what to do about a path that is not there, leads through a file, or is closed
 * to the caller.
 */
int err_path(struct err *e, int num, const char *path, const char *fmt, ...) PRINTF(4, 5);

/*
 * err_set() without printing the errno's text, for failures that are no system call's: returns
 * -num.
 */
int err_say(struct err *e, int num, const char *on, const char *fmt, ...) PRINTF(4, 5);

/* A fault of the command line (exit status 2). Returns -EINVAL. */
int err_usage(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Out of memory: returns -ENOMEM. */
int err_nomem(struct err *e);

/* Name the step that failed ("mount_setattr"), for --json and the table of hints. */
void err_op(struct err *e, const char *op);

/* Add the cause, and what to do about it. Later calls replace earlier ones. */
void err_why(struct err *e, const char *fmt, ...) PRINTF(2, 3);
void err_try(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/*
 * Put context before what is said already: "layer 3 of 5 (sha256:...)" becomes "layer ...: what".
 */
void err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* "EINVAL" for EINVAL; "E4711" for a number that has no name. Static or in buf. */
const char *err_name(int num, char buf[static 16]);

#endif
