/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_archive_input: read an archive piece by piece. */

#include "image_archive_input.h"

#include <errno.h>
#include <unistd.h>

ssize_t image_archive_input_fill(void *arg, const void **ret, struct err *e)
{
	struct image_archive_input *in = arg;
	ssize_t n;

	do
		n = in->regular ? pread(in->fd, in->piece, IMAGE_ARCHIVE_PIECE, (off_t)in->pos) :
				  read(in->fd, in->piece, IMAGE_ARCHIVE_PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, NULL, "cannot read the archive");
	in->pos += (size_t)n;
	*ret = in->piece;
	return n;
}
