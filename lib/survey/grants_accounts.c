/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grants_accounts: compare grants with the accounts of the host, and with the ids of the system. */

#include "grants.h"

#include <stdio.h>
#include <string.h>

#include "../idmap/accounts.h"

enum { NAMES_MAX = 16 };

/* The accounts of one kind whose ids are in a grant. */
struct covered {
	const struct grants_check *c;
	const struct grant *g;
	uint32_t own;
	size_t n;
	uint32_t named[NAMES_MAX];
	struct buf names;
	bool meant; /* the grant is one id, of a group that has the user as a member */
};

static bool holds(const struct grant *g, uint32_t id)
{
	return id >= g->start && id - g->start < g->count;
}

static bool has_member(const struct account *a, const char *user)
{
	for (char *const *m = a->members; m && *m; m++)
		if (!strcmp(*m, user))
			return true;
	return false;
}

/* Ids 0 and the user's own have findings of their own. */
static void add(const struct account *a, void *arg)
{
	struct covered *x = arg;

	if (!holds(x->g, a->id) || !a->id || a->id == x->own)
		return;
	x->meant |= x->g->count == 1 && has_member(a, x->c->user.name);
	for (size_t i = 0; i < x->n && i < NAMES_MAX; i++)
		if (x->named[i] == a->id)
			return;
	if (x->n < NAMES_MAX) {
		x->named[x->n] = a->id;
		buf_printf(&x->names, "%s%s (%u)", x->n ? ", " : "", a->name, a->id);
	}
	x->n++;
}

static const char *user_name(const struct grants_check *c)
{
	return c->user.name[0] ? c->user.name : "the user";
}

static void check_accounts(
	struct grants_check *c, const struct grant *g, bool group, uint32_t own, const char *file)
{
	struct covered x = { .c = c, .g = g, .own = own, .names = BUF_INIT };
	uint32_t last = g->start + (g->count - 1);
	char more[32] = "";

	names_each(group, add, &x);
	if (x.n > NAMES_MAX)
		(void)snprintf(more, sizeof(more), " and %zu more", x.n - NAMES_MAX); /* fits */
	if (x.n && !x.meant)
		grants_report(c, GRANT_ACCOUNT, file, g->line,
			"%u-%u holds ids of the host's %s: %s%s; with these ids, %s could %s",
			g->start, last, group ? "groups" : "users",
			buf_get(&x.names) ? buf_get(&x.names) : "", more, user_name(c),
			group ? "join any of these groups" : "become any of these users");
	buf_done(&x.names);
	if (g->start < ACCOUNTS_LOW && last && !x.meant &&
		!(g->count == 1 && (x.n || g->start == own)))
		grants_report(c, GRANT_ACCOUNT, file, g->line,
			"%u-%u has ids below %d, which are those of accounts and of the system",
			g->start, last, ACCOUNTS_LOW);
}

/* The user's own ids, for the lines of other users. */
struct own {
	struct grants_check *c;
	const char *file, *kind;
	uint32_t id;
};

/* Root can become every user without a grant. */
static bool is_roots(const struct subid_line *l)
{
	return subid_is_users(l, &(struct user){ .name = "root", .uid = 0 });
}

static int check_line(const struct subid_line *l, void *arg)
{
	const struct own *x = arg;
	int n = l->user_len < 64 ? (int)l->user_len : 64;

	if (l->fault || subid_is_users(l, &x->c->user) || is_roots(l) || !x->id ||
		!holds(&l->grant, x->id))
		return 0;
	grants_report(x->c, GRANT_ACCOUNT, x->file, l->grant.line,
		"%u-%u of %.*s holds %u, the %s id of %s: %.*s could use the files of that %s",
		l->grant.start, l->grant.start + (l->grant.count - 1), n, l->user, x->id, x->kind,
		user_name(x->c), n, l->user, x->kind);
	return 0;
}

/* Root of the host is often granted single ids of users, to show them to a container. */
static bool is_meant(const struct grants_check *c, const struct grant *g)
{
	return c->user.uid == 0 && g->count == 1;
}

void grants_check_accounts(struct grants_check *c)
{
	struct {
		struct own own;
		const struct grants *grants;
	} kinds[] = {
		{ { c, SUBUID_FILE, "user", c->user.uid }, &c->uid },
		{ { c, SUBGID_FILE, "group", c->user.gid }, &c->gid },
	};

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		scoped_buf struct buf text = BUF_INIT;
		struct own *own = &kinds[k].own;

		for (size_t i = 0; i < kinds[k].grants->len; i++)
			if (!is_meant(c, &kinds[k].grants->items[i]))
				check_accounts(
					c, &kinds[k].grants->items[i], k, own->id, own->file);
		if (!strcmp(c->source, "files") && subid_text(own->file, &text, NULL) == 0)
			(void)subid_each(buf_get(&text), check_line, own); /* always 0 */
	}
}
