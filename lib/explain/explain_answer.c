/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain_answer: the verdicts in all cases that are possible. What is unknown are a few points, of
 * which each has a few options; the facts are set to every combination of them.
 */

#include "explain_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <linux/posix_acl.h>

enum { POINTS_MAX = 16, OPTIONS_MAX = 64 };

/* Ids that the mounter of an overlay may have. */
struct mounters {
	uint32_t uid[OPTIONS_MAX], gid[OPTIONS_MAX];
	unsigned n;
};

enum point_kind { POINT_IDS, POINT_ABOVE, POINT_STORE, POINT_FS, POINT_UPPER, POINT_MOUNTER };

/* Something that is unknown, and what it may be. */
struct point {
	enum point_kind kind;
	size_t at; /* the inode, mount or stack */
	unsigned char options[OPTIONS_MAX];
	unsigned n;
	struct mounters mounters; /* with POINT_MOUNTER */
};

struct cases {
	struct explanation *x;
	enum perm_op op;
	bool search;            /* of the inode at; otherwise the rest */
	size_t at, first_inode; /* of those that the rest is about */
	struct point points[POINTS_MAX];
	size_t n;
	unsigned char now[POINTS_MAX], of_no[POINTS_MAX], of_yes[POINTS_MAX];
	bool first, any_yes, any_no, differs, effects;
	struct perm_verdict d, yes, no, other; /* d: the first case */
	size_t d_at, yes_at, no_at, other_at;
};

/*
 * --- options -----------------------------------------------------------------------------------
 */

/* The options of an id: the bits of enum explain_be, as 0, 1 and 2; 3: it is known. */
enum { OPTION_KNOWN = 3 };

static void set_id(struct explain_inode *n, bool gid, unsigned option)
{
	const struct explain_may *may = gid ? &n->gid_may : &n->uid_may;
	struct perm_inode *f = &n->facts, *real = &n->real.inode;
	const bool elsewhere = option == 2;
	uint32_t id = option == 1 ? may->overflow : UINT32_MAX,
		 real_id = option == 1 ? may->overflow_real : UINT32_MAX;

	if (option == OPTION_KNOWN)
		return;
	*(gid ? &f->gid : &f->uid) = id;
	*(gid ? &f->gid_elsewhere : &f->uid_elsewhere) = elsewhere;
	if (!f->real)
		return;
	*(gid ? &real->gid : &real->uid) = real_id;
	*(gid ? &real->gid_elsewhere : &real->uid_elsewhere) = elsewhere;
}

static unsigned options_of(const struct explain_may *may, unsigned char ret[static 3])
{
	static const unsigned char order[] = { 0, 2, 1 }; /* that which refuses most comes first */
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (may->be & 1U << order[i])
			ret[n++] = order[i];
	if (!n)
		ret[n++] = OPTION_KNOWN;
	return n;
}

static bool is_unknown(const struct explain_inode *n)
{
	return n->uid_may.be || n->gid_may.be;
}

/* Both ids of an inode: option uid * 4 + gid. */
static void set_ids(struct explain_inode *n, unsigned option)
{
	set_id(n, false, option / 4);
	set_id(n, true, option % 4);
}

/* Directories above, as far as they would be copied up: all lost, or none. */
static void set_above(struct explanation *x, size_t mount, unsigned option)
{
	for (size_t i = 0; i + 2 < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];
		unsigned char uid[3], gid[3];
		unsigned n_uid = options_of(&n->uid_may, uid), n_gid = options_of(&n->gid_may, gid);

		if (n->mount == mount)
			set_ids(n,
				option ? uid[n_uid - 1] * 4U + gid[n_gid - 1] :
					 uid[0] * 4U + gid[0]);
	}
}

static void set_upper(struct explanation *x, size_t stack, bool in_upper)
{
	size_t mount = explain_stack_view_of(x, stack).mount;

	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];

		if (n->mount == mount && n->facts.parent) {
			n->real.in_upper = in_upper;
			n->real.merged = !in_upper;
		}
	}
}

/* An overlay that is seen in a user namespace was mounted there or outside of it: i / n. */
static void set_mounter(
	struct explanation *x, size_t stack, const struct mounters *m, unsigned option)
{
	struct explain_stack_view s = explain_stack_view_of(x, stack);

	s.mounter->uid = m->uid[option % m->n];
	s.mounter->gid = m->gid[option % m->n];
	s.mounter->userns = option < m->n ? NULL : &x->caller.own;
}

