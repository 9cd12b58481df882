/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

#include "err.h"

/*
 * Find the word of a list that a user may have meant: "verfy" is near "verify".
 *
 *   struct suggest s = suggest_for("verfy", 5);
 *   suggest_offer(&s, "verify");
 *   suggest_offer(&s, "explain");
 *   s.best is "verify"; NULL if no word is near
 */
struct suggest {
	const char *given; /* not terminated */
	size_t given_len;
	size_t distance;  /* of best */
	const char *best; /* one of the words that were offered, or NULL */
};

struct suggest suggest_for(const char *given, size_t len);

/*
 * Consider a word, which must stay valid. It is near if it is given in upper case, or if few
 * letters are missing, surplus, wrong or exchanged with their neighbours: one in three of the
 * longer word, but never all of the shorter one. The first of several equally near words wins.
 */
void suggest_offer(struct suggest *s, const char *word);

/* Consider each word of a list that is separated by blanks. Returns the number of bytes of best. */
size_t suggest_offer_list(struct suggest *s, const char *words);

/*
 * A word of another program (docker, podman, mount, ...) and what to do here instead. A table ends
 * with { NULL, NULL }.
 */
struct habit {
	const char *word; /* "--tag", "-f", "rm"; as it is typed */
	const char *say;  /* the remedy, for err_try() */
};

/* Returns the remedy for the word (len bytes), or NULL. habits may be NULL. */
const char *habit_find(const struct habit *habits, const char *word, size_t len);

#endif
