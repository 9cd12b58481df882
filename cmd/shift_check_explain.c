/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: which ids a file has on disk and here, and what a caller may do with it. */

#include "shift_check.h"
#include "shift_check_stack.h"

#include <string.h>

#include "../lib/check/compare.h"
#include "../lib/explain/explain.h"
#include "../lib/store/store.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"

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
	if (!x->caller.initial) {
		out_indent(o, 0); /* it has a command */
		check_put_outside_note(o, x, any_doubt(x));
		out_indent(o, CHECK_FACTS_INDENT);
	}
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

static void put_marked(struct out *o, const struct explanation *x)
{
	if (!x->marked)
		return;
	out_str(o, "marked", x->marked);
	out_safe_line(o,
		"  %-11s %s hides lower layers by %s alone: mounts %s show what is hidden; for an "
		"image of image-unpack, run image-unpack --upgrade",
		"marked", x->marked,
		x->marked_trusted ? "trusted.overlay.opaque" : "user.overlay.opaque",
		x->marked_trusted ? "with userxattr and in user namespaces" :
				    "by root without userxattr");
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
	check_put_chain(o, x);
	put_marked(o, x);
	check_put_ids(o, x);
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
		out_indent(ctx->out, CHECK_FACTS_INDENT);
		put_file(ctx->out, &x, operands[0]);
		out_indent(ctx->out, CHECK_VERDICTS_INDENT);
		r = check_put_verdicts(ctx->out, &x, a, e);
		out_indent(ctx->out, 0);
		out_end(ctx->out);
	}
	explain_done(&x);
	return r;
}