static void set_store(struct explanation *x, const struct point *p, unsigned option)
{
	const unsigned store = option == 0 ? PERM_STORE_NONE :
		option == 1                ? PERM_STORE_ALL :
					     PERM_STORE_BY_MAP;

	if (p->kind == POINT_STORE)
		x->mounts.items[p->at].facts.store = store;
	else
		explain_stack_view_of(x, p->at).upper->store = store;
}

/* With a map that is hidden, in part at least, it is unknown which ids can be stored. */
static bool store_unknown(const struct explain_mount *m)
{
	return m->kind == MOUNT_MAP_HIDDEN || m->map_partial;
}

/*
 * The filesystem was mounted outside of this namespace (0), in it (1), or in one that is not
 * related and has none of the caller's ids (2) or all (3).
 */
static void set_fs(struct explanation *x, size_t mount, unsigned option)
{
	struct explain_mount *m = &x->mounts.items[mount];

	x->caller.unrelated.map = &x->caller.own_map;
	m->facts.fs_userns = option == 0 ? NULL :
		option == 1              ? &x->caller.own :
					   &x->caller.unrelated;
	if (!store_unknown(m)) /* otherwise that is a point of its own */
		m->facts.store = option == 2 ? PERM_STORE_NONE : PERM_STORE_BY_MAP;
}

/*
 * POINT_UPPER: what the upper directory can store, times 3, plus whether the inodes are in it: no,
 * yes, or 2, that is known.
 */
static void set_option(struct explanation *x, const struct point *p, unsigned option)
{
	switch (p->kind) {
	case POINT_IDS:
		set_ids(&x->inodes.items[p->at], option);
		return;
	case POINT_ABOVE:
		set_above(x, p->at, option);
		return;
	case POINT_STORE:
		set_store(x, p, option);
		return;
	case POINT_FS:
		set_fs(x, p->at, option);
		return;
	case POINT_UPPER:
		if (option % 3 < 2)
			set_upper(x, p->at, option % 3 == 1);
		set_store(x, p, option / 3);
		return;
	case POINT_MOUNTER:
		set_mounter(x, p->at, &p->mounters, option);
		return;
	}
}

/*
 * --- the mounter -------------------------------------------------------------------------------
 */

enum { STRANGER = UINT32_MAX - 1 };

static void add_mounter(struct mounters *m, uint32_t uid, uint32_t gid)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->uid[i] == uid && m->gid[i] == gid)
			return;
	if (m->n == OPTIONS_MAX / 2)
		return;
	m->uid[m->n] = uid;
	m->gid[m->n++] = gid;
}

/* The users (or groups) that an inode of a layer knows, as that layer's mount shows them. */
static void add_known(struct mounters *m, const struct perm_inode *real)
{
	uint32_t id;

	if (perm_uid(real->mount, real->uid, &id))
		add_mounter(m, id, STRANGER);
	if (perm_gid(real->mount, real->gid, &id))
		add_mounter(m, STRANGER, id);
	for (size_t i = 0; i < real->access.len; i++) {
		const struct acl_entry *a = &real->access.items[i];

		if (a->tag == ACL_USER && perm_uid(real->mount, a->id, &id))
			add_mounter(m, id, STRANGER);
		if (a->tag == ACL_GROUP && perm_gid(real->mount, a->id, &id))
			add_mounter(m, STRANGER, id);
	}
}

static bool caps_count(const struct perm_inode *real)
{
	uint32_t id;

	return perm_uid(real->mount, real->uid, &id) && perm_gid(real->mount, real->gid, &id);
}

/*
 * The mounter is assumed to have all capabilities: without, it could not mount, or the overlay
 * would be of little use. Where they do not count, its ids do: those of root, of a stranger, or any
 * that the inode grants something to.
 */
static void find_mounters(const struct explain_inode *n, struct mounters *m)
{
	const struct perm_real *real = &n->real;
	bool all = !n->uid_may.be && !n->gid_may.be && caps_count(&real->inode);

	add_mounter(m, 0, 0);
	for (size_t i = 0; i < real->n_below; i++)
		all &= caps_count(&real->below[i]);
	if (all)
		return;
	add_mounter(m, STRANGER, STRANGER);
	add_known(m, &real->inode);
	for (size_t i = 0; i < real->n_below; i++)
		add_known(m, &real->below[i]);
}

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
	struct mounters m = { .n = 0 };
	size_t s = 0;

	set_ids(n, option);
	while (s < x->n_stacks && explain_stack_view_of(x, s).mount != n->mount)
		s++;
	if (s == x->n_stacks)
		return answers_fit(x, n);
	find_mounters(n, &m);
	for (unsigned i = 0; i < 2 * m.n * (x->caller.initial ? 1 : 2) && !fits; i++) {
		n->real.in_upper = i % 2 ? !was : was;
		set_mounter(x, s, &m, i / 2);
		fits = answers_fit(x, n);
	}
	n->real.in_upper = was;
	set_mounter(x, s, &m, 0);
	return fits;
}

