/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain_answer: the verdicts in all possible cases. A few points are unknown, and each has a few
 * options (explain_point.h). The facts are set to every combination of these options in turn.
 */

#include <assert.h>
#include <string.h>

#include "explain_point.h"
#include "explain_priv.h"

enum { POINTS_MAX = 16 };

struct cases {
	struct explanation *x;
	enum perm_op op;
	bool search; /* the question is explain_search() of the inode at; otherwise explain_last()
	              */
	size_t at, first_inode; /* the first inode that explain_last() is about */
	struct explain_point points[POINTS_MAX];
	size_t n;
	unsigned char now[POINTS_MAX], of_no[POINTS_MAX], of_yes[POINTS_MAX];
	bool first, any_yes, any_no, differs, effects;
	struct perm_verdict d, yes, no, other; /* d: the first case */
	size_t d_at, yes_at, no_at, other_at;
};

/*
 * --- what the kernel answers to this process -----------------------------------------------------
 */

static bool answers_fit(const struct explanation *x, const struct explain_inode *n)
{
	static const unsigned wants[] = { 4, 2, 1 };

	for (size_t i = 0; i < ARRAY_LEN(wants); i++)
		if (perm_access(&n->facts, &x->caller.self, wants[i]).num != n->access[i])
			return false;
	return true;
}

/* Could the kernel have answered as it did if the ids were these? */
static bool is_possible(struct explanation *x, struct explain_inode *n, unsigned option)
{
	bool was = n->real.in_upper, fits = false;
	struct explain_mounters m = { .n_uid = 0 };
	size_t s = 0;

	explain_point_set_ids(n, option);
	while (s < x->n_stacks && explain_stack_view_of(x, s).mount != n->mount)
		s++;
	if (s == x->n_stacks)
		return answers_fit(x, n);
	explain_point_find_mounters(n, &m);
	for (unsigned i = 0;
		i < 2 * explain_point_mounters(&m) * (x->caller.initial ? 1 : 2) && !fits; i++) {
		n->real.in_upper = i % 2 ? !was : was;
		explain_point_set_mounter(x, s, &m, i / 2);
		fits = answers_fit(x, n);
	}
	n->real.in_upper = was;
	explain_point_set_mounter(x, s, &m, 0);
	return fits;
}

/*
 * --- points ------------------------------------------------------------------------------------
 */

static void add_point(struct cases *c, const struct explain_point *p)
{
	if (p->n < 2)
		return;
	assert(c->n < POINTS_MAX); /* four of inodes, two of a mount, three of each of two stacks */
	c->points[c->n++] = *p;
}

/* Add the ids of an inode, without the options that the kernel's answers rule out. */
static void add_ids(struct cases *c, size_t at)
{
	struct explain_inode *n = &c->x->inodes.items[at];
	struct explain_point p = { .kind = POINT_IDS, .at = at };
	unsigned char uid[3], gid[3];
	unsigned n_uid = explain_point_options(&n->uid_may, uid),
		 n_gid = explain_point_options(&n->gid_may, gid);

	if (!explain_point_ids_unknown(n))
		return;
	for (unsigned pass = 0; pass < 2 && !p.n; pass++)
		for (unsigned i = 0; i < n_uid * n_gid; i++) {
			unsigned option = uid[i / n_gid] * 4U + gid[i % n_gid];

			/* If none fits, something else decides: then all remain. */
			if (pass || !n->asked || is_possible(c->x, n, option))
				p.options[p.n++] = (unsigned char)option;
		}
	explain_point_set_ids(n, p.options[0]);
	add_point(c, &p);
}

static void add_merged(struct cases *c, size_t at)
{
	struct explain_point p = { .kind = POINT_MERGED, .at = at, .n = 2, .options = { 0, 1 } };

	if (c->x->inodes.items[at].n_maybe)
		add_point(c, &p);
}

