/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which entries a layer may have, and what becomes of them. */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../../lib/tar/blob.h"
#include "layer_stack.h"
#include "test.h"

#define END { .name = NULL }

TEST(layer_refuses_entries_and_names_them)
{
	static const struct {
		struct tar_entry list[4];
		const char *on, *says;
	} bad[] = {
		{ { { .name = "a/../../b" } }, "a/../../b", "\"..\"" },
		{ { { "..", .type = '5' } }, "..", "\"..\"" },
		{ { { "h", .type = '1', .link = "../x" } }, "../x", "\"..\"" },
		{ { { .name = "f" }, { .name = "f/x" } }, "f/x", "not a directory" },
		{ { { .name = "f" }, { .name = "f/.wh.x" } }, "f/.wh.x", "not a directory" },
		{ { { .name = "f" }, { "s", .type = '2', .link = "/f" }, { .name = "s/x" } }, "s/x",
			"parent 'f' is not a directory in this layer" },
		{ { { "s", .type = '2', .link = "s" }, { .name = "s/x" } }, "s/x",
			"too many symbolic links" },
		{ { { "s", .type = '2', .link = "t" }, { "t", .type = '2', .link = "/s" },
			  { "h", .type = '1', .link = "s/x" } },
			"h", "too many symbolic links" },
		{ { { "h", .type = '1', .link = "f" }, { .name = "f" } }, "h",
			"which comes later in this layer" },
		{ { { "./", .type = '2', .link = "/tmp" } }, "./", "root" },
		{ { { .name = "/." } }, "/.", "root" },
		{ { { .name = "d/.wh." } }, "d/.wh.", "whiteout" },
		{ { { .name = "d/.wh.." } }, "d/.wh..", "whiteout" },
		{ { { .name = "d/.wh..." } }, "d/.wh...", "whiteout" },
		{ { { .name = ".wh.d/x" } }, ".wh.d/x", "whiteout" },
		{ { { "c", .type = '3' } }, "c", "0:0" },
		{ { { "d", .type = '5' }, { "h", .type = '1', .link = "d" } }, "h", "directory" },
		{ { { "h", .type = '1', .link = "/" } }, "h", "directory" },
		{ { { "h", .type = '1', .link = "nothing" } }, "h", "neither the layer nor" },
		{ { { "h", .type = '1', .link = "nothing" }, { .name = "h" } }, "h",
			"neither the layer nor" },
		{ { { "a", .type = '1', .link = "b" }, { "b", .type = '1', .link = "a" } }, NULL,
			"neither the layer nor" },
		{ { { .name = ".wh.x" }, { "h", .type = '1', .link = "x" } }, "h",
			"neither the layer nor" },
		{ { { .name = "a/f" }, { "a", .type = '1', .link = "a/f" } }, "a", "replaces" },
		{ { { "l", .type = '2', .link = "" } }, "l", "symbolic link" },
		{ { { "f", .pax = { "SCHILY.xattr.security.capability=x" } } }, "f", "malformed" },
		{ { { "f",
			  .pax = { "SCHILY.acl.access=user::rw-,user:joe:rwx,group::r--,mask::rwx,"
				   "other::r--" } } },
			"f", "'joe'" },
		{ { { "f",
			  .pax = { "SCHILY.acl.access=user::rw-,user:x:rw-:5,user:x:r--:5,"
				   "group::r--,mask::rw-,other::r--" } } },
			"f", "5 of the 6 entries" },
		{ { { "f", .pax = { "SCHILY.acl.ace=owner@:rwxpDdaARWcCos::allow" } } }, "f",
			"not POSIX's" },
		/* The text of a warning about the name hides one about the list. */
		{ { { "f\xff",
			  .pax = { "SCHILY.acl.access=user::rw-,user:x:rw-:5,group::r--,mask::rw-,"
				   "other::r--,blah" } } },
			NULL, "invalid value" },
	};
	struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		int r = layers_add(&s, bad[i].list, &e);

		if (r >= 0 || !strstr(e.what, bad[i].says) ||
			(bad[i].on && strcmp(e.on, bad[i].on) != 0))
			test_fail(__FILE__, __LINE__, "%zu: %d, '%s' '%s', not '%s'", i, r, e.on,
				e.what, bad[i].says);
	}
}

