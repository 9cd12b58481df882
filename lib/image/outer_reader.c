/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* outer_reader: libarchive behind tarcheck, over a file whose bodies are passed over; and copying what is no such file. */

#include "outer_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "decode.h"
#include "outer.h"
#include "tarcheck.h"

enum { PIECE = 64 << 10 };

/* Bytes of a descriptor, in order. */
struct input {
	int fd;
	bool regular;
	uint64_t pos;
	uint8_t piece[PIECE];
};

struct outer_reader {
	struct input in;
	uint64_t size;           /* of the file */
	struct decode *decode;   /* NULL when it is plain */
	struct archive *a;
	struct archive_entry *ae;
	struct tarcheck *check;
	bool ended, failed;      /* failed: err says why */
	struct err err;
	uint8_t out[PIECE];
};

/* A decode_fill. */
static ssize_t fill(void *arg, const void **ret, struct err *e)
{
	struct input *in = arg;
	ssize_t n;

	do
		n = in->regular ? pread(in->fd, in->piece, PIECE, (off_t)in->pos) : read(in->fd, in->piece, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, NULL, "cannot read the archive");
	in->pos += (size_t)n;
	*ret = in->piece;
	return n;
}

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret)
{
	struct outer_reader *r = arg;
	ssize_t n = 0;
	int x;

	if (r->ended)
		return 0;
	if (r->decode) {
		n = decode_read(r->decode, r->out, PIECE, &r->err);
		*ret = r->out;
	} else {
		n = fill(&r->in, ret, &r->err);
	}
	if (n > 0)
		x = tarcheck_feed(r->check, *ret, (size_t)n, &r->err);
	else
		x = n < 0 ? (int)n : tarcheck_end(r->check, &r->err);
	if (x < 0) {
		r->failed = true;
		archive_set_error(a, -x, "cannot read");
		return ARCHIVE_FATAL;
	}
	r->ended = n == 0;
	return n;
}

/* Only what is there can be passed over; the rest is read, and found to be cut off. */
static la_int64_t skip_block(struct archive *a, void *arg, la_int64_t n)
{
	struct outer_reader *r = arg;

	(void)a;
	if (r->decode || n <= 0 || r->in.pos > r->size || (uint64_t)n > r->size - r->in.pos ||
	    !tarcheck_skip(r->check, (uint64_t)n))
		return 0;
	r->in.pos += (uint64_t)n;
	return n;
}

static int broken(struct outer_reader *r, const char *on, struct err *e)
{
	const char *text = archive_error_string(r->a);

	if (r->failed) {
		if (e)
			*e = r->err;
		return r->err.num ? -r->err.num : -EBADMSG;
	}
	return err_say(e, EBADMSG, on, "cannot read the archive: %s", text ? text : "unknown error");
}

static int open_archive(struct outer_reader *r, struct err *e)
{
	int x;

	r->a = archive_read_new();
	r->ae = archive_entry_new();
	if (!r->a || !r->ae)
		return err_nomem(e);
	x = tarcheck_new(&r->check, e);
	if (x < 0)
		return x;
	if (archive_read_support_format_tar(r->a) != ARCHIVE_OK ||
	    archive_read_set_read_callback(r->a, read_block) != ARCHIVE_OK ||
	    archive_read_set_skip_callback(r->a, skip_block) != ARCHIVE_OK ||
	    archive_read_set_callback_data(r->a, r) != ARCHIVE_OK || archive_read_open1(r->a) != ARCHIVE_OK)
		return broken(r, NULL, e);
	return 0;
}

int outer_reader_open(int fd, bool plain, struct outer_reader **ret, struct err *e)
{
	struct outer_reader *r = calloc(1, sizeof(*r));
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
		x = open_archive(r, e);
	if (x < 0) {
		outer_reader_free(r);
		return x;
	}

	*ret = r;
	return 0;
}

void outer_reader_free(struct outer_reader *r)
{
	if (!r)
		return;
	if (r->ae)
		archive_entry_free(r->ae);
	if (r->a)
		(void)archive_read_free(r->a); /* nothing is left to be lost */
	tarcheck_free(r->check);
	decode_free(r->decode);
	free(r);
}

