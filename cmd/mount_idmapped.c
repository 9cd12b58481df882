/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: mount directories, and stacks of layers, with other owners than the disk says. */

#include "cmd.h"

#include <errno.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/idmap/userns.h"
#include "../lib/image/store.h"
#include "../lib/mount/apply.h"
#include "../lib/mount/umount.h"

struct mount_args {
	struct strv maps, options;
	bool unmount, strict;
	const char *store;
};

static const struct opt mount_opts[] = {
	OPT_LIST(struct mount_args, maps, "map", 'm', "MAP", "Show the ids of the disk through this map",
		 .more = "Several are joined. \"none\" takes off the map that SOURCE has."),
	OPT_LIST(struct mount_args, options, "options", 'o', "OPTIONS", "Set mount options, separated by commas",
		 .more = "See MOUNT OPTIONS."),
	OPT_FLAG(struct mount_args, strict, "strict-map", 0, "Refuse a map for users or groups alone",
		 .more = "Without it, the other kind keeps the ids of the disk."),
	OPT_FLAG(struct mount_args, unmount, "unmount", 'u', "Unmount each TARGET"),
	OPT_STORE(struct mount_args, store),
	OPT_END
};

static bool mount_item(size_t i, struct optdoc_item *ret)
{
	return mount_options_row(i, &ret->name, &ret->arg, &ret->help);
}

static const char *const mount_synopsis[] = {
	"[-n] [-m MAP]... [-o OPTIONS] SOURCE TARGET",
	"-u TARGET...",
	NULL
};

static void say_unmount(struct out *out, const char *target)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_escaped(&b, target, strlen(target));
	out_line(out, "unmount '%s'", buf_get(&b) ? buf_get(&b) : "?");
}

static int unmount_all(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	if (a->maps.len || a->options.len || a->strict || a->store)
		return err_usage(e, "option '--unmount' goes with none of --map, --options, --strict-map and --store");
	if (!ctx->operands.len)
		return err_usage(e, "a TARGET is missing");

	for (size_t i = 0; i < ctx->operands.len; i++) {
		const char *target = ctx->operands.items[i];
		int r = ctx->dry_run ? umount_check(target, e) : umount_target(target, e);

		if (r < 0)
			return r;
		if (ctx->dry_run)
			say_unmount(ctx->out, target);
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "target", target);
		out_bool(ctx->out, "unmounted", !ctx->dry_run);
		out_end(ctx->out);
	}
	return STATUS_DONE;
}

/* What both the plan and the result say. */
static void show_plan(const struct mount_plan *p, struct out *out)
{
	scoped_buf struct buf flags = BUF_INIT;

	out_str(out, "target", p->target);
	out_str(out, "source", p->source);
	mount_flags_print(&p->flags, &flags);
	if (buf_get(&flags))
		out_str(out, "flags", buf_get(&flags));
	if (p->upper_kind == UPPER_DIR) {
		out_str(out, "upper", p->upper);
		out_str(out, "work", p->work);
	}
	if (p->kind == MOUNT_OVERLAY) {
		out_u64(out, "layers", p->layers.len);
		out_bool(out, "ephemeral", p->upper_kind == UPPER_EPHEMERAL);
	}
}

static void show_map(const char *key, const struct idmap *m, struct out *out)
{
	scoped_buf struct buf b = BUF_INIT;

	idmap_print(m, &b);
	if (buf_get(&b))
		out_str(out, key, buf_get(&b));
}

static int show_steps(const struct mount_plan *p, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv steps = { 0 };
	int r = mount_plan_check(p, e);

	if (r == 0)
		r = mount_plan_steps(p, &steps, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < steps.len; i++)
		out_line(ctx->out, "%s", steps.items[i]);
	if (!out_json(ctx->out))
		return STATUS_DONE;

	out_begin(ctx->out, NULL);
	show_plan(p, ctx->out);
	if (p->map.wish == MAP_SET)
		show_map("map", &p->map.map, ctx->out);
	out_array(ctx->out, "steps");
	for (size_t i = 0; i < steps.len; i++)
		out_str(ctx->out, NULL, steps.items[i]);
	out_array_end(ctx->out);
	out_end(ctx->out);
	return STATUS_DONE;
}

