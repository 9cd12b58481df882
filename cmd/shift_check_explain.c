/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: which ids a file has on disk and here, and what a caller may do with it. */

#include "shift_check.h"
#include "shift_check_stack.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/log.h"
#include "../lib/check/compare.h"
#include "../lib/explain/explain.h"
#include "../lib/store/store.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"

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

/*
 * --- location --------------------------------------------------------------------------------
 */

static bool any_doubt(const struct explanation *x)
{
	for (size_t i = 0; i < x->inodes.len; i++)
		if (x->inodes.items[i].uid_doubt || x->inodes.items[i].gid_doubt)
			return true;
	return false;
}

/* unmapped_clone() succeeds only with rights over the filesystem's user namespace. */
static const char *mounted_in(const struct explanation *x)
{
	if (!x->caller.initial && explain_file(x)->how == DISK_READ)
		return "this user namespace, or one below it";
	return x->mounts.items[explain_file(x)->mount].fs_userns_assumed ?
		"the initial user namespace (assumed: the kernel does not show it)" :
		"the initial user namespace";
}

static const char *map_state_text(const struct explanation *x, const struct explain_mount *m)
{
	switch (m->kind) {
	case MOUNT_MAP_HIDDEN:
		return x->caller.initial ? "ID-mapped, but this kernel does not show the map" :
					   "ID-mapped, but its map has no id of this user "
					   "namespace, or this kernel does not show it";
	case MOUNT_MAP_OVERLAY:
		return "no map of its own, but its layers may have one";
	default:
		return "no map";
	}
}

static void put_mount_json(struct out *o, const struct explain_mount *m, const char *map)
{
	static const char *const kinds[] = {
		[MOUNT_MAP_NONE] = "none",
		[MOUNT_MAP_KNOWN] = "known",
		[MOUNT_MAP_HIDDEN] = "hidden",
		[MOUNT_MAP_OVERLAY] = "overlay",
	};

	out_begin(o, "mount");
	out_u64(o, "id", (uint64_t)m->id);
	out_str(o, "target", m->target);
	out_str(o, "filesystem", m->type);
	out_str(o, "source", m->source);
	out_str(o, "options", m->options);
	out_bool(o, "read_only", m->facts.ro || m->facts.fs_ro);
	out_bool(o, "own_rules", m->decides_itself);
	out_str(o, "map_state", kinds[m->kind]);
	if (m->map_partial)
		out_bool(o, "map_partial", true);
	if (m->kind == MOUNT_MAP_KNOWN)
		out_str(o, "map", map);
	else if (m->recorded)
		out_str(o, "layers_map", map);
	out_end(o);
}

static void put_mount_notes(
	struct out *o, const struct explanation *x, const struct explain_mount *m)
{
	if (!x->caller.initial)
		check_put_outside_note(o, x, any_doubt(x));
	if (m->nfs)
		out_line(o,
			"  %-11s the server decides, and may map root or all users to nobody "
			"(root_squash, all_squash): it may refuse what the rules below allow",
			"note");
	else if (m->decides_itself && m->kind != MOUNT_MAP_OVERLAY)
		out_safe_line(o,
			"  %-11s %s has rules of its own, which may refuse what the rules below "
			"allow",
			"note", m->type);
}

static void put_mount(struct out *o, const struct explanation *x)
{
	const struct explain_mount *m = &x->mounts.items[explain_file(x)->mount];
	bool known = m->kind == MOUNT_MAP_KNOWN;
	scoped_buf struct buf map = BUF_INIT;

	if (known || m->recorded)
		idmap_print(known ? &m->map : &m->layers_map, &map);
	if (!buf_get(&map))
		return;
	put_mount_json(o, m, map.data);
	out_safe_line(o, "  %-11s %s of %s, mounted in %s", "filesystem", m->type, m->source,
		mounted_in(x));
	out_safe_line(o, "  %-11s %d at %s, %s: %s%s", "mount", m->id, m->target, m->options,
		known               ? "map " :
			m->recorded ? "no map of its own; its layers have " :
				      "",
		known || m->recorded ? map.data : map_state_text(x, m));
	put_mount_notes(o, x, m);
	check_misfit_put(o, x);
}

