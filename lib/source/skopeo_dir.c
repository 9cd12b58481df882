/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* skopeo_dir: read an image in skopeo's format dir: (containers-transports(5)). */

#include "skopeo_dir.h"

#include <errno.h>

#include "../base/json.h"
#include "../tar/blob.h"
#include "embedded.h"
#include "manifest.h"
#include "source_part.h"

static const char document[] = "manifest.json";

/* Read manifest.json, or the config; this is a read_blob. */
static int read_document(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e)
{
	char hex[DIGEST_HEX];

	if (d->kind == DOC_MANIFEST)
		return source_part_read_file(s, document, JSON_MAX_BYTES, ret, e);
	return source_part_read_blob(s, digest_hex(&d->digest, hex), &d->digest, d->size, ret, e);
}

static int open_layer(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	const struct source_layer *l = &s->layers[i];
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	char hex[DIGEST_HEX];
	int r;

	if (l->data)
		return embedded_open(l, ret_fd, ret_offset, e);
	r = source_part_open_blob(s, digest_hex(&l->digest, hex), l->size, &p, e);
	if (r == 0)
		source_part_give(&p, ret_fd, ret_offset);
	return r;
}

int skopeo_dir_open(struct source *s, const struct platform *want, bool strict, struct err *e)
{
	struct descriptor d = { .kind = DOC_MANIFEST };
	scoped_buf struct buf b = BUF_INIT;
	scoped_json struct json *manifest = NULL;
	int r;

	s->open_layer = open_layer;
	r = source_part_read_file(s, document, JSON_MAX_BYTES, &b, e);
	if (r == -ENOENT) {
		err_why(e, "each directory in skopeo's format dir: has this file");
		err_try(e, "use oci:DIR for an OCI layout");
	}
	if (r == 0)
		r = doc_parse(buf_get(&b), b.len, document, &manifest, e);
	if (r == 0)
		r = doc_str(manifest, "mediaType", document, false, &d.media_type, e);
	if (r == 0 && doc_has(manifest, "manifests")) {
		r = err_say(e, EINVAL, document, "lists the images of several platforms");
		err_try(e, "choose one, and convert it: skopeo copy dir:DIR oci:NEW");
	}
	if (r < 0)
		return r;
	hash_bytes(buf_get(&b), b.len, &d.digest);
	d.size = b.len;
	return manifest_load(s, &d, read_document, want, strict, e);
}
