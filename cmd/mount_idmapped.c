/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: mount directories, filesystems and stacks of layers with mapped owners. */

#include "mount_idmapped.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/exposure.h"
#include "../lib/mount/image_source.h"
#include "../lib/mount/known.h"
#include "../lib/mount/match.h"
#include "../lib/mount/options.h"
#include "../lib/mount/target.h"
#include "../lib/mount/umount.h"
#include "../lib/store/store.h"
#include "habits.h"
#include "missing_source.h"
#include "mount_helper.h"
#include "mount_line.h"
#include "mount_namespace.h"
#include "mount_operands.h"
#include "subids.h"

enum { FORM_MOUNT, FORM_ALL, FORM_UNMOUNT, FORM_LINE };
enum {
	IN_MOUNT = 1 << FORM_MOUNT,
	IN_ALL = 1 << FORM_ALL,
	IN_UNMOUNT = 1 << FORM_UNMOUNT,
	IN_LINE = 1 << FORM_LINE,
	MOUNTS = IN_MOUNT | IN_ALL | IN_LINE,
};

enum { EXCL_EXEC = 1 };

/* Why options that describe one mount are refused for others. */
#define FROM_LINE \
	"omit it: -u needs only a TARGET, and a line of an fstab has its own map=MAP, type and " \
	"options"

static const struct opt_form forms[] = {
	{ "mounting SOURCE on TARGET", NULL, NULL, NULL,
		OPT_SYNOPSIS("[-n] [-m MAP]... [-t TYPE] [-o OPTIONS] [--once] SOURCE TARGET",
			"-e [-m MAP]... [-o OPTIONS] SOURCE TARGET -- CMD...") },
	{ "--all", NULL, "all", "Mount the lines of an fstab, or unmount them",
		OPT_SYNOPSIS("-a [-n] [-u [-R]] [--force] [-T FSTAB]") },
	{ "--unmount", NULL, "unmount", "Unmount each TARGET", OPT_SYNOPSIS("-u [-R] TARGET...") },
	{ "a line of the fstab", NULL, NULL, NULL, OPT_SYNOPSIS("[-n] [-T FSTAB] TARGET|SOURCE") },
	{ .name = NULL },
};

static const struct opt mount_opts[] = {
	OPT_LIST(struct mount_args, maps, "map", 'm', "MAP", "Translate on-disk ids with this map",
		.example = MAP_EXAMPLES, .comp = COMP_MAP, .forms = IN_MOUNT, .instead = FROM_LINE,
		.more = "Several maps are joined. \"none\" removes the map that SOURCE has. See "
			"MAPS."),
	OPT_LIST(struct mount_args, options, "options", 'o', "OPTIONS",
		"Set mount options, separated by commas", .comp = COMP_OPTIONS,
		.values = mount_options_words, .forms = IN_MOUNT, .instead = FROM_LINE,
		.more = "See MOUNT OPTIONS."),
	OPT_STR(struct mount_args, type, "type", 't', "TYPE", "Mount a filesystem of this type",
		.filled = true, .forms = IN_MOUNT, .instead = FROM_LINE,
		.more = "Without the option, libblkid detects the type from the contents of "
			"SOURCE. A warning is printed if the two disagree."),
	OPT_FLAG(struct mount_args, strict, "strict-map", 0,
		"Refuse maps that cover only users or only groups", .forms = MOUNTS,
		.more = "Without the option, the ids of the other kind are shown as they are on "
			"disk."),
	OPT_STORE(struct mount_args, store, .forms = MOUNTS),
	OPT_FLAG(struct mount_args, once, "once", 0,
		"Succeed if TARGET is already mounted like this", .forms = MOUNTS,
		.more = "A mount there with another map, layer, upper or other flags is an error. "
			"Lines of an fstab are always mounted like this."),
	OPT_FLAG(struct mount_args, exec, "exec", 'e',
		"Mount in a private namespace, for CMD after -- only", .forms = MOUNTS,
		.excl = EXCL_EXEC,
		.more = "The command runs in a new mount namespace. The mount exists only there, "
			"and disappears with the namespace."),
	OPT_FLAG(struct mount_args, unmount, "unmount", 'u', "Unmount each TARGET",
		.heading = "Unmounting", .forms = IN_UNMOUNT | IN_ALL, .excl = EXCL_EXEC,
		.more = "A busy mount is left mounted, and its users are listed. With --all, the "
			"lines of the fstab are unmounted."),
	OPT_FLAG(struct mount_args, recursive, "recursive", 'R',
		"With --unmount: unmount everything below, too", .needs = "unmount",
		.forms = IN_UNMOUNT | IN_ALL, .instead = "to bind what is mounted below: -o rbind"),
	OPT_FLAG(struct mount_args, all, "all", 'a',
		"Mount all shiftbox lines of fstab (undone if one fails)",
		.heading = "Lines of an fstab", .forms = IN_UNMOUNT | IN_ALL, .more = "See FSTAB."),
	OPT_FLAG(struct mount_args, force, "force", 0,
		"With --all: unmount views even if they are in use", .needs = "all",
		.forms = IN_ALL,
		.more = "A view stays visible to the processes that use it. See VIEWS."),
	OPT_STR(struct mount_args, fstab, "fstab", 'T', "FSTAB", "Read this fstab",
		.comp = COMP_FILE, .forms = IN_ALL | IN_LINE,
		.more = "The default is /etc/fstab and, for lines with each=, "
			"/etc/shiftbox/views."),
	OPT_END,
};

