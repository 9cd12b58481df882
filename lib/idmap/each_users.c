/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* each_users: list the users of each=. */

#include "each_users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../base/num.h"

/*
 * --- sources -----------------------------------------------------------------------------------
 */

/* Log what is wrong, and go on without it. Returns 0 or -ENOMEM. */
static int broken(bool *flag, int r, struct err *e)
{
	if (r == -ENOMEM)
		return r;
	log_warn_err(e);
	*e = ERR_INIT;
	*flag = true;
	return 0;
}

/* The lines that do not count: one may be the grant of a user, or have been one. */
static void check_lines(const struct subid_index *x, bool *flag)
{
	const struct subid_line *first = NULL, *lines;
	size_t n, bad = 0;

	lines = subid_index_lines(x, &n);
	for (size_t i = 0; i < n; i++) {
		if (!lines[i].fault)
			continue;
		if (!bad++ || lines[i].grant.line < first->grant.line)
			first = &lines[i];
	}
	if (!bad)
		return;
	*flag = true;
	log_warn("%s:%zu: '%.*s' %s, so the line does not count%s", subid_index_file(x),
		first->grant.line, (int)first->len, first->text, first->fault,
		bad > 1 ? "; more lines do not: shiftbox shift-check subid lists them" : "");
}

int each_sources_read(struct each_sources *ret, struct err *e)
{
	struct err own = ERR_INIT;
	int r = subid_index_read(SUBUID_FILE, &ret->grants.uid, &own);

	if (r < 0)
		r = broken(&ret->broken, r, &own);
	if (r == 0)
		r = subid_index_read(SUBGID_FILE, &ret->grants.gid, &own);
	if (r < 0)
		r = broken(&ret->broken, r, &own);
	if (r == 0)
		r = passwd_file_read(&ret->passwd, &own);
	if (r < 0)
		r = broken(&ret->broken, r, &own);
	if (r < 0)
		return err_nomem(e);
	if (ret->grants.uid)
		check_lines(ret->grants.uid, &ret->broken);
	if (ret->grants.gid)
		check_lines(ret->grants.gid, &ret->broken);
	return 0;
}

void each_sources_done(struct each_sources *s)
{
	subid_index_free(s->grants.uid);
	subid_index_free(s->grants.gid);
	passwd_file_free(s->passwd);
	VEC_DONE(&s->asked);
	*s = (struct each_sources){ .broken = false };
}

/*
 * Look up a name. Returns 1 with *ret set, 0 if there is certainly no such account, or -errno with
 * e filled. Each name is asked for once.
 */
static int look_up(struct each_sources *s, const char *name, struct user *ret, struct err *e)
{
	const struct user *found = s->passwd && passwd_file_is_first(s->passwd) ?
		passwd_file_find(s->passwd, name) :
		NULL;
	struct user user = { .uid = SUBID_NO_ACCOUNT };
	int r;

	for (size_t i = 0; i < s->asked.len && !found; i++)
		if (!strcmp(s->asked.items[i].name, name))
			found = &s->asked.items[i];
	if (found) {
		*ret = *found;
		return found->uid != SUBID_NO_ACCOUNT;
	}
	if (strlen(name) >= sizeof(user.name))
		return 0;
	r = names_account(name, &user, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0)
		user = (struct user){ .uid = SUBID_NO_ACCOUNT };
	*ret = user;
	(void)snprintf(user.name, sizeof(user.name), "%s", name); /* fits: checked */
	return VEC_ADD(&s->asked, user) < 0 ? -ENOMEM : r == 0;
}

/* The user of a line: a name or, if there is no such name, a number. Returns as look_up(). */
static int user_of_line(
	struct each_sources *s, const struct subid_line *l, struct user *ret, struct err *e)
{
	scoped_free char *name = strndup(l->user, l->user_len);
	uint32_t uid;
	int r = name ? look_up(s, name, ret, e) : -ENOMEM;

