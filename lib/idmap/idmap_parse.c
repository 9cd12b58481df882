/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_parse: parse the map language. */

#include "idmap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "map_advice.h"
#include "map_parser.h"

static int not_a_map(struct map_parser *p, struct word w, size_t n)
{
	(void)word_fault(p->e, EINVAL, &w,
		n > 4         ? "is not a valid map: [b:|u:|g:]DISK:SEEN:COUNT has no more fields" :
			n > 3 ? "is not a valid map: DISK:SEEN:COUNT has three fields" :
				"is not a valid map: expected DISK:SEEN:COUNT (such as "
				"0:100000:65536) or +BASE (+100000)");
	map_advise(p->e, w);
	return -EINVAL;
}

/* [KIND:]rest */
static int parse_rest(struct map_parser *p, struct word w, unsigned kinds)
{
	p->rest |= kinds;
	p->rest_at = w.at;
	return 0;
}

/* DISK:SEEN:COUNT, whose three fields USER:START:COUNT of subuid(5) has, too */
static int parse_three(struct map_parser *p, struct word w, const struct word f[static 3])
{
	bool grant = map_is_grant(p, f);
	int r = map_add_fields(p, KIND_BOTH, w, f), n = (int)f[0].len;

	if (grant && r == 0 && p->e)
		log_warn("'%.*s': read as a map, this line of /etc/subuid maps the disk ids from "
			 "that of %.*s on; try: for the ids that the line grants, subid:%.*s or "
			 "user:%.*s",
			(int)w.len, w.s, n, f[0].s, n, f[0].s, n, f[0].s);
	else if (grant && r < 0)
		err_try(p->e,
			"for the ids that this line of /etc/subuid grants: subid:%.*s or user:%.*s",
			n, f[0].s, n, f[0].s);
	return r;
}

/* [b:|u:|g:|both:|uid:|gid:]DISK:SEEN:COUNT */
static int parse_range(struct map_parser *p, struct word w)
{
	struct word whole = w, f[6];
	unsigned kinds = KIND_BOTH;
	size_t n, skip = 0;

	n = word_split(w, ':', f, ARRAY_LEN(f));
	if (n == 2 && map_kind(&f[0]) && word_is(&f[1], "rest"))
		return parse_rest(p, w, map_kind(&f[0]));
	if (n > 3 && map_kind(&f[0])) {
		kinds = map_kind(&f[0]);
		skip = 1;
	}
	if (n == 3 && map_kind(&f[0])) {
		(void)word_fault(p->e, EINVAL, &w,
			"is not a valid map: DISK:SEEN:COUNT must follow the kind of id");
		err_try(p->e, "add COUNT, the number of ids: %.*s:1", (int)w.len, w.s);
		return -EINVAL;
	}
	if (n == 3)
		return parse_three(p, whole, f);
	if (n == skip + 3)
		return map_add_fields(p, kinds, whole, f + skip);
	if (n == 4 && !skip && f[0].len && (f[0].s[0] < '0' || f[0].s[0] > '9')) {
		(void)word_fault(
			p->e, EINVAL, &f[0], "is not a kind of id: b, u or g (or both, uid, gid)");
		err_try(p->e, "write u: for users, g: for groups, or no kind for both");
		return -EINVAL;
	}
	return not_a_map(p, w, n);
}

static int base_fault(struct map_parser *p, const struct word *w)
{
	(void)word_fault(p->e, EINVAL, w, "BASE is not a decimal number");
	err_try(p->e,
		"write +BASE with decimal digits only, such as +100000; for the ids of a "
		"user, user:NAME");
	return -EINVAL;
}

/* +BASE[:COUNT] */
static int parse_base(struct map_parser *p, struct word w)
{
	struct word f[3], rest = word_from(w, 1);
	struct draft_entry x = { .count = 65536, .written = KIND_BOTH, .at = w.at };
	size_t n = word_split(rest, ':', f, ARRAY_LEN(f));
	int r;

	if (n > 2) {
		(void)word_fault(
			p->e, EINVAL, &w, "is not a valid map: +BASE[:COUNT] has no more fields");
		err_try(p->e, "write +BASE:COUNT, or DISK:SEEN:COUNT without '+'");
		return -EINVAL;
	}
	if (f[0].len && (f[0].s[0] < '0' || f[0].s[0] > '9'))
		return base_fault(p, &f[0]);
	if (!f[0].len) {
		(void)word_fault(p->e, EINVAL, &f[0], "BASE is missing");
		err_try(p->e, "write the first id after '+', as in +100000");
		return -EINVAL;
	}
	r = map_parse_id(&f[0], "BASE", KIND_UID, &x.seen, p->e);
	if (r == 0 && n == 2)
		r = map_parse_count(&f[1], &x.count, p->e);
	if (r < 0)
		return r;
	return draft_add(&p->draft, KIND_BOTH, &x, p->e);
}

