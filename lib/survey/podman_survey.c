/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_survey: what podman of a user needs to run the images of a shared store. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../idmap/rootless_map.h"
#include "../mount/view.h"
#include "podman_survey_priv.h"

/*
 * --- the program ---------------------------------------------------------------------------------
 */

static void put_program(struct podman_subject *u)
{
	const struct podman_program *p = &u->s->program;
	REMEDY(install, "install the package podman");

	if (!p->path)
		shared_put(u, "podman", SHARED_MISSING, &install,
			"podman is not installed in /usr/bin, "
			"/usr/local/bin or /bin");
	else if (!p->version.text[0])
		shared_put(u, "podman", SHARED_UNKNOWN, NULL, "the version of %s is not known: %s",
			p->path, p->why);
	else if (p->version.major < PODMAN_TRIED_MAJOR ||
		(p->version.major == PODMAN_TRIED_MAJOR && p->version.minor < PODMAN_TRIED_MINOR))
		shared_put(u, "podman", SHARED_UNKNOWN, NULL,
			"podman %s (%s) is older than %d.%d, the oldest version that was tried",
			p->version.text, p->path, PODMAN_TRIED_MAJOR, PODMAN_TRIED_MINOR);
	else
		shared_put(
			u, "podman", SHARED_OK, NULL, "podman %s (%s)", p->version.text, p->path);
}

/*
 * --- ids -----------------------------------------------------------------------------------------
 */

static void take_finding(const struct grant_finding *f, void *arg)
{
	struct podman_subject *u = arg;
	const bool helper = f->class == GRANT_HELPER;
	/* Containers work with these, but not with all images or not safely. */
	const bool note = f->class == GRANT_SHORT || f->class == GRANT_IGNORED ||
		f->class == GRANT_LINE || f->class == GRANT_ACCOUNT;
	REMEDY(ask, "shiftbox shift-check subid %s", podman_user_name(u));
	char line[32] = "";

	if (f->line)
		(void)snprintf(line, sizeof(line), ":%zu", f->line); /* fits: 20 digits */
	u->grants_fault |= !note && !helper;
	shared_put(u, helper ? "helpers" : "grants", note ? SHARED_NOTE : SHARED_MISSING, &ask,
		"%s%s%s%s", f->file ? f->file : "", line, f->file ? ": " : "", f->detail);
}

static void print_grants(const char *kind, const struct grants *g, struct buf *b)
{
	for (size_t i = 0; i < g->len; i++)
		buf_printf(b, "%s%u %s ids from %u on", b->len ? ", " : "", g->items[i].count, kind,
			g->items[i].start);
}

/* podman takes the grants in the order of their ids, and user:NAME in that of the file. */
static bool is_ordered(const struct grants *g)
{
	for (size_t i = 1; i < g->len; i++)
		if (g->items[i].start < g->items[i - 1].start)
			return false;
	return true;
}

static int make_map(struct podman_subject *u)
{
	static struct idrange uid[IDMAP_EXTENTS_MAX], gid[IDMAP_EXTENTS_MAX];
	struct err fault = ERR_INIT;
	size_t n_uid = rootless_ranges(u->user->uid, &u->grants.uid, uid),
	       n_gid = rootless_ranges(u->user->gid, &u->grants.gid, gid);
	int r;

	u->unordered = !is_ordered(&u->grants.uid) || !is_ordered(&u->grants.gid);
	if (!u->grants.uid.len || !u->grants.gid.len)
		return 0;
	r = idmap_from_ranges(uid, n_uid, gid, n_gid, &u->map, &fault);
	u->has_map = r == 0;
	return r == -ENOMEM ? r : 0;
}

static int put_ids(struct podman_subject *u)
{
	scoped_buf struct buf text = BUF_INIT;
	int r = grants_check_files(&u->grants, u->e);
	size_t before;

	if (r == 0)
		r = make_map(u);
	if (r < 0)
		return r;
	print_grants("user", &u->grants.uid, &text);
	print_grants("group", &u->grants.gid, &text);
	if (u->has_map && !u->grants_fault && buf_get(&text))
		shared_put(u, "grants", SHARED_OK, NULL, "%s", text.data);
	before = u->grants.found;
	r = grants_check_helpers(&u->grants, u->e);
	if (r == 0 && u->grants.found == before)
		shared_put(u, "helpers", SHARED_OK, NULL,
			"newuidmap and newgidmap have their privileges");
	return r;
}

/*
 * --- all together --------------------------------------------------------------------------------
 */

static int add_path(struct podman_subject *u, const char *path, struct podman_view *view)
{
	if (strv_has(&u->paths, path))
		return 0;
	return strv_add(&u->paths, path) < 0 || VEC_ADD(&u->views, view) < 0 ? -ENOMEM : 0;
}