TEST(layer_makes_each_kind_of_file)
{
	static const struct tar_entry list[] = { { "./", .type = '5', .mode = 0751, .uid = 11,
							 .gid = 12, .mtime = 1500 },
		{ ".//d/./", .type = '5', .mode = 02775, .gid = 50, .mtime = 100 },
		{ "/d/f", .data = "data", .uid = 1, .gid = 2, .mode = 06755, .mtime = 7 },
		{ "d/sub", .type = '5', .mode = 0700, .gid = 7 }, { "d/n", .data = "n" },
		{ "l", .type = '2', .link = "nowhere", .uid = 3, .gid = 4, .mtime = 8 },
		{ "t", .type = '1', .link = "./l" }, { "h", .type = '1', .link = "/d/f", .uid = 9 },
		{ "p", .type = '6', .mode = 0622, .mtime = 9 },
		{ "null", .type = '3', .major = 1, .minor = 3, .mode = 0666, .uid = 1 },
		{ "sda", .type = '4', .major = 8, .minor = 300, .mode = 0660, .gid = 6 },
		{ "old/f", .pax = { "uid=4294967294", "gid=4294967294", "mtime=-1.25" } },
		{ "z", .type = '5', .mode = 01777, .pax = { "mtime=5.000000001" } },
		{ "f/", .type = '0', .mode = 0711 }, END };
	static const struct {
		const char *path, *want;
	} want[] = {
		{ ".", "d 0751 11:12 1500.0" },
		{ "d", "d 2775 0:50 100.0" },
		{ "d/f", "f 6755 1:2 7.0 =data" },
		{ "d/sub", "d 0700 0:7 0.0" },
		{ "d/n", "f 0644 0:0 0.0 =n" },
		{ "l", "l 3:4 8.0 ->nowhere" },
		{ "t", "l 3:4 8.0 ->nowhere" },
		{ "h", "f 6755 1:2 7.0 =data" },
		{ "p", "p 0622 0:0 9.0" },
		{ "null", "c 1:3 0666 1:0 0.0" },
		{ "sda", "b 8:300 0660 0:6 0.0" },
		{ "old", "d 0755 0:0 0.0" },
		{ "old/f", "f 0644 4294967294:4294967294 -2.750000000 =" },
		{ "z", "d 1777 0:0 5.1" },
		{ "f", "d 0711 0:0 0.0" },
	};
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, list);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_STR(layers_show(&s, want[i].path), want[i].want);
	CHECK_STR(layers_list(&s, "."), "d f h l null old p sda t z");
}

TEST(layer_applies_repeated_entries_in_order)
{
	static const struct {
		struct tar_entry list[8];
		const char *path, *want;
	} cases[] = {
		{ { { "a", .data = "1" }, { "a", .data = "22" } }, "a", "f 0644 0:0 0.0 =22" },
		{ { { "a", .data = "old" }, { "b", .type = '1', .link = "a" },
			  { "a", .data = "new" } },
			"b", "f 0644 0:0 0.0 =old" },
		{ { { "d/f", .data = "f" },
			  { "d", .type = '5', .uid = 5, .mode = 0711, .mtime = 3 } },
			"d", "d 0711 5:0 3.0" },
		{ { { "d/f", .data = "f" }, { "d", .type = '5', .uid = 5 } }, "d/f",
			"f 0644 0:0 0.0 =f" },
		{ { { "d", .type = '5', .uid = 1 }, { .name = "d/a" },
			  { "d", .type = '5', .uid = 2, .gid = 3, .mode = 0700 } },
			"d", "d 0700 2:3 0.0" },
		{ { { "f", .data = "x" },
			  { "./", .type = '5', .uid = 7, .mode = 0711, .mtime = 1 } },
			".", "d 0711 7:0 1.0" },
		{ { { "f", .data = "x" },
			  { "./", .type = '5', .uid = 7, .mode = 0711, .mtime = 1 } },
			"f", "f 0644 0:0 0.0 =x" },
		{ { { "n", .type = '5' }, { .name = "n/in" }, { "n", .type = '2', .link = "x" } },
			"n", "l 0:0 0.0 ->x" },
		{ { { "n", .type = '2', .link = "/" }, { "n", .type = '5', .mode = 0700 },
			  { "n/in", .data = "i" } },
			"n/in", "f 0644 0:0 0.0 =i" },
		{ { { "p", .type = '6' }, { "p", .data = "x" } }, "p", "f 0644 0:0 0.0 =x" },
		{ { { "full", .type = '3', .major = 1, .minor = 7 }, { "full", .data = "x" } },
			"full", "f 0644 0:0 0.0 =x" },
		{ { { "f", .data = "x" }, { "f", .type = '1', .link = "./f" } }, "f",
			"f 0644 0:0 0.0 =x" },
		{ { { .name = "d/e/f" }, { "d", .type = '5', .uid = 1 },
			  { "d/e", .type = '5', .uid = 2 }, { "./", .type = '5', .gid = 3 } },
			"d/e", "d 0644 2:0 0.0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static struct layers s;

		if (!i)
			layers_open(&s, NULL);
		s.n = 0;
		layers_must(&s, cases[i].list);
		if (strcmp(layers_show(&s, cases[i].path), cases[i].want) != 0)
			test_fail(__FILE__, __LINE__, "%zu: %s is %s, not %s", i, cases[i].path,
				layers_show(&s, cases[i].path), cases[i].want);
	}
}

/* PATH_MAX is 4096, and counts the NUL. */
TEST(layer_paths_end_at_path_max)
{
	struct layers s;

	layers_open(&s, NULL);
	for (int more = 0; more < 3; more++) {
		scoped_buf struct buf raw = BUF_INIT, path = BUF_INIT;
		struct tar_entry list[] = { { "f", .data = "deep" }, END };
		struct err e = ERR_INIT;

		for (int i = 0; i < 20; i++)
			buf_printf(&path, "%0199d/", i);
		buf_printf(&path, "%0*d", 95 + more, 0);
		buf_printf(&raw, "%zu path=%s\n", path.len + 11, path.data);
		list[0].raw_pax = raw.data;
		s.n = 0;
		CHECK_INT(layers_add(&s, list, &e), more ? -ENAMETOOLONG : 0);
		CHECK_STR(e.what, more ? "the name is longer than 4095 bytes" : "");
	}
	CHECK_INT(s.counts.bytes, 4);
	CHECK_INT(s.counts.entries, 21);
}

TEST(layer_stops_at_its_limits)
{
	static const struct tar_entry files[] = { { "a/b/c", .data = "0123456789" },
		{ "d", .data = "0123456789" }, END };
	static const struct {
		struct layer_limits limits;
		const char *says;
	} cases[] = {
		{ { .bytes = 19, .entries = 100 }, "data" },
		{ { .bytes = 20, .entries = 3 }, "entries" },
		{ { .bytes = 20, .entries = 4 }, NULL },
	};
	struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int r;

		s.o.limits = cases[i].limits;
		r = layers_add(&s, files, &e);
		CHECK((r == 0) == !cases[i].says);
		if (cases[i].says)
			CHECK_HAS(e.what, cases[i].says);
	}
}

