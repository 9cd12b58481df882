/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack SOURCE, --flat and --scan: read a source and unpack it, or print what would be done.
 */

#include "image_unpack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/plural.h"
#include "../lib/base/term.h"
#include "../lib/idmap/userns.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/image/unpack.h"
#include "../lib/layer/layer_limits.h"
#include "../lib/layer/layer_process.h"
#include "../lib/source/registry_image.h"
#include "../lib/store/store.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_partial.h"
#include "../lib/tar/blob.h"
#include "missing_source.h"
#include "progress_line.h"
#include "signals.h"

static void platform_default(struct unpack_args *a)
{
	a->platform_given = a->platform.os[0];
	if (!a->platform_given)
		platform_native(&a->platform);
}

/* Several operands, of which one is an image: say which of the mistakes it is. */
static int one_image(const struct ctx *ctx, const char *image, const char *other, struct err *e)
{
	(void)err_usage_try(e, "unpack each image with a command of its own",
		"'%s': only one image at a time (extra operands must be layer archives)", image);
	if (source_has_prefix(other) || store_image_name_check(other, NULL) < 0)
		return -EINVAL;
	if (ctx->dry_run && other == ctx->operands.items[0])
		err_try(e, "-n is --dry-run; the name of the image is -N %s", other);
	else
		err_try(e, "the name of the image is an option: -N %s %s", other, image);
	return -EINVAL;
}

struct source_options unpack_source_options(struct unpack_args *a)
{
	platform_default(a);
	return (struct source_options){
		.platform = &a->platform,
		.strict = a->platform_given,
		.max_bytes = a->max_bytes,
		.insecure = &a->insecure,
		.authfile = a->authfile,
		.cert_dir = a->cert_dir,
		.tries = a->retry,
	};
}

static int open_source(
	struct unpack_args *a, const struct ctx *ctx, struct source **ret, struct err *e)
{
	const struct operands *o = &ctx->operands;
	const struct source_options so = unpack_source_options(a);
	struct stat st;
	int r;

	if (o->len == 1) {
		r = source_open(o->items[0], &so, ret, e);
		if (r < 0)
			unpack_source_advise(o->items[0], a, e);
		return r;
	}
	for (size_t i = 0; i < o->len; i++)
		if (source_has_prefix(o->items[i]))
			return one_image(ctx, o->items[i], o->items[i ? 0 : 1], e);
	r = source_open_tars(o->items, o->len, ret, e);
	if (r == -EISDIR && o->len == 2 && path_stat(o->items[1], true, &st) < 0)
		err_try(e, "unpack a layout with: shiftbox image-unpack -N %s oci:%s", o->items[1],
			o->items[0]);
	return r;
}

static int image_name(
	const struct unpack_args *a, const struct source *src, const char **ret, struct err *e)
{
	int r;

	*ret = a->name ? a->name : src->default_name;
	if (!*ret)
		return err_usage_try(e,
			"shiftbox image-unpack -N NAME LAYER.tar...; of standard input: "
			"image-unpack -N NAME - <LAYER.tar",
			"plain layers and standard input need a --name for the image");
	r = store_image_name_check(*ret, e);
	if (r < 0)
		err_try(e,
			"choose one with --name; shiftbox image-unpack --list shows the names in "
			"use");
	return r < 0 ? r : store_image_name_check_new(*ret, e);
}

static struct layer_options layer_options(const struct unpack_args *a)
{
	struct layer_options o = {
		.user_xattr = userns_is_nested(),
		.keep_security = a->keep_security,
		.rebase_caps = a->caps == CAPS_REBASE,
		.skip_devices = a->devices == DEVICES_SKIP,
		.limits = layer_default_limits,
	};

	o.limits.bytes = a->max_bytes;
	o.limits.entries = a->max_entries;
	return o;
}

