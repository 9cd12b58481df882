/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The specification that a layer gets says what its headers say. */

#include <errno.h>

#include "../../lib/base/fd.h"
#include "../../lib/tar/mtree.h"
#include "layer_stack.h"
#include "mtree_show.h"
#include "test.h"

#define END { .name = NULL }

TEST(spec_of_a_layer_reads_back_as_its_headers)
{
	static const struct tar_entry list[] = { { "d", .type = '5', .mode = 02755, .gid = 8,
							 .mtime = 100 },
		{ "d/new\nline \\#\xff*", .data = "12345", .uid = 1000, .mode = 04755,
			.pax = { "mtime=5.000000007" } },
		{ .name = "implied/f" }, { "l", .type = '2', .link = "a b\n" },
		{ "c", .type = '3', .major = 1, .minor = 3 }, { "h", .type = '1', .link = "c" },
		{ .name = ".wh.gone" }, { .name = "d/.wh..wh..opq" }, { .name = "empty/.wh.x" },
		{ "twice", .uid = 1 }, { "twice", .uid = 2 },
		{ "=x y", .gid = 4294967294u & 07777777, .pax = { "gid=4294967294" } }, END };
	static const char want[] = " t4 0755 u0 g0 0.0\n"
				   ".wh.gone t10 0000 u0 g0 s0 0.0\n"
				   "=x y t10 0644 u0 g4294967294 s0 0.0\n"
				   "c t2 0644 u0 g0 0.0 r103\n"
				   "h t2 0644 u0 g0 0.0 r103\n"
				   "l t12 0777 u0 g0 0.0 ->a b\n\n"
				   "twice t10 0644 u2 g0 s0 0.0\n"
				   "d t4 2755 u0 g8 100.0\n"
				   "d/.wh..wh..opq t10 0000 u0 g0 s0 0.0\n"
				   "d/new\\nline \\\\#\\xff* t10 4755 u1000 g0 s5 5.7\n"
				   "implied t4 0755 u0 g0 0.0\n"
				   "implied/f t10 0644 u0 g0 s0 0.0\n";
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	scoped_fd int fd = -1;
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, list);
	REQUIRE(fd_open_regular(s.fd, "0.mtree", 0, &fd, &e) == 0);
	REQUIRE(mtree_read(&(struct mtree_input){ fd, "0.mtree", MTREE_ALL, 1 }, mtree_show, &b,
			&e) == 0);
	CHECK_STR(buf_get(&b), want);
}