/* The stores to look at: the user's views, and those that should be there; without any, all. */
static int choose_paths(struct podman_subject *u)
{
	struct podman_views *v = &u->s->views;
	scoped_buf struct buf target = BUF_INIT;
	const bool line = podman_line_of(u, &target);
	int r = 0;

	for (size_t i = 0; i < v->items.len && r == 0; i++)
		if (line && !strcmp(v->items.items[i].target, buf_get(&target)))
			r = add_path(u, v->items.items[i].target, &v->items.items[i]);
	for (int all = 0; all < 2 && (!all || !u->paths.len); all++)
		for (size_t i = 0; i < v->items.len && r == 0; i++)
			if (all || podman_view_is_of(v, &v->items.items[i], u->user))
				r = add_path(u, v->items.items[i].target, &v->items.items[i]);
	if (r == 0 && line)
		r = add_path(u, buf_get(&target), NULL);
	return r;
}

/* How well does the view serve the user? */
static int worth(const struct podman_subject *u, size_t i)
{
	const struct podman_view *v = u->views.items[i];
	const struct podman_store_facts *f = &u->facts.stores.items[i];

	if (!v || f->mapped)
		return 0;
	return 1 + (f->position > 0) +
		2 * (v->map_known && u->has_map && idmap_equal(&v->map, &u->map)) +
		4 * podman_view_is_of(&u->s->views, v, u->user);
}

/* Choose the best one: a view of another user counts only if storage.conf names it. */
static void choose_view(struct podman_subject *u)
{
	int best = 1;

	u->at = u->paths.len;
	for (size_t i = 0; i < u->paths.len; i++) {
		if (worth(u, i) <= best)
			continue;
		best = worth(u, i);
		u->at = i;
	}
}

static int survey(struct podman_subject *u)
{
	scoped_buf struct buf usual = BUF_INIT;
	int r;

	view_expand(PODMAN_VIEWS "/%u", u->user, &usual);
	u->usual = buf_take(&usual);
	if (!u->usual)
		return err_nomem(u->e);
	put_program(u);
	r = put_ids(u);
	if (r == 0)
		r = choose_paths(u);
	if (r == 0) {
		u->at = u->paths.len;
		r = podman_facts_get(u->user, podman_wanted_path(u), &u->paths, &u->facts, u->e);
	}
	if (r < 0)
		return r == -ENOMEM ? err_nomem(u->e) : r;
	choose_view(u);
	podman_put_view(u);
	podman_put_settings(u);
	return u->r;
}

int podman_survey_user(struct podman_survey *s, const struct user *user,
	int (*fn)(const struct shared_row *r, void *arg), void *arg, struct err *e)
{
	struct podman_subject u = { .s = s, .user = user, .fn = fn, .arg = arg, .e = e };
	int r;

	u.grants = (struct grants_check){ .user = *user, .fn = take_finding, .arg = &u };
	r = survey(&u);
	grants_check_done(&u.grants);
	if (u.has_map)
		idmap_done(&u.map);
	free(u.usual);
	strv_done(&u.paths);
	VEC_DONE(&u.views);
	podman_facts_done(&u.facts);
	return r;
}

int podman_survey_new(struct podman_survey **ret, struct err *e)
{
	scoped_podman_survey struct podman_survey *s = calloc(1, sizeof(*s));
	int r = s ? podman_program_look(&s->program, e) : err_nomem(e);

	if (r == 0)
		r = podman_views_find(&s->views, e);
	if (r == 0)
		*ret = TAKE_PTR(s);
	return r;
}

void podman_survey_free(struct podman_survey *s)
{
	if (!s)
		return;
	podman_views_done(&s->views);
	free(s);
}

static bool has_view(const struct podman_survey *s, const struct user *user)
{
	scoped_buf struct buf target = BUF_INIT;

	for (size_t i = 0; i < s->views.items.len; i++)
		if (podman_view_is_of(&s->views, &s->views.items.items[i], user))
			return true;
	for (size_t i = 0; i < s->views.lines.len; i++)
		if (podman_line_target(&s->views.lines.items[i], user, &target))
			return true;
	return false;
}

int podman_survey_each_user(struct podman_survey *s, int (*fn)(const struct user *user, void *arg),
	void *arg, struct err *e)
{
	struct each_sources *sources = &s->views.sources;
	struct each_users all = { .partial = false };
	int r = sources->grants.uid || sources->grants.gid || sources->broken ?
		0 :
		each_sources_read(sources, e);

	if (r == 0)
		r = each_users_list("subid", sources, &all, e);
	for (size_t i = 0; i < all.items.len && r == 0; i++)
		if (has_view(s, &all.items.items[i].user))
			r = fn(&all.items.items[i].user, arg);
	VEC_DONE(&all.items);
	return r;
}
