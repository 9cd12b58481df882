/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subids: find an ordinary user's subordinate ids, and enter a user namespace with them. */

#include "subids.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/log.h"
#include "../lib/idmap/newidmap.h"
#include "../lib/idmap/subid.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/ns/rootless.h"
#include "../lib/survey/grants.h"
#include "../lib/survey/userns_rules.h"

/*
 * The number and the start of the ranges that useradd(8) grants unless login.defs(5) says
 * otherwise.
 */
enum { USUAL_COUNT = 65536, USUAL_START = 100000 };

static void warn_ignored(const struct grant_finding *f, void *arg)
{
	(void)arg;
	log_warn("%s:%zu: %s", f->file, f->line, f->detail);
}

void subids_tell_ignored(void)
{
	struct grants_check c = { .fn = warn_ignored };

	if (getuid() != 0 && !userns_is_nested() && names_user_of(getuid(), &c.user, NULL) == 0)
		grants_check_ignored(&c);
}

/*
 * Keep the first finding as the reason for having no ids, or (clash) for having ids that cannot be
 * combined.
 */
static void found(const struct grant_finding *f, void *arg)
{
	struct subids *r = arg;
	bool clash = f->class == GRANT_OVERLAP || f->class == GRANT_OWN_ID;
	char *why = clash ? r->clash : r->why, line[32] = "";

	if (f->line)
		(void)snprintf(line, sizeof(line), ":%zu", f->line); /* fits: 20 digits */
	if (f->class == GRANT_IGNORED) {
		log_warn("%s%s: %s", f->file, line, f->detail);
		r->warned = true;
	}
	if (why[0] || f->class == GRANT_SHORT)
		return;
	(void)snprintf(why, sizeof(r->why), "%s%s%s%s", f->file ? f->file : "", line,
		!f->file                         ? "" :
			f->class == GRANT_HELPER ? " " : /* "newuidmap", "is not installed" */
						   ": ",
		f->detail); /* truncated on purpose */
}

static const char *user_name(const struct subids *r)
{
	return r->user.name[0] ? r->user.name : "the user";
}

static uint64_t total(const struct grants *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->len; i++)
		n += g->items[i].count;
	return n;
}

static int half_fault(const struct subids *r, bool has_uid, struct err *e)
{
	(void)err_say(e, ENOENT, NULL, "%s has subordinate %s ids, but no %s ids", user_name(r),
		has_uid ? "user" : "group", has_uid ? "group" : "user");
	err_op(e, "subid");
	err_why(e, "%s", r->why);
	err_try(e, "shiftbox shift-check subid");
	return -ENOENT;
}

static int build_map(const struct grants_check *c, struct subids *r, struct err *e)
{
	static struct idrange uid[IDMAP_EXTENTS_MAX], gid[IDMAP_EXTENTS_MAX];
	size_t n_uid = newidmap_ranges(r->user.uid, &c->uid, uid),
	       n_gid = newidmap_ranges(r->user.gid, &c->gid, gid);
	int n = idmap_from_ranges(uid, n_uid, gid, n_gid, &r->map, e);

	if (n < 0) {
		err_prefix(e, "the subordinate ids of %s cannot be used", user_name(r));
		err_why(e, "%s", r->clash);
		err_try(e, "shiftbox shift-check subid");
	}
	return n;
}

int subids_get(struct subids *ret, struct err *e)
{
	struct grants_check c = { .fn = found, .arg = ret };
	int r;

	*ret = (struct subids){ .single = false };
	r = names_user_of(getuid(), &ret->user, e);
	if (r < 0)
		return r;
	if (!ret->user.has_gid)
		ret->user.gid = (uint32_t)getgid();
	c.user = ret->user;
	r = grants_check_files(&c, e);
	if (r == 0) {
		ret->n_uid = total(&c.uid);
		ret->n_gid = total(&c.gid);
		(void)snprintf(ret->source, sizeof(ret->source), "%s", c.source);
		ret->single = !c.uid.len && !c.gid.len;
		r = !ret->single && (!c.uid.len || !c.gid.len) ? half_fault(ret, c.uid.len, e) :
								 build_map(&c, ret, e);
	}
	grants_check_done(&c);
	return r;
}

void subids_tell_single(const struct subids *ids, const char *what, bool brief)
{
	bool why = ids->why[0] && !ids->warned; /* the warning was the reason */

	if (brief)
		log_info("%s has no subordinate ids: %s (shiftbox shift-check subid says why)",
			user_name(ids), what);
	else
		log_info("%s has no subordinate ids: %s%s%s%s", user_name(ids), what,
			why ? " (" : "", why ? ids->why : "", why ? ")" : "");
}

/* --- The user namespace --- */

static void add_words(struct buf *b, const char *kind, const struct idranges *r)
{
	buf_printf(b, "%s ", kind);
	for (size_t i = 0; i < r->len; i++) {
		const struct idrange *x = &r->items[i];

		buf_printf(b, "%s%u", i ? ", " : "", x->disk);
		if (x->count > 1)
			buf_printf(b, "-%u", x->disk + (x->count - 1));
		buf_printf(b, " stored as %u", x->seen);
		if (x->count > 1)
			buf_printf(b, "-%u", x->seen + (x->count - 1));
	}
}