	if (r != 0 || num_u32(name, &uid) < 0 || uid == SUBID_NO_ACCOUNT)
		return r;
	r = names_user_of(uid, ret, e);
	return r < 0 ? r : ret->has_gid;
}

/*
 * --- lists -------------------------------------------------------------------------------------
 */

static int add(struct each_users *list, const struct user *user, bool named)
{
	if (user->uid == 0 && named)
		log_warn("'%s' gets no view: views are for users other than root; try: remove "
			 "user:%s from each=",
			user->name, user->name);
	if (user->uid == 0)
		return 0;
	return VEC_ADD(&list->items, (struct each_user){ .user = *user, .named = named });
}

/* Has the user a grant in the file? Returns 1, 0 or -ENOMEM. */
static int has_grant(const struct subid_index *x, const struct user *user)
{
	struct grants g = { 0 };
	struct err own = ERR_INIT;
	int r = x ? subid_index_get(x, user, &g, &own) : -ENOENT;

	VEC_DONE(&g);
	return r == -ENOMEM ? r : r == 0;
}

static bool same_text(const struct subid_line *a, const struct subid_line *b)
{
	return a->user_len == b->user_len && !memcmp(a->user, b->user, a->user_len);
}

static int list_granted(struct each_sources *s, struct each_users *list)
{
	const struct subid_line *lines = NULL;
	size_t n = 0;
	int r = 0;

	if (s->grants.uid)
		lines = subid_index_lines(s->grants.uid, &n);
	for (size_t i = 0; i < n && r >= 0; i++) {
		struct err own = ERR_INIT;
		struct user user;

		if (i && same_text(&lines[i - 1], &lines[i]))
			continue;
		r = user_of_line(s, &lines[i], &user, &own);
		if (r < 0)
			r = broken(&list->partial, r, &own);
		if (r > 0)
			r = has_grant(s->grants.uid, &user);
		if (r > 0)
			r = has_grant(s->grants.gid, &user);
		if (r > 0)
			r = add(list, &user, false);
	}
	return r < 0 ? r : 0;
}

/* Is the word the uid of an account? */
static bool is_uid(const char *word, struct user *ret)
{
	uint32_t uid;

	return num_u32(word, &uid) == 0 && names_user_of(uid, ret, NULL) == 0 && *ret->name;
}

/* A user that is named: by the administrator, or by the entry of a group. */
static int list_named(struct each_sources *s, const char *name, bool must, struct each_users *list)
{
	struct err own = ERR_INIT;
	struct user user;
	int r = look_up(s, name, &user, &own);

	if (r > 0)
		return add(list, &user, must);
	if (r == 0 && !must)
		return 0;
	if (r == 0) {
		r = err_say(&own, ENOENT, name, "there is no user of this name");
		if (is_uid(name, &user))
			err_try(&own, "write the name: user:%s", user.name);
		else if (!name[strspn(name, "0123456789")])
			err_try(&own, "write the name of a user: getent passwd shows them");
		else
			names_say_try(&own);
	}
	return broken(&list->partial, r, &own);
}

static int list_group(struct each_sources *s, const char *group, struct each_users *list)
{
	scoped_strv struct strv members = { 0 };
	const struct user *all = NULL;
	struct err own = ERR_INIT;
	uint32_t gid;
	size_t n = 0;
	int r = names_members(group, &gid, &members, &own);

	if (r < 0)
		return broken(&list->partial, r, &own);
	for (size_t i = 0; i < members.len && r == 0; i++)
		r = list_named(s, members.items[i], false, list);
	if (s->passwd)
		all = passwd_file_all(s->passwd, &n);
	for (size_t i = 0; i < n && r == 0; i++)
		if (all[i].gid == gid)
			r = list_named(s, all[i].name, false, list);
	return r;
}

/*
 * --- ids that two users have -------------------------------------------------------------------
 */

/* A range of ids, and whose it is: a uid, or above all uids the number of a name without one. */
struct owned {
	uint32_t start, count;
	uint64_t owner;
	size_t line; /* 0: the own id of the user */
};

struct owned_list {
	VEC(struct owned) items;
};

