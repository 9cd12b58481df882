/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --mstack: write the stack of a stored image for systemd's tools. */

#include "image_unpack.h"

#include "../lib/base/plural.h"
#include "../lib/image/mstack_write.h"
#include "signals.h"

int unpack_mstack(struct store *s, const char *dir, struct ctx *ctx, struct err *e)
{
	const struct operands *op = &ctx->operands;
	struct mstack_written m = { .dir = NULL };
	int r;

	if (op->len != 1)
		return err_usage_try(e, "--mstack NAME.mstack NAME; --list shows the names",
			op->len ? "one image at a time: --mstack takes one NAME" :
				  "the NAME of an image in the store is missing");
	/* It takes no time, and is not interrupted. */
	signals_catch(SIGNALS_RESTART, "the directory is complete, or as it was");
	r = mstack_write(s, op->items[0], dir, ctx->dry_run, &m, e);
	if (r < 0)
		return r;
	if (!ctx->quiet)
		out_safe_line(ctx->out, "%s%s %s of %zu %s", ctx->dry_run ? "would have " : "",
			m.replaced ? "replaced" : "written", m.dir, m.layers,
			plural(m.layers, "layer", "layers"));
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "mstack");
	out_str(ctx->out, "name", op->items[0]);
	out_str(ctx->out, "directory", m.dir);
	out_u64(ctx->out, "layers", m.layers);
	out_bool(ctx->out, "replaced", m.replaced);
	out_bool(ctx->out, "made", !ctx->dry_run);
	out_end(ctx->out);
	free(m.dir);
	return 0;
}
