/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_archive_reader: a tar reader that skips bodies where it can. */

#include "image_archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../tar/decode.h"
#include "../tar/members.h"
#include "../tar/tar_read.h"
#include "image_archive_input.h"

struct image_archive_reader {
	struct image_archive_input in;
	uint64_t size;         /* of the file, in bytes */
	struct decode *decode; /* NULL: the archive is not compressed */
	struct tar_read *tar;
	uint8_t out[IMAGE_ARCHIVE_PIECE];
};

static ssize_t read_piece(void *arg, const void **ret, struct err *e)
{
	struct image_archive_reader *r = arg;

	if (!r->decode)
		return image_archive_input_fill(&r->in, ret, e);
	*ret = r->out;
	return decode_read(r->decode, r->out, IMAGE_ARCHIVE_PIECE, e);
}

/* Bytes past the end of the file are not skipped: reading them finds that the archive is cut off.
 */
static bool skip(void *arg, uint64_t n)
{
	struct image_archive_reader *r = arg;

	if (r->decode || r->in.pos > r->size || n > r->size - r->in.pos)
		return false;
	r->in.pos += n;
	return true;
}

/* Sets r->decode unless the file is not compressed. */
static int open_decoder(struct image_archive_reader *r, struct err *e)
{
	int x = decode_open(image_archive_input_fill, &r->in, &r->decode, e);

	if (x < 0 || strcmp(decode_format(r->decode), "none"))
		return x;
	decode_free(TAKE_PTR(r->decode));
	r->in.pos = 0;
	return 0;
}

bool image_archive_reader_skips(const struct image_archive_reader *r)
{
	return !r->decode;
}

int image_archive_reader_open(int fd, bool plain, struct image_archive_reader **ret, struct err *e)
{
	struct image_archive_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int x = 0;

	if (!r)
		return err_nomem(e);
	r->in.fd = fd;
	r->in.regular = true;
	if (fstat(fd, &st) < 0)
		x = err_set(e, errno, NULL, "cannot stat the archive");
	r->size = x == 0 ? (uint64_t)st.st_size : 0;
	if (x == 0 && !plain)
		x = open_decoder(r, e);
	if (x == 0)
		x = tar_read_open(
			&(struct tar_read_source){ .read = read_piece, .skip = skip, .arg = r },
			&r->tar, e);
	if (x < 0) {
		image_archive_reader_free(r);
		return x;
	}

	*ret = r;
	return 0;
}

void image_archive_reader_free(struct image_archive_reader *r)
{
	if (!r)
		return;
	tar_read_free(r->tar);
	decode_free(r->decode);
	free(r);
}

int image_archive_reader_data(struct image_archive_reader *r, struct members *to, struct err *e)
{
	char piece[4096];
	la_ssize_t n;

	while ((n = archive_read_data(tar_read_archive(r->tar), piece, sizeof(piece))) > 0)
		members_data(to, piece, (size_t)n);
	return n < 0 ? tar_read_failed(r->tar, NULL, e) : 0;
}

int image_archive_reader_next(
	struct image_archive_reader *r, struct image_archive_entry *ret, struct err *e)
{
	struct archive_entry *ae = tar_read_entry(r->tar);
	struct tar_fact f;
	int x = tar_read_next(r->tar, &f, e);

	if (x <= 0)
		return x;
	*ret = (struct image_archive_entry){
		.name = archive_entry_pathname(ae),
		.hardlink = archive_entry_hardlink(ae),
		.offset = f.body,
		.size = f.size,
		.directory = archive_entry_filetype(ae) == AE_IFDIR,
	};
	if (!ret->hardlink && archive_entry_filetype(ae) == AE_IFLNK)
		ret->symlink = archive_entry_symlink(ae) ? archive_entry_symlink(ae) : "";
	/* The body of a sparse file is not its content, and has a different size. */
	ret->regular = !ret->hardlink && archive_entry_filetype(ae) == AE_IFREG &&
		!archive_entry_sparse_count(ae) && (uint64_t)archive_entry_size(ae) == f.size;
	return 1;
}
