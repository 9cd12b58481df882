/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers merged into one directory: whiteouts, directories and hard links. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/idmap/idmap.h"
#include "../../lib/layer/layer_merge.h"
#include "../../lib/layer/layer_readback.h"
#include "layer_stack.h"
#include "test.h"

#define END { .name = NULL }

/* Merge all lists, base first, in the directory "NUMBER-0", which is then the only layer of s. */
static int merge(struct layers *s, const struct tar_entry (*lists)[8], size_t n, struct err *e)
{
	static int count;
	struct layer *base = NULL, *l = NULL;
	char first[48], name[48];
	int r = 0;

	s->n = 0;
	count++;
	(void)snprintf(first, sizeof(first), "%d-0", count);
	for (size_t i = 0; r == 0 && i < n; i++) {
		scoped_buf struct buf b = tar_make(lists[i]);
		struct tar_stream stream = { .b = &b, .piece = 700 };

		(void)snprintf(name, sizeof(name), "%d-%zu", count, i);
		r = layer_apply(
			tar_stream_read, &stream, &(struct layer_dir){ s->fd, name }, &s->o, &l, e);
		if (r == 0 && i)
			r = layer_merge(base, l, e);
		else if (r == 0)
			r = layer_merge_base(l, e);
		if (r == 0 && !i)
			base = TAKE_PTR(l);
		layer_free(l);
		l = NULL;
	}
	if (r == 0)
		r = layer_finish(base, e);
	layer_free(base);
	if (r == 0)
		r = fd_open_dir(s->fd, first, &s->dirs[0], e);
	s->n = r == 0;
	return r;
}

/*
 * Below each: "d" with "d/a" (and its second name "d/a2") and "d/sub/c", "f", "s" -> d, and a root
 * that is listed.
 */
#define BASE \
	{ { "./", .type = '5', .mode = 0751, .uid = 11, .gid = 12, .mtime = 500 }, \
		{ "d", .type = '5', .mode = 02750, .uid = 7, .gid = 8, .mtime = 1000, \
			.pax = { "SCHILY.xattr.user.mine=yes" } }, \
		{ "d/a", .data = "a", .uid = 5, .mode = 04755, .mtime = 9 }, \
		{ "d/a2", .type = '1', .link = "d/a" }, { "d/sub/c", .data = "c", .mtime = 3 }, \
		{ "f", .data = "f" }, { "s", .type = '2', .link = "d" }, END }

struct merge_case {
	struct tar_entry lists[3][8];
	size_t n;
	const char *path, *want;
	unsigned dropped;
};

/* Merge the layers, and compare what is at the path, and the number of dropped whiteouts. */
static void must_show(struct layers *s, const struct merge_case *c)
{
	struct err e = ERR_INIT;
	uint64_t before = s->counts.dropped;

	if (merge(s, c->lists, c->n, &e) < 0) {
		test_fail(__FILE__, __LINE__, "%s: %s: %s", c->path, e.on, e.what);
		return;
	}
	if (strcmp(layers_show(s, c->path), c->want) != 0 ||
		s->counts.dropped - before != c->dropped)
		test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"; %u dropped", c->path,
			layers_show(s, c->path), c->want, (unsigned)(s->counts.dropped - before));
	(void)close(s->dirs[0]);
}

