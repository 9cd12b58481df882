/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map_parser: the fields of a map's entries: kinds, ids and counts. */

#include "map_parser.h"

#include <errno.h>
#include <string.h>

#include "../base/num.h"
#include "names.h"

/* Not a number: say how ids are written. Returns -EINVAL. */
static int id_fault(const struct word *w, const char *what, const char *fault, struct err *e)
{
	(void)word_fault(e, EINVAL, w, "%s %s", what, fault);
	err_try(e, "write decimal digits only, such as 1000, or a name");
	return -EINVAL;
}

int map_parse_id(
	const struct word *w, const char *what, unsigned kind, uint64_t *ret, struct err *e)
{
	char name[256];
	uint32_t id;
	int r;

	if (!w->len)
		return word_fault(e, EINVAL, w, "%s is missing", what);
	r = num_u64_n(w->s, w->len, ret);
	if (r == -ERANGE)
		return word_fault(e, ERANGE, w, "%s is beyond the last id, 4294967294", what);
	if (r == 0)
		return 0;
	if (strchr("+-", w->s[0]))
		return id_fault(w, what, "has a sign; an id has decimal digits only", e);
	if (w->s[0] >= '0' && w->s[0] <= '9')
		return id_fault(w, what, "is not a decimal number", e);
	if (w->len >= sizeof(name) || memchr(w->s, '\0', w->len))
		return word_fault(e, EINVAL, w, "%s is neither a number nor a name", what);

	memcpy(name, w->s, w->len);
	name[w->len] = '\0';
	r = kind == KIND_UID ? names_uid(name, &id, e) : names_gid(name, &id, e);
	if (r == -ENOENT) {
		(void)word_fault(e, ENOENT, w, "there is no %s of this name",
			kind == KIND_UID ? "user" : "group");
		names_say_try(e);
	}
	if (r < 0)
		return r;

	*ret = id;
	return 0;
}

int map_parse_count(const struct word *w, uint64_t *ret, struct err *e)
{
	if (!w->len)
		return word_fault(
			e, EINVAL, w, "COUNT is missing: the number of ids, as in 0:100000:65536");

	switch (num_u64_n(w->s, w->len, ret)) {
	case 0:
		return 0;
	case -ERANGE:
		return word_fault(e, ERANGE, w, "COUNT is beyond the number of ids, 4294967295");
	default:
		(void)word_fault(e, EINVAL, w, "COUNT is not a decimal number");
		err_try(e, "write the number of ids with decimal digits only, such as 65536");
		return -EINVAL;
	}
}

/* Look up names for each kind: the user www-data and the group www-data may have other numbers. */
int map_add_fields(
	struct map_parser *p, unsigned kinds, struct word whole, const struct word f[static 3])
{
	for (unsigned kind = KIND_UID; kind <= KIND_GID; kind <<= 1) {
		struct draft_entry x = { .written = kinds, .at = whole.at };
		int r;

		if (!(kinds & kind))
			continue;
		r = map_parse_id(&f[0], "DISK", kind, &x.disk, p->e);
		if (r == 0)
			r = map_parse_id(&f[1], "SEEN", kind, &x.seen, p->e);
		if (r == 0)
			r = map_parse_count(&f[2], &x.count, p->e);
		if (r == 0)
			r = draft_add(&p->draft, kind, &x, p->e);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *name;
	unsigned kinds;
} kind_names[] = {
	{ "b", KIND_BOTH },
	{ "u", KIND_UID },
	{ "g", KIND_GID },
	{ "both", KIND_BOTH },
	{ "uid", KIND_UID },
	{ "gid", KIND_GID },
};

unsigned map_kind(const struct word *w)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++)
		if (word_is(w, kind_names[i].name))
			return kind_names[i].kinds;
	return 0;
}
