/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mount-idmapped: mount directories, filesystems, and stacks of layers, with other owners than the
 * disk says.
 */

#include "mount_idmapped.h"

#include <errno.h>
#include <string.h>

#include "../lib/idmap/userns.h"
#include "../lib/mount/exposure.h"
#include "../lib/mount/image_source.h"
#include "../lib/mount/match.h"
#include "../lib/mount/umount.h"
#include "../lib/store/store.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_plan.h"
#include "mount_line.h"

static const struct opt mount_opts[] = {
	OPT_LIST(struct mount_args, maps, "map", 'm', "MAP",
		"Show the ids of the disk through this map",
		.more = "Several are joined. \"none\" takes off the map that SOURCE has."),
	OPT_LIST(struct mount_args, options, "options", 'o', "OPTIONS",
		"Set mount options, separated by commas", .more = "See MOUNT OPTIONS."),
	OPT_STR(struct mount_args, type, "type", 't', "TYPE", "Mount a filesystem of this type",
		.more = "Without it, libblkid looks what SOURCE holds. A contradiction between the "
			"two is told."),
	OPT_FLAG(struct mount_args, strict, "strict-map", 0,
		"Refuse a map for users or groups alone",
		.more = "Without it, the other kind keeps the ids of the disk."),
	OPT_FLAG(struct mount_args, all, "all", 'a', "Mount the lines of an fstab, all or none",
		.more = "See FSTAB."),
	OPT_STR(struct mount_args, fstab, "fstab", 'T', "FSTAB", "Read this fstab",
		.comp = COMP_FILE, .more = "The default is /etc/fstab."),
	OPT_FLAG(struct mount_args, once, "once", 0, "Do nothing where it is mounted already",
		.more = "Another map or other flags there are an error. It is always so for lines "
			"of an fstab."),
	OPT_FLAG(struct mount_args, exec, "exec", 'e', "Mount only for the command after --",
		.more = "It runs in a mount namespace of its own, where alone the mount is seen, "
			"and which ends with it."),
	OPT_FLAG(struct mount_args, unmount, "unmount", 'u', "Unmount each TARGET",
		.more = "A mount that is busy stays, and who holds it is told."),
	OPT_FLAG(struct mount_args, recursive, "recursive", 'R',
		"With --unmount, what is mounted below goes first"),
	OPT_STORE(struct mount_args, store), OPT_END
};

static bool mount_item(size_t i, struct optdoc_item *ret)
{
	return mount_options_row(i, &ret->name, &ret->arg, &ret->help);
}

static const char *const mount_synopsis[] = {
	"[-n] [-m MAP]... [-t TYPE] [-o OPTIONS] [--once] SOURCE TARGET",
	"[-n] [-T FSTAB] TARGET|SOURCE", "-a [-n] [-u [-R]] [-T FSTAB]", "-u [-R] TARGET...",
	"-e [-m MAP]... [-o OPTIONS] SOURCE TARGET -- CMD...", NULL
};

void mount_stores_done(struct mount_stores *s)
{
	for (size_t i = 0; i < s->open.len; i++) {
		free(s->open.items[i].path);
		store_close(s->open.items[i].store);
	}
	VEC_DONE(&s->open);
}

static int stores_get(struct mount_stores *s, const char *path, struct store **ret, struct err *e)
{
	scoped_store struct store *store = NULL;
	struct mount_store opened;
	int r;

	for (size_t i = 0; i < s->open.len; i++) {
		if (!strcmp(s->open.items[i].path, path ? path : "")) {
			*ret = s->open.items[i].store;
			return 0;
		}
	}
	r = store_open(path, 0, &store, e);
	if (r < 0)
		return r;
	opened = (struct mount_store){ strdup(path ? path : ""), store };
	if (!opened.path || VEC_ADD(&s->open, opened) < 0) {
		free(opened.path);
		return err_nomem(e);
	}
	*ret = TAKE_PTR(store);
	return 0;
}

int mount_plan_words(const struct mount_args *a, struct mount_request q,
	struct mount_stores *stores, struct mount_plan *ret, struct err *e)
{
	scoped_strv struct strv layers = { 0 };
	const char *image = image_source_name(q.source);
	struct store *store = NULL;
	int r = 0;

	if (image) {
		if (!*image)
			return err_usage(e, "the name of the image is missing: image:NAME");
		r = stores_get(stores, q.options->store ? q.options->store : a->store, &store, e);
		if (r == 0)
			r = store_image_layers(store, image, &layers, NULL, e);
	}
	q.layers = store ? &layers : NULL;
	q.strict = a->strict;
	if (r == 0)
		r = mount_plan_build(ret, &q, e);
	return r == 0 && store ? store_plan(ret, store, e) : r;
}

/* What --dry-run has to say but for the target itself. */
static int show_unmount(
	const struct mount_args *a, const char *target, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv below = { 0 };
	int r = umount_check(target, a->recursive ? &below : NULL, e);

	for (size_t i = 0; i < below.len && r == 0; i++) {
		scoped_buf struct buf b = BUF_INIT;

		buf_printf(&b, "%s/%s", target, below.items[i]);
		if (!buf_get(&b))
			return err_nomem(e);
		mount_show_unmounted(buf_get(&b), ctx);
	}
	return r;
}