static void add_stack(struct cases *c, size_t i)
{
	struct explain_stack_view s = explain_stack_view_of(c->x, i);
	struct explain_point upper = { .kind = POINT_UPPER, .at = i },
			     mounter = { .kind = POINT_MOUNTER, .at = i },
			     above = {
				     .kind = POINT_ABOVE, .at = s.mount, .n = 2, .options = { 0, 1 }
			     };
	bool any = false;

	/* The first case is the best one: what is proposed then helps, unless the ids do not fit.
	 */
	for (unsigned store = s.unknown_map ? 2 : 3; store-- > (s.unknown_map ? 0 : 2);)
		for (unsigned in = s.unknown_upper ? 2 : 3; in-- > (s.unknown_upper ? 0 : 2);)
			upper.options[upper.n++] = (unsigned char)(store * 3 + in);
	add_point(c, &upper);
	for (size_t k = c->search ? c->at : c->first_inode; k < c->x->inodes.len; k++)
		if (c->x->inodes.items[k].mount == s.mount && (!c->search || k == c->at))
			explain_point_find_mounters(&c->x->inodes.items[k], &mounter.mounters);
	for (unsigned n =
			explain_point_mounters(&mounter.mounters) * (c->x->caller.initial ? 1 : 2);
		mounter.n < n; mounter.n++)
		mounter.options[mounter.n] = (unsigned char)mounter.n;
	add_point(c, &mounter);
	for (size_t k = 0; k + 2 < c->x->inodes.len; k++)
		any |= c->x->inodes.items[k].mount == s.mount &&
			explain_point_ids_unknown(&c->x->inodes.items[k]);
	if (any)
		add_point(c, &above);
}

/*
 * If the filesystem had been mounted in this namespace, would the ids that are known be seen as
 * they are?
 */
static bool fs_could_be_own(const struct explanation *x, size_t mount)
{
	struct perm_mount m = x->mounts.items[mount].facts;
	bool fits = true;
	uint32_t id;

	m.fs_userns = &x->caller.own;
	for (size_t i = 0; i < x->inodes.len; i++) {
		const struct explain_inode *n = &x->inodes.items[i];

		if (n->mount != mount)
			continue;
		if (!n->uid_may.be && !n->uid_lost)
			fits &= perm_uid(&m, n->facts.uid, &id) && id == n->seen.uid;
		if (!n->gid_may.be && !n->gid_lost)
			fits &= perm_gid(&m, n->facts.gid, &id) && id == n->seen.gid;
	}
	return fits;
}

/* Is there an inode with the caller's ids? Then they can be stored. */
static bool has_callers_ids(const struct explanation *x, size_t mount)
{
	const struct perm_cred *c = &x->caller.cred;
	bool uid = false, gid = false;

	for (size_t i = 0; i < x->inodes.len; i++) {
		const struct explain_inode *n = &x->inodes.items[i];

		if (n->mount != mount)
			continue;
		uid |= !n->uid_may.be && !n->uid_lost && n->seen.uid == c->uid;
		gid |= !n->gid_may.be && !n->gid_lost && n->seen.gid == c->gid;
	}
	return uid && gid;
}

static void add_store(struct cases *c)
{
	const size_t at = explain_file(c->x)->mount;
	struct explain_point p = { .kind = POINT_STORE, .at = at, .n = 2, .options = { 0, 1 } };

	if (explain_point_store_unknown(&c->x->mounts.items[at]))
		add_point(c, &p);
}

/* A filesystem that is seen in a user namespace was mounted there, outside of it or elsewhere. */
static void add_fs(struct cases *c)
{
	const size_t at = explain_file(c->x)->mount;
	const struct explain_mount *m = &c->x->mounts.items[at];
	struct explain_point p = { .kind = POINT_FS, .at = at };

	if (c->x->caller.initial || !m->fs_userns_assumed || m->kind == MOUNT_MAP_OVERLAY ||
		explain_file(c->x)->how == DISK_READ)
		return;
	p.options[p.n++] = 0;
	if (fs_could_be_own(c->x, at))
		p.options[p.n++] = 1;
	p.options[p.n++] = has_callers_ids(c->x, at) ? 3 : 2;
	add_point(c, &p);
}

/*
 * --- cases -------------------------------------------------------------------------------------
 */

static void take_verdict(struct cases *c)
{
	size_t at = c->at;
	struct perm_verdict d =
		c->search ? explain_search(c->x, c->at) : explain_last(c->x, c->op, &at);

	if (c->first) {
		c->d = d;
		c->d_at = at;
		c->first = false;
	} else if (!c->differs && (d.num != c->d.num || d.rule != c->d.rule)) {
		c->other = d;
		c->other_at = at;
		c->differs = true;
	}
	/* Of a namespace further out it is unknown which id is its root. */
	if (d.num == 0 && d.filecap == RULE_ROOT_ELSEWHERE && c->x->caller.deep)
		c->effects = true;
	if (d.num == 0 && c->d.num == 0 &&
		(d.setid != c->d.setid || d.filecap != c->d.filecap || d.euid != c->d.euid ||
			d.egid != c->d.egid))
		c->effects = true;
	if (d.num == 0 && !c->any_yes) {
		c->any_yes = true;
		c->yes = d;
		c->yes_at = at;
		memcpy(c->of_yes, c->now, sizeof(c->now));
	}
	if (d.num && !c->any_no) {
		c->any_no = true;
		c->no = d;
		c->no_at = at;
		memcpy(c->of_no, c->now, sizeof(c->now));
	}
}