/* uids=D-S-N#D-S-N, and gids=. Numbers only: a name could have a '-' in it. */
static int parse_crun(struct map_parser *p, struct word w)
{
	unsigned kinds = w.s[0] == 'u' ? KIND_UID : KIND_GID;
	struct word rest = word_from(w, strlen("uids="));

	for (bool more = true; more;) {
		struct word part = word_until(&rest, '#', &more), f[4];
		size_t n = word_split(part, '-', f, ARRAY_LEN(f));
		int r;

		if (part.len && part.s[0] == '@')
			return word_fault(p->e, EINVAL, &part,
				"'@' (ids as the container's own map has them) is not supported; "
				"write the seen ids themselves");
		if (n != 3)
			return word_fault(p->e, EINVAL, &part, "is not DISK-SEEN-COUNT");
		for (size_t i = 0; i < 3; i++)
			if (f[i].len && (f[i].s[0] < '0' || f[i].s[0] > '9'))
				return word_fault(p->e, EINVAL, &f[i], "is not a decimal number");

		r = map_add_fields(p, kinds, part, f);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first match decides; without a match, the entry is a range. */
static const struct {
	const char *start;
	int (*parse)(struct map_parser *p, struct word w);
} forms[] = {
	{ "+", parse_base },
	{ "uids=", parse_crun },
	{ "gids=", parse_crun },
	{ "subid:", map_parse_subid },
	{ "user:", map_parse_user },
	{ "keep-id:", map_parse_keep_id },
	{ "owner:", map_parse_owner },
	{ "pid:", map_parse_pid },
	{ "fd:", map_parse_fd },
	{ "/", map_parse_path },
	{ "@", map_parse_file },
};

static int parse_entry(struct map_parser *p, struct word w)
{
	if (word_is(&w, "auto"))
		return map_parse_auto(p, w);
	if (word_is(&w, "rest"))
		return parse_rest(p, w, KIND_BOTH);
	if (map_is_foreign(w))
		return not_a_map(p, w, 0);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (word_starts(&w, forms[i].start))
			return forms[i].parse(p, w);
	return parse_range(p, w);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* In the name of a file a comma is a part of it. */
static bool ends_entry(char c, char first)
{
	return is_blank(c) || c == ';' || (c == ',' && first != '/' && first != '@');
}

/* An entry is missing where w is; whole: there is no entry at all. */
static int entry_missing(const struct map_parser *p, const struct word *w, bool whole)
{
	if (!whole) {
		(void)word_fault(p->e, EINVAL, w, "an entry is missing beside ';' or ','");
		err_try(p->e,
			*w->s ? "write one ';' or ',' between two entries, and none before them" :
				"omit the ';' or ',' at the end");
		return -EINVAL;
	}
	(void)word_fault(p->e, EINVAL, w, "the map is empty");
	map_advise_form(p->e);
	return -EINVAL;
}

/*
 * Split a text into entries, separated by blanks, or by one ';' or ',' with or without blanks
 * around it. One without an entry on one of its sides is an error, since an entry may have been
 * lost.
 */
static int parse_text(struct map_parser *p, const char *text, size_t base)
{
	size_t i = 0, len = strlen(text);
	bool entries = false, wanted = true;

	for (;;) {
		struct word w;
		int r;

		while (i < len && is_blank(text[i]))
			i++;
		w = (struct word){ .s = text + i, .len = 0, .at = { .pos = base + i } };
		while (i < len && !ends_entry(text[i], *w.s)) {
			i++;
			w.len++;
		}
		if (!w.len && i == len && !wanted)
			return 0;
		if (!w.len && (wanted || i == len))
			return entry_missing(p, &w, !entries && i == len);
		if (w.len) {
			r = parse_entry(p, w);
			if (r < 0)
				return r;
			entries = true;
			wanted = false;
			continue;
		}
		i++; /* ';' or ',' */
		wanted = true;
	}
}

static int check_strict(const struct map_parser *p)
{
	bool uid = p->draft.uid.len, gid = p->draft.gid.len;

	if (uid && gid)
		return 0;
	(void)err_say(p->e, EINVAL, NULL,
		"the map covers only %s ids, and --strict-map requires both kinds",
		uid ? "user" : "group");
	err_op(p->e, "map");
	err_try(p->e, "add entries for %s ids: %s", uid ? "group" : "user",
		uid ? "g:DISK:SEEN:COUNT" : "u:DISK:SEEN:COUNT");
	return -EINVAL;
}

static int parse_all(const char *const *texts, size_t n, const struct idmap_context *ctx,
	struct idmap *ret, struct err *e)
{
	static const struct idmap_context nothing = { .source = NULL };
	scoped_map_parser struct map_parser p = { .ctx = ctx ? ctx : &nothing, .e = e };
	size_t base = 0;
	int r;

	if (!n)
		return word_fault(
			e, EINVAL, &(struct word){ .s = "", .at = PLACE_NONE }, "no map is given");

	for (size_t i = 0; i < n; i++) {
		r = parse_text(&p, texts[i], base);
		if (r < 0)
			return r;
		base += strlen(texts[i]) + 1;
	}
	r = map_add_rest(&p);
	if (r == 0 && p.ctx->strict)
		r = check_strict(&p);
	if (r < 0)
		return r;
	r = draft_finish(&p.draft, true, ret, e);
	if (r == 0 && ret->gid_assumed)
		log_info("the map is for %s ids only: %s ids are left as they are",
			p.draft.uid.len ? "user" : "group", p.draft.uid.len ? "group" : "user");
	return r;
}

int idmap_parse(const char *const *texts, size_t n, const struct idmap_context *ctx,
	struct idmap *ret, struct err *e)
{
	int r = parse_all(texts, n, ctx, ret, e);

	if (e && !e->hint[0] && (r == -EINVAL || r == -ERANGE || r == -E2BIG))
		err_try(e,
			r == -ERANGE        ? "choose smaller numbers: ids end at 4294967294" :
				r == -E2BIG ? "use fewer ranges, or longer ones" :
					      "see ENTRIES and EXAMPLES in shiftbox-idmap(7)");
	/*
	 * The text is the caller's fault; errors of what it refers to (a user, a file, a process)
	 * are not.
	 */
	if (e && (r == -EINVAL || r == -ERANGE || r == -E2BIG))
		e->usage = true;
	return r;
}
