/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --remove and --prune: remove images and layers from a store. */

#include "image_unpack.h"

#include <errno.h>

#include "../lib/base/plural.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "../lib/store/store_mount.h"
#include "../lib/store/store_partial.h"
#include "../lib/store/store_prune.h"
#include "progress_line.h"

int unpack_remove(struct store *s, const char *name, struct ctx *ctx, struct err *e)
{
	struct store_image image;
	int r = store_image_name_check(name, e);

	if (r == 0)
		r = store_mount_refuse(s, name, e);
	if (r < 0)
		return r;
	if (ctx->dry_run) {
		r = store_image_read(s, name, &image, e);
		if (r == 0)
			store_image_done(&image);
	} else {
		r = store_image_remove(s, name, e);
	}
	if (r == 0 && !ctx->quiet)
		out_line(ctx->out, "%s %s", ctx->dry_run ? "would remove" : "removed", name);
	if (r == 0 && ctx->json) {
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "event", "remove");
		out_str(ctx->out, "name", name);
		out_bool(ctx->out, "removed", !ctx->dry_run);
		out_end(ctx->out);
	}
	return r;
}

/* What --prune has removed, or would remove. */
struct pruning {
	struct ctx *ctx;
	uint64_t layers, bytes;
};

static void pruned(const struct store_layer *l, void *arg)
{
	struct pruning *p = arg;
	struct ctx *ctx = p->ctx;
	char size[16];

	p->layers++;
	p->bytes += l->bytes;
	if (!ctx->quiet)
		out_line(ctx->out, "%s %s, %s", ctx->dry_run ? "would remove" : "removed", l->dir,
			human_size(l->bytes, size));
	if (!ctx->json)
		return;
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "prune");
	out_str(ctx->out, "directory", l->dir);
	out_u64(ctx->out, "entries", l->entries);
	out_u64(ctx->out, "bytes", l->bytes);
	out_bool(ctx->out, "removed", !ctx->dry_run);
	out_end(ctx->out);
}

int unpack_prune(struct store *s, struct ctx *ctx, struct err *e)
{
	struct pruning p = { .ctx = ctx };
	uint64_t files = 0, bytes = 0;
	char size[16];
	int r = store_prune(s, ctx->dry_run, pruned, &p, e);

	if (r == 0)
		r = store_partial_prune(s, ctx->dry_run, &files, &bytes, e);
	if (r < 0)
		return r;
	if (files && !ctx->quiet)
		out_line(ctx->out, "%s %llu %s of interrupted downloads, %s",
			ctx->dry_run ? "would remove" : "removed", (unsigned long long)files,
			plural(files, "part", "parts"), human_size(bytes, size));
	if (!p.layers && !files && !ctx->quiet)
		out_line(ctx->out,
			"nothing to remove: every layer belongs to an image or is mounted");
	if (!ctx->json)
		return r;
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "pruned");
	out_u64(ctx->out, "layers", p.layers);
	out_u64(ctx->out, "bytes", p.bytes);
	out_bool(ctx->out, "removed", !ctx->dry_run);
	out_end(ctx->out);
	return r;
}
