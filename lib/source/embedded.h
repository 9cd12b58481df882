/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_EMBEDDED_H
#define SOURCE_EMBEDDED_H

#include "../base/buf.h"
#include "../base/err.h"
#include "manifest.h"

/*
 * Decode the content that is embedded in a descriptor (image-spec, descriptor.md, "data") and
 * append it to ret. d->data is not NULL. Returns 0, or -EBADMSG with e filled if it is not base64,
 * or does not have the size and the digest of the descriptor.
 */
MUST_CHECK int embedded_read(const struct descriptor *d, struct buf *ret, struct err *e);

/*
 * Decode the embedded content of a layer, whose data is not NULL, into a file in memory, from
 * offset 0 on. The caller closes *ret_fd. Errors: as embedded_read().
 */
MUST_CHECK int embedded_open(
	const struct source_layer *l, int *ret_fd, uint64_t *ret_offset, struct err *e);

#endif