static int describe(struct outer_reader *r, struct outer_entry *ret, struct err *e)
{
	const char *name = archive_entry_pathname(r->ae);
	struct tarfact f;

	if (!tarcheck_next(r->check, &f) || f.start != (uint64_t)archive_read_header_position(r->a))
		return err_say(e, EBADMSG, name, "the archive can be read in two ways here");
	if (!name)
		return err_say(e, EBADMSG, NULL, "a member has no name (tar header at byte %llu)", (unsigned long long)f.start);

	*ret = (struct outer_entry){
		.name = name, .hardlink = archive_entry_hardlink(r->ae), .offset = f.body, .size = f.size,
		.directory = archive_entry_filetype(r->ae) == AE_IFDIR,
	};
	if (!ret->hardlink && archive_entry_filetype(r->ae) == AE_IFLNK)
		ret->symlink = archive_entry_symlink(r->ae) ? archive_entry_symlink(r->ae) : "";
	/* A file with holes is not in the archive as it is, and its size there is another one. */
	ret->regular = !ret->hardlink && archive_entry_filetype(r->ae) == AE_IFREG && !archive_entry_sparse_count(r->ae) &&
		       (uint64_t)archive_entry_size(r->ae) == f.size;
	return 1;
}

int outer_reader_next(struct outer_reader *r, struct outer_entry *ret, struct err *e)
{
	int x = archive_read_next_header2(r->a, r->ae);
	const char *text = archive_error_string(r->a);

	if (x == ARCHIVE_EOF && !r->failed)
		return 0;
	/* The program keeps the C locale: names stay the bytes that they are, and libarchive says so. */
	if (x == ARCHIVE_OK || (x == ARCHIVE_WARN && text && strstr(text, "can't be converted")))
		return describe(r, ret, e);
	return broken(r, x == ARCHIVE_WARN ? archive_entry_pathname(r->ae) : NULL, e);
}

/* ---- is it one? ---- */

/* "sha256:" or nothing, and 64 digits: old docker's directories, and files of those who write its format. */
static bool begins_with_digest(const char *s)
{
	static const char digits[] = "0123456789abcdef";

	if (!strncmp(s, "sha256:", 7))
		s += 7;
	return strspn(s, digits) == 64 && (!s[64] || s[64] == '/' || s[64] == '.');
}

static bool is_image_name(const char *name)
{
	static const char *const names[] = { "oci-layout", "index.json", "manifest.json", "repositories", "config.json" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "blobs/sha256/", 13) || begins_with_digest(name);
}

bool outer_looks_like_image(int fd)
{
	scoped_outer_reader struct outer_reader *r = NULL;
	struct outer_entry t;
	const char *name;

	if (outer_reader_open(fd, false, &r, NULL) < 0)
		return false;
	while (outer_reader_next(r, &t, NULL) > 0) {
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

static int nameless_file(int *ret_fd, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	scoped_free char *path = NULL;
	int fd;

	if (!dir || !*dir)
		dir = "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		log_verbose("%s has no nameless files: making one with a name, and removing that", dir);
		if (asprintf(&path, "%s/shiftbox.XXXXXX", dir) < 0)
			return err_nomem(e);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path); /* it is empty yet, and ours alone */
	}
	if (fd < 0)
		return err_set(e, errno, dir, "cannot make a temporary file for the archive");

	*ret_fd = fd;
	return 0;
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
		if (sum > max_bytes)
			return err_say(e, EFBIG, NULL, "the archive has more than %llu bytes, uncompressed", (unsigned long long)max_bytes);
		r = fd_write_all(to, piece, (size_t)n);
		if (r < 0)
			return err_set(e, -r, NULL, "cannot copy the archive into a temporary file");
	}
	return (int)n;
}

int outer_copy(int fd, uint64_t max_bytes, int *ret_fd, struct err *e)
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
		log_verbose("the archive (%s) is copied into a temporary file: its members cannot be read by offset", decode_format(d));
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