TEST(merged_whiteouts_remove_what_is_below)
{
	static const struct merge_case cases[] = {
		{ { BASE, { { .name = "d/.wh.a" } } }, 2, "d/a", "-", 0 },
		{ { BASE, { { .name = "d/.wh.a" } } }, 2, "d/a2", "f 4755 5:0 9.0 =a", 0 },
		{ { BASE, { { .name = "d/.wh.a" } } }, 2, "d", "d 2750 7:8 1000.0", 0 },
		{ { BASE, { { .name = "d/.wh.a" } } }, 2, ".", "d 0751 11:12 500.0", 0 },
		{ { BASE, { { .name = ".wh.nothing" } } }, 2, "nothing", "-", 1 },
		{ { BASE, { { .name = "no/such/.wh.x" } } }, 2, "no", "-", 1 },
		{ { BASE, { { .name = "f/.wh.x" } } }, 2, "f", "f 0644 0:0 0.0 =f", 1 },
		{ { BASE, { { .name = "s/.wh.a" } } }, 2, "d/a", "-", 0 },
		{ { BASE, { { .name = "s/sub/.wh.c" } } }, 2, "d/sub/c", "-", 0 },
		{ { BASE, { { .name = "s/.wh..wh..opq" } } }, 2, "d/sub", "-", 0 },
		{ { BASE, { { .name = "s/.wh.none" } } }, 2, "s", "l 0:0 0.0 ->d", 1 },
		{ { { { "new", .type = '5' }, { .name = "new/.wh.x" } } }, 1, "new/.wh.x", "-", 1 },
		{ { BASE, { { .name = "d/.wh..wh..opq" }, { "d/n", .data = "n" } } }, 2, "d/sub",
			"-", 0 },
		{ { BASE, { { .name = "d/.wh..wh..opq" }, { "d/n", .data = "n" } } }, 2, "d",
			"d 2750 7:8 1000.0", 0 },
		{ { BASE, { { "d/n", .data = "n" }, { .name = ".wh.d" } } }, 2, "d",
			"d 0755 0:0 0.0", 0 },
		{ { BASE, { { "d/n", .data = "n" }, { .name = ".wh.d" } } }, 2, "d/a", "-", 0 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i]);
}

TEST(merged_entries_replace_or_join_what_is_below)
{
	static const struct merge_case cases[] = {
		{ { BASE, { { "d", .type = '5', .mode = 0700, .uid = 1, .mtime = 4 } } }, 2, "d",
			"d 0700 1:0 4.0", 0 },
		{ { BASE, { { "d", .type = '5', .mode = 0700, .uid = 1, .mtime = 4 } } }, 2,
			"d/sub/c", "f 0644 0:0 3.0 =c", 0 },
		{ { BASE, { { "d", .data = "file" } } }, 2, "d", "f 0644 0:0 0.0 =file", 0 },
		{ { BASE, { { "d", .data = "file" }, { "d", .type = '5' } } }, 2, "d/a", "-", 0 },
		{ { BASE, { { "f", .type = '5' }, { "f/in", .data = "i" } } }, 2, "f/in",
			"f 0644 0:0 0.0 =i", 0 },
		{ { BASE, { { .name = ".wh.f" }, { "f", .data = "new" } } }, 2, "f",
			"f 0644 0:0 0.0 =new", 0 },
		{ { BASE, { { .name = ".wh..wh..opq" }, { "o", .data = "o" } } }, 2, ".",
			"d 0755 0:0 0.0", 0 },
		{ { BASE, { { .name = ".wh..wh..opq" }, { "o", .data = "o" } } }, 2, "d", "-", 0 },
		{ { BASE, { END }, { { "d/sub/c2", .data = "2" } } }, 3, "d/sub/c2",
			"f 0644 0:0 0.0 =2", 0 },
		{ { BASE, { { .name = ".wh.d" } }, { { "d/x", .data = "2" } } }, 3, "d",
			"d 0755 0:0 0.0", 0 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i]);
}

TEST(merged_hard_links_keep_the_file_that_they_name)
{
	static const struct merge_case cases[] = {
		{ { BASE, { { "l", .type = '1', .link = "d/a" } }, { { .name = ".wh.d" } } }, 3,
			"l", "f 4755 5:0 9.0 =a", 0 },
		{ { BASE, { { "l", .type = '1', .link = "f" }, { "f", .data = "new" } } }, 2, "l",
			"f 0644 0:0 0.0 =f", 0 },
		{ { BASE, { { "f", .data = "new" }, { "l", .type = '1', .link = "f" } } }, 2, "l",
			"f 0644 0:0 0.0 =new", 0 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i]);
}

TEST(merge_makes_real_links_and_keeps_attributes)
{
	static const struct tar_entry lists[][8] = { BASE,
		{ { "l", .type = '1', .link = "d/a" }, { "d/k", .type = '1', .link = "l" },
			{ "d/n", .data = "n" }, END } };
	struct err e = ERR_INIT;
	static struct layers s;
	struct stat a, l;

	layers_open(&s, NULL);
	REQUIRE(merge(&s, lists, 2, &e) == 0);
	REQUIRE(layers_stat(&s, "d/a", &a) && layers_stat(&s, "d/k", &l));
	CHECK_INT(a.st_ino, l.st_ino);
	CHECK_INT(a.st_nlink, 4);
	CHECK_STR(layers_xattr(&s, "d", "user.mine"), "796573");
	CHECK_STR(layers_list(&s, "."), "d f l s");
}

