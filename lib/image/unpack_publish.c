/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unpack_publish: which directories an image is made of, in which order, and what it says of
 * itself.
 */

#include "unpack_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../store/store_publish.h"

static const char *published_dir(const struct store_work *s, size_t i)
{
	const struct job *j = &s->w.jobs[i];

	if (j->plan == TAKEN)
		return j->dir;
	return s->staged[s->staged_of[j->plan == SAME ? j->same : i]].dir;
}

/*
 * The image's stack, topmost first: it ends with a layer that hides all below. OverlayFS refuses a
 * directory that is given twice; the upper one alone gives the same view, since it has all that the
 * lower one has.
 */
static int list_stack(void *arg, struct strv *ret, struct err *e)
{
	struct store_work *s = arg;
	const struct work *w = &s->w;

	for (size_t i = w->n; i-- > 0;) {
		const char *dir = published_dir(s, i);

		if (!strv_has(ret, dir) && strv_add(ret, dir) < 0)
			return err_nomem(e);
		if (w->jobs[i].root_opaque) {
			if (i)
				log_verbose(
					"layer %zu of %zu hides all below it: the stack ends there",
					i + 1, w->n);
			break;
		}
	}
	return 0;
}

/* Plain layers come without documents: the store has some for every image. */
static void make_documents(const struct work *w, struct buf *manifest, struct buf *config)
{
	char text[DIGEST_TEXT];
	struct platform p;
	struct digest sum;

	platform_native(&p);
	buf_printf(config,
		"{\"architecture\":\"%s\",\"os\":\"%s\",\"config\":{},\"rootfs\":{\"type\":"
		"\"layers\",\"diff_ids\":[",
		p.arch, p.os);
	for (size_t i = 0; i < w->n; i++)
		buf_printf(
			config, "%s\"%s\"", i ? "," : "", digest_text(&w->jobs[i].diff_id, text));
	buf_str(config, "]}}\n");
	if (!buf_get(config))
		return;

	hash_bytes(buf_get(config), config->len, &sum);
	buf_printf(manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"application/"
		"vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/"
		"vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
		digest_text(&sum, text), config->len);
	for (size_t i = 0; i < w->n; i++) {
		const struct blob_result *b = &w->jobs[i].sums;
		bool named = !strcmp(b->format, "gzip") || !strcmp(b->format, "zstd");

		buf_printf(manifest,
			"%s{\"mediaType\":\"application/"
			"vnd.oci.image.layer.v1.tar%s%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "}",
			i ? "," : "", named ? "+" : "", named ? b->format : "",
			digest_text(&b->digest, text), b->size);
	}
	buf_str(manifest, "]}\n");
}

int work_publish(struct store_work *s, struct err *e)
{
	const struct work *w = &s->w;
	scoped_buf struct buf manifest = BUF_INIT, config = BUF_INIT;
	struct staged_image image = {
		.name = w->opts->name,
		.manifest = &w->src->manifest,
		.config = &w->src->config,
		.list = list_stack,
		.arg = s,
	};

	if (!w->src->manifest.len) {
		make_documents(w, &manifest, &config);
		if (!buf_get(&manifest) || !buf_get(&config))
			return err_nomem(e);
		image.manifest = &manifest;
		image.config = &config;
	}
	return store_publish(s->staging, s->staged, s->n_staged, &image, w->opts->sync, e);
}

void work_sum_up(const struct store_work *s, struct unpack_result *ret)
{
	const struct work *w = &s->w;
	scoped_strv struct strv stack = { 0 };

	*ret = (struct unpack_result){ .layers = 0 };
	if (list_stack((void *)(uintptr_t)s, &stack, NULL) == 0)
		ret->layers = stack.len;
	for (size_t i = 0; i < w->n; i++) {
		const struct job *j = &w->jobs[i];

		if (j->plan != READ) {
			ret->shared++;
			continue;
		}
		ret->unpacked++;
		ret->entries += j->counts.entries;
		ret->bytes += j->counts.bytes;
		ret->devices += j->counts.devices;
		ret->unmapped += j->counts.unmapped;
		ret->blob_bytes += j->sums.size;
	}
}
