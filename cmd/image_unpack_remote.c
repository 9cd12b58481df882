/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-unpack --tags, and --show with --remote: print what a registry has. */

#include "image_unpack.h"

#include <errno.h>

#include "../lib/base/json.h"
#include "../lib/base/plural.h"
#include "../lib/source/registry_image.h"
#include "../lib/source/source.h"
#include "../lib/tar/blob.h"
#include "progress_line.h"

int unpack_tags(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	static const struct out_col cols[] = { { "tag", "TAG", false } };
	const struct source_options o = unpack_source_options(a);
	scoped_strv struct strv tags = { 0 };
	int r = registry_image_tags(a->tags, &o, &tags, e);

	if (r < 0)
		return r;
	out_table(ctx->out, cols, ARRAY_LEN(cols));
	for (size_t i = 0; i < tags.len; i++) {
		out_begin(ctx->out, NULL);
		out_str(ctx->out, "tag", tags.items[i]);
		out_end(ctx->out);
	}
	out_table_end(ctx->out);
	return 0;
}

/* A string of the image's config; "" if it has none. */
static const char *config_member(const struct json *config, const char *key)
{
	const char *s = NULL;

	(void)doc_str(config, key, "config", false, &s, NULL); /* of another type: as if missing */
	return s ? s : "";
}

static void put_layers(struct ctx *ctx, const struct source *src)
{
	char digest[DIGEST_TEXT];

	out_array(ctx->out, "layers");
	for (size_t i = src->n_layers; i-- > 0;) {
		const struct source_layer *l = &src->layers[i];

		out_begin(ctx->out, NULL);
		out_str(ctx->out, "digest", digest_text(&l->digest, digest));
		out_str(ctx->out, "diff_id", digest_text(&l->diff_id, digest));
		out_u64(ctx->out, "size", l->size);
		out_end(ctx->out);
	}
	out_array_end(ctx->out);
}

static void put_text(struct ctx *ctx, const struct source *src)
{
	char digest[DIGEST_TEXT], size[16];

	out_line(ctx->out, "layers    %zu, topmost first", src->n_layers);
	for (size_t i = src->n_layers; i-- > 0;)
		out_line(ctx->out, "  %s  %s", digest_text(&src->layers[i].digest, digest),
			human_size(src->layers[i].size, size));
}

int unpack_show_remote(struct unpack_args *a, struct ctx *ctx, struct err *e)
{
	const struct source_options o = unpack_source_options(a);
	scoped_json struct json *config = NULL;
	struct source *src = NULL;
	char manifest[DIGEST_TEXT], digest[DIGEST_TEXT];
	int r = source_open(a->show, &o, &src, e);

	if (r == 0)
		r = doc_parse(buf_get(&src->config), src->config.len, "config", &config, e);
	if (r == 0) {
		const char *const fields[][2] = {
			{ "name", src->name },
			{ "manifest", digest_text(&src->manifest_digest, manifest) },
			{ "config", digest_text(&src->config_digest, digest) },
			{ "created", config_member(config, "created") },
			{ "os", config_member(config, "os") },
			{ "architecture", config_member(config, "architecture") },
		};

		out_begin(ctx->out, NULL);
		for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
			if (ctx->json)
				out_str(ctx->out, fields[i][0], fields[i][1]);
			else
				out_safe_line(ctx->out, "%-12s %s", fields[i][0], fields[i][1]);
		}
		put_layers(ctx, src);
		out_end(ctx->out);
		if (!ctx->json)
			put_text(ctx, src);
	}
	source_free(src);
	return r;
}
