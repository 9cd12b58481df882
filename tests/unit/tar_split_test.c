/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tar_split writes, and that the archive can be made again from it. */

#include "../../lib/tar/tar_split.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/json.h"
#include "../../lib/tar/crc64.h"
#include "../../lib/tar/decode.h"
#include "make_tar.h"
#include "test.h"

TEST(crc64_has_the_check_value_of_its_catalogue)
{
	static const char text[] = "123456789123456789";

	for (size_t k = 0; crc64_iso_all[k]; k++) {
		uint64_t parts = 0;

		CHECK(crc64_iso_all[k](0, text, 9) == 0xb90956c775a41001);
		for (size_t i = 0; i < 18; i += 3)
			parts = crc64_iso_all[k](parts, text + i, 3);
		CHECK(parts == crc64_iso_all[k](0, text, 18));
	}
}

TEST(every_function_computes_the_same_crc64)
{
	char text[600];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 167 >> 3);
	for (size_t n = 0; n < sizeof(text); n++)
		for (size_t k = 1; crc64_iso_all[k]; k++)
			CHECK(crc64_iso_all[k](n, text + n, sizeof(text) - n) ==
				crc64_iso_all[0](n, text + n, sizeof(text) - n));
}

static ssize_t fill(void *arg, const void **ret, struct err *e)
{
	struct buf *b = arg;
	size_t n = b->len;

	(void)e;
	*ret = b->data;
	b->len = 0;
	return (ssize_t)n;
}

/* Split the archive, in pieces of n bytes, and return the lines. */
static struct buf split(const struct buf *tar, size_t n, const char **ret_why)
{
	scoped_fd int fd = memfd_create("split", MFD_CLOEXEC);
	struct buf packed = BUF_INIT, lines = BUF_INIT;
	struct tar_split *t;
	struct decode *d;
	struct err e = ERR_INIT;
	static char piece[65536];
	ssize_t got;

	REQUIRE(tar_split_new(fd, &t, &e) == 0);
	for (size_t at = 0; at < tar->len; at += n)
		REQUIRE(tar_split_feed(
				t, tar->data + at, tar->len - at < n ? tar->len - at : n, &e) == 0);
	REQUIRE(tar_split_end(t, ret_why, &e) == 0);
	tar_split_free(t);
	if (*ret_why)
		return lines;
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&packed, piece, (size_t)got);
	REQUIRE(decode_open(fill, &packed, &d, &e) == 0);
	CHECK(!strcmp(decode_format(d), "gzip"));
	while ((got = decode_read(d, piece, sizeof(piece), &e)) > 0)
		buf_add(&lines, piece, (size_t)got);
	REQUIRE(got == 0);
	decode_free(d);
	buf_done(&packed);
	return lines;
}

/* What the directory of the layer would have: the data of the entry of that name. */
static const struct tar_entry *find(const struct tar_entry *list, const char *name)
{
	for (; list->name; list++)
		if (!strcmp(list->name, name))
			return list;
	return NULL;
}

static void join_piece(const char *payload, struct buf *ret)
{
	size_t n = BASE64_DECODE_LENGTH(strlen(payload));
	scoped_free uint8_t *out = malloc(n + 1);
	struct base64_decode_ctx c;

	REQUIRE(out);
	base64_decode_init(&c);
	REQUIRE(base64_decode_update(&c, &n, out, strlen(payload), payload));
	buf_add(ret, out, n);
}

/* Make the archive of the lines and the files. */
static struct buf join(const struct buf *lines, const struct tar_entry *list)
{
	struct buf tar = BUF_INIT;
	uint64_t line = 0;

	for (const char *p = buf_get(lines), *end; *p; p = end + 1) {
		scoped_json struct json *j = NULL;
		const char *name = NULL, *payload = NULL;
		uint64_t type, size, position;
		struct err e = ERR_INIT;

		end = strchr(p, '\n');
		REQUIRE(end && doc_parse(p, (size_t)(end - p), "line", &j, &e) == 0);
		REQUIRE(doc_u64(j, "type", "", true, &type, &e) == 0);
		REQUIRE(doc_u64(j, "position", "", true, &position, &e) == 0);
		REQUIRE(doc_u64(j, "size", "", false, &size, &e) == 0);
		REQUIRE(doc_str(j, "name", "", type == 1, &name, &e) == 0);
		REQUIRE(doc_str(j, "payload", "", type == 2 || size, &payload, &e) == 0);
		CHECK(position == line++);
		if (type == 2) {
			join_piece(payload, &tar);
		} else if (size) {
			const struct tar_entry *t = find(list, name);

			REQUIRE(t);
			buf_add(&tar, t->data, t->size ? t->size : strlen(t->data));
		}
	}
	return tar;
}