static bool mount_item(size_t i, struct optdoc_item *ret)
{
	return mount_options_row(i, &ret->name, &ret->arg, &ret->help);
}

/* A single operand is looked up in the fstab, unless options describe a mount. With --exec,
 * operands end before the command. */
static size_t mount_form(const void *args, const struct operands *o)
{
	const struct mount_args *a = args;
	bool mounts = a->maps.len || a->options.len || a->type;

	return (a->exec ? o->dashdash : o->len) == 1 && !mounts ? FORM_LINE : FORM_MOUNT;
}

/* List what --dry-run would unmount below the target. */
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
		mount_show_unmounted(buf_get(&b), NULL, ctx);
	}
	return r;
}

/* Two words of which only the last is a mount may be a SOURCE and a TARGET. failed: an index */
static void advise_unmount(const struct operands *o, size_t failed, struct err *e)
{
	scoped_buf struct buf target = BUF_INIT;

	if (e && e->num == ENOENT && image_source_name(o->items[failed])) {
		err_try(e,
			"name the directory that the image is mounted on: shiftbox shift-check "
			"list shows it");
		return;
	}
	if (failed != 0 || o->len != 2 || !e || strcmp(e->op, "umount") || e->num ||
		umount_check(o->items[1], NULL, NULL) < 0)
		return;
	buf_shell_word(&target, o->items[1]);
	err_try(e, "-u takes only a TARGET: shiftbox mount-idmapped -u %s",
		buf_get(&target) ? buf_get(&target) : "TARGET");
}

static int unmount_each(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	if (!ctx->operands.len)
		return err_usage_try(e, "shiftbox mount-idmapped -u TARGET", "a TARGET is missing");

	for (size_t i = 0; i < ctx->operands.len; i++) {
		const char *target = ctx->operands.items[i];
		scoped_known_mount struct known_mount known = KNOWN_MOUNT_INIT;
		bool is_known = *target && known_look(target, &known);
		int r = !*target ?
			err_usage_try(e, "name it; in a script, a variable may be empty",
				"TARGET must not be empty") :
			ctx->dry_run ?
			show_unmount(a, target, ctx, e) :
			umount_target(target, a->recursive ? UMOUNT_TREE : UMOUNT_PLAIN, e);

		if (r < 0) {
			advise_unmount(&ctx->operands, i, e);
			return r;
		}
		mount_show_unmounted(target, is_known ? &known : NULL, ctx);
	}
	return STATUS_DONE;
}

/* Returns 1 if it is mounted already, which is reported. */
static int there_already(const struct mount_plan *p, struct ctx *ctx, struct err *e)
{
	scoped_mount_snapshot struct mount_snapshot s = { 0 };
	int id, r = plan_is_mounted(p, &s, &id, e);

	if (r > 0)
		mount_show_there(p, ctx);
	return r;
}

/* A second mount on the same place covers the first, which stays. */
static void note_second(const struct mount_plan *p)
{
	scoped_mount_snapshot struct mount_snapshot s = { 0 };
	int id;

	if (plan_is_mounted(p, &s, &id, NULL) > 0)
		log_info(
			"'%s': it is already mounted there like this; the new mount covers it, and "
			"it takes two -u to remove both (--once mounts it only once)",
			p->target);
}

static int dry_run(const struct mount_plan *p, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv warnings = { 0 };
	struct mount_flags flags;
	int r = mount_trial(p, true, &flags, &warnings, e);

	userns_cache_done();
	if (r < 0)
		return r;
	exposure_warn_stack(p, &warnings); /* all else was checked by the trial, or is a step */
	log_kept(&warnings);
	mount_misfit_say(p, mount_misfit_source_mapped(p));
	return mount_show_steps(p, flags, ctx, e);
}

