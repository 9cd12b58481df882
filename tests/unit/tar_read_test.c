/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tar_check and libarchive make the same of an archive, in whatever pieces it comes. */

#include "../../lib/tar/tar_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "make_tar.h"
#include "test.h"

#define END { .name = NULL }

static void add_data(struct tar_read *t, struct buf *ret)
{
	const void *p;
	size_t n;
	la_int64_t at;

	while (archive_read_data_block(tar_read_archive(t), &p, &n, &at) == ARCHIVE_OK)
		buf_add(ret, p, n);
}

static void add_entry(struct tar_read *t, const struct tar_fact *f, struct buf *ret)
{
	struct archive_entry *ae = tar_read_entry(t);
	const char *hard = archive_entry_hardlink(ae), *soft = archive_entry_symlink(ae);

	buf_printf(ret, "%s%s %u:%u %lld", ret->len ? "; " : "", archive_entry_pathname(ae), f->uid,
		f->gid, (long long)f->sec);
	if (hard || soft)
		buf_printf(ret, " %s%s", hard ? "=>" : "->", hard ? hard : soft);
	if (archive_entry_filetype(ae) != AE_IFREG)
		return;
	buf_printf(ret, " %lld=", (long long)archive_entry_size(ae));
	add_data(t, ret);
}

/*
 * Describe all entries in a line: "NAME UID:GID MTIME SIZE=DATA" of a file, "=>TARGET" of a hard
 * link, "->TARGET" of a symbolic one; separated by "; ".
 */
static int describe(const struct buf *b, size_t piece, struct buf *ret, struct err *e)
{
	struct tar_stream stream = { .b = b, .piece = piece };
	const struct tar_read_source source = { .read = tar_stream_read, .arg = &stream };
	struct tar_read *t;
	struct tar_fact f;
	int r = tar_read_open(&source, &t, e);

	buf_reset(ret);
	if (r < 0)
		return r;
	while ((r = tar_read_next(t, &f, e)) > 0)
		add_entry(t, &f, ret);
	tar_read_free(t);
	REQUIRE(buf_get(ret));
	return r;
}

/* In pieces of all kinds of sizes, which cut headers, too. */
static void must_be(const struct buf *b, const char *want, const char *file, int line)
{
	for (size_t piece = 1; piece < 6000; piece += piece < 20 ? 1 : piece / 3) {
		scoped_buf struct buf got = BUF_INIT;
		struct err e = ERR_INIT;

		if (describe(b, piece, &got, &e) < 0)
			test_fail(file, line, "in pieces of %zu: %s: %s; want '%s'", piece, e.on,
				e.what, want);
		else if (strcmp(buf_get(&got), want) != 0)
			test_fail(file, line, "in pieces of %zu: '%s', not '%s'", piece,
				buf_get(&got), want);
	}
}

#define MUST_BE(b, want) must_be(b, want, __FILE__, __LINE__)

/* What a Go program leaves that does not close its archive/tar.Writer. */
TEST(an_archive_may_end_with_the_last_byte_of_data)
{
	static const struct tar_entry list[] = { { "d", .type = '5' }, { "d/f", .data = "12345" },
		END };
	scoped_buf struct buf b = tar_make(list);
	const size_t data = 2 * 512 + 5;

	for (b.len = data; b.len <= (size_t)3 * 512; b.len += b.len == data ? 1 : 101)
		MUST_BE(&b, "d 0:0 0; d/f 0:0 0 5=12345");
	for (b.len = data - 1; b.len > 512; b.len -= b.len > 1024 ? 1 : 101) {
		scoped_buf struct buf got = BUF_INIT;
		struct err e = ERR_INIT;

		CHECK_INT(describe(&b, 700, &got, &e), -EBADMSG);
		CHECK_HAS(e.what, "cut off");
	}
}