TEST(tar_split_keeps_what_is_needed_to_make_the_archive_again)
{
	static const char big[3 << 20] = "big";
	static const char *const long_name =
		"a/name/of/more/than/a/hundred/characters/which/does/not/fit/into/the/name/field/"
		"of/a/header/so/it/is/in/a/pax/record";
	const struct tar_entry list[] = {
		{ "dir", .type = '5' },
		{ "dir/empty", .type = '0' },
		{ "dir/small", .data = "small" },
		{ "dir/big", .data = big, .size = sizeof(big) },
		{ "dir/link", .type = '2', .link = "small" },
		{ "dir/.wh.gone", .data = "a whiteout with a body" },
		{ "x", .data = "x",
			.pax = { "path=a/name/of/more/than/a/hundred/characters/which/does/not/fit/"
				 "into/the/name/field/of/a/header/so/it/is/in/a/pax/record" } },
		{ .name = NULL },
	};
	const struct tar_entry files[] = { list[2], list[3], { long_name, .data = "x" },
		{ .name = NULL } };
	scoped_buf struct buf tar = tar_make(list);

	buf_add(&tar, big, 10240); /* padding */
	for (size_t n = 1; n < 8 << 20; n = n * 37 + 6) {
		const char *why;
		scoped_buf struct buf lines = split(&tar, n, &why);
		scoped_buf struct buf again = join(&lines, files);

		CHECK(!why);
		CHECK(again.len == tar.len && !memcmp(again.data, tar.data, tar.len));
	}
}

TEST(tar_split_says_what_podman_refuses)
{
	static const struct {
		struct tar_entry list[4];
		const char *why;
	} cases[] = {
		{ { { "a", .data = "1" }, { "./a", .data = "2" } }, "the same name" },
		{ { { "d/", .type = '5' }, { "d", .type = '5' } }, "the same name" },
		{ { { "f", .bad_sum = true } }, "damaged" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf tar = tar_make(cases[i].list);
		const char *why;
		scoped_buf struct buf lines = split(&tar, 512, &why);

		CHECK(why && strstr(why, cases[i].why) && !lines.len);
	}
}

TEST(tar_split_writes_names_as_json)
{
	static const struct {
		const char *name, *line; /* line: its beginning */
	} cases[] = {
		{ "plain ~!#[]{}:,/name", "{\"type\":1,\"name\":\"plain ~!#[]{}:,/name\",\"pos" },
		{ "\xc3\xa9\xf0\x9f\x98\x80",
			"{\"type\":1,\"name\":\"\xc3\xa9\xf0\x9f\x98\x80\",\"pos" },
		{ "q\"uo\\te", "{\"type\":1,\"name\":\"q\\\"uo\\\\te\",\"pos" },
		{ "tab\tline\nend\x01", "{\"type\":1,\"name\":\"tab\\tline\\nend\\u0001\",\"pos" },
		{ "n\377me", "{\"type\":1,\"name_raw\":\"bv9tZQ==\",\"pos" },
		{ "\"\377", "{\"type\":1,\"name_raw\":\"Iv8=\",\"pos" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tar_entry list[] = { { cases[i].name, .type = '0' },
			{ .name = NULL } };
		scoped_buf struct buf tar = tar_make(list);
		const char *why, *second;
		scoped_buf struct buf lines = split(&tar, 512, &why);

		REQUIRE(!why && lines.len);
		second = strchr(buf_get(&lines), '\n') + 1;
		if (strncmp(second, cases[i].line, strlen(cases[i].line)) != 0)
			test_fail(__FILE__, __LINE__, "not %s: %s", cases[i].line, second);
	}
}
