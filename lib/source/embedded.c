/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* embedded: content that is embedded in its descriptor. */

#include "embedded.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/fd.h"

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
	hash_bytes_as(d->digest.algorithm, bytes, out, &is);
	if (out != d->size || !digest_equal(&is, &d->digest))
		return err_say(
			e, EBADMSG, text, "the embedded data is not what its digest and size say");
	buf_add(ret, bytes, out);
	return buf_get(ret) ? 0 : err_nomem(e);
}

int embedded_open(const struct source_layer *l, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	const struct descriptor d = { .data = l->data, .digest = l->digest, .size = l->size };
	scoped_buf struct buf b = BUF_INIT;
	scoped_fd int fd = -1;
	int r = embedded_read(&d, &b, e);

	if (r < 0)
		return r;
	fd = memfd_create("layer", MFD_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, l->name, "cannot keep the embedded layer in memory");
	r = fd_write_all(fd, b.data, b.len);
	if (r < 0)
		return err_set(e, -r, l->name, "cannot keep the embedded layer in memory");

	*ret_fd = TAKE_FD(fd);
	*ret_offset = 0;
	return 0;
}
