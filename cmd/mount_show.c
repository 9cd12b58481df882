/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_show: print plans and results of mount-idmapped. */

#include "mount_idmapped.h"

#include "../lib/base/log.h"
#include "../lib/base/plural.h"
#include "../lib/mount/known.h"

static void show_fs(const struct mount_plan *p, struct out *out)
{
	scoped_buf struct buf options = BUF_INIT;

	if (p->offset)
		out_u64(out, "offset", p->offset);
	if (p->sizelimit)
		out_u64(out, "sizelimit", p->sizelimit);
	if (p->subdir)
		out_str(out, "subdir", p->subdir);
	mount_fs_options_print(p->fs_options.items, p->fs_options.len, &options);
	if (options.len && buf_get(&options))
		out_str(out, "driver_options", buf_get(&options));
}

/* What is mounted inside, of a directory NAME.mstack. */
static void show_inside(const struct mount_plan *p, struct out *out)
{
	out_array(out, "inside");
	for (size_t i = 0; i < p->inside.len; i++) {
		const struct mount_plan *part = p->inside.items[i].plan;
		scoped_buf struct buf words = BUF_INIT;
		const struct mount_flags flags = mount_plan_flags(part);

		mount_flags_print(&flags, &words);
		out_begin(out, NULL);
		out_str(out, "below", p->inside.items[i].place);
		out_str(out, "source", part->source);
		if (buf_get(&words))
			out_str(out, "flags", buf_get(&words));
		out_end(out);
	}
	out_array_end(out);
}

/* The members that plans and results have in common. */
static void show_plan(const struct mount_plan *p, const struct mount_flags *flags, struct out *out)
{
	scoped_buf struct buf words = BUF_INIT;

	out_str(out, "target", p->target);
	out_str(out, "source", p->source);
	mount_flags_print(flags, &words);
	if (buf_get(&words))
		out_str(out, "flags", buf_get(&words));
	if (p->upper_kind == UPPER_DIR) {
		out_str(out, "upper", p->upper);
		out_str(out, "work", p->work);
	}
	if (p->kind == MOUNT_OVERLAY) {
		out_u64(out, "layers", p->layers.len);
		out_bool(out, "ephemeral", p->upper_kind == UPPER_EPHEMERAL);
	}
	if (p->kind == MOUNT_FS)
		show_fs(p, out);
	if (p->inside.len)
		show_inside(p, out);
	if (!p->misfits.len)
		return;
	out_array(out, "warnings");
	for (size_t i = 0; i < p->misfits.len; i++)
		out_str(out, NULL, p->misfits.items[i]);
	out_array_end(out);
}

static void show_map(const char *key, const struct idmap *m, struct out *out)
{
	scoped_buf struct buf b = BUF_INIT;

	idmap_print(m, &b);
	if (buf_get(&b))
		out_str(out, key, buf_get(&b));
}

int mount_show_steps(
	const struct mount_plan *p, struct mount_flags flags, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv steps = { 0 };
	int r = mount_plan_check(p, e);

	if (r == 0)
		r = mount_plan_steps(p, &flags, &steps, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < steps.len; i++)
		out_safe_line(ctx->out, "%s", steps.items[i]);
	if (!out_json(ctx->out))
		return STATUS_DONE;

	out_begin(ctx->out, NULL);
	show_plan(p, &flags, ctx->out);
	if (p->map.wish == MAP_SET)
		show_map("map", &p->map.map, ctx->out);
	out_array(ctx->out, "steps");
	for (size_t i = 0; i < steps.len; i++)
		out_str(ctx->out, NULL, steps.items[i]);
	out_array_end(ctx->out);
	out_end(ctx->out);
	return STATUS_DONE;
}

/* A mount below the target, with its type and map, or why it is skipped. */
static void show_submount(const struct submount *m, struct out *out)
{
	out_begin(out, NULL);
	out_str(out, "below", m->rel);
	out_str(out, "type", m->info.type);
	if (m->skipped) {
		out_str(out, "left_out", m->why);
	} else {
		if (m->info.map_known)
			show_map("map", &m->info.map, out);
		out_str(out, "map_change", map_change_name(m->map_change));
	}
	out_end(out);
}

static void show_submounts(const struct mount_result *res, struct out *out)
{
	out_array(out, "submounts");
	for (size_t i = 0; i < res->below.mounts.len; i++)
		show_submount(&res->below.mounts.items[i], out);
	out_array_end(out);
}

