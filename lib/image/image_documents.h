/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_DOCUMENTS_H
#define IMAGE_IMAGE_DOCUMENTS_H

#include <stddef.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../tar/blob.h"
#include "../tar/digest.h"

/* A layer as the documents of its image describe it. */
struct documented_layer {
	struct digest diff_id;
	const struct blob_result *blob; /* format, size and digest as it was read */
};

/*
 * Append the configuration and the manifest (OCI image-spec, config.md and manifest.md) of an image
 * of these layers, lowest first, for layers that come without documents. The platform is that of
 * this machine. The only error is -ENOMEM.
 */
MUST_CHECK int image_documents_make(const struct documented_layer *layers, size_t n,
	struct buf *ret_manifest, struct buf *ret_config, struct err *e);

#endif
