/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_fix: verdicts from the root directory on, and what would have to change. */

#include "explain.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"

bool explain_applies(const struct explanation *x, enum perm_op op)
{
	bool dir = S_ISDIR(explain_file(x)->seen.mode);

	if (op == PERM_CREATE)
		return dir;
	if (op == PERM_UNLINK || op == PERM_RENAME)
		return !x->detached;
	return op != PERM_WRITE || !dir;
}

struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at)
{
	size_t last = x->inodes.len - 1;
	const struct explain_inode *n = x->inodes.items;
	const struct perm_cred *c = &x->caller.cred;
	struct perm_verdict d;

	/* perm_check() searches the last directory itself. */
	for (size_t i = 0; i + 1 < last; i++) {
		d = perm_search(&n[i].facts, c);
		*ret_at = i;
		if (d.num)
			return d;
	}
	/* What is removed is the entry below the mount point, which is busy. */
	if ((op == PERM_UNLINK || op == PERM_RENAME) && n[last].mount_point) {
		d = perm_check(PERM_CREATE, NULL, &n[last - 1].facts, c);
		*ret_at = d.num ? last - 1 : last;
		return d.num ? d : (struct perm_verdict){ .num = EBUSY, .rule = RULE_TYPE };
	}
	d = perm_check(op, last ? &n[last - 1].facts : NULL, &n[last].facts, c);
	*ret_at = last && d.on_dir ? last - 1 : last;
	if (last && (op == PERM_UNLINK || op == PERM_RENAME) &&
		(d.rule == RULE_RO_MOUNT || d.rule == RULE_RO_FS || d.rule == RULE_UNMAPPED_CALLER))
		*ret_at = last - 1;
	return d;
}

bool explain_doubt(struct explanation *x, enum perm_op op, const struct perm_verdict *d,
	struct perm_verdict *ret, size_t *ret_at)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];

		n->facts.uid_elsewhere = n->uid_doubt;
		n->facts.gid_elsewhere = n->gid_doubt;
	}
	*ret = explain_verdict(x, op, ret_at);
	for (size_t i = 0; i < x->inodes.len; i++)
		x->inodes.items[i].facts.uid_elsewhere = x->inodes.items[i].facts.gid_elsewhere =
			false;
	return ret->num != d->num || ret->rule != d->rule;
}

/*
 * --- ways out ------------------------------------------------------------------------------------
 */

/*
 * What is to work: the operation, and (of PERM_EXEC) with what the file's set-id bits and
 * capabilities say.
 */
struct aim {
	enum perm_op op;
	bool effect;
};

static bool is_ignored(enum perm_rule rule)
{
	return rule != RULE_EFFECT_NONE && rule != RULE_EFFECT_TAKEN;
}

static bool has_ignored(const struct explanation *x, const struct perm_verdict *d)
{
	return d->num == 0 && S_ISREG(explain_file(x)->seen.mode) &&
		(is_ignored(d->setid) || is_ignored(d->filecap));
}

static bool works(const struct explanation *x, struct aim aim)
{
	size_t at;
	struct perm_verdict d = explain_verdict(x, aim.op, &at);

	return d.num == 0 && !(aim.effect && has_ignored(x, &d));
}

/* One kind of id: how to translate, and what the mount has. */
struct fix_kind {
	char letter;
	bool (*seen)(const struct idmap *m, uint32_t disk, uint32_t *ret);
	bool (*disk)(const struct idmap *m, uint32_t seen, uint32_t *ret);
	bool (*in_ns)(const struct perm_userns *ns, uint32_t id, uint32_t *ret);
};

static const struct fix_kind uids = { 'u', idmap_uid_seen, idmap_uid_disk, perm_ns_uid };
static const struct fix_kind gids = { 'g', idmap_gid_seen, idmap_gid_disk, perm_ns_gid };

typedef VEC(struct idrange) ranges;

static bool disk_free(
	const struct idmap *m, const struct fix_kind *k, const ranges *added, uint32_t disk)
{
	uint32_t id;

	for (size_t i = 0; i < added->len; i++)
		if (added->items[i].disk == disk)
			return false;
	return !m || !k->seen(m, disk, &id);
}