TEST(merge_refuses_what_a_stack_refuses)
{
	static const struct {
		struct tar_entry lists[2][8];
		const char *text;
	} cases[] = {
		{ { BASE, { { "f/x", .data = "x" } } }, "is not a directory in a layer below" },
		{ { BASE, { { "l", .type = '1', .link = "nothing" } } },
			"neither the layer nor those below have" },
		{ { BASE, { { "l", .type = '1', .link = "f" }, { .name = ".wh.f" } } },
			"neither the layer nor those below have" },
		{ { BASE, { { "l", .type = '1', .link = "d/a" }, { .name = "d/.wh..wh..opq" } } },
			"neither the layer nor those below have" },
		{ { BASE, { { "l", .type = '1', .link = "d" } } },
			"is a hard link to the directory 'd'" },
		{ { BASE,
			  { { "d/l", .type = '1', .link = "nothing" },
				  { "d", .data = "replaces it" } } },
			"neither the layer nor those below have" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = ERR_INIT;

		CHECK(merge(&s, cases[i].lists, 2, &e) < 0);
		CHECK_HAS(e.what, cases[i].text);
	}
}

TEST(read_back_finds_an_owner_that_is_not_what_the_map_says)
{
	static const struct tar_entry list[] = { { "./", .type = '5' }, { "d", .type = '5' },
		{ "d/f", .uid = 3 }, { "l", .type = '2', .link = "f" }, END };
	static const struct {
		struct idrange uid[2];
		size_t n;
		const char *on;
	} cases[] = {
		{ { { 0, 0, 10 } }, 1, NULL },
		{ { { 0, 100, 10 } }, 1, "." },
		{ { { 0, 0, 3 }, { 3, 4, 1 } }, 2, "d/f" },
	};
	scoped_buf struct buf b = tar_make(list);
	struct tar_stream stream = { .b = &b, .piece = 700 };
	static struct layers s;
	struct layer *l = NULL;
	struct err e = ERR_INIT;

	layers_open(&s, NULL);
	REQUIRE(layer_apply(tar_stream_read, &stream, &(struct layer_dir){ s.fd, "0" }, &s.o, &l,
			&e) == 0);
	REQUIRE(layer_merge_base(l, &e) == 0 && layer_finish(l, &e) == 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		scoped_idmap struct idmap map = { .gid_assumed = false };
		struct err own = ERR_INIT;

		REQUIRE(idmap_from_ranges(cases[i].uid, cases[i].n, NULL, 0, &map, &e) == 0);
		CHECK_INT(layer_read_back(l, &(struct layer_dir){ s.fd, "0" }, &map, &own),
			cases[i].on ? -EIO : 0);
		CHECK_STR(own.on, cases[i].on ? cases[i].on : "");
	}
	layer_free(l);
}

TEST(merge_of_ids_that_a_map_does_not_cover_names_them)
{
	static const struct tar_entry lists[][8] = { { { "./", .type = '5', .uid = 1, .gid = 1 },
		{ "d/f", .uid = 1, .gid = 1 }, END } };
	static const struct tar_entry owned[][8] = { { { "f", .uid = 2, .gid = 1 }, END } };
	const struct idrange r = { 1, 1001, 1 };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	struct err e = ERR_INIT;
	static struct layers s;

	layers_open(&s, NULL);
	REQUIRE(idmap_from_ranges(&r, 1, &r, 1, &map, &e) == 0);
	s.o.through = &map;
	CHECK_INT(merge(&s, lists, 1, &e), -EOVERFLOW); /* "d" is 0:0 */
	CHECK_STR(e.on, "d");
	CHECK_INT(merge(&s, owned, 1, &e), -EOVERFLOW);
	CHECK_HAS(e.what, "user id 2");
	CHECK_HAS(e.hint, "u:2:1002:1");
}