static int unmount_each(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	if (a->maps.len || a->options.len || a->type || a->strict || a->store || a->once ||
		a->fstab)
		return err_usage(e,
			"option '--unmount' goes with none of --map, --options, --type, "
			"--strict-map, --once, --fstab and --store");
	if (!ctx->operands.len)
		return err_usage(e, "a TARGET is missing");

	for (size_t i = 0; i < ctx->operands.len; i++) {
		const char *target = ctx->operands.items[i];
		int r = ctx->dry_run ?
			show_unmount(a, target, ctx, e) :
			umount_target(target, a->recursive ? UMOUNT_TREE : UMOUNT_PLAIN, e);

		if (r < 0)
			return r;
		mount_show_unmounted(target, ctx);
	}
	return STATUS_DONE;
}

/* 1: it is there already, and was told of. */
static int there_already(const struct mount_plan *p, struct ctx *ctx, struct err *e)
{
	scoped_mount_snapshot struct mount_snapshot s = { 0 };
	int id, r = plan_is_mounted(p, &s, &id, e);

	if (r > 0)
		mount_show_there(p, ctx);
	return r;
}

static int mount_one(
	const struct mount_args *a, const struct mount_options *o, struct ctx *ctx, struct err *e)
{
	const struct mount_request q = {
		.source = ctx->operands.items[0],
		.target = ctx->operands.items[1],
		.options = o,
	};
	scoped_mount_stores struct mount_stores stores = { 0 };
	scoped_mount_plan struct mount_plan plan = { 0 };
	struct mount_result res;
	int r;

	r = mount_plan_words(a, q, &stores, &plan, e);
	if (r == 0)
		r = mount_line_check(&plan, e);
	if (r == 0 && a->once)
		r = there_already(&plan, ctx, e);
	if (r != 0)
		return r < 0 ? r : STATUS_DONE;
	plan.for_command = a->exec;
	if (ctx->dry_run) {
		r = plan.kind == MOUNT_FS ?
			0 :
			exposure_check_plan(&plan, e); /* of a device, it is one of the steps */
		return r == 0 ? mount_show_steps(&plan, ctx, e) : r;
	}

	r = mount_apply(&plan, NULL, &res, e);
	userns_cache_done();
	if (r < 0)
		return r;
	mount_show_result(&plan, &res, ctx);
	mount_result_done(&res);
	return STATUS_DONE;
}

/* What is to be mounted is in an fstab. */
static int from_table(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	if (a->maps.len || a->options.len || a->type)
		return err_usage(e,
			a->all ? "option '--all' goes with none of --map, --options and --type" :
				 "SOURCE and TARGET are needed");
	if (!a->all)
		return mount_table_one(a, ctx->operands.items[0], ctx, e);
	if (ctx->operands.len)
		return err_usage(e, "unexpected operand '%s': --all takes its lines from the fstab",
			ctx->operands.items[0]);
	return mount_table_all(a, ctx, e);
}

static int set_type(const struct mount_args *a, struct mount_options *o, struct err *e)
{
	if (!a->type)
		return 0;
	if (!*a->type)
		return err_usage(e, "the TYPE must not be empty");
	if (o->type && strcmp(o->type, a->type))
		return err_usage(e, "--type says '%s', and -o says '%s'", a->type, o->type);
	free(o->type);
	o->type = strdup(a->type);
	return o->type ? 0 : err_nomem(e);
}

static int mount_run(void *args, struct ctx *ctx, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	const struct mount_args *a = args;
	int r;

	if (a->recursive && !a->unmount)
		return err_usage(e,
			"option '--recursive' goes with --unmount; to bind what is mounted below: "
			"-o rbind");
	if (a->unmount && !a->all)
		return unmount_each(a, ctx, e);
	if (a->all || ctx->operands.len == 1)
		return from_table(a, ctx, e);
	if (ctx->operands.len != 2)
		return err_usage(e,
			ctx->operands.len < 2 ? "SOURCE and TARGET are needed" :
						"too many operands: SOURCE and TARGET are all");
	if (a->fstab)
		return err_usage(
			e, "option '--fstab' is for --all and for a TARGET or SOURCE alone");

	for (size_t i = 0; i < a->maps.len; i++)
		if (strv_add(&o.maps, a->maps.items[i]) < 0)
			return err_nomem(e);
	for (size_t i = 0; i < a->options.len; i++) {
		r = mount_options_parse(&o, a->options.items[i], e);
		if (r < 0)
			return r;
	}
	r = set_type(a, &o, e);
	return r < 0 ? r : mount_one(a, &o, ctx, e);
}

const struct cmd cmd_mount_idmapped = {
	.name = "mount-idmapped",
	.brief = "Mount directories, filesystems and image layers with mapped owners",
	.synopsis = mount_synopsis,
	.opts = mount_opts,
	.args_size = sizeof(struct mount_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_FILE,
	.item = mount_item,
	.flags = CMD_DRY_RUN | CMD_ROOT_GUARD,
	.before = mount_exec,
	.run = mount_run,
};