static bool seen_free(
	const struct idmap *m, const struct fix_kind *k, const ranges *added, uint32_t seen)
{
	uint32_t id;

	for (size_t i = 0; i < added->len; i++)
		if (added->items[i].seen == seen)
			return false;
	return !m || !k->disk(m, seen, &id);
}

/*
 * An id to see a disk id as: one of the caller's namespace that is not in use; the shift of the
 * first range if it can be.
 */
static bool choose_seen(const struct idmap *m, const struct fix_kind *k, const struct idranges *r,
	const ranges *added, const struct perm_userns *ns, uint32_t disk, uint32_t *ret)
{
	const struct idranges *own = !ns ? NULL : k == &uids ? &ns->map->uid : &ns->map->gid;
	uint32_t shifted = r && r->len ? r->items[0].seen + (disk - r->items[0].disk) : disk,
		 ignored;

	if (shifted != UINT32_MAX && k->in_ns(ns, shifted, &ignored) &&
		seen_free(m, k, added, shifted)) {
		*ret = shifted;
		return true;
	}
	for (size_t i = 0; own && i < own->len; i++) {
		for (uint32_t n = 0; n < own->items[i].count && n < 65536; n++) {
			*ret = own->items[i].seen + n;
			if (seen_free(m, k, added, *ret))
				return true;
		}
	}
	return false;
}

/*
 * A disk id for the caller: his number in his own namespace if that is free, as containers have it.
 */
static bool choose_disk(const struct idmap *m, const struct fix_kind *k, const ranges *added,
	const struct perm_userns *ns, uint32_t id, uint32_t *ret)
{
	if (k->in_ns(ns, id, ret) && disk_free(m, k, added, *ret))
		return true;
	for (uint32_t n = 0; n < 65536; n++) {
		*ret = id + n < id ? n : id + n;
		if (*ret != UINT32_MAX && disk_free(m, k, added, *ret))
			return true;
	}
	return false;
}

/*
 * What has to be added for one kind: the disk ids of the file and its directory, and the caller's
 * id. A file that is to run as its owner does not become the caller's own.
 */
