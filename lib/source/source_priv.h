/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_PRIV_H
#define SOURCE_SOURCE_PRIV_H

#include "../base/cleanup.h"
#include "source.h"

/* What the kinds of sources share; for source*.c and oci*.c alone. */

enum doc_kind { DOC_OTHER, DOC_INDEX, DOC_MANIFEST, DOC_CONFIG, DOC_LAYER };

struct descriptor {
	const char *media_type;
	enum doc_kind kind;
	const char *note; /* of a media type: why its blob may be missing, or NULL */
	struct digest digest;
	uint64_t size;
};

struct json;

/* "manifest sha256:HEX", to call a document by, into buf, returned. kind has at most 16 letters. */
enum { DOC_TITLE = DIGEST_TEXT + 18 };
const char *doc_title(const char *kind, const struct digest *d, char buf[static DOC_TITLE]);

/* A descriptor's members (OCI image-spec, descriptor.md): digest and size are validated. */
int descriptor_parse(
	const struct json *object, const char *doc, struct descriptor *ret, struct err *e);

/* What a media type means; NULL or an unknown one is DOC_OTHER. */
enum doc_kind media_type_kind(const char *type, const char **ret_note);

/*
 * Parse a manifest and its config and fill s->layers. read gives a document by its descriptor,
 * verified. want may be NULL.
 */
typedef int read_blob(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e);
int manifest_load(struct source *s, const struct descriptor *manifest, read_blob *read,
	const struct platform *want, bool strict, struct err *e);

/* Is what the document says of itself what its descriptor said, and nothing else besides? */
int doc_check_kind(const struct json *object, const char *doc, enum doc_kind kind,
	const char *media_type, struct err *e);

/* How well a platform object (may be NULL: not said) fits: 0 not at all, more is better. */
int platform_fit(const struct json *platform, const struct platform *want);

/*
 * Fill diff_ids from s->config, one for each layer of s, and judge the platform. name: for
 * messages.
 */
int config_load(struct source *s, const char *name, const struct platform *want, bool strict,
	struct err *e);

/*
 * A file of a layout, or a member of an archive: size bytes at offset of a descriptor of its own.
 */
struct source_part {
	int fd;
	uint64_t offset, size;
};

static inline void cleanup_source_part(struct source_part *p)
{
	cleanup_fd(&p->fd);
}

#define SOURCE_PART_INIT ((struct source_part){ .fd = -1 })
#define scoped_source_part __attribute__((cleanup(cleanup_source_part)))

/* name: relative; in a directory no link is followed, in an archive those that stay in it are. */
int source_part_open(
	const struct source *s, const char *name, struct source_part *ret, struct err *e);

/* source_part_open() and source_part_read(), of a small file. */
int source_part_read_file(
	const struct source *s, const char *name, size_t max, struct buf *ret, struct err *e);

/* All of it, at most max bytes (-EFBIG beyond), appended to ret. */
int source_part_read(
	const struct source_part *p, const char *name, size_t max, struct buf *ret, struct err *e);

/* An OCI layout, in s->dirfd or s->archive. ref may be NULL. */
int oci_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e);

/* What docker save writes, in s->archive. ref: REPO:TAG, "@N" (from 0), or NULL. */
int docker_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e);

#endif
