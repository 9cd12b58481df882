/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: each id of a file, on its way from disk to this process. */

#include "shift_check.h"

#include <linux/posix_acl.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/explain/explain.h"

/*
 * --- ids -------------------------------------------------------------------------------------
 */

/* One id of the file, on its way from disk to this process. */
struct chain {
	const char *key, *name; /* "owner", "user" */
	bool gid;
	bool has_disk, has_seen; /* disk is known; seen exists */
	uint32_t disk, seen;
	const struct idrange *line; /* of the mount's map */
	bool overflow;              /* shown as the overflow id, but is another id */
	bool certain;               /* it is certain whether overflow is true */
	bool doubt; /* a line of the map that is hidden from this process may have it */
	bool has_ns;
	uint32_t ns;    /* the id in the namespace of --userns */
	uint32_t shown; /* the id that this process sees */
	bool inside;    /* of an ACL entry or capability, which show no overflow id */
};

static const struct idrange *line_of(const struct idmap *m, bool gid, uint32_t disk)
{
	const struct idranges *r = gid ? &m->gid : &m->uid;

	for (size_t i = 0; i < r->len; i++)
		if (disk - r->items[i].disk < r->items[i].count)
			return &r->items[i];
	return NULL;
}

static void add_namespace(const struct explanation *x, struct chain *c)
{
	const struct idmap *m = &x->caller.userns_map;

	c->has_ns = x->caller.userns && c->has_seen &&
		(c->gid ? idmap_gid_disk : idmap_uid_disk)(m, c->seen, &c->ns);
}

/* The chain of the owner or of the group. */
static struct chain chain_of(const struct explanation *x, bool gid)
{
	const struct explain_inode *n = explain_file(x);
	const struct explain_mount *m = &x->mounts.items[n->mount];
	bool lost = gid ? n->gid_lost : n->uid_lost, shown = gid ? n->gid_shown : n->uid_shown;
	struct chain c = {
		.key = gid ? "group" : "owner",
		.name = gid ? "group" : "user",
		.gid = gid,
		.disk = gid ? n->disk.gid : n->disk.uid,
		.seen = gid ? n->seen.gid : n->seen.uid,
		.shown = gid ? n->seen.gid : n->seen.uid,
		.overflow = lost || shown,
		.certain = !shown,
		.doubt = gid ? n->gid_doubt : n->uid_doubt,
	};

	c.has_disk = n->how == DISK_READ || n->how == DISK_LAYER ||
		(n->how != DISK_UNKNOWN && !lost && !shown);
	c.has_seen = !lost && !shown;
	if (m->kind == MOUNT_MAP_KNOWN && c.has_disk)
		c.line = line_of(&m->map, gid, c.disk);
	add_namespace(x, &c);
	return c;
}

/* Is the mount's map unknown, so that disk id and seen id have to be read independently? */
static bool by_both_ends(const struct explanation *x)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];

	return m->kind == MOUNT_MAP_OVERLAY || m->kind == MOUNT_MAP_HIDDEN;
}

/*
 * The chain of an id in an ACL entry, or of a capability's root id. seen is used only if
 * by_both_ends() is true.
 */
static struct chain chain_inside(
	const struct explanation *x, const char *key, bool gid, uint32_t disk, uint32_t seen)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	struct chain c = { .key = key,
		.name = gid ? "group" : "user",
		.gid = gid,
		.disk = disk,
		.seen = seen,
		.certain = true };

	c.has_disk = disk != ACL_NO_ID;
	c.has_seen = by_both_ends(x) ?
		seen != ACL_NO_ID :
		c.has_disk && (gid ? perm_gid : perm_uid)(&m->facts, disk, &c.seen);
	c.inside = true;
	c.overflow = !c.has_seen;
	c.shown = c.has_seen ? c.seen : ACL_NO_ID;
	if (m->kind == MOUNT_MAP_KNOWN && c.has_disk)
		c.line = line_of(&m->map, gid, disk);
	add_namespace(x, &c);
	return c;
}

static void put_chain_json(struct out *o, const struct explanation *x, const struct chain *c)
{
	char line[48];

	if (c->has_disk)
		out_u64(o, "disk", c->disk);
	if (c->line) {
		(void)snprintf(line, sizeof(line), "%u:%u:%u", c->line->disk, c->line->seen,
			c->line->count); /* fits */
		out_str(o, "map_line", line);
	}
	if (c->has_seen)
		out_u64(o, "seen", c->seen);
	if (c->has_seen || !c->inside)
		out_u64(o, "shown", c->shown);
	out_bool(o, "overflow", c->overflow);
	out_bool(o, "certain", c->certain);
	if (c->has_ns)
		out_u64(o, "userns", c->ns);
	if (x->caller.userns)
		out_bool(o, "userns_overflow", !c->has_ns);
}