static void say_submounts(const struct mount_plan *p, const struct mount_result *res)
{
	for (size_t i = 0; i < res->below.mounts.len; i++) {
		const struct submount *m = &res->below.mounts.items[i];
		scoped_buf struct buf b = BUF_INIT;

		if (m->skipped)
			continue; /* this was logged before */
		buf_printf(&b, "'%s/%s' (%s): ", p->target, m->rel, m->info.type);
		if (m->info.map_known)
			idmap_print_words(&m->info.map, &b);
		else
			buf_str(&b, m->info.mapped ? "ID-mapped" : "ids as on the disk");
		if (buf_get(&b))
			log_verbose("%s", buf_get(&b));
	}
}

static void say_result(const struct mount_plan *p, const struct mount_result *res)
{
	scoped_buf struct buf words = BUF_INIT;

	if (p->map.wish == MAP_KEEP && res->info.map_known)
		idmap_print_words(&res->info.map, &words);
	else
		mount_map_print_words(&p->map, &words);
	if (!buf_get(&words))
		return;
	log_verbose("'%s': %s", p->target, buf_get(&words));
	if (res->device)
		log_verbose("'%s': %s (%s%s)", p->target, res->device, res->info.type,
			res->read_only ? ", the filesystem itself is read-only" : "");
	say_submounts(p, res);
	if (res->method && p->kind == MOUNT_OVERLAY)
		log_verbose("'%s': %zu %s, given by %s%s", p->target, p->layers.len,
			plural(p->layers.len, "layer", "layers"), res->method,
			p->upper_kind == UPPER_NONE ? ", read-only" :
				res->upper_plain    ? ", changes are stored as seen ids" :
						      ", changes are stored as disk ids");
}

void mount_show_result(const struct mount_plan *p, const struct mount_result *res, struct ctx *ctx)
{
	bool set = p->map.wish == MAP_SET;
	struct out *out = ctx->out;

	say_result(p, res);
	out_begin(out, NULL);
	show_plan(p, &res->flags, out);
	out_str(out, "type", res->info.type);
	if (res->device)
		out_str(out, "device", res->device);
	if (p->kind == MOUNT_FS)
		out_bool(out, "read_only", res->read_only);
	if (set || res->info.map_known)
		show_map("map", set ? &p->map.map : &res->info.map, out);
	if (p->kind != MOUNT_OVERLAY)
		out_str(out, "map_change", map_change_name(res->map_change));
	if (p->recursive)
		show_submounts(res, out);
	if (res->method)
		out_str(out, "layers_by", res->method);
	if (p->kind == MOUNT_OVERLAY && p->upper_kind != UPPER_NONE)
		out_str(out, "upper_map", res->upper_plain ? "none" : "same");
	out_end(out);
}

void mount_show_there(const struct mount_plan *p, struct ctx *ctx)
{
	const struct mount_flags flags = mount_plan_flags(p);

	if (ctx->dry_run)
		out_safe_line(ctx->out, "'%s' is mounted already, as it should be", p->target);
	else
		log_verbose("'%s': mounted already, as it should be", p->target);
	out_begin(ctx->out, NULL);
	show_plan(p, &flags, ctx->out);
	if (p->map.wish == MAP_SET)
		show_map("map", &p->map.map, ctx->out);
	out_bool(ctx->out, "already", true);
	out_end(ctx->out);
}

void mount_show_unmounted(const char *target, const struct known_mount *known, struct ctx *ctx)
{
	const struct idmap *map = known ? mount_record_map(&known->record) : NULL;
	scoped_buf struct buf words = BUF_INIT;

	if (map)
		idmap_print_words(map, &words);
	if (ctx->dry_run && words.len)
		out_safe_line(
			ctx->out, "unmount '%s' (%s: %s)", target, known->info.source, words.data);
	else if (ctx->dry_run)
		out_safe_line(ctx->out, "unmount '%s'", target);
	else if (words.len)
		log_verbose("unmounted '%s' (%s: %s)", target, known->info.source, words.data);
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "target", target);
	if (known)
		out_str(ctx->out, "source", known->info.source);
	if (map)
		show_map("map", map, ctx->out);
	out_bool(ctx->out, "unmounted", !ctx->dry_run);
	out_end(ctx->out);
}
