/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_fix_map: the smallest extension of a mount's map with which an operation works. */

#include "explain_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../idmap/map_fit.h"

/* How many ids are tried as the free id that a file or the caller gets. */
enum { CHOICES_MAX = 65536 };

struct fix_kind {
	bool (*seen)(const struct idmap *m, uint32_t disk, uint32_t *ret);
	bool (*disk)(const struct idmap *m, uint32_t seen, uint32_t *ret);
	bool (*in_ns)(const struct perm_userns *ns, uint32_t id, uint32_t *ret);
};

static const struct fix_kind users = { idmap_uid_seen, idmap_uid_disk, perm_ns_uid };
static const struct fix_kind groups = { idmap_gid_seen, idmap_gid_disk, perm_ns_gid };

typedef VEC(struct idrange) ranges;

/* What is added to the map for one kind of id, users or groups. */
struct fix_side {
	const struct fix_kind *kind;
	const struct idmap *map;      /* of the mount; NULL if it has none */
	const struct idranges *old;   /* its ranges for this kind, or NULL */
	const struct perm_userns *ns; /* of the caller */
	const struct idranges *own;   /* the ids of ns, or NULL for the initial namespace */
	uint32_t caller;              /* the caller's id */
	uint32_t disks[2];            /* the owners of the file and of its directory */
	size_t n_disks;
	ranges added;
};

struct fix_extension {
	struct fix_side uid, gid;
};

static bool disk_free(const struct fix_side *s, uint32_t disk)
{
	uint32_t id;

	for (size_t i = 0; i < s->added.len; i++)
		if (s->added.items[i].disk == disk)
			return false;
	return !s->map || !s->kind->seen(s->map, disk, &id);
}

static bool seen_free(const struct fix_side *s, uint32_t seen)
{
	uint32_t id;

	for (size_t i = 0; i < s->added.len; i++)
		if (s->added.items[i].seen == seen)
			return false;
	return !s->map || !s->kind->disk(s->map, seen, &id);
}

/*
 * Choose a free id of the caller's namespace as which a disk id is to be seen: with the offset of
 * the map's first range if that id is free.
 */
static bool choose_seen(const struct fix_side *s, uint32_t disk, uint32_t *ret)
{
	const struct idranges *r = s->old;
	uint32_t shifted = r && r->len ? r->items[0].seen + (disk - r->items[0].disk) : disk,
		 ignored;

	if (shifted != UINT32_MAX && s->kind->in_ns(s->ns, shifted, &ignored) &&
		seen_free(s, shifted)) {
		*ret = shifted;
		return true;
	}
	for (size_t i = 0; s->own && i < s->own->len; i++) {
		for (uint32_t n = 0; n < s->own->items[i].count && n < CHOICES_MAX; n++) {
			*ret = s->own->items[i].seen + n;
			if (seen_free(s, *ret))
				return true;
		}
	}
	return false;
}

/*
 * Choose a free disk id for the caller: its number in its own namespace if that is free, because
 * that is how the files of containers are stored.
 */
static bool choose_disk(const struct fix_side *s, uint32_t *ret)
{
	uint32_t id = s->caller;

	if (s->kind->in_ns(s->ns, id, ret) && disk_free(s, *ret))
		return true;
	for (uint32_t n = 0; n < CHOICES_MAX; n++) {
		*ret = id + n < id ? n : id + n;
		if (*ret != UINT32_MAX && disk_free(s, *ret))
			return true;
	}
	return false;
}

static int add_id(struct fix_side *s, uint32_t disk, uint32_t seen)
{
	return VEC_ADD(&s->added, ((struct idrange){ .disk = disk, .seen = seen, .count = 1 }));
}

/*
 * Add the ids that the map lacks: the owners on disk, and the caller. With effect a file is to run
 * with its owner's id, so that id must not become the caller's own.
 */
static int add_missing(struct fix_side *s, bool effect)
{
	uint32_t id;

	for (size_t i = 0; i < s->n_disks; i++) {
		uint32_t seen = s->caller;

		/* UINT32_MAX and the id below it stand for unknown ids: see fact_id(). */
		if (s->disks[i] >= UINT32_MAX - 1 || !disk_free(s, s->disks[i]))
			continue;
		if ((effect || !seen_free(s, s->caller)) && !choose_seen(s, s->disks[i], &seen))
			return -ENOENT;
		if (add_id(s, s->disks[i], seen) < 0)
			return -ENOMEM;
	}
	if (!seen_free(s, s->caller))
		return 0;
	return choose_disk(s, &id) ? add_id(s, id, s->caller) : -ENOENT;
}