TEST(layer_reports_a_full_disk_and_a_broken_stream)
{
	static char big[300000];
	static const struct tar_entry list[] = { { "dir/big", .data = big, .size = sizeof(big) },
		END };
	scoped_buf struct buf b = BUF_INIT;
	struct tar_stream stream = { .b = &b, .fail = EIO };
	struct err e = ERR_INIT;
	struct layer *l;
	struct layers s;

	layers_open(&s, "size=200k,mode=0700");
	b = tar_make(list);
	b.len = 100000;
	CHECK_INT(layer_apply(tar_stream_read, &stream, &(struct layer_dir){ s.fd, "broken" }, &s.o,
			  &l, &e),
		-EIO);
	CHECK_STR(e.on, "the stream");

	CHECK_INT(layers_add(&s, list, &e), -ENOSPC);
	CHECK_STR(e.on, "dir/big");
}

TEST(layer_advice_does_not_call_a_whole_archive_damaged)
{
	static const struct {
		struct tar_entry list[3];
		const char *why, *hint;
	} bad[] = {
		{ { { "label", .type = 'V' } }, "label of a GNU volume", "without this entry" },
		{ { { "z", .type = 'Z' } }, "define type Z", "without this entry" },
		{ { { "z", .type = '\001' } }, "define type 1", "without this entry" },
		{ { { "d/", .data = "x" } }, "ends with a slash", "another program" },
		{ { { "d", .type = '5', .data = "x" } }, "skip the body", "another program" },
		{ { { .name = "a/../b" } }, "lead out", "names that do not" },
		{ { { .name = ".wh.d/x" } }, "whiteouts", "another name" },
		{ { { .name = ".wh.." } }, "behind .wh.", "without it" },
		{ { { "./", .type = '2', .link = "x" } }, "root directory", "without this entry" },
		{ { { .name = "f" }, { .name = "f/x" } }, "makes a file", "rebuild" },
		{ { { "h", .type = '1', .link = "/" } }, "no hard links to directories",
			"rebuild" },
		{ { { .name = "a/f" }, { "a", .type = '1', .link = "a/f" } }, "takes the place",
			"rebuild" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		int r = layers_add(&s, bad[i].list, &e);

		CHECK(r < 0);
		blob_say_try(r, &e);
		CHECK_HAS(e.why, bad[i].why);
		CHECK_HAS(e.hint, bad[i].hint);
		CHECK(!strstr(e.hint, "damaged"));
	}
}