/* Comment on an overflow id; on NFS the ids come from the server, as numbers or as names. */
static const char *nobody(const struct explain_mount *m, uint32_t seen)
{
	if (m->nfs && seen == UINT32_MAX - 1)
		return " (the owner that the server sent has no id here)";
	if (seen != IDMAP_OVERFLOW)
		return "";
	return m->nfs ? " (nobody's on the server, like all that squashed users make, or its name "
			"is not known here)" :
			" (the real nobody)";
}

static void describe_chain(const struct explanation *x, const struct chain *c, struct buf *b)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];

	if (c->has_disk)
		buf_printf(b, "disk %u", c->disk);
	else
		buf_str(b, "disk id not known");
	if (c->line)
		buf_printf(b, " -> map line %c:%u:%u:%u", c->gid ? 'g' : 'u', c->line->disk,
			c->line->seen, c->line->count);
	else if (m->kind == MOUNT_MAP_KNOWN)
		buf_printf(b, " -> no line of the map%s has it",
			c->doubt ? " that can be read here" : "");
	else if (m->kind == MOUNT_MAP_HIDDEN)
		buf_str(b, " -> a map that is not known");

	if (!c->overflow)
		buf_printf(b, " -> seen as %u%s", c->seen, nobody(m, c->seen));
	else if (c->inside)
		buf_str(b, " -> no id here (unmapped)");
	else if (c->certain && c->has_disk && c->disk == c->shown)
		buf_printf(b, " -> shown as %u (the real nobody on disk, unmapped here)", c->shown);
	else if (c->certain)
		buf_printf(b, " -> shown as %u (unmapped, not the real nobody)", c->shown);
	else
		buf_printf(b,
			" -> shown as %u (unmapped, or the real nobody: it is not known which)",
			c->shown);
	if (c->has_ns)
		buf_printf(b, " -> %u in pid:%d", c->ns, (int)x->caller.userns);
	else if (x->caller.userns && c->inside)
		buf_printf(b, " -> no id in pid:%d", (int)x->caller.userns);
	else if (x->caller.userns)
		buf_printf(b, " -> no id in pid:%d, shown as %u (overflow)", (int)x->caller.userns,
			c->gid ? x->overflow_gid : x->overflow_uid);
}

static void put_chain(struct out *o, const struct explanation *x, const struct chain *c,
	const char *label, const char *more)
{
	scoped_buf struct buf b = BUF_INIT;

	describe_chain(x, c, &b);
	if (!out_json(o) && buf_get(&b))
		out_line(o, "  %-11s %s%s", label, b.data, more);
}

/* In a user namespace: the ids of owner and group outside of it. */
static void put_outside(struct out *o, const struct explanation *x)
{
	const struct explain_caller *w = &x->caller;
	const struct chain owner = chain_of(x, false), group = chain_of(x, true);
	uint32_t uid, gid;

	if (w->initial || owner.overflow || group.overflow ||
		!idmap_uid_seen(&w->outer_map, owner.seen, &uid) ||
		!idmap_gid_seen(&w->outer_map, group.seen, &gid) ||
		(uid == owner.seen && gid == group.seen))
		return;
	out_begin(o, "outside");
	out_u64(o, "uid", uid);
	out_u64(o, "gid", gid);
	out_line(o,
		"  %-11s user %u here is %u outside of this user namespace, group %u is %u "
		"(/proc/self/uid_map)",
		"outside", owner.seen, uid, group.seen, gid);
	out_end(o);
}

/*
 * --- ACL and capabilities --------------------------------------------------------------------
 */

/*
 * Do the entries of the tag have the same order on both sides? Both lists are sorted by id, so a
 * map may change the order, unless there is one entry only or all ids have the same offset.
 */
static bool is_aligned(const struct acl *disk, const struct acl *seen, uint16_t tag)
{
	uint32_t shift = 0;
	bool first = true;

	if (disk->len != seen->len)
		return false;
	for (size_t i = 0; i < seen->len; i++) {
		const struct acl_entry *d = &disk->items[i], *s = &seen->items[i];

		if (d->tag != s->tag)
			return false;
		if (s->tag != tag)
			continue;
		if (d->perm != s->perm || (!first && s->id - d->id != shift))
			return false;
		shift = s->id - d->id;
		first = false;
	}
	return true;
}

static void put_named(struct out *o, const struct explanation *x, const char *key,
	const struct acl_entry *n, uint32_t disk)
{
	struct chain c = chain_inside(x, key, n->tag == ACL_GROUP, disk, n->id);
	char label[16], more[16];

	(void)snprintf(
		label, sizeof(label), "%s %s", *key == 'a' ? "ACL" : "dflt", c.name); /* fits */
	(void)snprintf(more, sizeof(more), "  %s", explain_bits(n->perm));            /* fits */
	put_chain_json(o, x, &c);
	put_chain(o, x, &c, label, more);
}

