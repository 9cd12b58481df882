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

/* A range of subordinate ids (subuid(5)), valid by itself: start + count is at most 4294967295. */
struct grant {
	uint32_t start, count;
	size_t line; /* in its file, from 1 */
};

struct grants {
	struct grant *items;
	size_t len, cap;
};

/*
 * One line that grants something, or is meant to. Strings are not terminated, and valid during the
 * call only.
 */
struct subid_line {
	const char *text, *user;
	size_t len, user_len;
	struct grant grant; /* start and count only without a fault */
	const char *fault;  /* what is wrong with it, "has the count 0", or NULL */
	bool reversed;      /* its first field is a number and its last one is none */
};

/*
 * Call fn with each line but empty ones and comments until it returns something else than 0, which
 * is then returned.
 */
MUST_CHECK int subid_each(
	const char *text, int (*fn)(const struct subid_line *l, void *arg), void *arg);

/* Is it a line of this user's: by name, or by its decimal uid? */
bool subid_is_users(const struct subid_line *l, const struct user *user);

/*
 * The user's grants in text, the content of file, in its order: lines USER:START:COUNT with USER a
 * name or a decimal uid. A line given twice counts once. A faulty line of the user's own is an
 * error
 * (-EINVAL); another's is warned of (log_warn, FILE:LINE) and passed over. -ENOENT: no grant.
 * ret is appended to, also on failure; free it with VEC_DONE.
 */
MUST_CHECK int subid_parse(const char *text, const char *file, const struct user *user,
	struct grants *ret, struct err *e);

/* The content of such a file: text without a NUL byte. */
MUST_CHECK int subid_text(const char *file, struct buf *ret, struct err *e);

/* Read the file and parse it. */
MUST_CHECK int subid_read(
	const char *file, const struct user *user, struct grants *ret, struct err *e);

#endif
