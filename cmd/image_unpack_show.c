/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --list and --show: print the content of a store. */

#include "image_unpack.h"

#include <string.h>

#include "../lib/base/buf.h"
#include "../lib/base/log.h"
#include "../lib/base/plural.h"
#include "../lib/store/podman.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "progress_line.h"

/* An image that cannot be read: the first one is the error of the command. */
static void not_listed(const struct err *own, bool first, struct err *e)
{
	if (!first)
		log_warn_err(own);
	else if (e)
		*e = *own;
}

/* What podman makes of the image: yes; run: it cannot save it; no. */
static void put_podman(struct ctx *ctx, const struct podman_answers *answers, const char *name)
{
	const struct podman_answer *a = NULL;
	const char *word, *why;
	scoped_buf struct buf text = BUF_INIT;

	for (size_t i = 0; i < answers->len && !a; i++)
		if (!strcmp(answers->items[i].name, name))
			a = &answers->items[i];
	why = podman_why_text(a ? a->why : PODMAN_OLD);
	word = !a || !podman_runs(a->why) ? "no" : *why ? "run" : "yes";
	if (ctx->json) {
		out_str(ctx->out, "podman", word);
		out_str(ctx->out, "podman_name", a ? a->reference : "");
		out_str(ctx->out, "podman_why", why);
		return;
	}
	buf_printf(&text, "%s%s%s", word, *why ? ": " : "", why);
	out_str(ctx->out, "podman", buf_get(&text) ? buf_get(&text) : word);
}

int unpack_list(struct store *s, struct ctx *ctx, struct err *e)
{
	static const struct out_col cols[] = {
		{ "name", "NAME", false },
		{ "layers", "LAYERS", true },
		{ "created", "CREATED", false },
		{ "manifest", "MANIFEST", false },
		{ "podman", "PODMAN", false },
	};
	struct podman_answers answers = { .items = NULL };
	scoped_strv struct strv names = { 0 };
	char digest[DIGEST_TEXT];
	int r = store_image_list(s, &names, e);

	if (r == 0)
		r = podman_ask(s, &answers, e);
	if (r < 0) {
		podman_answers_done(&answers);
		return r;
	}
	out_table(ctx->out, cols, ARRAY_LEN(cols));
	for (size_t i = 0; i < names.len; i++) {
		struct store_image image;
		struct err own = ERR_INIT;
		int bad = store_image_read(s, names.items[i], &image, &own);

		if (bad < 0) {
			not_listed(&own, r == 0, e);
			r = bad;
			continue;
		}
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "name", image.name);
		out_u64(ctx->out, "layers", image.layers.len);
		out_str(ctx->out, "created", image.created);
		out_str(ctx->out, "manifest", digest_text(&image.manifest, digest));
		put_podman(ctx, &answers, image.name);
		out_end(ctx->out);
		store_image_done(&image);
	}
	out_table_end(ctx->out);
	podman_answers_done(&answers);
	return r;
}

static void show_field(struct ctx *ctx, const char *title, const char *value)
{
	scoped_buf struct buf safe = BUF_INIT;

	buf_escaped(&safe, value, strlen(value));
	out_line(ctx->out, "%-9s %s", title, buf_get(&safe) ? buf_get(&safe) : "(out of memory)");
}

static void show_text(struct ctx *ctx, const struct store *s, const struct store_image *image)
{
	char digest[DIGEST_TEXT];

	show_field(ctx, "name", image->name);
	show_field(ctx, "store", store_path(s));
	if (store_base(s)->count)
		out_line(ctx->out, "base      %u: disk ids are %u to %u", store_base(s)->base,
			store_base(s)->base, store_base(s)->base + store_base(s)->count - 1);
	show_field(ctx, "manifest", digest_text(&image->manifest, digest));
	show_field(ctx, "config", digest_text(&image->config, digest));
	show_field(ctx, "created", image->created);
	show_field(ctx, "os", image->os);
	show_field(ctx, "arch", image->arch);
	out_line(ctx->out, "layers    %zu, topmost first", image->layers.len);
	for (size_t i = 0; i < image->layers.len; i++) {
		const struct store_layer *l = &image->layers.items[i];
		char size[16];

		out_line(ctx->out, "  %s  %llu %s, %s%s", l->dir, (unsigned long long)l->entries,
			plural(l->entries, "entry", "entries"), human_size(l->bytes, size),
			l->root_opaque ? ", hides all below" : "");
	}
}

int unpack_show(struct store *s, const char *name, struct ctx *ctx, struct err *e)
{
	struct store_image image;
	char digest[DIGEST_TEXT];
	int r = store_image_read(s, name, &image, e);

	if (r < 0)
		return r;
	if (!ctx->json) {
		show_text(ctx, s, &image);
		store_image_done(&image);
		return 0;
	}
	out_begin(ctx->out, NULL);
	out_str(ctx->out, "name", image.name);
	out_str(ctx->out, "store", store_path(s));
	if (store_base(s)->count) {
		out_u64(ctx->out, "base", store_base(s)->base);
		out_u64(ctx->out, "count", store_base(s)->count);
	}
	out_str(ctx->out, "manifest", digest_text(&image.manifest, digest));
	out_str(ctx->out, "config", digest_text(&image.config, digest));
	out_str(ctx->out, "created", image.created);
	out_str(ctx->out, "os", image.os);
	out_str(ctx->out, "architecture", image.arch);
	out_array(ctx->out, "layers");
	for (size_t i = 0; i < image.layers.len; i++) {
		const struct store_layer *l = &image.layers.items[i];

		out_begin(ctx->out, NULL);
		out_str(ctx->out, "directory", l->dir);
		out_u64(ctx->out, "entries", l->entries);
		out_u64(ctx->out, "bytes", l->bytes);
		out_bool(ctx->out, "root_opaque", l->root_opaque);
		out_end(ctx->out);
	}
	out_array_end(ctx->out);
	out_end(ctx->out);
	store_image_done(&image);
	return 0;
}