static int missing_ranges(const struct explanation *x, struct aim aim, const struct idmap *m,
	const struct fix_kind *k, const uint32_t *disks, size_t n_disks, uint32_t caller,
	ranges *ret)
{
	const struct perm_userns *ns = x->caller.cred.userns;
	const struct idranges *r = !m ? NULL : k == &uids ? &m->uid : &m->gid;
	uint32_t id;

	for (size_t i = 0; i < n_disks; i++) {
		uint32_t seen = caller;

		if (disks[i] >= UINT32_MAX - 1 || !disk_free(m, k, ret, disks[i]))
			continue;
		if ((aim.effect || !seen_free(m, k, ret, caller)) &&
			!choose_seen(m, k, r, ret, ns, disks[i], &seen))
			return -ENOENT;
		if (VEC_ADD(ret, (struct idrange){ .disk = disks[i], .seen = seen, .count = 1 }) <
			0)
			return -ENOMEM;
	}
	if (seen_free(m, k, ret, caller)) {
		if (!choose_disk(m, k, ret, ns, caller, &id))
			return -ENOENT;
		if (VEC_ADD(ret, (struct idrange){ .disk = id, .seen = caller, .count = 1 }) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int joined(const struct idranges *old, const ranges *added, ranges *ret)
{
	for (size_t i = 0; old && i < old->len; i++)
		if (VEC_ADD(ret, old->items[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < added->len; i++)
		if (VEC_ADD(ret, added->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

struct extension {
	ranges uid, gid;
	struct idmap map;
};

static int extend(const struct explanation *x, struct aim aim, const struct explain_mount *m,
	struct extension *ret)
{
	const struct idmap *old = m->facts.map;
	const struct explain_inode *n = explain_file(x);
	uint32_t uid[2], gid[2];
	size_t disks = 0;
	ranges all_uid = { .len = 0 }, all_gid = { .len = 0 };
	int r;

	for (size_t i = x->inodes.len - 1; i + 1 > 0 && disks < 2; i--, disks++) {
		if (x->inodes.items[i].mount != n->mount)
			break;
		uid[disks] = x->inodes.items[i].facts.uid;
		gid[disks] = x->inodes.items[i].facts.gid;
	}
	r = missing_ranges(x, aim, old, &uids, uid, disks, x->caller.cred.uid, &ret->uid);
	if (r == 0)
		r = missing_ranges(x, aim, old, &gids, gid, disks, x->caller.cred.gid, &ret->gid);
	if (r == 0)
		r = joined(old ? &old->uid : NULL, &ret->uid, &all_uid);
	if (r == 0)
		r = joined(old ? &old->gid : NULL, &ret->gid, &all_gid);
	if (r == 0)
		r = idmap_from_ranges(
			all_uid.items, all_uid.len, all_gid.items, all_gid.len, &ret->map, NULL);
	VEC_DONE(&all_uid);
	VEC_DONE(&all_gid);
	return r;
}

/* Ranges that are not needed, one at a time, are taken back. */
static void add_needed(struct explanation *x, struct aim aim, struct explain_mount *m,
	struct extension *ext, struct buf *b)
{
	ranges *const kinds[] = { &ext->uid, &ext->gid };
	const struct idmap *old = m->facts.map;
	bool first = true;

	for (size_t k = 0; k < 2; k++) {
		/* A new map needs a range of each kind: without any it would be the identity. */
		for (size_t i = kinds[k]->len; i-- > 0 && (old || kinds[k]->len > 1);) {
			struct idrange saved = kinds[k]->items[i];
			ranges u = { .len = 0 }, g = { .len = 0 };
			struct idmap map = { .gid_assumed = false };

			kinds[k]->items[i] = kinds[k]->items[--kinds[k]->len];
			if (joined(old ? &old->uid : NULL, &ext->uid, &u) == 0 &&
				joined(old ? &old->gid : NULL, &ext->gid, &g) == 0 &&
				idmap_from_ranges(u.items, u.len, g.items, g.len, &map, NULL) == 0)
				m->facts.map = &map;
			if (m->facts.map != &map || !works(x, aim)) {
				kinds[k]->items[kinds[k]->len++] = kinds[k]->items[i];
				kinds[k]->items[i] = saved;
			}
			m->facts.map = old;
			idmap_done(&map);
			VEC_DONE(&u);
			VEC_DONE(&g);
		}
	}
	if (ext->uid.len == 1 && ext->gid.len == 1 &&
		!memcmp(ext->uid.items, ext->gid.items, sizeof(*ext->uid.items))) {
		buf_printf(b, "%u:%u:1", ext->uid.items[0].disk, ext->uid.items[0].seen);
		return;
	}
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < kinds[k]->len; i++) {
			buf_printf(b, "%s%c:%u:%u:1", first ? "" : ";", k ? 'g' : 'u',
				kinds[k]->items[i].disk, kinds[k]->items[i].seen);
			first = false;
		}
	}
}

static void add_quoted(struct buf *b, const char *s)
{
	buf_char(b, ' ');
	buf_escaped(b, s, strlen(s));
}

static const struct explain_inode *directory_of(const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);

	return S_ISDIR(n->seen.mode) || x->inodes.len < 2 || n->mount_point ? n : n - 1;
}

static void tell_map(struct explanation *x, struct aim aim, struct explain_mount *m,
	struct extension *ext, struct buf *b)
{
	if (m->facts.map) {
		buf_str(b, "extend the map of");
		add_quoted(b, m->target);
		buf_str(b, " by ");
		add_needed(x, aim, m, ext, b);
	} else {
		buf_str(b, "mount-idmapped -m '");
		add_needed(x, aim, m, ext, b);
		buf_str(b, "'");
		add_quoted(b, directory_of(x)->path);
		buf_str(b, " TARGET, and use it there");
	}
}

/* Map this mount so that the ids concerned exist. */
static bool try_map(struct explanation *x, struct aim aim, struct buf *b)
{
	struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	struct perm_mount saved = m->facts;
	struct extension ext = { .uid.len = 0 };
	bool ok = false;

	/*
	 * A map over a merged overlay, or beside one that is not known, is none that can be told.
	 */
	if (m->kind != MOUNT_MAP_OVERLAY && m->kind != MOUNT_MAP_HIDDEN &&
		extend(x, aim, m, &ext) == 0) {
		m->facts.map = &ext.map;
		ok = works(x, aim);
		m->facts = saved;
		if (ok)
			tell_map(x, aim, m, &ext, b);
	}
	idmap_done(&ext.map);
	VEC_DONE(&ext.uid);
	VEC_DONE(&ext.gid);
	return ok;
}

/* A flag of a mount, or of the filesystem, and what it forbids. */
static const struct flag {
	size_t off;
	unsigned ops;
	bool effect;
	const char *word;
} flags[] = {
	{ offsetof(struct perm_mount, fs_ro), ~(1U << PERM_READ | 1U << PERM_EXEC), false,
		"remount,rw" },
	{ offsetof(struct perm_mount, ro), ~(1U << PERM_READ | 1U << PERM_EXEC), false,
		"remount,bind,rw" },
	{ offsetof(struct perm_mount, noexec), 1U << PERM_EXEC, false, "remount,bind,exec" },
	{ offsetof(struct perm_mount, nodev), 1U << PERM_READ | 1U << PERM_WRITE, false,
		"remount,bind,dev" },
	{ offsetof(struct perm_mount, nosuid), 1U << PERM_EXEC, true, "remount,bind,suid" },
};

static bool *flag_in(struct perm_mount *m, const struct flag *f)
{
	return (bool *)((char *)m + f->off);
}

/* Take away those that can matter. */
static void lift_flags(struct perm_mount *m, struct aim aim)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].ops & 1U << aim.op && (!flags[i].effect || aim.effect))
			*flag_in(m, &flags[i]) = false;
}

/* What was taken away and is not needed comes back. */
static void keep_needed(
	struct explanation *x, struct perm_mount *m, const struct perm_mount *saved, struct aim aim)
{
	struct perm_mount had = *saved;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		bool *now = flag_in(m, &flags[i]);

		*now = *flag_in(&had, &flags[i]);
		if (*now && !works(x, aim))
			*now = false;
	}
}

static void tell_flags(const struct explain_mount *m, const struct perm_mount *saved, struct buf *b)
{
	struct perm_mount had = *saved, has = m->facts;
	const bool fs_rw = had.fs_ro && !has.fs_ro;

	if (m->only_ro && fs_rw) {
		buf_str(b,
			"put an overlay over it: shiftbox mount-idmapped -o "
			"upper=DIR,work=DIR,lower=");
		buf_escaped(b, m->target, strlen(m->target));
		buf_str(b, " overlay TARGET, and use it there");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!*flag_in(&had, &flags[i]) || *flag_in(&has, &flags[i]))
			continue;
		if (fs_rw && flags[i].off == offsetof(struct perm_mount, ro))
			continue; /* a remount without "bind" is one of both */
		buf_printf(b, "%smount -o %s", b->len ? ", and " : "", flags[i].word);
		add_quoted(b, m->target);
	}
}