/* A missing target is reported before warnings about a mount that will not be made. */
static int check_target(const struct mount_plan *p, struct err *e)
{
	const struct target_how how = { .follow = p->follow };
	struct stat st;

	if (p->kind != MOUNT_BIND || p->mkdir || !*p->target || mount_plan_stat(p, &st) < 0 ||
		path_stat(p->target, false, &st) != -ENOENT)
		return 0;
	return target_check(p->target, &how, e);
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
	if (r == 0 && mount_line_place())
		r = mount_plan_check_absolute(&plan, o, e);
	if (r == 0)
		r = mount_namespace_enter(&plan, !ctx->dry_run, e);
	if (r == 0)
		r = mount_line_check(&plan, mount_line_found(), e);
	if (r == 0 && a->once)
		r = there_already(&plan, ctx, e);
	if (r != 0)
		return r < 0 ? r : STATUS_DONE;
	plan.for_command = a->exec;
	r = check_target(&plan, e);
	if (r < 0)
		return r;
	if (!a->once && !a->exec && !plan.mkdir)
		note_second(&plan);
	if (ctx->dry_run)
		return dry_run(&plan, ctx, e);

	r = mount_apply(&plan, NULL, &res, e);
	userns_cache_done();
	if (r < 0)
		return r;
	log_kept(&res.warnings);
	mount_misfit_say(&plan, res.map_change == MAP_KEPT);
	/* The user options of mount(8) are those of its own namespace. */
	known_add(&plan, &res,
		mount_helper_no_table() || mount_namespace_is_set() ? NULL :
								      mount_line_user_options());
	mount_show_result(&plan, &res, ctx);
	mount_result_done(&res);
	return STATUS_DONE;
}

/* Mount lines of an fstab. */
static int from_table(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	if (!a->all) {
		const char *word = ctx->operands.items[0];
		int r = mount_table_one(a, word, ctx, e);

		if (r == -ENOENT && e && !strcmp(e->op, "fstab"))
			(void)mount_advise_volume(word, ctx->verbose, e);
		return r;
	}
	if (ctx->operands.len)
		return err_usage_try(e, "omit it, or omit --all",
			"unexpected operand '%s': --all takes its lines from the fstab",
			ctx->operands.items[0]);
	return mount_table_all(a, ctx, e);
}

static int set_type(const struct mount_args *a, struct mount_options *o, struct err *e)
{
	if (!a->type)
		return 0;
	if (o->type && strcmp(o->type, a->type))
		return err_usage_try(e, "omit one of them", "--type says '%s', and -o says '%s'",
			a->type, o->type);
	free(o->type);
	o->type = strdup(a->type);
	return o->type ? 0 : err_nomem(e);
}

static int mount_words(const struct mount_args *a, struct ctx *ctx, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	int r;

	if (ctx->form == FORM_UNMOUNT)
		return unmount_each(a, ctx, e);
	if (ctx->form == FORM_ALL || ctx->form == FORM_LINE)
		return from_table(a, ctx, e);
	if (ctx->operands.len != 2)
		return ctx->operands.len < 2 ? mount_too_few(a, &ctx->operands, ctx->verbose, e) :
					       mount_too_many(a, &ctx->operands, e);

	r = mount_check_swapped(ctx->operands.items, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < a->maps.len; i++)
		if (strv_add(&o.maps, a->maps.items[i]) < 0)
			return err_nomem(e);
	for (size_t i = 0; i < a->options.len; i++) {
		r = mount_options_parse(&o, a->options.items[i], e);
		if (r < 0)
			return r;
	}
	r = set_type(a, &o, e);
	if (r == 0)
		r = mount_one(a, &o, ctx, e);
	if (r < 0 && e && e->usage)
		(void)mount_advise_map(a, ctx->operands.items, e);
	if (r < 0 && e)
		mount_advise_target(ctx->operands.items, e);
	if (r < 0)
		source_advise(
			ctx->operands.items[0], o.store ? o.store : a->store, IMAGE_SOURCE "%s", e);
	return r;
}

static int mount_run(void *args, struct ctx *ctx, struct err *e)
{
	int r;

	subids_tell_ignored();
	r = mount_words(args, ctx, e);
	known_write(); /* after a failure, too: some of several mounts may be made, or gone */
	return r;
}

const struct cmd cmd_mount_idmapped = {
	.name = "mount-idmapped",
	.brief = "Mount directories, filesystems and image layers with mapped owners",
	.forms = forms,
	.opts = mount_opts,
	.habits = mount_idmapped_habits,
	.args_size = sizeof(struct mount_args),
	.operands_max = SIZE_MAX,
	.operand_comp = COMP_SOURCE,
	.item = mount_item,
	.flags = CMD_DRY_RUN | CMD_ROOT_GUARD,
	.stopped = "each mount is complete or absent; the next run cleans up the rest",
	.form = mount_form,
	.before = mount_exec,
	.run = mount_run,
};
