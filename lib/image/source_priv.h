/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_SOURCE_PRIV_H
#define IMAGE_SOURCE_PRIV_H

#include "source.h"

/* What the kinds of sources share; for source*.c and oci*.c alone. */

enum doc_kind { DOC_OTHER, DOC_INDEX, DOC_MANIFEST, DOC_CONFIG, DOC_LAYER };

struct descriptor {
	const char *media_type;
	enum doc_kind kind;
	const char *note;         /* of a media type: why its blob may be missing, or NULL */
	struct digest digest;
	uint64_t size;
};

struct json;

/* "manifest sha256:HEX", to call a document by, into buf, returned. kind has at most 16 letters. */
enum { DOC_TITLE = DIGEST_TEXT + 18 };
const char *doc_title(const char *kind, const struct digest *d, char buf[static DOC_TITLE]);

/* A descriptor's members (OCI image-spec, descriptor.md): digest and size are validated. */
int descriptor_parse(const struct json *object, const char *doc, struct descriptor *ret, struct err *e);

/* What a media type means; NULL or an unknown one is DOC_OTHER. */
enum doc_kind media_type_kind(const char *type, const char **ret_note);

/*
 * Parse a manifest and its config and fill s->layers. read gives a document by its descriptor,
 * verified. want may be NULL.
 */
typedef int read_blob(const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e);
int manifest_load(struct source *s, const struct descriptor *manifest, read_blob *read,
		  const struct platform *want, bool strict, struct err *e);

/* Is what the document says of itself what its descriptor said, and nothing else besides? */
int doc_check_kind(const struct json *object, const char *doc, enum doc_kind kind, const char *media_type, struct err *e);

/* How well a platform object (may be NULL: not said) fits: 0 not at all, more is better. */
int platform_fit(const struct json *platform, const struct platform *want);

/* An OCI layout in the directory dirfd, which is taken over. ref may be NULL. */
int oci_open(struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e);

#endif
