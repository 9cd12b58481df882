/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map_advice: say what a word that is not an entry of a map may have meant. */

#include "map_advice.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"
#include "../base/suggest.h"
#include "map_parser.h"
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
			":%" PRIu64 ":1,rest keeps all others but %" PRIu64,
			disk, seen, disk, seen, seen);
		return true;
	}
	return false;
}

/* "1000-2000:100033-101033" or "100000-165535" */
static bool advise_spans(struct err *e, struct word w)
{
	struct word side[3], a[3], b[3];
	uint64_t first, last, seen, seen_last;

	if (word_split(w, '-', a, 3) == 2 && is_number(&a[0], &first) && is_number(&a[1], &last) &&
		first <= last && last < UINT32_MAX) {
		err_try(e,
			"did you mean +%" PRIu64 ":%" PRIu64 " (disk id 0 is seen as %" PRIu64
			", and so on)?",
			first, last - first + 1, first);
		return true;
	}
	if (word_split(w, ':', side, 3) == 2 && word_split(side[0], '-', a, 3) == 2 &&
		is_number(&a[0], &first) && is_number(&a[1], &last) && first <= last &&
		is_number(&side[1], &seen)) {
		err_try(e, "give the first ids and their number: %" PRIu64 ":%" PRIu64 ":%" PRIu64,
			first, seen, last - first + 1);
		return true;
	}
	if (word_split(w, ':', side, 3) != 2 || word_split(side[0], '-', a, 3) != 2 ||
		word_split(side[1], '-', b, 3) != 2 || !is_number(&a[0], &first) ||
		!is_number(&a[1], &last) || !is_number(&b[0], &seen) ||
		!is_number(&b[1], &seen_last) || last < first || last - first != seen_last - seen)
		return false;
	err_try(e, "give the first ids and their number: %" PRIu64 ":%" PRIu64 ":%" PRIu64, first,
		seen, last - first + 1);
	return true;
}

enum { NAME_MAX_LEN = 64 };

/* Copy a word that may be a name. Returns false if it is empty or too long. */
static bool copy_name(struct word w, char ret[NAME_MAX_LEN])
{
	if (!w.len || w.len >= NAME_MAX_LEN)
		return false;
	memcpy(ret, w.s, w.len);
	ret[w.len] = '\0';
	return true;
}

/* "group:wheel": there is no such word; the name may be a group's or a user's. */
static bool advise_group(struct err *e, const struct word f[5])
{
	char name[NAME_MAX_LEN];
	struct user user;
	uint32_t gid;

	if ((!word_is(&f[0], "group") && !word_is(&f[0], "g")) || !copy_name(f[1], name))
		return false;
	if (names_gid(name, &gid, NULL) == 0)
		err_try(e, "g:%s:SEEN:1 shows the group %s as SEEN, and maps groups alone", name,
			name);
	else if (names_user(name, &user, NULL) == 0)
		err_try(e,
			"%s is a user and no group: user:%s maps the users and groups of its "
			"containers; g:DISK:SEEN:COUNT, groups alone",
			name, name);
	else
		err_try(e,
			"write g:DISK:SEEN:COUNT, with numbers or the names of groups: getent "
			"group lists them");
	return true;
}

/* "alice:bob" lacks COUNT; without groups of these names it is a map of users. */
static bool advise_two_names(struct err *e, const struct word f[5])
{
	char name[2][NAME_MAX_LEN];
	bool users = false;

	for (size_t i = 0; i < 2; i++) {
		struct user user;
		uint64_t number;
		uint32_t gid;

		if (!copy_name(f[i], name[i]) || names_user(name[i], &user, NULL) < 0)
			return false;
		users |= !is_number(&f[i], &number) && names_gid(name[i], &gid, NULL) < 0;
	}
	err_try(e, "add COUNT, the number of ids: %s%s:%s:1 shows files of %s as %s's",
		users ? "u:" : "", name[0], name[1], name[0], name[1]);
	return true;
}

