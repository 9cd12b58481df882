/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_documents: write the manifest and configuration of an image of plain layers. */

#include "image_documents.h"

#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../source/platform.h"

static int print_document(struct json_writer *w, struct buf *ret, struct err *e)
{
	int r = json_writer_print(w, JSON_LINE, ret);

	buf_char(ret, '\n');
	return r < 0 || !buf_get(ret) ? err_nomem(e) : 0;
}

static int make_config(
	const struct documented_layer *layers, size_t n, struct buf *ret, struct err *e)
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
	for (size_t i = 0; i < n; i++)
		json_write_str(&j, NULL, digest_text(&layers[i].diff_id, text));
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

static int make_manifest(const struct documented_layer *layers, size_t n, const struct buf *config,
	struct buf *ret, struct err *e)
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
	for (size_t i = 0; i < n; i++) {
		const struct blob_result *b = layers[i].blob;
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

int image_documents_make(const struct documented_layer *layers, size_t n, struct buf *ret_manifest,
	struct buf *ret_config, struct err *e)
{
	int r = make_config(layers, n, ret_config, e);

	return r == 0 ? make_manifest(layers, n, ret_config, ret_manifest, e) : r;
}
