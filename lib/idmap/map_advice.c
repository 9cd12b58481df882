/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map_advice: say what a word that is not an entry of a map may have meant. */

#include "map_advice.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"
#include "names.h"

#define EXAMPLES "1000:100033:1 (DISK:SEEN:COUNT), +100000, or user:NAME"

static bool is_number(const struct word *w, uint64_t *ret)
{
	return num_u64_n(w->s, w->len, ret) == 0;
}

/* A kind in place of, or in addition to, the last field: "0:100000:65536:b". */
static bool advise_kind_last(struct err *e, const struct word f[4])
{
	char last = f[3].len ? f[3].s[0] : '\0';
	uint64_t ignored;

	if (f[3].len != 1 || !strchr("ubg", last) || !is_number(&f[0], &ignored))
		return false;
	err_try(e, "the kind of id comes first: %c:%.*s:%.*s:%.*s", last, (int)f[0].len, f[0].s,
		(int)f[1].len, f[1].s, (int)f[2].len, f[2].s);
	return true;
}

/* "1000:100033", "1000=100033" or "1000/100033": one id that moves. */
static bool advise_pair(struct err *e, struct word w)
{
	const char *seps = ":=/,>";

	for (const char *sep = seps; *sep; sep++) {
		struct word f[3];
		uint64_t disk, seen;

		if (word_split(w, *sep, f, 3) != 2 || !is_number(&f[0], &disk) ||
			!is_number(&f[1], &seen))
			continue;
		err_try(e,
			"%" PRIu64 ":%" PRIu64 ":1 for one id (DISK:SEEN:COUNT); %" PRIu64
			":%" PRIu64 ":1,rest keeps all others",
			disk, seen, disk, seen);
		return true;
	}
	return false;
}

/* "1000-2000:100033-101033" or "100000-165535" */
static bool advise_spans(struct err *e, struct word w)
{
	struct word side[3], a[3], b[3];
	uint64_t first, last, seen, seen_last;

	if (word_split(w, ':', side, 3) != 2 || word_split(side[0], '-', a, 3) != 2 ||
		word_split(side[1], '-', b, 3) != 2 || !is_number(&a[0], &first) ||
		!is_number(&a[1], &last) || !is_number(&b[0], &seen) ||
		!is_number(&b[1], &seen_last) || last < first || last - first != seen_last - seen)
		return false;
	err_try(e, "give the first ids and their number: %" PRIu64 ":%" PRIu64 ":%" PRIu64, first,
		seen, last - first + 1);
	return true;
}

static bool advise_user(struct err *e, struct word w)
{
	char name[64];
	struct user user;

	if (!w.len || w.len >= sizeof(name) || memchr(w.s, ':', w.len))
		return false;
	memcpy(name, w.s, w.len);
	name[w.len] = '\0';
	if (names_user(name, &user, NULL) < 0)
		return false;
	err_try(e, "did you mean user:%s (a container's ids) or owner:%s (the owner of SOURCE)?",
		name, name);
	return true;
}

bool map_is_foreign(struct word w)
{
	static const char *const begins[] = { "--", "lxc.", "X-mount.idmap=", "idmap=", "{", "[" };
	static const char *const words[] = { "u", "g", "b", "uid", "gid", "both" };

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (word_starts(&w, begins[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (word_is(&w, words[i]))
			return true;
	return false;
}

void map_advise(struct err *e, struct word w)
{
	struct word f[5];
	uint64_t number;
	size_t n = word_split(w, ':', f, 5);

	if (map_is_foreign(w)) {
		err_try(e, "shiftbox shift-check map 'MAP' converts maps of other programs");
		return;
	}
	/* "0 100000 65536" */
	if (is_number(&w, &number) && w.s[w.len] && strchr(" ,", w.s[w.len])) {
		err_try(e, "separate the three numbers with ':', as in 0:100000:65536");
		return;
	}
	if (is_number(&w, &number)) {
		err_try(e, "did you mean +%" PRIu64 " (disk id 0 is seen as %" PRIu64 ")?", number,
			number);
		return;
	}
	if ((n == 4 && advise_kind_last(e, f)) || advise_pair(e, w) || advise_spans(e, w) ||
		advise_user(e, w))
		return;
	if (n >= 4)
		err_try(e, "write one range as DISK:SEEN:COUNT; separate several with ';'");
	else
		err_try(e, "write a map such as " EXAMPLES);
}