/*
 * --- points ------------------------------------------------------------------------------------
 */

static void add_point(struct cases *c, const struct point *p)
{
	if (p->n < 2)
		return;
	assert(c->n < POINTS_MAX); /* two of ids, two of a mount, three of each of two stacks */
	c->points[c->n++] = *p;
}

/* Add the ids of an inode, without the options that the kernel's answers rule out. */
static void add_ids(struct cases *c, size_t at)
{
	struct explain_inode *n = &c->x->inodes.items[at];
	struct point p = { .kind = POINT_IDS, .at = at };
	unsigned char uid[3], gid[3];
	unsigned n_uid = options_of(&n->uid_may, uid), n_gid = options_of(&n->gid_may, gid);

	if (!is_unknown(n))
		return;
	for (unsigned pass = 0; pass < 2 && !p.n; pass++)
		for (unsigned i = 0; i < n_uid * n_gid; i++) {
			unsigned option = uid[i / n_gid] * 4U + gid[i % n_gid];

			/* If none fits, something else decides: then all remain. */
			if (pass || !n->asked || is_possible(c->x, n, option))
				p.options[p.n++] = (unsigned char)option;
		}
	set_ids(n, p.options[0]);
	add_point(c, &p);
}

static void add_stack(struct cases *c, size_t i)
{
	struct explain_stack_view s = explain_stack_view_of(c->x, i);
	struct point upper = { .kind = POINT_UPPER, .at = i },
		     mounter = { .kind = POINT_MOUNTER, .at = i },
		     above = { .kind = POINT_ABOVE, .at = s.mount, .n = 2, .options = { 0, 1 } };
	bool any = false;

	/* The first case is the best one: what is proposed then helps, unless the ids do not fit.
	 */
	for (unsigned store = s.unknown_map ? 2 : 3; store-- > (s.unknown_map ? 0 : 2);)
		for (unsigned in = s.unknown_upper ? 2 : 3; in-- > (s.unknown_upper ? 0 : 2);)
			upper.options[upper.n++] = (unsigned char)(store * 3 + in);
	add_point(c, &upper);
	for (size_t k = c->search ? c->at : c->first_inode; k < c->x->inodes.len; k++)
		if (c->x->inodes.items[k].mount == s.mount && (!c->search || k == c->at))
			find_mounters(&c->x->inodes.items[k], &mounter.mounters);
	for (mounter.n = 0; mounter.n < mounter.mounters.n * (c->x->caller.initial ? 1 : 2);
		mounter.n++)
		mounter.options[mounter.n] = (unsigned char)mounter.n;
	add_point(c, &mounter);
	for (size_t k = 0; k + 2 < c->x->inodes.len; k++)
		any |= c->x->inodes.items[k].mount == s.mount && is_unknown(&c->x->inodes.items[k]);
	if (any)
		add_point(c, &above);
}

/* Would the ids that are known be seen as they are if it had been mounted in this namespace? */
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
	struct point p = { .kind = POINT_STORE, .at = at, .n = 2, .options = { 0, 1 } };

	if (store_unknown(&c->x->mounts.items[at]))
		add_point(c, &p);
}

/* A filesystem that is seen in a user namespace was mounted there, outside of it or elsewhere. */
static void add_fs(struct cases *c)
{
	const size_t at = explain_file(c->x)->mount;
	const struct explain_mount *m = &c->x->mounts.items[at];
	struct point p = { .kind = POINT_FS, .at = at };

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
		set_option(c->x, &c->points[point], c->points[point].options[i]);
		each_case(c, point + 1);
	}
	set_option(c->x, &c->points[point], c->points[point].options[0]);
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
		set_option(c->x, &c->points[i], c->points[i].options[0]);
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
		return; /* another rule that allows it, too, is not worth a word */
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
	add_ids(&c, last);
	if (last)
		add_ids(&c, last - 1);
	add_store(&c);
	add_fs(&c);
	add_stacks(&c, last ? last - 1 : 0);
	each_case(&c, 0);
	set_first(&c);
	combine(&a, &c);
	return a;
}