/* by_path: the name is neither the user's nor the image's own */
static void print_summary(const struct unpack_args *a, const struct ctx *ctx, const char *name,
	bool by_path, const struct unpack_result *u, double seconds)
{
	char size[16], done[96] = "already in the store";

	if (ctx->json) {
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "event", "image");
		out_str(ctx->out, "name", name);
		out_u64(ctx->out, "layers", u->layers);
		out_u64(ctx->out, "unpacked", u->unpacked);
		out_u64(ctx->out, "shared", u->shared);
		out_u64(ctx->out, "entries", u->entries);
		out_u64(ctx->out, "bytes", u->bytes);
		out_u64(ctx->out, "blob_bytes", u->blob_bytes);
		out_u64(ctx->out, "devices_left_out", u->devices);
		out_u64(ctx->out, "unmapped", u->unmapped);
		out_end(ctx->out);
	} else if (!ctx->quiet) {
		if (u->unpacked || a->flat)
			(void)snprintf(done, sizeof(done), "%llu %s, %s in %.2f s",
				(unsigned long long)u->entries,
				plural(u->entries, "entry", "entries"), human_size(u->bytes, size),
				seconds);
		out_safe_line(ctx->out, "%s: %zu %s (%zu unpacked, %zu shared), %s", name,
			u->layers, plural(u->layers, "layer", "layers"), u->unpacked, u->shared,
			done);
		unpack_print_omitted(a, ctx, u);
		if (by_path)
			out_safe_line(ctx->out,
				"%s is named after the path of its source; -N NAME chooses another "
				"name",
				name);
	}
}

static struct unpack_options unpack_options(
	const struct unpack_args *a, const struct flat_target *flat, const char *name)
{
	struct unpack_options o = {
		.name = name, .jobs = a->jobs, .sync = !a->no_sync, .layer = layer_options(a)
	};

	if (flat && flat->map && a->devices == DEVICES_UNSAID)
		o.layer.no_devices = "skipped: a device can be opened by every user who can "
				     "reach it (--devices=make creates devices)";
	return o;
}

/* What is unpacked, and where to. */
struct unpack_task {
	struct unpack_args *a;
	const struct source *src;
	const char *name;               /* the image's */
	const struct flat_target *flat; /* NULL: the image goes to ... */
	struct store *store;            /* ... this store; NULL in a dry run */
};

