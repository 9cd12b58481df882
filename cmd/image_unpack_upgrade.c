/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --upgrade: bring the layers of stored images to the form of this version. */

#include "image_unpack.h"

#include <string.h>

#include "../lib/base/log.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/image/upgrade.h"
#include "../lib/layer/layer_process.h"
#include "../lib/store/podman.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "../lib/store/store_prune.h"
#include "../lib/store/store_staging.h"
#include "progress_line.h"

/* What was done with an image, or would be: of its layers, and for podman. */
struct upgrade_report {
	const struct image_upgrade *u;
	size_t podman; /* number of layers that podman lacks or lacked; 1 in a dry run: some */
};

static void put_text(const char *name, const struct upgrade_report *x, struct ctx *ctx)
{
	const struct image_upgrade *u = x->u;

	if (!u->changed && !x->podman)
		out_line(ctx->out, "%s: nothing to upgrade", name);
	else if (!u->changed)
		out_line(ctx->out, "%s: %s", name,
			u->dry_run ? "would make the layers that podman lacks" :
				     "podman can use it now");
	else if (u->dry_run)
		out_line(ctx->out, "would upgrade %s: %zu of %zu layers (opaque directories: %llu)",
			name, u->changed, u->layers, (unsigned long long)u->marks);
	else
		out_line(ctx->out,
			"upgraded %s: %zu of %zu layers (opaque directories: %llu, new whiteouts: "
			"%llu)",
			name, u->changed, u->layers, (unsigned long long)u->marks,
			(unsigned long long)u->whiteouts);
}

static void put_image(const char *name, const struct upgrade_report *x, struct ctx *ctx)
{
	const struct image_upgrade *u = x->u;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "upgrade");
	out_str(ctx->out, "name", name);
	out_u64(ctx->out, "layers", u->layers);
	out_u64(ctx->out, "changed", u->changed);
	out_u64(ctx->out, "marks", u->marks);
	out_u64(ctx->out, "whiteouts", u->whiteouts);
	out_u64(ctx->out, "podman_layers", u->dry_run ? 0 : x->podman);
	out_bool(ctx->out, "upgraded", (u->changed || x->podman) && !u->dry_run);
	out_end(ctx->out);
	if (!ctx->quiet)
		put_text(name, x, ctx);
}

static void put_removed(const struct store_layer *l, void *arg)
{
	struct ctx *ctx = arg;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "prune");
	out_str(ctx->out, "directory", l->dir);
	out_u64(ctx->out, "entries", l->entries);
	out_u64(ctx->out, "bytes", l->bytes);
	out_bool(ctx->out, "removed", true);
	out_end(ctx->out);
	if (!ctx->quiet)
		out_line(ctx->out, "removed %s", l->dir);
}

static void put_kept(const char *dir, void *arg)
{
	struct ctx *ctx = arg;

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "kept");
	out_str(ctx->out, "directory", dir);
	out_end(ctx->out);
	if (!ctx->quiet)
		out_line(ctx->out, "kept %s: it is mounted; --prune removes it afterwards", dir);
}

/* Make what podman lacks of the image, or in a dry run find out whether it lacks anything. */
static int share(struct store *s, const char *name, const struct image_upgrade *u, size_t *ret,
	struct err *e)
{
	scoped_store_staging struct store_staging *st = NULL;
	struct podman_answers answers = { .items = NULL };
	int r;

	*ret = 0;
	if (!u->dry_run) {
		r = store_staging_new(s, &st, e);
		return r == 0 ? podman_share(st, name, u->sync, ret, e) : r;
	}
	r = podman_ask(s, &answers, e);
	for (size_t i = 0; r == 0 && i < answers.len; i++)
		*ret |= !strcmp(answers.items[i].name, name) && answers.items[i].why == PODMAN_OLD;
	podman_answers_done(&answers);
	return r;
}

static int upgrade_all(struct store *s, const struct strv *names, struct strv *replaced,
	struct ctx *ctx, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->len; i++) {
		struct image_upgrade u = {
			.dry_run = ctx->dry_run, .sync = true, .user_xattr = userns_is_nested()
		};

		struct upgrade_report x = { .u = &u };

		r = image_upgrade(s, names->items[i], &u, e);
		if (r == 0)
			r = share(s, names->items[i], &u, &x.podman, e);
		if (r == 0)
			put_image(names->items[i], &x, ctx);
		for (size_t k = 0; r == 0 && k < u.replaced.len; k++)
			if (strv_add(replaced, u.replaced.items[k]) < 0)
				r = err_nomem(e);
		strv_done(&u.replaced);
	}
	return r;
}

/* Old layers are of no use any more; but if they cannot be removed now, --prune may do it later. */
static void remove_old(struct store *s, const struct strv *replaced, struct ctx *ctx)
{
	const struct store_pruning how = {
		.only = replaced, .removed = put_removed, .mounted = put_kept, .arg = ctx
	};
	struct err why = ERR_INIT;

	if (replaced->len && store_prune(s, &how, &why) < 0)
		log_warn("the layers that were replaced are not removed: %s: %s; try: shiftbox "
			 "image-unpack --prune",
			why.on, why.what);
}

int unpack_upgrade(struct store *s, struct ctx *ctx, struct err *e)
{
	scoped_strv struct strv names = { 0 }, replaced = { 0 };
	int r = store_prune_begin(s, e);

	if (r == 0)
		r = layer_process_prepare(e);
	for (size_t i = 0; r == 0 && i < ctx->operands.len; i++)
		if (strv_add(&names, ctx->operands.items[i]) < 0)
			r = err_nomem(e);
	if (r == 0 && !names.len)
		r = store_image_list(s, &names, e);
	if (r == 0)
		r = upgrade_all(s, &names, &replaced, ctx, e);
	if (!ctx->dry_run)
		remove_old(s, &replaced, ctx);
	return r;
}