static int by_start(const void *pa, const void *pb)
{
	const struct owned *a = pa, *b = pb;

	return a->start != b->start ? (a->start < b->start ? -1 : 1) :
		a->owner < b->owner ? -1 :
				      a->owner > b->owner;
}

static int by_uid(const void *pa, const void *pb)
{
	const struct each_user *a = *(struct each_user *const *)pa,
			       *b = *(struct each_user *const *)pb;

	return a->user.uid < b->user.uid ? -1 : a->user.uid > b->user.uid;
}

static int own_lines(
	struct each_sources *s, const struct subid_index *x, bool *partial, struct owned_list *ret)
{
	uint64_t owner = 0;
	size_t n;
	const struct subid_line *lines = subid_index_lines(x, &n);

	for (size_t i = 0; i < n; i++) {
		const struct grant *g = &lines[i].grant;

		if (!i || !same_text(&lines[i - 1], &lines[i])) {
			struct err own = ERR_INIT;
			struct user user;
			int r = user_of_line(s, &lines[i], &user, &own);

			if (r < 0 && broken(partial, r, &own) < 0)
				return -ENOMEM;
			owner = r > 0 ? user.uid : (UINT64_C(1) << 32) + i;
		}
		if (!lines[i].fault &&
			VEC_ADD(&ret->items, (struct owned){ g->start, g->count, owner, g->line }) <
				0)
			return -ENOMEM;
	}
	return 0;
}

/* The users of the list by uid, to mark them. */
struct marks {
	struct each_user **users;
	size_t n;
	const char *file;
	bool any;
};

static void mark(struct marks *m, const struct owned *mine, const struct owned *other)
{
	struct each_user key = { .user.uid = (uint32_t)mine->owner }, *p = &key;
	struct each_user **found;

	if (mine->owner > UINT32_MAX || !m->n)
		return;
	found = bsearch(&p, m->users, m->n, sizeof(struct each_user *), by_uid);
	if (!found)
		return;
	while (found > m->users && found[-1]->user.uid == p->user.uid)
		found--;
	for (; found < m->users + m->n && (*found)->user.uid == p->user.uid; found++) {
		if ((*found)->shares)
			continue;
		(*found)->shares = m->any = true;
		if (mine->line && other->line)
			log_warn("'%s': the ids of line %zu of %s overlap with those of another "
				 "user in line %zu",
				(*found)->user.name, mine->line, m->file, other->line);
		else
			log_warn("'%s': line %zu of %s grants an id that is the uid of a user",
				(*found)->user.name, mine->line ? mine->line : other->line,
				m->file);
	}
}

static uint64_t end_of(const struct owned *o)
{
	return (uint64_t)o->start + o->count;
}

/*
 * Of the ranges until now, the two that reach furthest are kept, with different owners. A range
 * that meets any of another owner meets one of these two.
 */
static void mark_shared(const struct owned_list *list, struct marks *m)
{
	const struct owned *far[2] = { NULL, NULL };

	for (size_t i = 0; i < list->items.len; i++) {
		const struct owned *o = &list->items.items[i];

		for (size_t k = 0; k < 2; k++) {
			if (!far[k] || far[k]->owner == o->owner || end_of(far[k]) <= o->start)
				continue;
			mark(m, o, far[k]);
			mark(m, far[k], o);
		}
		if (!far[0] || end_of(o) > end_of(far[0])) {
			if (far[0] && far[0]->owner != o->owner)
				far[1] = far[0];
			far[0] = o;
		} else if (far[0]->owner != o->owner && (!far[1] || end_of(o) > end_of(far[1]))) {
			far[1] = o;
		}
	}
}

static int check_file(
	struct each_sources *s, const struct subid_index *x, bool users, struct each_users *list)
{
	scoped_free struct each_user **sorted = calloc(list->items.len + 1, sizeof(*sorted));
	struct marks m = { sorted, list->items.len, x ? subid_index_file(x) : "", false };
	struct owned_list owned = { 0 };
	int r = sorted ? 0 : -ENOMEM;

