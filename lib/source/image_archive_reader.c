/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_archive_reader: a tar reader over a file whose bodies are passed over; and copying what is
 * no such file.
 */

#include "image_archive_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/env.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../tar/decode.h"
#include "../tar/tar_read.h"
#include "image_archive.h"

enum { PIECE = 64 << 10 };

/* Bytes of a descriptor, in order. */
struct input {
	int fd;
	bool regular;
	uint64_t pos;
	uint8_t piece[PIECE];
};

struct image_archive_reader {
	struct input in;
	uint64_t size;         /* of the file */
	struct decode *decode; /* NULL when it is plain */
	struct tar_read *tar;
	uint8_t out[PIECE];
};

/* A decode_fill. */
static ssize_t fill(void *arg, const void **ret, struct err *e)
{
	struct input *in = arg;
	ssize_t n;

	do
		n = in->regular ? pread(in->fd, in->piece, PIECE, (off_t)in->pos) :
				  read(in->fd, in->piece, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, NULL, "cannot read the archive");
	in->pos += (size_t)n;
	*ret = in->piece;
	return n;
}

static ssize_t read_piece(void *arg, const void **ret, struct err *e)
{
	struct image_archive_reader *r = arg;

	if (!r->decode)
		return fill(&r->in, ret, e);
	*ret = r->out;
	return decode_read(r->decode, r->out, PIECE, e);
}

/* Only what is there can be passed over; the rest is read, and found to be cut off. */
static bool skip(void *arg, uint64_t n)
{
	struct image_archive_reader *r = arg;

	if (r->decode || r->in.pos > r->size || n > r->size - r->in.pos)
		return false;
	r->in.pos += n;
	return true;
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
		x = decode_open(fill, &r->in, &r->decode, e);
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
	/* A file with holes is not in the archive as it is, and its size there is another one. */
	ret->regular = !ret->hardlink && archive_entry_filetype(ae) == AE_IFREG &&
		!archive_entry_sparse_count(ae) && (uint64_t)archive_entry_size(ae) == f.size;
	return 1;
}

/* ---- is it one? ---- */

/*
 * "sha256:" or nothing, and 64 digits: old docker's directories, and files of those who write its
 * format.
 */
static bool begins_with_digest(const char *s)
{
	static const char digits[] = "0123456789abcdef";

	if (!strncmp(s, "sha256:", 7))
		s += 7;
	return strspn(s, digits) == 64 && (!s[64] || s[64] == '/' || s[64] == '.');
}

static bool is_image_name(const char *name)
{
	static const char *const names[] = { "oci-layout", "index.json", "manifest.json",
		"repositories", "config.json" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "blobs/sha256/", 13) || begins_with_digest(name);
}

bool image_archive_looks_like_image(int fd)
{
	scoped_image_archive_reader struct image_archive_reader *r = NULL;
	struct image_archive_entry t;
	const char *name;

	if (image_archive_reader_open(fd, false, &r, NULL) < 0)
		return false;
	while (image_archive_reader_next(r, &t, NULL) > 0) {
		name = t.name;
		while (!strncmp(name, "./", 2))
			name += 2;
		if (!*name || !strcmp(name, "blobs/") || !strcmp(name, "blobs/sha256/"))
			continue;
		return is_image_name(name);
	}
	return false;
}

/* ---- copies ---- */

static int named_file(const char *dir, int *ret_fd, struct err *e)
{
	static const char what[] = "cannot make a temporary file for the archive";
	scoped_fd int at = -1;
	char name[40];
	uint64_t id;
	int r = path_open(dir, O_PATH | O_DIRECTORY, what, NULL, &at, e);

	if (r < 0)
		return r;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(e, errno, dir, "cannot get a random name");
	(void)snprintf(name, sizeof(name), "shiftbox.%016" PRIx64, id); /* fits */
	*ret_fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return err_set(e, errno, dir, "%s", what);
	(void)unlinkat(at, name, 0); /* it is empty yet, and ours alone */
	return 0;
}

static int nameless_file(int *ret_fd, struct err *e)
{
	const char *dir = env_get("TMPDIR");
	int r;

	if (!dir || !*dir)
		dir = "/var/tmp";
	r = path_open(dir, O_TMPFILE | O_RDWR, "cannot make a temporary file for the archive", NULL,
		ret_fd, e);
	if (r != -EOPNOTSUPP && r != -EISDIR)
		return r;
	log_verbose("%s has no nameless files: making one with a name, and removing that", dir);
	if (e)
		*e = ERR_INIT;
	return named_file(dir, ret_fd, e);
}

static int copy(struct decode *d, uint64_t max_bytes, int to, struct err *e)
{
	scoped_free uint8_t *piece = malloc(PIECE);
	uint64_t sum = 0;
	ssize_t n;
	int r;

	if (!piece)
		return err_nomem(e);
	while ((n = decode_read(d, piece, PIECE, e)) > 0) {
		sum += (size_t)n;
		if (sum > max_bytes) {
			(void)err_say(e, EFBIG, NULL,
				"the archive has more than %llu bytes, uncompressed",
				(unsigned long long)max_bytes);
			err_try(e, "if that is as it should be, allow more with --max-bytes");
			return -EFBIG;
		}
		r = fd_write_all(to, piece, (size_t)n);
		if (r < 0)
			return err_set(
				e, -r, NULL, "cannot copy the archive into a temporary file");
	}
	return (int)n;
}

int image_archive_copy(int fd, uint64_t max_bytes, int *ret_fd, struct err *e)
{
	scoped_free struct input *in = calloc(1, sizeof(*in));
	struct decode *d = NULL;
	scoped_fd int to = -1;
	struct stat st;
	int r;

	if (!in)
		return err_nomem(e);
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat the archive");
	in->fd = fd;
	in->regular = S_ISREG(st.st_mode);
	r = decode_open(fill, in, &d, e);
	if (r == 0 && in->regular && !strcmp(decode_format(d), "none")) {
		to = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (to < 0)
			r = err_set(e, errno, NULL, "cannot open the archive again");
	} else if (r == 0) {
		log_verbose("the archive (%s) is copied into a temporary file: its members cannot "
			    "be read by offset",
			decode_format(d));
		r = nameless_file(&to, e);
		if (r == 0)
			r = copy(d, max_bytes, to, e);
	}
	decode_free(d);
	if (r < 0)
		return r;

	*ret_fd = TAKE_FD(to);
	return 0;
}
