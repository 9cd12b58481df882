/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suggest: find the word that was meant. */

#include "suggest.h"

#include <string.h>

enum { WORD_MAX = 64 };

struct suggest suggest_for(const char *given, size_t len)
{
	return (struct suggest){ .given = given, .given_len = len, .distance = WORD_MAX };
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The number of letters to add, remove, replace or exchange with a neighbour to make b of a; each
 * letter changes once (the optimal string alignment distance). Case counts for nothing. Words
 * longer than WORD_MAX are as far from each other as the longer is long.
 */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return a_len > b_len ? a_len : b_len;
	for (size_t j = 0; j <= b_len; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			row[j] = least(last[j - 1] + (x != y), least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

/* Of "rm" one letter may be wrong, of "mount-idmaped" four. */
static size_t most(size_t a_len, size_t b_len)
{
	size_t longer = a_len > b_len ? a_len : b_len, shorter = a_len < b_len ? a_len : b_len;
	size_t n = longer < 4 ? 1 : longer / 3;

	return shorter > n ? n : shorter ? shorter - 1 : 0;
}

static void offer(struct suggest *s, const char *word, size_t len)
{
	size_t n = edit_distance(s->given, s->given_len, word, len);

	if (n >= s->distance || n > most(s->given_len, len))
		return;
	s->distance = n;
	s->best = word;
}

void suggest_offer(struct suggest *s, const char *word)
{
	offer(s, word, strlen(word));
}

size_t suggest_offer_list(struct suggest *s, const char *words)
{
	const char *before = s->best;

	for (const char *w = words; w && *w;) {
		size_t n = strcspn(w, " ");

		offer(s, w, n);
		w += n;
		w += *w == ' ';
	}
	return s->best != before ? strcspn(s->best, " ") : 0;
}

const char *habit_find(const struct habit *habits, const char *word, size_t len)
{
	for (const struct habit *h = habits; h && h->word; h++)
		if (strlen(h->word) == len && !memcmp(h->word, word, len))
			return h->say;
	return NULL;
}