	if (r == 0 && x)
		r = own_lines(s, x, &list->partial, &owned);
	for (size_t i = 0; i < list->items.len && r == 0; i++) {
		sorted[i] = &list->items.items[i];
		if (users)
			r = VEC_ADD(&owned.items,
				(struct owned){ sorted[i]->user.uid, 1, sorted[i]->user.uid, 0 });
	}
	if (r == 0 && list->items.len)
		qsort(sorted, m.n, sizeof(*sorted), by_uid);
	if (r == 0 && owned.items.len)
		qsort(owned.items.items, owned.items.len, sizeof(*owned.items.items), by_start);
	if (r == 0)
		mark_shared(&owned, &m);
	list->partial |= m.any;
	VEC_DONE(&owned.items);
	return r;
}

/*
 * --- the entries -------------------------------------------------------------------------------
 */

static const char *const forms[] = { "group:", "user:" };
enum { OF_GROUP, OF_USER, OF_SUBID };

/* The kind of an entry, with its name; -1: it is none. */
static int kind_of(const char *entry, const char **ret_name)
{
	*ret_name = "";
	if (!strcmp(entry, "subid"))
		return OF_SUBID;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		*ret_name = entry + strlen(forms[i]);
		if (!strncmp(entry, forms[i], strlen(forms[i])) && **ret_name)
			return (int)i;
	}
	return -1;
}

static int no_entry(const char *entry, struct err *e)
{
	(void)err_usage(e, "each=: '%s' is not a list of users", entry);
	err_try(e, "write subid, group:NAME or user:NAME; several are separated by ';'");
	return -EINVAL;
}

static int each_entry(const char *each,
	int (*fn)(int kind, const char *name, void *arg, struct err *e), void *arg, struct err *e)
{
	static const char separators[] = "; ,\t";
	const char *p = each + strspn(each, separators), *name;
	int r = *p ? 0 : no_entry(each, e);

	while (*p && r == 0) {
		size_t n = strcspn(p, separators);
		scoped_free char *entry = strndup(p, n);
		int kind = entry ? kind_of(entry, &name) : -1;

		if (!entry)
			return err_nomem(e);
		r = kind < 0 ? no_entry(entry, e) : fn ? fn(kind, name, arg, e) : 0;
		p += n;
		p += strspn(p, separators);
	}
	return r;
}

int each_check(const char *each, struct err *e)
{
	return each_entry(each, NULL, NULL, e);
}

struct listing {
	struct each_sources *s;
	struct each_users *list;
};

static int list_entry(int kind, const char *name, void *arg, struct err *e)
{
	struct listing *l = arg;
	int r = kind == OF_SUBID ? list_granted(l->s, l->list) :
		kind == OF_GROUP ? list_group(l->s, name, l->list) :
				   list_named(l->s, name, true, l->list);

	return r < 0 ? err_nomem(e) : 0;
}

static int by_name(const void *pa, const void *pb)
{
	const struct each_user *a = pa, *b = pb;

	return strcmp(a->user.name, b->user.name);
}

int each_users_list(const char *each, struct each_sources *s, struct each_users *ret, struct err *e)
{
	struct listing l = { s, ret };
	size_t kept = 0;
	int r = each_entry(each, list_entry, &l, e);

	ret->partial |= s->broken;
	if (r < 0)
		return r;
	if (ret->items.len)
		qsort(ret->items.items, ret->items.len, sizeof(*ret->items.items), by_name);
	for (size_t i = 0; i < ret->items.len; i++) {
		const struct each_user *u = &ret->items.items[i];

		if (!kept || by_name(&ret->items.items[kept - 1], u))
			ret->items.items[kept++] = *u;
		else
			ret->items.items[kept - 1].named |= u->named;
	}
	ret->items.len = kept;
	r = check_file(s, s->grants.uid, true, ret);
	if (r == 0)
		r = check_file(s, s->grants.gid, false, ret);
	return r < 0 ? err_nomem(e) : 0;
}