/* POSIX.1 pax: a record without a value deletes the value, so that the ustar header counts. */
TEST(pax_records_without_a_value_leave_the_header_as_it_is)
{
	static const struct {
		struct tar_entry t;
		const char *want;
	} cases[] = {
		{ { "f", .data = "x", .uid = 7, .gid = 8, .mtime = 9,
			  .pax = { "uid=", "gid=", "mtime=", "size=", "path=", "linkpath=" } },
			"f 7:8 9 1=x" },
		{ { "f", .data = "x", .uid = 7, .pax = { "uid=5", "size=0", "uid=", "size=" } },
			"f 7:0 0 1=x" },
		{ { "f", .data = "x", .uid = 7, .pax = { "uid=", "uid=5" } }, "f 5:0 0 1=x" },
		{ { "f", .data = "x", .pax = { "path=other", "path=" } }, "f 0:0 0 1=x" },
		{ { "l", .type = '2', .link = "to", .pax = { "linkpath=other", "linkpath=" } },
			"l 0:0 0 ->to" },
		{ { "f", .data = "x",
			  .pax = { "GNU.sparse.map=", "GNU.sparse.size=", "GNU.sparse.major=",
				  "GNU.sparse.minor=", "GNU.sparse.numblocks=",
				  "GNU.sparse.realsize=" } },
			"f 0:0 0 1=x" },
		{ { "f", .data = "x",
			  .pax = { "GNU.sparse.name=", "SCHILY.realsize=", "hdrcharset=",
				  "SCHILY.acl.access=", "SCHILY.acl.default=", "SUN.holesdata=" } },
			"f 0:0 0 1=x" },
		{ { "c", .type = '3', .major = 1, .minor = 3,
			  .pax = { "SCHILY.devmajor=", "SCHILY.devminor=" } },
			"c 0:0 0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tar_entry list[] = { { "d", .type = '5' }, cases[i].t, cases[i].t,
			{ "last", .data = "end" }, END };
		scoped_buf struct buf b = tar_make(list), want = BUF_INIT;

		buf_printf(
			&want, "d 0:0 0; %s; %s; last 0:0 0 3=end", cases[i].want, cases[i].want);
		MUST_BE(&b, buf_get(&want));
	}
}

#define GNU_WITH(prefix) \
	.patch = { .at = 257, \
		.bytes = "ustar  \0u\0______________________________" \
			 "g\0______________________________" \
			 "0000001\0000000003\0" prefix, \
		.n = 88 + sizeof(prefix) - 1 }

#define LONG "a/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

/* Before Go 1.8, archive/tar wrote the prefix of ustar into headers with GNU's magic. */
TEST(prefixes_that_old_go_wrote_into_gnus_headers_belong_to_the_name)
{
	static const struct {
		struct tar_entry t;
		const char *want;
	} cases[] = {
		{ { "f", .data = "x", GNU_WITH("usr/share") }, "usr/share/f 0:0 0 1=x" },
		{ { "f", .data = "x", GNU_WITH(LONG) }, LONG "/f 0:0 0 1=x" },
		{ { "d/", .type = '5', GNU_WITH("usr") }, "usr/d/ 0:0 0" },
		{ { "l", .type = '2', .link = "to", GNU_WITH("usr") }, "usr/l 0:0 0 ->to" },
		{ { "h", .type = '1', .link = "to", GNU_WITH("usr") }, "usr/h 0:0 0 =>to" },
		{ { "f", .data = "x", GNU_WITH("012345670123/x") }, "012345670123/x/f 0:0 0 1=x" },
		/* Times, or what Go takes for one. */
		{ { "f", .data = "x", GNU_WITH("14371512400\00014371512400\0") }, "f 0:0 0 1=x" },
		{ { "f", .data = "x", GNU_WITH("0755") }, "f 0:0 0 1=x" },
		{ { "f", .data = "x", GNU_WITH("\200\0\0\0\0\0\0\0\0\0\0\1") }, "f 0:0 0 1=x" },
		{ { "f", .data = "x", GNU_WITH("\303\244") }, "f 0:0 0 1=x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tar_entry list[] = { { "d", .type = '5' }, cases[i].t,
			{ "last", .data = "end" }, END };
		scoped_buf struct buf b = tar_make(list), want = BUF_INIT;

		buf_printf(&want, "d 0:0 0; %s; last 0:0 0 3=end", cases[i].want);
		MUST_BE(&b, buf_get(&want));
	}
}