static void tell(const struct subids *ids)
{
	scoped_buf struct buf b = BUF_INIT;

	add_words(&b, "users", &ids->map.uid);
	add_words(&b, "; groups", &ids->map.gid);
	if (buf_get(&b))
		log_verbose(
			"continuing as root of a user namespace of %s: %s", user_name(ids), b.data);
}

/* Add why a user namespace could not be made, or why newuidmap(1) or newgidmap(1) refused. */
static void name_cause(const struct subids *ids, const struct subids *helpers, struct err *e)
{
	scoped_buf struct buf rules = BUF_INIT;

	if (!e)
		return;
	if (!strcmp(e->op, "userns")) {
		userns_rules_print(&rules);
		if (rules.len && buf_get(&rules))
			err_why(e, "%s", rules.data);
		if (!e->hint[0])
			err_try(e,
				"shiftbox shift-check host reports whether ordinary users may "
				"create user namespaces");
	} else if (!strcmp(e->op, "newidmap")) {
		if (helpers->why[0])
			err_why(e, "%s", helpers->why);
		else if (ids->why[0] || ids->clash[0])
			err_why(e, "%s", ids->why[0] ? ids->why : ids->clash);
		err_try(e, "shiftbox shift-check subid");
	}
}

/*
 * Call this before entering the namespace: while that has no map, all files seem to belong to the
 * overflow ids.
 */
static int look_at_helpers(const struct subids *ids, struct subids *ret, struct err *e)
{
	struct grants_check c = { .user = ids->user, .fn = found, .arg = ret };
	int r = ids->single ? 0 : grants_check_helpers(&c, e);

	if (r == 0 && !ret->why[0] && getgid() != ids->user.gid)
		(void)snprintf(ret->why, sizeof(ret->why),
			"the group is %u now, and not %u as in passwd, which those programs ask "
			"for",
			(unsigned)getgid(), ids->user.gid);
	return r;
}

static bool entered;

int subids_enter(const struct subids *ids, unsigned long more, struct err *e)
{
	struct subids helpers = { .single = false };
	int r = look_at_helpers(ids, &helpers, e);

	if (r < 0)
		return r;
	r = rootless_enter(&ids->map, more, e);
	if (r < 0)
		name_cause(ids, &helpers, e);
	else
		tell(ids);
	entered |= r == 0;
	return r;
}

bool subids_entered(void)
{
	return entered;
}

void subids_explain(const struct subids *ids, struct err *e)
{
	struct subids helpers = { .single = false };

	if (look_at_helpers(ids, &helpers, NULL) == 0)
		name_cause(ids, &helpers, e);
}

/* --- Missing ids --- */

static int after(const struct subid_line *l, void *arg)
{
	uint32_t *end = arg;

	if (!l->fault && l->grant.start + l->grant.count > *end)
		*end = l->grant.start + l->grant.count;
	return 0;
}

/*
 * Suggest a range above all grants of the file that is large enough to contain id, given the number
 * of ids that the user has.
 */
static bool suggest(const char *file, uint64_t has, uint32_t id, uint32_t *start, uint32_t *count)
{
	uint64_t want = id > USUAL_COUNT ? id : USUAL_COUNT;
	scoped_buf struct buf text = BUF_INIT;

	*start = USUAL_START;
	if (subid_text(file, &text, NULL) == 0)
		(void)subid_each(buf_get(&text), after, start); /* always 0 */
	if (want <= has || want - has > UINT32_MAX - *start)
		return false;
	*count = (uint32_t)(want - has);
	return true;
}

void subids_suggest(const struct subids *ids, bool group, uint32_t id, struct err *e)
{
	const char *kind = group ? "group" : "user", *file = group ? SUBGID_FILE : SUBUID_FILE;
	uint64_t has = group ? ids->n_gid : ids->n_uid;
	const bool tells_how = strstr(ids->why, "usermod"); /* what to try says that, too */
	uint32_t start, count;

	if (ids->single)
		err_why(e, "%s has no subordinate ids, so the only id is 0, the user's own%s%s",
			user_name(ids), tells_how ? "" : ": ", tells_how ? "" : ids->why);
	else
		err_why(e,
			"%s has %llu subordinate %s ids, so the ids 0-%llu are available; "
			"image-unpack --scan prints all that an image needs",
			user_name(ids), (unsigned long long)has, kind, (unsigned long long)has);
	if (strcmp(ids->source, "files") != 0)
		err_try(e,
			"get more %s ids from '%s' (nsswitch.conf), or choose --unmapped=skip or "
			"--unmapped=overflow",
			kind, ids->source);
	else if (!suggest(file, has, id, &start, &count))
		err_try(e,
			"no grant can be that large; choose --unmapped=skip or "
			"--unmapped=overflow");
	else if (ids->single)
		err_try(e,
			"as root: usermod --add-subuids %u-%u --add-subgids %u-%u %s (in %s and %s "
			"the line %s:%u:%u), or choose --unmapped=skip or --unmapped=overflow",
			start, start + (count - 1), start, start + (count - 1), user_name(ids),
			SUBUID_FILE, SUBGID_FILE, user_name(ids), start, count);
	else
		err_try(e,
			"as root: usermod --add-sub%cids %u-%u %s (in %s the line %s:%u:%u), or "
			"choose --unmapped=skip or --unmapped=overflow",
			kind[0], start, start + (count - 1), user_name(ids), file, user_name(ids),
			start, count);
}