static void each_case(struct cases *c, size_t point)
{
	if (point == c->n) {
		take_verdict(c);
		return;
	}
	for (unsigned i = 0; i < c->points[point].n; i++) {
		c->now[point] = (unsigned char)i;
		explain_point_set(c->x, &c->points[point], c->points[point].options[i]);
		each_case(c, point + 1);
	}
	explain_point_set(c->x, &c->points[point], c->points[point].options[0]);
}

/* What differs between a case that works and one that does not. */
static unsigned doubts_of(const struct cases *c)
{
	static const unsigned doubts[] = {
		[POINT_IDS] = DOUBT_ID,
		[POINT_ABOVE] = DOUBT_ID,
		[POINT_STORE] = DOUBT_STORE,
		[POINT_FS] = DOUBT_FS,
		[POINT_UPPER] = DOUBT_UPPER,
		[POINT_MERGED] = DOUBT_UPPER,
		[POINT_MOUNTER] = DOUBT_MOUNTER,
	};
	unsigned ret = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->of_yes[i] != c->of_no[i])
			ret |= doubts[c->points[i].kind];
	return ret;
}

/* Afterwards the facts are those of the first case, for explain_fix(). */
static void set_first(const struct cases *c)
{
	for (size_t i = 0; i < c->n; i++)
		explain_point_set(c->x, &c->points[i], c->points[i].options[0]);
}

/* The stacks that the inodes from first on are on. */
static void add_stacks(struct cases *c, size_t first)
{
	for (size_t s = 0; s < c->x->n_stacks; s++) {
		bool any = false;

		for (size_t i = first; i < c->x->inodes.len && (!c->search || i == first); i++)
			any |= c->x->inodes.items[i].mount == explain_stack_view_of(c->x, s).mount;
		if (any)
			add_stack(c, s);
	}
}

/* Search the directories above: each on its own, because what they are does not depend on others.
 */
static void search_above(struct explanation *x, struct explain_answer *a)
{
	for (size_t i = 0; i + 2 < x->inodes.len; i++) {
		struct cases c = { .x = x, .search = true, .at = i, .first = true };

		add_ids(&c, i);
		add_merged(&c, i);
		add_stacks(&c, i);
		each_case(&c, 0);
		set_first(&c);
		if (!c.any_no)
			continue;
		if (!c.any_yes || a->sure == EXPLAIN_YES) {
			a->d = c.no;
			a->at = c.no_at;
			a->doubts = doubts_of(&c);
		}
		a->sure = c.any_yes ? EXPLAIN_UNKNOWN : EXPLAIN_NO;
		if (!c.any_yes)
			return;
	}
}

static void combine(struct explain_answer *a, const struct cases *c)
{
	const bool above = a->sure == EXPLAIN_UNKNOWN;

	a->effects_unknown = c->effects;
	if (!c->any_yes) {
		a->sure = EXPLAIN_NO;
		/* A directory above may refuse it before, with another errno. */
		a->other = above ? a->d : c->other;
		a->other_at = above ? a->at : c->other_at;
		a->has_other = above || c->differs;
		a->d = c->d;
		a->at = c->d_at;
		a->doubts = 0;
		return;
	}
	if (!c->any_no && !above) {
		a->d = c->d;
		a->at = c->d_at;
		return; /* other rules that allow the operation are not reported */
	}
	if (c->any_no) {
		a->d = c->d.num ? c->d : c->no;
		a->at = c->d.num ? c->d_at : c->no_at;
		a->doubts |= doubts_of(c);
	}
	a->sure = EXPLAIN_UNKNOWN;
	a->other = c->yes;
	a->other_at = c->yes_at;
	a->has_other = true;
}

struct explain_answer explain_answer_of(struct explanation *x, enum perm_op op)
{
	struct explain_answer a = { .sure = EXPLAIN_YES };
	struct cases c = { .x = x, .op = op, .first = true };
	const size_t last = x->inodes.len - 1;

	c.first_inode = last ? last - 1 : 0;
	search_above(x, &a);
	if (a.sure == EXPLAIN_NO)
		return a;
	for (size_t i = last ? last - 1 : 0; i <= last; i++) {
		add_ids(&c, i);
		add_merged(&c, i);
	}
	add_store(&c);
	add_fs(&c);
	add_stacks(&c, last ? last - 1 : 0);
	each_case(&c, 0);
	set_first(&c);
	combine(&a, &c);
	return a;
}
