/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* skopeo_dir: read an image in skopeo's format dir: (containers-transports(5)). */

#include "skopeo_dir.h"

#include <errno.h>

#include "../base/json.h"
#include "../tar/blob.h"
#include "manifest.h"
#include "source_part.h"

static const char document[] = "manifest.json";

/* Open a blob of exactly size bytes. */
static int open_blob(const struct source *s, const struct digest *digest, uint64_t size,
	struct source_part *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	char hex[DIGEST_HEX];
	int r = source_part_open(s, digest_hex(digest, hex), &p, e);

	if (r == -ENOENT) {
		(void)err_say(e, ENOENT, hex, "the blob is missing");
		err_try(e, "fetch the image again, with all its layers: this copy is incomplete");
	}
	if (r == 0 && p.size != size)
		r = err_say(e, EBADMSG, hex, "the blob has %llu bytes, its descriptor says %llu",
			(unsigned long long)p.size, (unsigned long long)size);
	if (r < 0)
		return r;

	*ret = p;
	p.fd = -1;
	return 0;
}

/* Read manifest.json, or the config; this is a read_blob. */
static int read_document(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	char text[DIGEST_TEXT];
	struct digest is;
	int r;

	(void)digest_text(&d->digest, text);
	if (d->kind == DOC_MANIFEST)
		return source_part_read_file(s, document, JSON_MAX_BYTES, ret, e);
	r = open_blob(s, &d->digest, d->size, &p, e);
	if (r == 0)
		r = source_part_read(&p, text, JSON_MAX_BYTES, ret, e);
	if (r < 0)
		return r;

	hash_bytes(buf_get(ret), ret->len, &is);
	if (digest_equal(&is, &d->digest))
		return 0;
	r = err_say(e, EBADMSG, text, "the document is not what its digest says");
	err_why(e, "its content is %s", digest_text(&is, text));
	return r;
}

static int open_layer(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	int r = open_blob(s, &s->layers[i].digest, s->layers[i].size, &p, e);

	if (r < 0)
		return r;
	*ret_offset = p.offset;
	*ret_fd = TAKE_FD(p.fd);
	return 0;
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
