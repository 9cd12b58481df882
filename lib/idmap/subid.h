/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_SUBID_H
#define IDMAP_SUBID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "names.h"

#define SUBUID_FILE "/etc/subuid"
#define SUBGID_FILE "/etc/subgid"

/* A range of subordinate ids (subuid(5)); start + count is at most 4294967295. */
struct grant {
	uint32_t start, count;
	size_t line; /* in the file, from 1 */
};

struct grants {
	struct grant *items;
	size_t len, cap;
};

/*
 * A line of the file that is not empty or a comment. Strings are not terminated, and valid during
 * the call only.
 */
struct subid_line {
	const char *text, *user;
	size_t len, user_len;
	struct grant grant; /* start and count are set only without a fault */
	const char *fault;  /* what is wrong with the line, "has the count 0"; NULL: nothing */
	bool reversed; /* the fields may be in the wrong order: the first is a number, the last is
	                  not */
};

/*
 * Call fn with each line but empty lines and comments. If fn returns other than 0, stop and return
 * that.
 */
MUST_CHECK int subid_each(
	const char *text, int (*fn)(const struct subid_line *l, void *arg), void *arg);

/* The uid of a user that has grants, but no account. */
#define SUBID_NO_ACCOUNT UINT32_MAX

/*
 * As names_user(), but a name needs no account, because lines of these files may have any name: a
 * user of that name, with the uid SUBID_NO_ACCOUNT.
 */
MUST_CHECK int subid_user(const char *name, struct user *ret, struct err *e);

/* Does the line name this user, by name or by decimal uid? */
bool subid_is_users(const struct subid_line *l, const struct user *user);

/*
 * Append the grants of a user in text, the content of file, in their order: lines USER:START:COUNT,
 * where USER is a name or a decimal uid. Duplicate lines count once. A malformed line of the user
 * is -EINVAL; one of another user is logged (log_warn) and ignored. -ENOENT: the user has no grant.
 * ret may have grants even on failure; VEC_DONE frees it. subid_read() calls this; tests and
 * fuzzers do, too.
 */
MUST_CHECK int subid_parse(const char *text, const char *file, const struct user *user,
	struct grants *ret, struct err *e);

/*
 * Does the line name this user, or, if it does not count, seem to be meant for it: "alice 1:2",
 * "1:2:alice"?
 */
bool subid_is_meant_for(const struct subid_line *l, const struct user *user);

/* Read a file into ret, and refuse NUL bytes (-EINVAL). */
MUST_CHECK int subid_text(const char *file, struct buf *ret, struct err *e);

/*
 * Find the first line of the file that grants the id. ret_user is the name or number in it. Returns
 * false if there is none, or the file cannot be read.
 */
enum { SUBID_USER_SIZE = 256 };
bool subid_holder(const char *file, uint32_t id, char ret_user[static SUBID_USER_SIZE],
	struct grant *ret_grant);

/* Does a line of the file name this user? */
bool subid_has(const char *file, const struct user *user);

/* Read a file, and parse it as subid_parse() does. */
MUST_CHECK int subid_read(
	const char *file, const struct user *user, struct grants *ret, struct err *e);

#endif
