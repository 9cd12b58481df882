/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_MANIFEST_H
#define SOURCE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "source.h"

struct json;

enum doc_kind { DOC_OTHER, DOC_INDEX, DOC_MANIFEST, DOC_CONFIG, DOC_LAYER };

/* An OCI content descriptor (image-spec, descriptor.md). */
struct descriptor {
	const char *media_type; /* points into the document */
	enum doc_kind kind;     /* what the media type stands for */
	const char *data;       /* the content in base64, or NULL; points into the document */
	const char *note;       /* why the blob may be missing, or NULL; static */
	struct digest digest;
	uint64_t size; /* bytes */
};

/*
 * Write "manifest sha256:HEX", the name of a document in messages, into buf, and return buf. kind
 * has at most 16 letters.
 */
enum { DOC_TITLE = DIGEST_TEXT + 18 };
const char *doc_title(const char *kind, const struct digest *d, char buf[static DOC_TITLE]);

/*
 * Parse a descriptor, with its digest and size. doc names the document that contains it, for
 * messages. Returns 0 or -EINVAL with e filled.
 */
MUST_CHECK int descriptor_parse(
	const struct json *object, const char *doc, struct descriptor *ret, struct err *e);

/*
 * Check that the document is an index or a manifest (kind), as its descriptor's media type (NULL:
 * unknown) says, and that it could not be read as the other kind. Returns 0 or -EINVAL with e
 * filled.
 */
MUST_CHECK int doc_check_kind(const struct json *object, const char *doc, enum doc_kind kind,
	const char *media_type, struct err *e);

/* Append the document of a descriptor to ret, verified against its digest. */
typedef int read_blob(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e);

/*
 * Is the document of m a manifest of something that is not an image, or that refers to an image (a
 * signature)? A document that cannot be read is not.
 */
bool manifest_is_beside(const struct descriptor *m, const struct buf *document);

/*
 * Read and parse a manifest and its config; fills the documents, digests and layers of s. want and
 * strict are those of platform_check().
 */
MUST_CHECK int manifest_load(struct source *s, const struct descriptor *manifest, read_blob *read,
	const struct platform *want, bool strict, struct err *e);

/*
 * Parse s->config: set the diff_id of each layer of s, and check the platform. name is that of the
 * config, for messages.
 */
MUST_CHECK int config_load(struct source *s, const char *name, const struct platform *want,
	bool strict, struct err *e);

#endif