static bool advise_user(struct err *e, struct word w)
{
	char name[NAME_MAX_LEN];
	struct user user;

	if (memchr(w.s, ':', w.len) || !copy_name(w, name) || names_user(name, &user, NULL) < 0)
		return false;
	err_try(e, "did you mean user:%s (a container's ids) or owner:%s (the owner of SOURCE)?",
		name, name);
	return true;
}

/* "u 0 100000 65536" or "0 100000 65536": blanks in place of colons. */
static bool advise_columns(struct err *e, struct word w)
{
	struct word line = { .s = w.s, .len = strlen(w.s) }, f[5];
	size_t n = 0, kind;
	uint64_t ignored;

	while (n < 5 && (f[n] = word_column(&line)).len)
		n++;
	kind = n == 4 && map_kind(&f[0]);
	if (n != kind + 3)
		return false;
	for (size_t i = kind; i < n; i++)
		if (!is_number(&f[i], &ignored))
			return false;
	err_try(e, "did you mean %.*s%s%.*s:%.*s:%.*s?", kind ? (int)f[0].len : 0, f[0].s,
		kind ? ":" : "", (int)f[kind].len, f[kind].s, (int)f[kind + 1].len, f[kind + 1].s,
		(int)f[kind + 2].len, f[kind + 2].s);
	return true;
}

/* "users:alice", "user=alice" or "keep-id": nearly a form that names a user. */
static bool advise_form_of_user(struct err *e, struct word w)
{
	static const char *const forms[] = { "user", "subid", "keep-id", "owner" };
	struct word name = w, user;
	struct suggest near;
	bool more = false;
	uint64_t ignored;

	if (!memchr(w.s, ':', w.len))
		name = word_until(&w, '=', &more);
	else
		name = word_until(&w, ':', &more);
	user = w;
	if (map_kind(&name) || is_number(&name, &ignored) || memchr(user.s, ':', user.len))
		return false;
	near = suggest_for(name.s, name.len);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (more || word_is(&name, forms[i]))
			suggest_offer(&near, forms[i]);
	if (near.best && user.len)
		err_try(e, "did you mean %s:%.*s?", near.best, (int)user.len, user.s);
	else if (near.best)
		err_try(e, "add the user: %s:USER", near.best);
	return near.best;
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

void map_advise_form(struct err *e)
{
	err_try(e, "write a map such as " EXAMPLES);
}

void map_advise(struct err *e, struct word w)
{
	struct word f[5];
	uint64_t number;
	size_t n = word_split(w, ':', f, 5);

	if (word_is(&w, "none")) {
		if (!w.at.file && w.at.pos == 0 && !w.s[w.len])
			err_try(e, "none is the absence of a map; write a map such as " EXAMPLES);
		else
			err_try(e, "write none alone: it is the absence of a map");
		return;
	}
	if (word_is(&w, "host")) {
		err_try(e,
			"for no map, write none (in mount-idmapped and shift-check), or omit it");
		return;
	}
	if (word_starts(&w, "image:")) {
		err_try(e,
			"for a map of all ids of the image: shiftbox shift-check map --cover %.*s",
			(int)w.len, w.s);
		return;
	}
	if (word_starts(&w, "rest:")) {
		err_try(e, "write rest alone, or u:rest, g:rest: it has no numbers");
		return;
	}
	if (advise_columns(e, w))
		return;
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
	if ((n == 4 && advise_kind_last(e, f)) || advise_form_of_user(e, w) || advise_pair(e, w) ||
		advise_spans(e, w) || advise_user(e, w) ||
		(n == 2 && (advise_group(e, f) || advise_two_names(e, f))))
		return;
	if (n >= 4)
		err_try(e, "write one range as DISK:SEEN:COUNT; separate several with ';'");
	else
		map_advise_form(e);
}
