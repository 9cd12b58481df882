/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every library that compresses writes one member of gzip, of which each reader makes the bytes. */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/tar/gzip.h"

enum { DATA = 1 << 20 };

/* Text like that of a tar-split: base64 with runs, and bytes that do not compress. */
static uint8_t *make_data(void)
{
	uint8_t *data = malloc(DATA);
	uint32_t x = 1;

	REQUIRE(data);
	for (size_t i = 0; i < DATA; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = i % 4096 < 300 ? (uint8_t)(x >> 24) : i % 512 < 200 ? 'A' : x >> 28 | 64;
	}
	return data;
}

/* Read what was written with this library, and compare. Returns the size of the file. */
static size_t check(const struct gunzip *g, int fd, const uint8_t *data, size_t n)
{
	uint8_t *in = malloc(2 * DATA), *out = malloc(DATA + 1);
	struct gunzip_io io = { .in = in, .out = out, .out_n = DATA + 1 };
	void *state = g->open();
	struct err e = ERR_INIT;
	ssize_t size = pread(fd, in, 2 * DATA, 0);

	REQUIRE(in && out && state && size > 0);
	io.in_n = (size_t)size;
	CHECK_INT(g->run(state, &io, &e), 1);
	CHECK_INT(io.in_n, 0);
	CHECK((size_t)(io.out - out) == n && !memcmp(out, data, n));
	g->free(state);
	free(in);
	free(out);
	return (size_t)size;
}

TEST(what_is_compressed_is_read_again)
{
	static const size_t steps[] = { 1000, 65536, 300000, DATA };
	static const size_t sizes[] = { 0, 1, 5000, DATA };
	uint8_t *data = make_data();

	for (size_t l = 0; gzip_all[l]; l++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
			for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
				scoped_fd int fd = memfd_create("gzip", MFD_CLOEXEC);
				struct gzip *g = gzip_new(gzip_all[l], fd);
				size_t n = sizes[i];

				REQUIRE(g);
				for (size_t at = 0; at < n; at += steps[k])
					REQUIRE(gzip_add(g, data + at,
							n - at < steps[k] ? n - at : steps[k]) ==
						0);
				REQUIRE(gzip_end(g) == 0);
				gzip_free(g);
				for (size_t r = 0; gunzip_all[r]; r++)
					n = check(gunzip_all[r], fd, data, sizes[i]);
				CHECK(sizes[i] < DATA || n < DATA * 3 / 4);
			}
	free(data);
}

TEST(a_file_that_cannot_be_written_is_an_error)
{
	for (size_t l = 0; gzip_all[l]; l++) {
		scoped_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
		struct gzip *g = gzip_new(gzip_all[l], fd);
		int r;

		REQUIRE(g);
		r = gzip_add(g, "text", 4);
		CHECK_INT(r < 0 ? r : gzip_end(g), -ENOSPC);
		gzip_free(g);
	}
	gzip_free(NULL);
}
