/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bounds the memory that a layer needs, and the attributes that it may have. */

#include <archive.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../lib/layer/entry.h"
#include "../../lib/layer/layer_deps.h"
#include "../../lib/layer/layer_limits.h"
#include "../../lib/tar/members.h"
#include "make_tar.h"
#include "test.h"

TEST(dependencies_of_a_layer_have_at_most_64_MiB)
{
	static const char line[] = "dir /x no\n";
	const struct lower none = { .n = 0 };
	struct lower_walk w;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	char *room = malloc(LAYER_DEPS_MAX);

	REQUIRE(room);
	memset(room, 'x', LAYER_DEPS_MAX);
	lower_walk_begin(&w, &none);
	buf_add(&b, room, LAYER_DEPS_MAX - strlen(line));
	CHECK_INT(layer_deps_add(&w, LAYER_DEP_DIR, "x", NULL, &b, &e), 0);
	CHECK_INT(b.len, LAYER_DEPS_MAX);
	CHECK_INT(layer_deps_add(&w, LAYER_DEP_DIR, "x", NULL, &b, &e), -EFBIG);
	CHECK_STR(e.on, "x");
	CHECK_HAS(e.what, "more than 64 MiB");
	lower_walk_end(&w);
	buf_done(&b);
	free(room);
}

static void add_record(struct buf *b, const char *name, const char *value)
{
	size_t n = strlen("SCHILY.xattr.") + strlen(name) + strlen(value) + 3, digits = 1;

	for (size_t d = 10; n + digits >= d; d *= 10)
		digits++;
	buf_printf(b, "%zu SCHILY.xattr.%s=%s\n", n + digits, name, value);
}

/* Read an entry with these pax records. */
static int read_entry(const struct buf *records, size_t *ret_xattrs, struct err *e)
{
	const struct layer_options o = { .limits = layer_default_limits };
	const struct tar_entry list[] = { { .name = "f", .raw_pax = records->data },
		{ .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	struct tar_stream stream = { .b = &b };
	struct entry_reader *reader = NULL;
	struct layer_entry en;
	int r = entry_open(tar_stream_read, &stream, &o, &reader, e);

	if (r == 0)
		r = entry_next(reader, &en, e);
	if (r == 1)
		*ret_xattrs = en.xattrs->len;
	entry_close(reader);
	return r;
}

TEST(members_know_what_a_reader_of_headers_alone_does_not_read)
{
	scoped_members struct members m = { .n = 0 };
	const struct layer_options o = { .limits = layer_default_limits, .members = &m };
	const struct tar_entry list[] = { { .name = "a" },
		{ .name = "manifest.json", .data = "[{\"Layers\":[]}]" }, { .name = "b" },
		{ .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	struct tar_stream stream = { .b = &b };
	struct entry_reader *reader = NULL;
	struct layer_entry en;
	struct err e = ERR_INIT;
	int r = entry_open(tar_stream_read, &stream, &o, &reader, &e);

	while (r >= 0 && (r = entry_next(reader, &en, &e)) > 0)
		;
	CHECK_INT(r, 0);
	CHECK_INT(m.n, 3);
	CHECK_INT(members_kind(&m), MEMBERS_DOCKER);
	entry_close(reader);
}

/* listxattr(2) returns at most XATTR_LIST_MAX bytes, a NUL for each name included. */
TEST(names_of_attributes_are_at_most_what_linux_can_list)
{
	enum { NAME = 127, MOST = 65536 / (NAME + 1) };

	for (int n = MOST; n <= MOST + 1; n++) {
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		char name[NAME + 1];
		size_t found = 0;

		for (int i = 0; i < n; i++) {
			(void)snprintf(name, sizeof(name), "user.%0122d", i);
			add_record(&b, name, "v");
		}
		REQUIRE(buf_get(&b));
		CHECK_INT(read_entry(&b, &found, &e), n > MOST ? -E2BIG : 1);
		CHECK_INT(found, n > MOST ? 0 : MOST);
		CHECK_HAS(e.what, n > MOST ? "more than 65536 bytes" : "");
	}
}

/* libarchive from 3.7.5 on omits an attribute whose name has more than 128 bytes. */
TEST(an_attribute_that_libarchive_omits_is_not_lost)
{
	static const int lengths[] = { 128, 129, 255 };
	bool newer = archive_version_number() >= 3007005;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		bool lost = newer && lengths[i] > 128;
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		char name[256];
		size_t found = 0;

		(void)snprintf(name, sizeof(name), "user.%0*d", lengths[i] - 5, 1);
		add_record(&b, name, "v");
		add_record(&b, "user.k", "");
		REQUIRE(buf_get(&b));
		CHECK_INT(read_entry(&b, &found, &e), lost ? -EBADMSG : 1);
		CHECK_INT(found, lost ? 0 : 2);
		CHECK_HAS(e.what, lost ? "reads 1 of the 2 extended attributes" : "");
		CHECK_STR(e.on, lost ? "f" : "");
	}
}

TEST(an_attribute_has_a_name_and_a_value_that_the_kernel_can_store)
{
	static const struct {
		size_t name, value;
		int want;
	} cases[] = {
		{ 255, 1, 0 },
		{ 256, 1, -ENAMETOOLONG },
		{ 10, 65536, 0 },
		{ 10, 65537, -E2BIG },
	};
	const struct layer_options o = { .keep_security = false };
	const struct xattr_file file = { .type = S_IFREG, .on = "f", .o = &o };
	static char value[65537];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct xattrs x = { .items = NULL };
		struct err e = ERR_INIT;
		char name[300] = "user.";

		memset(name + 5, 'n', cases[i].name - 5);
		CHECK_INT(xattrs_add(&x, name, value, cases[i].value, &file, &e), cases[i].want);
		CHECK_INT(x.len, cases[i].want == 0);
		xattrs_done(&x);
	}
}
