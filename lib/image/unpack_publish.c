/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unpack_publish: which directories an image is made of, in which order, and what it says of
 * itself.
 */

#include "unpack_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/log.h"
#include "../store/store_publish.h"

static const char *published_dir(const struct store_unpack *s, size_t i)
{
	const struct unpack_layer *l = &s->w.layers[i];

	if (l->plan == PLAN_STORED)
		return l->dir;
	return s->staged[s->staged_of[l->plan == PLAN_SAME ? l->same : i]].dir;
}

/*
 * The image's stack, topmost first: it ends with a layer that hides all below. OverlayFS refuses a
 * directory that is given twice; the upper one alone gives the same view, since it has all that the
 * lower one has.
 */
static int list_stack(void *arg, struct strv *ret, struct err *e)
{
	struct store_unpack *s = arg;
	const struct unpack_work *w = &s->w;

	for (size_t i = w->n_layers; i-- > 0;) {
		const char *dir = published_dir(s, i);

		if (!strv_has(ret, dir) && strv_add(ret, dir) < 0)
			return err_nomem(e);
		if (w->layers[i].root_opaque) {
			if (i)
				log_verbose(
					"layer %zu of %zu hides all below it: the stack ends there",
					i + 1, w->n_layers);
			break;
		}
	}
	return 0;
}

static int print_document(struct json_writer *w, struct buf *ret, struct err *e)
{
	int r = json_writer_print(w, JSON_LINE, ret);

	buf_char(ret, '\n');
	return r < 0 || !buf_get(ret) ? err_nomem(e) : 0;
}

static int make_config(const struct unpack_work *w, struct buf *ret, struct err *e)
{
	struct json_writer j = { .depth = 0 };
	char text[DIGEST_TEXT];
	struct platform p;

	platform_native(&p);
	json_write_object(&j, NULL);
	json_write_str(&j, "architecture", p.arch);
	json_write_str(&j, "os", p.os);
	json_write_object(&j, "config");
	json_write_end(&j);
	json_write_object(&j, "rootfs");
	json_write_str(&j, "type", "layers");
	json_write_array(&j, "diff_ids");
	for (size_t i = 0; i < w->n_layers; i++)
		json_write_str(&j, NULL, digest_text(&w->layers[i].diff_id, text));
	json_write_end(&j);
	json_write_end(&j);
	json_write_end(&j);
	return print_document(&j, ret, e);
}

static void write_descriptor(struct json_writer *j, const char *key, const char *media_type,
	const struct digest *digest, uint64_t size)
{
	char text[DIGEST_TEXT];

	json_write_object(j, key);
	json_write_str(j, "mediaType", media_type);
	json_write_str(j, "digest", digest_text(digest, text));
	json_write_i64(j, "size", (int64_t)size);
	json_write_end(j);
}

static int make_manifest(
	const struct unpack_work *w, const struct buf *config, struct buf *ret, struct err *e)
{
	struct json_writer j = { .depth = 0 };
	struct digest sum;

	hash_bytes(config->data, config->len, &sum);
	json_write_object(&j, NULL);
	json_write_i64(&j, "schemaVersion", 2);
	json_write_str(&j, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	write_descriptor(
		&j, "config", "application/vnd.oci.image.config.v1+json", &sum, config->len);
	json_write_array(&j, "layers");
	for (size_t i = 0; i < w->n_layers; i++) {
		const struct blob_result *b = &w->layers[i].sums;
		bool named = !strcmp(b->format, "gzip") || !strcmp(b->format, "zstd");
		char type[64];

		(void)snprintf(type, sizeof(type), "application/vnd.oci.image.layer.v1.tar%s%s",
			named ? "+" : "", named ? b->format : ""); /* fits: 43 and 5 */
		write_descriptor(&j, NULL, type, &b->digest, b->size);
	}
	json_write_end(&j);
	json_write_end(&j);
	return print_document(&j, ret, e);
}

int unpack_publish(struct store_unpack *s, struct err *e)
{
	const struct unpack_work *w = &s->w;
	scoped_buf struct buf manifest = BUF_INIT, config = BUF_INIT;
	struct staged_image image = {
		.name = w->opts->name,
		.manifest = &w->src->manifest,
		.config = &w->src->config,
		.list = list_stack,
		.arg = s,
	};

	if (!w->src->manifest.len) {
		/* Plain layers come without documents; the store has them for every image. */
		int r = make_config(w, &config, e);

		if (r == 0)
			r = make_manifest(w, &config, &manifest, e);
		if (r < 0)
			return r;
		image.manifest = &manifest;
		image.config = &config;
	}
	return store_publish(s->staging, s->staged, s->n_staged, &image, w->opts->sync, e);
}

void unpack_sum_up(const struct store_unpack *s, struct unpack_result *ret)
{
	const struct unpack_work *w = &s->w;
	scoped_strv struct strv stack = { 0 };

	*ret = (struct unpack_result){ .layers = 0 };
	if (list_stack((void *)(uintptr_t)s, &stack, NULL) == 0)
		ret->layers = stack.len;
	for (size_t i = 0; i < w->n_layers; i++) {
		const struct unpack_layer *l = &w->layers[i];

		if (l->plan != PLAN_READ) {
			ret->shared++;
			continue;
		}
		ret->unpacked++;
		ret->entries += l->counts.entries;
		ret->bytes += l->counts.bytes;
		ret->devices += l->counts.devices;
		ret->unmapped += l->counts.unmapped;
		ret->blob_bytes += l->sums.size;
	}
}
