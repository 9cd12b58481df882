/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* embedded: content that is embedded in its descriptor. */

#include "embedded.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

int embedded_read(const struct descriptor *d, struct buf *ret, struct err *e)
{
	size_t n = strlen(d->data), out = BASE64_DECODE_LENGTH(n);
	scoped_free uint8_t *bytes = malloc(out + 1);
	struct base64_decode_ctx c;
	char text[DIGEST_TEXT];
	struct digest is;

	if (!bytes)
		return err_nomem(e);
	(void)digest_text(&d->digest, text);
	base64_decode_init(&c);
	if (!base64_decode_update(&c, &out, bytes, n, d->data) || !base64_decode_final(&c))
		return err_say(e, EBADMSG, text, "the embedded data is not base64");
	hash_bytes(bytes, out, &is);
	if (out != d->size || !digest_equal(&is, &d->digest))
		return err_say(
			e, EBADMSG, text, "the embedded data is not what its digest and size say");
	buf_add(ret, bytes, out);
	return buf_get(ret) ? 0 : err_nomem(e);
}