static int unpack(const struct unpack_task *t, struct ctx *ctx, struct err *e)
{
	bool bars = !ctx->json && !ctx->quiet && !ctx->verbose && term_moves(STDERR_FILENO);
	struct progress_line *m = progress_line_new(ctx->json ? PROGRESS_LINE_EVENTS :
			bars                                  ? PROGRESS_LINE_BARS :
								PROGRESS_LINE_SILENT,
		STDERR_FILENO, ctx->color_err, ctx->out);
	struct unpack_options opts = unpack_options(t->a, t->flat, t->name);
	struct unpack_result u;
	struct timespec t0, t1;
	int r;

	if (!m)
		return err_nomem(e);
	opts.progress = progress_line_progress(m);
	(void)clock_gettime(CLOCK_MONOTONIC, &t0); /* cannot fail */
	r = unpack_ids(t->a, &opts.layer.ids, e);
	if (r == 0)
		r = layer_process_prepare(e);
	if (r == 0)
		r = t->flat ? unpack_flat(t->flat, t->src, &opts, &u, e) :
			      unpack_image(t->store, t->src, &opts, &u, e);
	if (r == -ENOSPC && e && strcmp(e->op, "userns") != 0)
		unpack_explain_space(t->flat ? t->flat->dir : store_path(t->store), t->src, e);
	progress_line_free(m);
	(void)clock_gettime(CLOCK_MONOTONIC, &t1); /* cannot fail */
	if (r == 0)
		print_summary(t->a, ctx, t->flat ? t->flat->dir : t->name,
			!t->flat && !t->a->name && t->src->named_by_path && u.unpacked, &u,
			(double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
	return r;
}

static void print_size(struct ctx *ctx, uint64_t bytes)
{
	char size[16];

	if (ctx->json)
		out_u64(ctx->out, "size", bytes);
	else
		out_str(ctx->out, "size", human_size(bytes, size));
}

/* Print what would be done with each layer. */
static void print_layers(struct ctx *ctx, const struct source *src, const enum unpack_state *states)
{
	static const char *const words[] = { "unpack", "shared", "unknown" };
	static const struct out_col cols[] = { { "layer", "LAYER", true }, { "size", "SIZE", true },
		{ "state", "STATE", false }, { "name", "NAME", false } };

	out_table(ctx->out, cols, ARRAY_LEN(cols));
	for (size_t i = 0; i < src->n_layers; i++) {
		const struct source_layer *l = &src->layers[i];

		out_begin(ctx->out, NULL);
		out_str(ctx->out, "event", "plan");
		out_u64(ctx->out, "layer", i + 1);
		out_u64(ctx->out, "layers", src->n_layers);
		out_str(ctx->out, "name", l->name);
		if (l->size != BLOB_SIZE_UNKNOWN)
			print_size(ctx, l->size);
		out_str(ctx->out, "state", words[states[i]]);
		out_end(ctx->out);
	}
	out_table_end(ctx->out);
}

/* Where the image would go, and what that would replace. */
static void print_target(const struct unpack_task *t, struct ctx *ctx, const struct store *s,
	const struct unpack_result *u)
{
	const char *to = t->flat ? t->flat->dir : s ? store_path(s) : "a new store";
	const char *replaced =
		t->flat ? "; what it holds now is deleted" : ", in place of the image of this name";

	out_safe_line(ctx->out, "%s: %zu %s, to be unpacked into %s%s", t->name, t->src->n_layers,
		plural(t->src->n_layers, "layer", "layers"), to, u->replaces ? replaced : "");
	if (!ctx->json || !u->replaces)
		return;
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "replace");
	out_str(ctx->out, "name", t->name);
	out_str(ctx->out, "target", to);
	out_end(ctx->out);
}

/* Open the store as the real run would. *ret is NULL if the store would be made. */
static int open_for_trial(const struct unpack_task *t, struct store **ret, struct err *e)
{
	const struct unpack_args *a = t->a;
	struct err own = ERR_INIT;
	int r = store_open_base(a->store, STORE_WOULD_CREATE | (a->open_to_all ? STORE_PUBLIC : 0),
		a->base.count ? &a->base : NULL, ret, &own);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*e = own;
	return r;
}

static int try_store(const struct unpack_task *t, struct unpack_options *opts,
	enum unpack_state *states, struct unpack_result *ret, struct store **ret_store,
	struct err *e)
{
	scoped_idmap struct idmap map = { .gid_assumed = false };
	scoped_strv struct strv names = { 0 };
	struct store *s;
	int r = open_for_trial(t, ret_store, e);

	s = *ret_store;
	if (r == 0)
		r = unpack_use_base(s ? store_base(s) : &t->a->base, &map, &opts->layer, e);
	if (r == 0)
		r = unpack_trial(s, t->src, opts, states, ret, e);
	if (r == 0 && s)
		r = store_image_list(s, &names, e);
	if (r < 0)
		return r;
	ret->replaces = strv_has(&names, t->name);
	return s || t->a->store ? unpack_check_space(s ? store_path(s) : t->a->store, ret, e) : 0;
}

/* --dry-run: read everything that the real run would read, and write nothing. */
static int print_plan(const struct unpack_task *t, struct ctx *ctx, struct err *e)
{
	struct unpack_options opts = unpack_options(t->a, t->flat, t->name);
	scoped_free enum unpack_state *states = calloc(t->src->n_layers + 1, sizeof(*states));
	scoped_store struct store *s = NULL;
	struct unpack_result u;
	int r = states ? unpack_ids(t->a, &opts.layer.ids, e) : err_nomem(e);

	opts.layer.dry = true;
	if (r == 0)
		r = t->flat ? unpack_flat(t->flat, t->src, &opts, &u, e) :
			      try_store(t, &opts, states, &u, &s, e);
	if (r < 0)
		return r;
	print_target(t, ctx, s, &u);
	print_layers(ctx, t->src, states);
	return 0;
}

static void catch_signals(const struct unpack_args *a)
{
	signals_catch(SIGNALS_INTERRUPT,
		a->flat ? "the directory is complete or as before; the next run removes the rest" :
			  "the store keeps only what is complete; the next run removes the rest");
}

static int run_flat(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	struct flat_target to = {
		.dir = a->flat, .replace = a->replace, .open_to_all = a->open_to_all
	};
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct source *src = NULL;
	int r = 0;

	if (a->maps.len) {
		r = idmap_parse((const char *const *)a->maps.items, a->maps.len, NULL, &map, e);
		to.map = idmap_is_identity(&map) ? NULL : &map;
	}
	if (r == 0)
		r = open_source(a, ctx, &src, e);
	if (r == 0) {
		const struct unpack_task t = { .a = a,
			.src = src,
			.name = src->default_name ? src->default_name : a->flat,
			.flat = &to };

		catch_signals(a);
		r = ctx->dry_run ? print_plan(&t, ctx, e) : unpack(&t, ctx, e);
		userns_cache_done();
	}
	source_free(src);
	if (r == -EPERM && to.map && e && !e->hint[0] && userns_is_nested())
		err_try(e,
			"omit -m: a map needs root; without it the files get the ids that the user "
			"has");
	return r;
}

/* A name that now stands for another image may have been a mistake. */
static void print_renamed(
	struct store *s, const char *name, const struct digest *before, const struct ctx *ctx)
{
	struct store_image image;
	char digest[DIGEST_TEXT];

	if (ctx->json || ctx->quiet || store_image_read(s, name, &image, NULL) < 0)
		return;
	if (!digest_equal(&image.manifest, before))
		out_safe_line(ctx->out,
			"%s named another image before (%s); layers that no image uses stay until "
			"--prune",
			name, digest_text(before, digest));
	store_image_done(&image);
}

/* Unpack into the store t->store. A damaged image of that name can be replaced by a whole one. */
static int unpack_stored(const struct unpack_task *t, struct ctx *ctx, struct err *e)
{
	struct store_image image;
	struct digest before;
	struct err sub = ERR_INIT;
	int r = store_image_read(t->store, t->name, &image, &sub);
	bool replaces = r == 0;

	if (replaces) {
		before = image.manifest;
		store_image_done(&image);
	} else if (r != -ENOENT && r != -EBADMSG) {
		*e = sub;
		return r;
	}
	catch_signals(t->a);
	r = unpack(t, ctx, e);
	if (r == 0 && replaces)
		print_renamed(t->store, t->name, &before, ctx);
	return r;
}

/* Let interrupted downloads go on where they stopped. Without parts, they are only slower. */
static void keep_parts(const struct unpack_args *a, struct store *s, struct source *src)
{
	struct err own = ERR_INIT;
	scoped_fd int parts = -1;
	int r;

	if (a->no_resume || !src->registry)
		return;
	r = store_partial_open(s, &parts, &own);
	if (r == 0)
		r = registry_image_keep_parts(src, parts, &own);
	if (r < 0)
		log_warn_err(&own);
}

static int run_store(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	struct source *src = NULL;
	scoped_store struct store *s = NULL;
	struct unpack_task t = { .a = a };
	int r = open_source(a, ctx, &src, e);

	if (r == 0)
		r = image_name(a, src, &t.name, e);
	t.src = src;
	if (r == 0 && ctx->dry_run) {
		r = print_plan(&t, ctx, e);
	} else if (r == 0) {
		r = store_open_base(a->store, STORE_CREATE | (a->open_to_all ? STORE_PUBLIC : 0),
			a->base.count ? &a->base : NULL, &s, e);
		if (r == 0) {
			t.store = s;
			keep_parts(a, s, src);
			r = unpack_stored(&t, ctx, e);
			if (r == 0)
				registry_image_drop_parts(src);
			userns_cache_done();
		}
	}
	source_free(src);
	if (r == -EPERM && e && a->base.count && !strcmp(e->op, "userns"))
		err_try(e,
			"omit --base, or choose ids that exist in this user namespace: the first "
			"and third columns of /proc/self/uid_map");
	return r;
}

static int source_missing(const struct unpack_args *a, struct err *e)
{
	struct stat st;

	(void)err_usage_try(
		e, "shiftbox image-unpack -N NAME oci:DIR", "an image to unpack is missing");
	if (!a->flat)
		return -EINVAL;
	if (source_has_prefix(a->flat) ||
		(path_stat(a->flat, true, &st) == 0 && S_ISREG(st.st_mode)))
		err_try(e, "the word after --flat is the directory to create: --flat DIR %s",
			a->flat);
	else
		err_try(e, "shiftbox image-unpack --flat %s oci:DIR", a->flat);
	return -EINVAL;
}

int unpack_run(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	int r;

	if (!ctx->operands.len)
		return source_missing(a, e);
	r = a->flat ? run_flat(a, ctx, e) : run_store(a, ctx, e);
	return r;
}

int unpack_run_scan(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	const struct layer_options o = layer_options(a);
	struct source *src = NULL;
	int r;

	if (!ctx->operands.len)
		return err_usage_try(
			e, "shiftbox image-unpack --scan oci:DIR", "an image to scan is missing");
	r = open_source(a, ctx, &src, e);
	if (r == 0)
		r = unpack_scan(src, &o, ctx, e);
	source_free(src);
	return r;
}