/* Somebody else: the owner of what the rule is about, of the file, root. */
static bool try_caller(struct explanation *x, struct aim aim, struct buf *b)
{
	struct explain_caller *w = &x->caller;
	struct perm_cred saved = w->cred;
	size_t at, last = x->inodes.len - 1;
	const struct explain_inode *const owners[] = {
		(explain_verdict(x, aim.op, &at), &x->inodes.items[at]),
		&x->inodes.items[last],
		NULL,
	};
	bool ok = false;

	for (size_t i = 0; !ok && i < ARRAY_LEN(owners); i++) {
		uint32_t uid = 0, gid = 0, shown, ignored;

		if (owners[i] &&
			(!perm_uid(owners[i]->facts.mount, owners[i]->facts.uid, &uid) ||
				!perm_gid(owners[i]->facts.mount, owners[i]->facts.gid, &gid)))
			continue;
		if (!owners[i] && w->userns &&
			(!idmap_uid_seen(&w->userns_map, 0, &uid) ||
				!idmap_gid_seen(&w->userns_map, 0, &gid)))
			continue;
		if (!perm_ns_uid(saved.userns, uid, &shown) ||
			!perm_ns_gid(saved.userns, gid, &ignored))
			continue;
		w->cred.uid = uid;
		w->cred.gid = gid;
		w->cred.caps = shown == 0 ? PERM_CAPS_ALL : 0;
		w->cred.n_groups = 0;
		ok = works(x, aim);
		if (ok)
			buf_printf(b, "do it as user %u, group %u", shown, ignored);
	}
	w->cred = saved;
	return ok;
}

