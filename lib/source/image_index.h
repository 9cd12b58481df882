/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_IMAGE_INDEX_H
#define SOURCE_IMAGE_INDEX_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "manifest.h"
#include "source.h"

/* Which image of an index is wanted, and how its documents are read. */
struct index_query {
	const char *name; /* of the index, for messages */
	const char *type; /* the index's media type; NULL: unknown */
	const char *ref;  /* an annotated name or the digest of a manifest; NULL: any */
	const char *form; /* how the user adds a reference to the source: "oci:DIR:REF" */
	read_blob *read;
	const struct platform *want; /* chooses among several images */
	bool strict;                 /* see platform_check() */
};

/*
 * Find the image in the index with this text, and in the indexes in it, and fill s with its
 * documents, as manifest_load() does. Returns 0 or -errno with e filled (-ENOENT: there is none for
 * the reference or the platform; -EINVAL: several are as good).
 */
MUST_CHECK int image_index_load(
	struct source *s, const struct index_query *query, const struct buf *text, struct err *e);

#endif
