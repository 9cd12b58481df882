/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oci: read an OCI image layout in a directory or an archive (image-spec, image-layout.md). */

#include "oci.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../tar/blob.h"
#include "../tar/members.h"
#include "embedded.h"
#include "image_index.h"
#include "manifest.h"
#include "source_part.h"

enum { BLOB_NAME = sizeof("blobs/sha256/") + DIGEST_HEX };

static const char *blob_name(const struct digest *digest, char buf[static BLOB_NAME])
{
	char hex[DIGEST_HEX];

	(void)snprintf(buf, BLOB_NAME, "blobs/%s/%s", digest_algorithm_name(digest->algorithm),
		digest_hex(digest, hex)); /* fits */
	return buf;
}

/* This is a read_blob. */
static int read_document(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e)
{
	char name[BLOB_NAME];

	if (d->data)
		return embedded_read(d, ret, e);
	return source_part_read_blob(s, blob_name(&d->digest, name), &d->digest, d->size, ret, e);
}

static bool has_file(const struct source *s, const char *name)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;

	return source_part_open(s, name, &p, NULL) == 0;
}

/* Say what a directory without oci-layout is. */
static void explain_directory(const struct source *s, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	enum members_kind kind = MEMBERS_LAYER;

	if (source_part_read_file(s, "manifest.json", JSON_MAX_BYTES, &b, NULL) == 0)
		kind = members_manifest_kind(&b);
	if (kind == MEMBERS_DOCKER || (kind == MEMBERS_LAYER && has_file(s, "repositories"))) {
		err_why(e,
			"the directory is not an OCI layout: it was extracted from an archive of "
			"docker save");
		err_try(e,
			"unpack that archive, docker-archive:FILE, or pack it again: "
			"tar -C DIR -c . | shiftbox image-unpack -N NAME docker-archive:-");
	} else if (kind == MEMBERS_DIR) {
		err_why(e,
			"the directory is not an OCI layout: its manifest.json is that of skopeo's "
			"format dir:");
		err_try(e, "unpack it as dir:DIR");
	} else if (faccessat(s->dirfd, "layers", F_OK, 0) == 0 &&
		faccessat(s->dirfd, "images", F_OK, 0) == 0) {
		err_why(e, "the directory is a store of shiftbox, with images that are unpacked");
		err_try(e,
			"list them: shiftbox image-unpack -s DIR --list; or name the source that "
			"one was unpacked from");
	} else if (has_file(s, "index.json")) {
		err_why(e, "the directory has index.json: it is a part of an OCI layout");
		err_try(e, "fetch the image again: this copy is incomplete");
	} else {
		err_why(e, "the directory is not an OCI layout, which always has this file");
		err_try(e,
			"name the directory that contains it; or make a layer of a directory of "
			"files: tar -C DIR -c . | shiftbox image-unpack -N NAME -");
	}
}

static int layout_check(const struct source *s, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_json struct json *layout = NULL;
	const char *version;
	int r;

	r = source_part_read_file(s, "oci-layout", 4096, &b, e);
	if (r == -ENOENT)
		explain_directory(s, e);
	if (r == 0)
		r = doc_parse(buf_get(&b), b.len, "oci-layout", &layout, e);
	if (r == 0)
		r = doc_str(layout, "imageLayoutVersion", "oci-layout", true, &version, e);
	if (r < 0)
		return r;
	if (strcmp(version, "1.0.0"))
		return err_say(e, EINVAL, "oci-layout",
			"imageLayoutVersion is '%.40s', and only 1.0.0 is supported", version);
	return 0;
}

static void say_foreign(const struct source_layer *l, struct err *e)
{
	char name[BLOB_NAME];

	err_why(e, "%s", l->note);
	err_try(e, "fetch it%s%.500s, and store it as %s", l->url ? " from " : "",
		l->url ? l->url : " where the image's maker offers it",
		blob_name(&l->digest, name));
}

static int open_oci_layer(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	const struct source_layer *l = &s->layers[i];
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	char name[BLOB_NAME];
	int r;

	if (l->data)
		return embedded_open(l, ret_fd, ret_offset, e);
	r = source_part_open_blob(s, blob_name(&l->digest, name), l->size, &p, e);
	if (r == -ENOENT && l->note)
		say_foreign(l, e);
	if (r < 0)
		return r;

	source_part_give(&p, ret_fd, ret_offset);
	return 0;
}

int oci_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e)
{
	const struct index_query q = { .name = "index.json",
		.ref = ref,
		.form = s->archive ? "oci-archive:FILE:REF" : "oci:DIR:REF",
		.read = read_document,
		.want = want,
		.strict = strict };
	scoped_buf struct buf index = BUF_INIT;
	int r = layout_check(s, e);

	if (r == 0)
		r = source_part_read_file(s, q.name, JSON_MAX_BYTES, &index, e);
	if (r == 0)
		r = image_index_load(s, &q, &index, e);
	s->open_layer = open_oci_layer;
	return r;
}