static void say_result(const struct mount_plan *p, const struct mount_result *res)
{
	scoped_buf struct buf target = BUF_INIT, words = BUF_INIT;

	buf_escaped(&target, p->target, strlen(p->target));
	if (p->map.wish == MAP_KEEP && res->info.map_known)
		idmap_print_words(&res->info.map, &words);
	else
		mount_map_print_words(&p->map, &words);
	if (!buf_get(&target) || !buf_get(&words))
		return;
	log_verbose("'%s': %s", buf_get(&target), buf_get(&words));
	if (res->way)
		log_verbose("'%s': %zu layers, given by %s%s", buf_get(&target), p->layers.len, res->way,
			    p->upper_kind == UPPER_NONE ? ", read-only" :
			    res->upper_plain ? ", changes are stored as seen ids" : ", changes are stored as disk ids");
}

static void show_result(const struct mount_plan *p, const struct mount_result *res, struct out *out)
{
	bool set = p->map.wish == MAP_SET;

	out_begin(out, NULL);
	show_plan(p, out);
	out_str(out, "type", res->info.type);
	if (set || res->info.map_known)
		show_map("map", set ? &p->map.map : &res->info.map, out);
	if (p->kind == MOUNT_BIND)
		out_str(out, "map_change", map_done_name(res->map));
	if (res->way)
		out_str(out, "layers_by", res->way);
	if (p->kind == MOUNT_OVERLAY && p->upper_kind != UPPER_NONE)
		out_str(out, "upper_map", res->upper_plain ? "none" : "same");
	out_end(out);
}

/* SOURCE "image:NAME": its layers, which stay while the store is open. Anything else has none of its own. */
static int resolve_image(const char *source, const char *path, struct store **ret, struct strv *layers, struct err *e)
{
	scoped_store struct store *store = NULL;
	int r;

	if (strncmp(source, "image:", 6))
		return 0;
	if (!source[6])
		return err_usage(e, "the name of the image is missing: image:NAME");

	r = store_open(path, 0, &store, e);
	if (r == 0)
		r = store_image_layers(store, source + 6, layers, NULL, e);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(store);
	return 0;
}

static int mount_one(struct mount_args *a, struct mount_options *o, struct ctx *ctx, struct err *e)
{
	const char *source = ctx->operands.items[0], *target = ctx->operands.items[1];
	scoped_mount_plan struct mount_plan plan = { 0 };
	scoped_store struct store *store = NULL;
	scoped_strv struct strv layers = { 0 };
	struct mount_result res;
	int r;

	r = resolve_image(source, o->store ? o->store : a->store, &store, &layers, e);
	if (r == 0)
		r = mount_plan_build(&plan, source, target, o, store ? &layers : NULL, a->strict, e);
	if (r < 0)
		return r;
	if (ctx->dry_run)
		return show_steps(&plan, ctx, e);

	r = mount_apply(&plan, &res, e);
	userns_cache_done();
	if (r < 0)
		return r;
	say_result(&plan, &res);
	show_result(&plan, &res, ctx->out);
	mount_result_done(&res);
	return STATUS_DONE;
}

static int mount_run(void *args, struct ctx *ctx, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	struct mount_args *a = args;

	if (a->unmount)
		return unmount_all(a, ctx, e);
	if (ctx->operands.len != 2)
		return err_usage(e, ctx->operands.len < 2 ? "SOURCE and TARGET are needed" : "too many operands: SOURCE and TARGET are all");

	for (size_t i = 0; i < a->maps.len; i++)
		if (strv_add(&o.maps, a->maps.items[i]) < 0)
			return err_nomem(e);
	for (size_t i = 0; i < a->options.len; i++) {
		int r = mount_options_parse(&o, a->options.items[i], e);

		if (r < 0)
			return r;
	}
	return mount_one(a, &o, ctx, e);
}

const struct cmd cmd_mount_idmapped = {
	.name = "mount-idmapped",
	.brief = "Mount directories and image layers with mapped owners",
	.synopsis = mount_synopsis,
	.opts = mount_opts,
	.args_size = sizeof(struct mount_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_FILE,
	.item = mount_item,
	.flags = CMD_DRY_RUN | CMD_ROOT_GUARD,
	.run = mount_run,
};
