/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --bundle: make a bundle of a stored image for an OCI runtime such as crun. */

#include "image_unpack.h"

#include <errno.h>
#include <string.h>

#include "../lib/idmap/idmap.h"
#include "../lib/image/bundle.h"
#include "../lib/mount/image_source.h"
#include "signals.h"

/* Append a word, quoted for a shell if necessary. */
static void add_word(struct buf *b, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@:%";

	if (*s && strspn(s, plain) == strlen(s)) {
		buf_str(b, s);
		return;
	}
	buf_char(b, '\'');
	for (; *s; s++)
		buf_str(b, *s == '\'' ? "'\\''" : (const char[]){ *s, '\0' });
	buf_char(b, '\'');
}

static void add_words(struct buf *b, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (i)
			buf_char(b, ' ');
		add_word(b, words[i]);
	}
}

/* The bundle that was made, or would be. */
struct made_bundle {
	const struct store *store;
	const char *image, *dir;
	const struct strv *maps;
	const struct bundle_result *result;
};

static int make_commands(
	const struct made_bundle *b, struct buf *mount, struct buf *run, struct err *e)
{
	scoped_buf struct buf source = BUF_INIT, rootfs = BUF_INIT, map = BUF_INIT;

	buf_printf(&source, IMAGE_SOURCE "%s", b->image);
	buf_printf(&rootfs, "%s/rootfs", b->dir);
	for (size_t i = 0; i < b->maps->len; i++) {
		buf_str(&map, i ? " " : "");
		buf_str(&map, b->maps->items[i]);
	}
	if (!buf_get(&source) || !buf_get(&rootfs) || !buf_get(&map))
		return err_nomem(e);

	add_words(mount,
		(const char *const[]){ "shiftbox", "mount-idmapped", "-s", store_path(b->store),
			"-m", buf_get(&map), "-o", "ephemeral", buf_get(&source), buf_get(&rootfs),
			NULL });
	add_words(run, (const char *const[]){ "crun", "run", "-b", b->dir, b->image, NULL });
	return buf_get(mount) && buf_get(run) ? 0 : err_nomem(e);
}

/*
 * Print a command such that it can be pasted, but escape control characters, which a terminal would
 * act on.
 */
static void show_command(struct out *out, const struct buf *command)
{
	scoped_buf struct buf safe = BUF_INIT;

	for (const char *p = command->data; *p; p++) {
		if ((unsigned char)*p >= ' ' && *p != 0x7f)
			buf_char(&safe, *p);
		else
			buf_escaped(&safe, p, 1);
	}
	out_line(out, "  %s", buf_get(&safe) ? buf_get(&safe) : "(out of memory)");
}

static int show(const struct made_bundle *made, struct ctx *ctx, struct err *e)
{
	const struct bundle_result *b = made->result;
	scoped_buf struct buf mount = BUF_INIT, run = BUF_INIT;
	int r = make_commands(made, &mount, &run, e);

	if (r < 0)
		return r;
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "event", "bundle");
	out_str(ctx->out, "name", made->image);
	out_str(ctx->out, "directory", made->dir);
	out_u64(ctx->out, "uid", b->user.uid);
	out_u64(ctx->out, "gid", b->user.gid);
	out_bool(ctx->out, "needs_writable", b->writable);
	out_str(ctx->out, "mount", buf_get(&mount));
	out_str(ctx->out, "run", buf_get(&run));
	out_bool(ctx->out, "made", !ctx->dry_run);
	out_end(ctx->out);
	if (ctx->quiet)
		return 0;
	out_line(ctx->out,
		ctx->dry_run ? "would make a bundle of %s, which runs as %u:%u; then:" :
			       "made a bundle of %s, which runs as %u:%u; now:",
		made->image, b->user.uid, b->user.gid);
	show_command(ctx->out, &mount);
	show_command(ctx->out, &run);
	if (b->writable)
		out_line(ctx->out,
			"The image lacks /proc, /dev or /sys, which the runtime makes: its stack "
			"has to be writable.");
	return 0;
}

int unpack_bundle(struct store *s, const struct bundle_options *want, const struct strv *maps,
	struct ctx *ctx, struct err *e)
{
	const struct operands *op = &ctx->operands;
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct bundle_options o = *want;
	struct bundle_result b = { .config = BUF_INIT };
	int r;

	if (!op->len)
		return err_usage(e, "the NAME of an image in the store is missing");
	if (!maps->len)
		return err_usage(
			e, "a bundle needs the --map with which its stack will be mounted");
	o.map = &map;
	o.dry_run = ctx->dry_run;
	o.image = op->items[0];
	o.args = op->items + 1;
	o.n_args = op->len - 1;
	/* It takes no time, and is not interrupted. */
	signals_catch(SIGNALS_RESTART, "the bundle is complete or absent");
	r = idmap_parse((const char *const *)maps->items, maps->len, NULL, &map, e);
	if (r == 0)
		r = bundle_make(s, &o, &b, e);
	if (r == 0) {
		const struct made_bundle made = {
			.store = s,
			.image = o.image,
			.dir = b.dir ? b.dir : o.dir,
			.maps = maps,
			.result = &b,
		};

		r = show(&made, ctx, e);
	}
	bundle_result_done(&b);
	return r;
}