static void put_layer(struct out *o, const struct explanation *x)
{
	if (x->layer) {
		out_str(o, "layer", x->layer);
		out_safe_line(
			o, "  %-11s %s: the disk ids are those stored there", "layer", x->layer);
	} else if (x->layer_unknown) {
		out_str(o, "layer_unknown", x->layer_unknown);
		out_line(o, "  %-11s not known: %s; for an unpacked image, specify --image NAME",
			"layer", x->layer_unknown);
	}
}

static const char *how_word(enum explain_disk how)
{
	static const char *const words[] = {
		[DISK_READ] = "raw",
		[DISK_PLAIN] = "plain",
		[DISK_INFERRED] = "inferred",
		[DISK_UNKNOWN] = "unknown",
		[DISK_LAYER] = "layer",
	};

	return words[how];
}

static void put_file(struct out *o, const struct explanation *x, const char *path)
{
	const struct explain_inode *n = explain_file(x);

	out_bytes(o, "path", path, strlen(path));
	out_bytes(o, "resolved", n->path, strlen(n->path));
	out_str(o, "type", compare_type_name(n->seen.mode));
	out_mode(o, "mode", n->seen.mode & 07777);
	out_str(o, "disk_ids", how_word(n->how));
	out_safe_line(o, "%s: %s, mode %04o", n->path, compare_type_name(n->seen.mode),
		n->seen.mode & 07777);
	put_mount(o, x);
	put_layer(o, x);
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

static int image_layers(
	const struct check_args *a, struct store **ret_store, struct strv *ret, struct err *e)
{
	scoped_strv struct strv specs = { .len = 0 };
	int r = store_open(a->store, 0, ret_store, e);

	return r < 0 ? r : store_image_layers(*ret_store, a->image, ret, &specs, e);
}

/*
 * The map of -m. With the layers of a store that has a base, disk ids are those of the image plus
 * the base.
 */
static int given_map(
	const struct check_args *a, const struct store *store, struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap given = { .gid_assumed = false }, base = { .gid_assumed = false };
	int r;

	if (a->maps.len == 1 && !strcmp(a->maps.items[0], "none"))
		r = idmap_identity(&given, e);
	else
		r = idmap_parse((const char *const *)a->maps.items, a->maps.len, NULL, &given, e);
	if (r < 0 || !store || !store_base(store)->count)
		return r < 0 ? r : idmap_copy(&given, ret, e);
	r = store_base_inverse(store, &base, e);
	return r < 0 ? r : idmap_compose(&base, &given, ret, e);
}

static int look(const struct check_args *a, const char *path, struct explanation *x, struct err *e)
{
	scoped_strv struct strv layers = { .len = 0 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct explain_question q = { .path = path, .as = a->as, .userns = a->userns };
	struct store *store = NULL;
	int r = a->image ? image_layers(a, &store, &layers, e) :
			   check_stack_open_layers(path, &store, &layers, e);

	if (r == 0 && a->maps.len)
		r = given_map(a, a->image ? store : NULL, &map, e);
	if (r == 0) {
		q.layers = layers.len ? &layers : NULL;
		q.map = a->maps.len ? &map : NULL;
		r = explain_look(&q, x, e);
	}
	store_close(store);
	return r;
}

int check_explain(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	struct explanation x = { .detached = false };
	int r = look(a, operands[0], &x, e);

	if (r == 0) {
		out_begin(ctx->out, NULL);
		put_file(ctx->out, &x, operands[0]);
		r = check_put_verdicts(ctx->out, &x, a, e);
		out_end(ctx->out);
	}
	explain_done(&x);
	return r;
}