static void put_acl(struct out *o, const struct explanation *x, const char *key,
	const struct acl *disk, const struct acl *seen)
{
	static const struct {
		uint16_t tag;
		const char *word;
		bool id;
	} tags[] = {
		{ ACL_USER_OBJ, "owner", false },
		{ ACL_USER, "user", true },
		{ ACL_GROUP_OBJ, "owning-group", false },
		{ ACL_GROUP, "group", true },
		{ ACL_MASK, "mask", false },
		{ ACL_OTHER, "other", false },
	};
	const struct acl *a = by_both_ends(x) ? seen : disk;
	const bool known = explain_file(x)->how != DISK_UNKNOWN;

	if (!a->len)
		return;
	out_array(o, key);
	for (size_t i = 0; i < a->len; i++) {
		const struct acl_entry *n = &a->items[i];
		size_t t = 0;

		while (t + 1 < ARRAY_LEN(tags) && tags[t].tag != n->tag)
			t++;
		out_begin(o, NULL);
		out_str(o, "tag", tags[t].word);
		out_str(o, "permissions", explain_bits(n->perm));
		if (tags[t].id)
			put_named(o, x, key, n,
				a == disk ? n->id :
					known && is_aligned(disk, seen, n->tag) ?
					    disk->items[i].id :
					    ACL_NO_ID);
		out_end(o);
	}
	out_array_end(o);
}

static void put_cap(struct out *o, const struct explanation *x, const struct filecap *disk,
	const struct filecap *seen)
{
	const struct filecap *f = by_both_ends(x) ? seen : disk;
	const bool known =
		explain_file(x)->how != DISK_UNKNOWN && disk->present && !disk->root_unmapped;
	const uint32_t root = known ? disk->root : ACL_NO_ID;
	char mask[24];

	if (!f->present)
		return;
	out_begin(o, "capability");
	(void)snprintf(mask, sizeof(mask), "%016llx", (unsigned long long)f->permitted); /* fits */
	if (f->root_unmapped && (f == disk || !known)) {
		out_bool(o, "root_unmapped", true);
		out_line(o,
			"  %-11s its root id has no id here: reading security.capability fails "
			"with EOVERFLOW",
			"capability");
	} else {
		struct chain c = chain_inside(
			x, "capability", false, root, f->root_unmapped ? ACL_NO_ID : f->root);

		out_str(o, "permitted", mask);
		put_chain_json(o, x, &c);
		put_chain(o, x, &c, "cap root",
			c.overflow ? "; reading security.capability fails with EOVERFLOW" : "");
	}
	out_end(o);
}

/* Print the owner that another tool stored in an attribute, which the kernel does not use. */
static void put_record(struct out *o, const struct explain_inode *n)
{
	const struct record *r = &n->record;

	if (n->recorded < 0 && n->recorded != -EINVAL)
		log_verbose("%s: cannot read " RECORD_XATTR ": %s", n->path,
			strerrordesc_np(-n->recorded));
	if (n->recorded != 1 && n->recorded != -EINVAL)
		return;
	out_begin(o, "recorded");
	out_bool(o, "valid", n->recorded == 1);
	if (n->recorded == 1) {
		out_u64(o, "uid", r->uid);
		out_u64(o, "gid", r->gid);
		out_mode(o, "mode", r->mode);
		if (*r->type)
			out_str(o, "type", r->type);
		out_line(o,
			"  %-11s user %u, group %u, mode %04o%s%s, which the kernel does not use: "
			"container tools keep it in " RECORD_XATTR,
			"recorded", r->uid, r->gid, r->mode, *r->type ? ", type " : "", r->type);
	} else {
		out_line(o,
			"  %-11s the attribute is malformed: " RECORD_XATTR " is not UID:GID:MODE",
			"recorded");
	}
	out_end(o);
}

void check_put_ids(struct out *o, const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);

	for (int gid = 0; gid < 2; gid++) {
		struct chain c = chain_of(x, gid);

		out_begin(o, c.key);
		put_chain_json(o, x, &c);
		out_end(o);
		put_chain(o, x, &c, c.key, "");
	}
	put_outside(o, x);
	check_put_leftover(o, x);
	put_record(o, n);
	put_acl(o, x, "acl", &n->disk.access, &n->seen.access);
	put_acl(o, x, "default_acl", &n->disk.dflt, &n->seen.dflt);
	put_cap(o, x, &n->disk.cap, &n->seen.cap);
}
