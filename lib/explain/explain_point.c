/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_point: set the facts to one of the options that something unknown has. */

#include "explain_point.h"

#include <linux/posix_acl.h>

#include "explain_priv.h"

/*
 * --- options -----------------------------------------------------------------------------------
 */

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

unsigned explain_point_options(const struct explain_may *may, unsigned char ret[static 3])
{
	static const unsigned char order[] = { 0, 2,
		1 }; /* the option that refuses most comes first */
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (may->be & 1U << order[i])
			ret[n++] = order[i];
	if (!n)
		ret[n++] = OPTION_KNOWN;
	return n;
}

bool explain_point_ids_unknown(const struct explain_inode *n)
{
	return n->uid_may.be || n->gid_may.be;
}

void explain_point_set_ids(struct explain_inode *n, unsigned option)
{
	set_id(n, false, option / 4);
	set_id(n, true, option % 4);
}

/*
 * Set the ids of the directories above: each unknown id to its worst option (0), or to its best
 * (1).
 */
static void set_above(struct explanation *x, size_t mount, unsigned option)
{
	for (size_t i = 0; i + 2 < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];
		unsigned char uid[3], gid[3];
		unsigned n_uid = explain_point_options(&n->uid_may, uid),
			 n_gid = explain_point_options(&n->gid_may, gid);

		if (n->mount == mount)
			explain_point_set_ids(n,
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

/* A directory of the upper directory is merged with those below it, unless it is opaque (0). */
static void set_merged(struct explain_inode *n, bool merged)
{
	const size_t hidden = merged ? 0 : n->n_maybe;

	n->real.merged = merged;
	n->real.below = n->below.items + hidden;
	n->real.n_below = n->below.len - hidden;
}

void explain_point_set_mounter(
	struct explanation *x, size_t stack, const struct explain_mounters *m, unsigned option)
{
	struct explain_stack_view s = explain_stack_view_of(x, stack);
	const unsigned n = explain_point_mounters(m);

	s.mounter->uid = m->uid[option % n / m->n_gid];
	s.mounter->gid = m->gid[option % n % m->n_gid];
	s.mounter->userns = option < n ? NULL : &x->caller.own;
}

static void set_store(struct explanation *x, const struct explain_point *p, unsigned option)
{
	const unsigned store = option == 0 ? PERM_STORE_NONE :
		option == 1                ? PERM_STORE_ALL :
					     PERM_STORE_BY_MAP;

	if (p->kind == POINT_STORE)
		x->mounts.items[p->at].facts.store = store;
	else
		explain_stack_view_of(x, p->at).upper->store = store;
}

bool explain_point_store_unknown(const struct explain_mount *m)
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
	if (!explain_point_store_unknown(m)) /* otherwise that is a point of its own */
		m->facts.store = option == 2 ? PERM_STORE_NONE : PERM_STORE_BY_MAP;
}

/*
 * An option of POINT_UPPER is 3 * STORE + IN: STORE says which ids the upper directory can store
 * (set_store()); IN is 0 if the inodes are not in it, 1 if they are, and 2 if that is known.
 */
void explain_point_set(struct explanation *x, const struct explain_point *p, unsigned option)
{
	switch (p->kind) {
	case POINT_IDS:
		explain_point_set_ids(&x->inodes.items[p->at], option);
		return;
	case POINT_MERGED:
		set_merged(&x->inodes.items[p->at], option == 1);
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
		explain_point_set_mounter(x, p->at, &p->mounters, option);
		return;
	}
}

/*
 * --- the mounter -------------------------------------------------------------------------------
 */

enum { STRANGER = UINT32_MAX - 1 };

/* If there are too many, omit the last ones. */
static void add_id(uint32_t ids[static EXPLAIN_MOUNTER_IDS], unsigned *n, uint32_t id)
{
	for (unsigned i = 0; i < *n; i++)
		if (ids[i] == id)
			return;
	if (*n < EXPLAIN_MOUNTER_IDS)
		ids[(*n)++] = id;
}

static void add_user(struct explain_mounters *m, uint32_t uid)
{
	add_id(m->uid, &m->n_uid, uid);
}

static void add_group(struct explain_mounters *m, uint32_t gid)
{
	add_id(m->gid, &m->n_gid, gid);
}

unsigned explain_point_mounters(const struct explain_mounters *m)
{
	return m->n_uid * m->n_gid;
}

/*
 * Add the users and groups that an inode of a layer names, as the mount of that layer shows them.
 */
static void add_known(struct explain_mounters *m, const struct perm_inode *real)
{
	uint32_t id;

	if (perm_uid(real->mount, real->uid, &id))
		add_user(m, id);
	if (perm_gid(real->mount, real->gid, &id))
		add_group(m, id);
	for (size_t i = 0; i < real->access.len; i++) {
		const struct acl_entry *a = &real->access.items[i];

		if (a->tag == ACL_USER && perm_uid(real->mount, a->id, &id))
			add_user(m, id);
		if (a->tag == ACL_GROUP && perm_gid(real->mount, a->id, &id))
			add_group(m, id);
	}
}

static bool caps_count(const struct perm_inode *real)
{
	uint32_t id;

	return perm_uid(real->mount, real->uid, &id) && perm_gid(real->mount, real->gid, &id);
}

void explain_point_find_mounters(const struct explain_inode *n, struct explain_mounters *m)
{
	const struct perm_real *real = &n->real;
	struct perm_inode shown = real->inode;
	bool all = !n->uid_may.be && !n->gid_may.be && caps_count(&real->inode);

	add_user(m, 0);
	add_group(m, 0);
	for (size_t i = 0; i < real->n_below; i++)
		all &= caps_count(&real->below[i]);
	if (all)
		return;
	add_user(m, STRANGER);
	add_group(m, STRANGER);
	add_known(m, &real->inode);
	/* Its ids may be set to others now: those that it is shown with may be its own, too. */
	if (n->uid_may.be & BE_OVERFLOW)
		shown.uid = n->uid_may.overflow_real;
	if (n->gid_may.be & BE_OVERFLOW)
		shown.gid = n->gid_may.overflow_real;
	add_known(m, &shown);
	for (size_t i = 0; i < real->n_below; i++)
		add_known(m, &real->below[i]);
}