/* Others stand in the ACL too. */
static void turn_exec_of_others(struct acl *a)
{
	for (size_t i = 0; i < a->len; i++)
		if (a->items[i].tag == ACL_OTHER)
			a->items[i].perm ^= 1;
}

/*
 * The bit without which nothing is a program. Others are the owner's to give, and no map's or
 * mount's matter.
 */
static bool try_mode(struct explanation *x, struct aim aim, struct buf *b)
{
	static const struct {
		enum perm_rule rule;
		unsigned shift;
		char who;
	} classes[] = {
		{ RULE_BITS_OWNER, 6, 'u' },
		{ RULE_BITS_GROUP, 3, 'g' },
		{ RULE_BITS_OTHER, 0, 'o' },
		{ RULE_ACL_OTHER, 0, 'o' },
	};
	size_t at;
	struct perm_verdict d = explain_verdict(x, aim.op, &at);
	struct perm_inode *n = &x->inodes.items[at].facts;
	mode_t saved = n->mode;
	bool ok = false;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		unsigned lacking = d.want & ~d.have;

		if (classes[i].rule != d.rule || aim.op != PERM_EXEC || lacking != 1)
			continue;
		n->mode |= lacking << classes[i].shift;
		if (d.rule == RULE_ACL_OTHER)
			turn_exec_of_others(&n->access);
		ok = works(x, aim);
		if (d.rule == RULE_ACL_OTHER)
			turn_exec_of_others(&n->access);
		n->mode = saved;
		if (!ok)
			continue;
		buf_printf(b, "chmod %c+x", classes[i].who);
		add_quoted(b, x->inodes.items[at].path);
	}
	return ok;
}

/* All but the flags. */
static void try_others(struct explanation *x, struct aim aim, struct buf *ret)
{
	scoped_buf struct buf map = BUF_INIT;

	if (!aim.effect)
		(void)try_caller(x, aim, ret);
	/* Where there is no map, somebody else is the smaller change. */
	if ((!ret->len || x->mounts.items[explain_file(x)->mount].facts.map) &&
		try_map(x, aim, &map)) {
		ret->oom |= map.oom;
		buf_printf(ret, "%s%s", ret->len ? ", or " : "", map.oom ? "" : buf_get(&map));
	}
	if (!ret->len && !aim.effect)
		(void)try_mode(
			x, aim, ret); /* the last of the ways: when it fails too there is none */
}

int explain_fix(struct explanation *x, enum perm_op op, struct buf *ret)
{
	scoped_buf struct buf others = BUF_INIT;
	struct perm_mount saved;
	struct explain_mount *m;
	size_t at;
	struct perm_verdict d = explain_verdict(x, op, &at);
	const struct aim aim = { .op = op, .effect = op == PERM_EXEC && has_ignored(x, &d) };

	if (works(x, aim))
		return 0;
	m = &x->mounts.items[x->inodes.items[at].mount];
	saved = m->facts;
	lift_flags(&m->facts, aim);
	if (works(x, aim)) {
		keep_needed(x, &m->facts, &saved, aim);
		tell_flags(m, &saved, ret);
	}
	m->facts = saved;
	if (!ret->len)
		try_others(x, aim, ret);
	if (!ret->len) {
		/* Neither flags nor anything else alone: both. */
		lift_flags(&m->facts, aim);
		try_others(x, aim, &others);
		if (others.len)
			tell_flags(m, &saved, ret);
		if (others.len && buf_get(&others))
			buf_printf(ret, "%s%s", ret->len ? ", and " : "", others.data);
		m->facts = saved;
	}
	return ret->oom || others.oom ? -ENOMEM : 0;
}
