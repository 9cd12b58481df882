/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every library for gzip gives the same bytes, and refuses the same streams. */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/tar/gunzip.h"

enum { ROOM = 8192, DATA = 3000 };

/* What became of a stream. */
struct outcome {
	int result; /* 1: the member ended; 0: cut short; or -errno */
	size_t in_left, out_n;
	struct err err;
	uint8_t out[ROOM];
};

/* Feed it in pieces of step bytes, with room for as many. */
static void decompress(
	const struct gunzip *g, const uint8_t *p, size_t n, size_t step, struct outcome *ret)
{
	void *state = g->open();
	struct gunzip_io io = { .in = p };

	REQUIRE(state);
	*ret = (struct outcome){ 0 };
	io.out = ret->out;
	while (ret->result == 0) {
		size_t in_before, out_before = ret->out_n;
		size_t left = n - (size_t)(io.in - p);

		io.in_n = in_before = left < step ? left : step;
		io.out_n = ROOM - ret->out_n < step ? ROOM - ret->out_n : step;
		ret->result = g->run(state, &io, &ret->err);
		ret->out_n = (size_t)(io.out - ret->out);
		if (ret->result == 0 && io.in_n == in_before && ret->out_n == out_before)
			break;
	}
	ret->in_left = n - (size_t)(io.in - p);
	g->free(state);
}

/* Bytes that do not compress, then text that does. */
static void make_data(uint8_t data[static DATA])
{
	static const char text[] = "one two three four five six one two three four five six seven";
	uint32_t x = 1;

	for (size_t i = 0; i < DATA; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = i < 600 ? (uint8_t)(x >> 24) : (uint8_t)text[i % (sizeof(text) - 1)];
	}
}

/* A member of the first n bytes of data. Returns its size. */
static size_t compress_with(
	uint8_t to[static ROOM], const uint8_t *data, size_t n, int level, bool fields)
{
	gz_header h = { .extra = (Bytef *)"extra!",
		.extra_len = 6,
		.name = (Bytef *)"a name",
		.comment = (Bytef *)"a comment",
		.hcrc = 1 };
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		.avail_in = (uInt)n,
		.next_out = to,
		.avail_out = ROOM };

	REQUIRE(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	if (fields)
		REQUIRE(deflateSetHeader(&z, &h) == Z_OK);
	REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
	(void)deflateEnd(&z);
	return ROOM - z.avail_out;
}

TEST(every_gunzip_restores_what_was_compressed)
{
	static struct outcome o;
	static uint8_t z[ROOM], data[DATA];

	make_data(data);
	for (size_t i = 0; gunzip_all[i]; i++)
		for (int level = 0; level <= 9; level++)
			for (size_t step = 1; step < ROOM; step = step * 7 + 1) {
				size_t want = level == 5 ? 0 : DATA;
				size_t n = compress_with(z, data, want, level, level % 2);

				memset(z + n, 0x1f, 3);
				decompress(gunzip_all[i], z, n + 3, step, &o);
				CHECK_INT(o.result, 1);
				CHECK_INT(o.in_left, 3);
				CHECK(o.out_n == want && !memcmp(o.out, data, want));
			}
}

/* Compare what each library makes of it with what zlib does; zlib is the last. */
static void check_alike(const uint8_t *p, size_t n, size_t step, size_t at)
{
	static struct outcome want, got;
	size_t last = 0;

	while (gunzip_all[last + 1])
		last++;
	decompress(gunzip_all[last], p, n, step, &want);
	for (size_t i = 0; i < last; i++) {
		decompress(gunzip_all[i], p, n, step, &got);
		if (got.result != want.result ||
			(want.result == 1 &&
				(got.in_left != want.in_left || got.out_n != want.out_n ||
					memcmp(got.out, want.out, want.out_n) != 0)))
			test_fail(__FILE__, __LINE__, "byte %zu is %02x: %s: %d %s, %s: %d %s", at,
				p[at], gunzip_all[i]->name, got.result, got.err.what,
				gunzip_all[last]->name, want.result, want.err.what);
	}
}

TEST(every_gunzip_accepts_and_refuses_the_same_streams)
{
	static uint8_t z[ROOM], data[DATA];

	make_data(data);
	for (int level = 0; level <= 9; level += 3) {
		size_t n = compress_with(z, data + 500, 400, level, level != 3);

		for (size_t i = 0; i < n; i++)
			for (int bit = 0; bit < 8; bit++) {
				z[i] ^= (uint8_t)(1 << bit);
				check_alike(z, n, ROOM / 2, i);
				check_alike(z, n, 5, i);
				z[i] ^= (uint8_t)(1 << bit);
			}
		for (size_t i = 0; i < n; i++)
			check_alike(z, i, 64, i);
	}
}

TEST(every_gunzip_names_the_fault)
{
	static const struct {
		size_t at, from_end;
		uint8_t mask;
		const char *want;
		bool fields;
	} cases[] = {
		{ 1, 0, 1, "the gzip header is damaged", false },
		{ 2, 0, 1, "the gzip stream uses an unknown method", false },
		{ 10, 0, 6, "bad block", false },
		{ 0, 1, 1, "its checksum or length differs", false },
		{ 0, 5, 1, "its checksum or length differs", false },
		{ 12, 0, 1, "its checksum or length differs", true },
	};
	static struct outcome o;
	static uint8_t z[ROOM], data[DATA];
	size_t n;

	make_data(data);
	for (size_t i = 0; gunzip_all[i]; i++)
		for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
			size_t at;

			n = compress_with(z, data + 600, 400, 6, cases[c].fields);
			at = cases[c].from_end ? n - cases[c].from_end : cases[c].at;
			z[at] ^= cases[c].mask;
			decompress(gunzip_all[i], z, n, ROOM / 2, &o);
			z[at] ^= cases[c].mask;
			CHECK_INT(o.result, -EBADMSG);
			CHECK_HAS(o.err.what, cases[c].want);
		}
}
