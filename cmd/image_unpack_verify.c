/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --verify: print how the layers of an image differ from their archives. */

#include "image_unpack.h"

#include "../lib/base/plural.h"
#include "../lib/image/image_verify.h"

static void put_finding(const struct image_finding *f, void *arg)
{
	struct out *out = ((struct ctx *)arg)->out;

	if (out_json(out)) {
		out_begin(out, NULL);
		out_str(out, "event", "finding");
		out_str(out, "class", f->class);
		out_str(out, "layer", f->layer);
		out_str(out, "path", f->path);
		out_str(out, "detail", f->detail);
		out_end(out);
		return;
	}
	out_safe_line(out, "%s: %s%s%s: %s", f->class, f->layer, *f->layer ? "/" : "", f->path,
		f->detail);
}

static void put_summary(const struct image_verify *v, const char *name, const struct ctx *ctx)
{
	char found[40] = "no findings";

	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "verify");
	out_str(ctx->out, "name", name);
	out_u64(ctx->out, "layers", v->layers);
	out_u64(ctx->out, "entries", v->entries);
	out_u64(ctx->out, "findings", v->findings);
	out_end(ctx->out);
	if (ctx->quiet && !v->findings)
		return;
	if (v->findings)
		(void)snprintf(found, sizeof(found), "%llu %s", (unsigned long long)v->findings,
			plural(v->findings, "finding", "findings"));
	out_line(ctx->out, "%s: %zu %s, %llu %s checked, %s", name, v->layers,
		plural(v->layers, "layer", "layers"), (unsigned long long)v->entries,
		plural(v->entries, "entry", "entries"), found);
}

int unpack_verify(struct store *s, const char *name, struct ctx *ctx, struct err *e)
{
	struct image_verify v = { .found = put_finding, .arg = ctx };
	int r = image_verify(s, name, &v, e);

	if (r < 0)
		return r;
	put_summary(&v, name, ctx);
	return v.findings ? STATUS_FOUND : STATUS_DONE;
}