static int add_ranges(const struct fix_side *s, ranges *ret)
{
	for (size_t i = 0; s->old && i < s->old->len; i++)
		if (VEC_ADD(ret, s->old->items[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < s->added.len; i++)
		if (VEC_ADD(ret, s->added.items[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* Does the operation work with the extended map? */
static bool works_with(struct explanation *x, struct explain_aim aim, struct explain_mount *m,
	const struct fix_extension *ext)
{
	const struct idmap *old = m->facts.map;
	struct idmap map = { .gid_assumed = false };
	ranges uid = { .len = 0 }, gid = { .len = 0 };
	bool ok = false;

	if (add_ranges(&ext->uid, &uid) == 0 && add_ranges(&ext->gid, &gid) == 0 &&
		idmap_from_ranges(uid.items, uid.len, gid.items, gid.len, &map, NULL) == 0) {
		m->facts.map = &map;
		ok = explain_works(x, aim);
		m->facts.map = old;
	}
	idmap_done(&map);
	VEC_DONE(&uid);
	VEC_DONE(&gid);
	return ok;
}

static struct fix_extension extension_of(const struct explanation *x, const struct explain_mount *m)
{
	const struct idmap *map = m->facts.map;
	const struct perm_cred *c = &x->caller.cred;
	const size_t mount = explain_file(x)->mount;
	struct fix_extension ext = {
		.uid = { .kind = &users,
			.map = map,
			.old = map ? &map->uid : NULL,
			.ns = c->userns,
			.own = c->userns ? &c->userns->map->uid : NULL,
			.caller = c->uid },
		.gid = { .kind = &groups,
			.map = map,
			.old = map ? &map->gid : NULL,
			.ns = c->userns,
			.own = c->userns ? &c->userns->map->gid : NULL,
			.caller = c->gid },
	};

	for (size_t i = x->inodes.len; i-- > 0 && ext.uid.n_disks < ARRAY_LEN(ext.uid.disks);) {
		const struct explain_inode *n = &x->inodes.items[i];

		if (n->mount != mount)
			break;
		ext.uid.disks[ext.uid.n_disks++] = n->facts.uid;
		ext.gid.disks[ext.gid.n_disks++] = n->facts.gid;
	}
	return ext;
}

/* Remove each added range without which the operation works, too. */
static void drop_unneeded(struct explanation *x, struct explain_aim aim, struct explain_mount *m,
	struct fix_extension *ext)
{
	ranges *const kinds[] = { &ext->uid.added, &ext->gid.added };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		ranges *v = kinds[k];

		/* A new map needs a range of each kind: without any it would be the identity. */
		for (size_t i = v->len; i-- > 0 && (m->facts.map || v->len > 1);) {
			struct idrange saved = v->items[i];

			v->items[i] = v->items[--v->len];
			if (works_with(x, aim, m, ext))
				continue;
			v->items[v->len++] = v->items[i];
			v->items[i] = saved;
		}
	}
}

static void print_added(const struct fix_extension *ext, struct buf *b)
{
	const ranges *const kinds[] = { &ext->uid.added, &ext->gid.added };
	bool first = true;

	if (kinds[0]->len == 1 && kinds[1]->len == 1 &&
		!memcmp(kinds[0]->items, kinds[1]->items, sizeof(*kinds[0]->items))) {
		buf_printf(b, "%u:%u:1", kinds[0]->items[0].disk, kinds[0]->items[0].seen);
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (size_t i = 0; i < kinds[k]->len; i++) {
			buf_printf(b, "%s%c:%u:%u:1", first ? "" : ";", k ? 'g' : 'u',
				kinds[k]->items[i].disk, kinds[k]->items[i].seen);
			first = false;
		}
	}
}

/* The directory to be mounted: the file, if it is a directory or a mount point, or its parent. */
static const struct explain_inode *directory_of(const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);

	return S_ISDIR(n->seen.mode) || x->inodes.len < 2 || n->mount_point ? n : n - 1;
}

static void print_command(const struct explanation *x, const struct explain_mount *m,
	const struct fix_extension *ext, struct buf *b)
{
	if (m->facts.map) {
		buf_str(b, "extend the map of");
		explain_add_path(b, m->target);
		buf_str(b, " by ");
		print_added(ext, b);
	} else {
		buf_str(b, "mount-idmapped -m '");
		print_added(ext, b);
		buf_str(b, "'");
		explain_add_path(b, directory_of(x)->path);
		buf_str(b, " TARGET, and use it there");
	}
}

bool explain_fix_map(struct explanation *x, struct explain_aim aim, struct buf *b)
{
	struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	struct fix_extension ext;
	bool ok;

	/* A merged overlay cannot be mapped, and an unknown map cannot be extended. */
	if (m->kind == MOUNT_MAP_OVERLAY || m->kind == MOUNT_MAP_HIDDEN || m->map_partial)
		return false;
	ext = extension_of(x, m);
	ok = add_missing(&ext.uid, aim.effect) == 0 && add_missing(&ext.gid, aim.effect) == 0 &&
		works_with(x, aim, m, &ext);
	if (ok) {
		drop_unneeded(x, aim, m, &ext);
		print_command(x, m, &ext, b);
	}
	VEC_DONE(&ext.uid.added);
	VEC_DONE(&ext.gid.added);
	return ok;
}

/* The swapped map, if the owner of an inode that the mount shows tells that the map is swapped. */
static bool swapped_map(
	const struct explanation *x, const struct explain_mount *m, struct idmap *ret)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		const struct explain_inode *n = &x->inodes.items[i];

		if (&x->mounts.items[n->mount] == m && n->how != DISK_UNKNOWN &&
			map_fit_swap(&m->map, n->facts.uid, n->facts.gid, ret) == 1)
			return true;
	}
	return false;
}

bool explain_fix_swap(struct explanation *x, struct explain_aim aim, struct buf *b)
{
	struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	const struct idmap *old = m->facts.map;
	scoped_idmap struct idmap map = { .gid_assumed = false };
	scoped_buf struct buf text = BUF_INIT, caller = BUF_INIT;
	bool ok;

	if (m->kind != MOUNT_MAP_KNOWN || m->map_partial || old != &m->map ||
		!swapped_map(x, m, &map))
		return false;
	m->facts.map = &map;
	ok = explain_works(x, aim) || (!aim.effect && explain_fix_caller(x, aim, &caller));
	m->facts.map = old;
	idmap_print(&map, &text);
	if (!ok || !buf_get(&text))
		return false;
	buf_str(b, "swap the map of");
	explain_add_path(b, m->target);
	buf_printf(b, ": -m '%s'", text.data);
	if (caller.len && buf_get(&caller))
		buf_printf(b, ", and %s", caller.data);
	return true;
}
