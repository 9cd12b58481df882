/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What depends on lower layers: whiteouts, parents that are not listed, hard links. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../lib/base/fd.h"
#include "../../lib/layer/layer_deps.h"
#include "../../lib/layer/lowerdirs.h"
#include "layer_stack.h"
#include "test.h"

#define END { .name = NULL }

static const struct tar_entry base[] = { { "./", .type = '5', .mode = 0751, .uid = 11, .gid = 12,
						 .mtime = 500 },
	{ "d", .type = '5', .mode = 02750, .uid = 7, .gid = 8, .mtime = 1000,
		.pax = { "SCHILY.xattr.user.mine=yes" } },
	{ "d/a", .data = "a", .uid = 5, .mode = 04755, .mtime = 9,
		.pax = { "SCHILY.xattr.user.k=v" } },
	{ "d/a2", .type = '1', .link = "d/a" }, { "d/sub", .type = '5', .mode = 0711 },
	{ "d/sub/c", .data = "c" }, { "f", .data = "f" }, { "s", .type = '2', .link = "d" },
	{ "p", .type = '6', .uid = 3 }, END };

/*
 * A layer over base: what is at a path, the names in that directory (NULL: any), and the number of
 * dropped whiteouts.
 */
struct whiteout_case {
	struct tar_entry list[6];
	const char *path, *want, *names;
	unsigned dropped;
};

static void must_hide(struct layers *s, const struct whiteout_case *c)
{
	uint64_t before;

	s->n = 0;
	layers_must(s, base);
	before = s->counts.dropped;
	layers_must(s, c->list);
	if (strcmp(layers_show(s, c->path), c->want) != 0)
		test_fail(__FILE__, __LINE__, "%s is %s, not %s", c->path, layers_show(s, c->path),
			c->want);
	if (c->names && strcmp(layers_list(s, c->path), c->names) != 0)
		test_fail(__FILE__, __LINE__, "%s has %s", c->path, layers_list(s, c->path));
	if (strcmp(layers_xattr(s, c->path, "trusted.overlay.opaque"), "-") != 0)
		test_fail(__FILE__, __LINE__, "%s: a mark", c->path);
	if (s->counts.dropped - before != c->dropped)
		test_fail(__FILE__, __LINE__, "%s: %u dropped", c->path,
			(unsigned)(s->counts.dropped - before));
}

TEST(layer_whiteouts_hide_only_what_is_below)
{
	static const struct whiteout_case cases[] = {
		{ { { .name = "d/.wh.a" } }, "d/a", "whiteout", NULL, 0 },
		{ { { .name = "d/.wh.a" } }, "d", "d 2750 7:8 1000.0", NULL, 0 },
		{ { { .name = ".wh.f" } }, "f", "whiteout", NULL, 0 },
		{ { { .name = ".wh.nothing" } }, "nothing", "whiteout", NULL, 0 },
		{ { { .name = "no/such/.wh.x" } }, "no", "-", NULL, 1 },
		{ { { .name = "f/.wh.x" } }, "f", "-", NULL, 1 },
		{ { { .name = "s/.wh.a" } }, "s", "-", NULL, 0 },
		{ { { .name = "s/.wh.a" } }, "d/a", "whiteout", NULL, 0 },
		{ { { .name = "s/sub/.wh.c" } }, "d/sub/c", "whiteout", NULL, 0 },
		{ { { .name = "s/.wh..wh..opq" } }, "d", "d 2750 7:8 1000.0", "a a2 sub", 0 },
		{ { { .name = "d/no/such/.wh.x" } }, "d", "-", NULL, 1 },
		{ { { .name = "d/a/.wh.x" } }, "d", "-", NULL, 1 },
		{ { { .name = "d/no/.wh..wh..opq" } }, "d", "-", NULL, 0 },
		{ { { "new", .type = '5' }, { .name = "new/.wh.x" } }, "new/x", "-", NULL, 1 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_hide(&s, &cases[i]);
}

TEST(layer_directories_hide_what_they_replace)
{
	static const struct whiteout_case cases[] = {
		{ { { "d", .type = '5' }, { .name = "d/.wh..wh..opq" }, { .name = "d/.wh.a" } },
			"d", "d 0644 0:0 0.0", "a a2 sub", 1 },
		{ { { .name = "d/.wh.a" }, { .name = "d/.wh..wh..opq" } }, "d", "d 2750 7:8 1000.0",
			"a a2 sub", 1 },
		{ { { .name = ".wh.d" }, { "d", .type = '5', .mode = 0700 } }, "d",
			"d 0700 0:0 0.0", "a a2 sub", 0 },
		{ { { "d", .type = '5', .mode = 0700 }, { .name = ".wh.d" } }, "d",
			"d 0700 0:0 0.0", "a a2 sub", 0 },
		{ { { "d/new", .data = "n" }, { .name = ".wh.d" } }, "d", "d 0755 0:0 0.0",
			"a a2 new sub", 0 },
		{ { { .name = ".wh.d" }, { .name = "d/.wh.a" } }, "d", "whiteout", NULL, 1 },
		{ { { .name = ".wh.f" }, { "f", .data = "new" } }, "f", "f 0644 0:0 0.0 =new", NULL,
			0 },
		{ { { "f", .data = "new" }, { .name = ".wh.f" } }, "f", "f 0644 0:0 0.0 =new", NULL,
			0 },
		{ { { "d", .data = "file" }, { "d", .type = '5' } }, "d", "d 0644 0:0 0.0",
			"a a2 sub", 0 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_hide(&s, &cases[i]);
}

TEST(layer_whiteouts_may_be_of_any_type)
{
	static const struct whiteout_case cases[] = {
		{ { { ".wh.f", .type = '2', .link = "/etc" } }, "f", "whiteout", NULL, 0 },
		{ { { "d/.wh.a", .type = '5' } }, "d/a", "whiteout", NULL, 0 },
		{ { { ".wh.f", .data = "body" }, { "g", .data = "g" } }, "g", "f 0644 0:0 0.0 =g",
			NULL, 0 },
		{ { { .name = ".wh..wh.plnk/1.2" }, { .name = ".wh..wh.aufs" }, { .name = "g" } },
			".wh..wh.plnk", "-", NULL, 0 },
		{ { { .name = "d/sub/.wh.c" }, { "d/sub", .type = '5' }, { .name = ".wh.d" } },
			"d/sub/c", "whiteout", NULL, 1 },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_hide(&s, &cases[i]);
}

/* A layer over base and a second layer: what is at a path. */
struct hiding_case {
	struct tar_entry list[8];
	const char *path, *want;
};

TEST(layer_opaque_directories_get_whiteouts_for_what_is_visible_below)
{
	static const struct tar_entry middle[] = { { .name = "d/.wh.a2" },
		{ "d/more/x", .data = "x" }, { "q", .type = '5' }, { .name = ".wh.p" },
		{ "e/deep/f", .data = "f" }, END };
	static const struct hiding_case cases[] = {
		{ { { .name = "d/.wh..wh..opq" } }, "d/a", "whiteout" },
		{ { { .name = "d/.wh..wh..opq" } }, "d/a2", "-" },
		{ { { .name = "d/.wh..wh..opq" } }, "d/more", "whiteout" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/a", .data = "new" } }, "d/a",
			"f 0644 0:0 0.0 =new" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/sub", .data = "file" } }, "d/sub",
			"f 0644 0:0 0.0 =file" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/sub", .type = '5' } }, "d/sub/c",
			"whiteout" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/sub", .type = '5' } }, "d/sub",
			"d 0644 0:0 0.0" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/sub/new/x", .data = "x" } }, "d/sub/c",
			"whiteout" },
		{ { { .name = "d/.wh..wh..opq" }, { .name = "d/sub/.wh.c" } }, "d/sub",
			"whiteout" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/sub", .type = '5' },
			  { .name = "d/sub/.wh.c" } },
			"d/sub/c", "whiteout" },
		{ { { .name = "d/.wh..wh..opq" }, { "d/a", .type = '5' },
			  { "d/a/b", .data = "b" } },
			"d/a/b", "f 0644 0:0 0.0 =b" },
		{ { { .name = ".wh.e" }, { "e/deep/g", .data = "g" } }, "e/deep/f", "whiteout" },
		{ { { .name = ".wh.e" }, { "e/g", .data = "g" } }, "e/deep", "whiteout" },
		{ { { .name = ".wh.p" }, { "p", .type = '5' }, { "p/x", .data = "x" } }, "p/x",
			"f 0644 0:0 0.0 =x" },
		{ { { .name = "s/.wh..wh..opq" }, { "s/sub/z", .data = "z" } }, "d/sub/c",
			"whiteout" },
		{ { { "new", .type = '5' }, { .name = "new/.wh..wh..opq" } }, "new",
			"d 0644 0:0 0.0" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.n = 0;
		layers_must(&s, base);
		layers_must(&s, middle);
		layers_must(&s, cases[i].list);
		if (strcmp(layers_show(&s, cases[i].path), cases[i].want) != 0)
			test_fail(__FILE__, __LINE__, "%zu: %s is %s", i, cases[i].path,
				layers_show(&s, cases[i].path));
	}
}

TEST(layer_whiteouts_of_hidden_names_count_as_entries)
{
	static const struct tar_entry top[] = { { .name = "d/.wh..wh..opq" }, END };
	struct err e = ERR_INIT;
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	s.o.limits.entries = 4; /* the marker, the directory, and two of three names */
	CHECK_INT(layers_add(&s, top, &e), -EFBIG);
	CHECK_STR(e.on, "d");
	CHECK(strstr(e.why, "needs a whiteout") != NULL);
	s.o.limits.entries = 5;
	layers_must(&s, top);
	CHECK_INT(s.counts.hidden, 2 + 3);
}

TEST(layer_without_an_entry_for_a_parent_takes_it_from_below)
{
	static const struct tar_entry top[] = { { .name = "d/sub/new" }, { .name = "x/y" }, END };
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	layers_must(&s, (struct tar_entry[]){ { "other", .data = "o" }, END });
	layers_must(&s, top);
	CHECK_STR(layers_show(&s, "."), "d 0751 11:12 500.0");
	CHECK_STR(layers_show(&s, "d"), "d 2750 7:8 1000.0");
	CHECK_STR(layers_xattr(&s, "d", "user.mine"), "796573");
	CHECK_STR(layers_show(&s, "d/sub"), "d 0711 0:0 0.0");
	CHECK_STR(layers_show(&s, "x"), "d 0755 0:0 0.0");
}

TEST(layer_never_hides_a_link_or_file_below_by_a_parent_it_does_not_list)
{
	static const struct {
		struct tar_entry top[3];
		bool good;
		const char *says;
	} cases[] = {
		{ { { .name = "s/under-a-link" } }, true, NULL },
		{ { { .name = "s/a/under-a-file" } }, false, "not a directory in a layer below" },
		{ { { .name = "f/under-a-file" } }, false, "not a directory in a layer below" },
		{ { { "s", .type = '5', .mode = 0700 }, { .name = "s/x" } }, true, NULL },
		{ { { .name = ".wh.s" }, { .name = "s/x" } }, true, NULL },
		{ { { .name = "s/.wh.x" } }, true, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct layers s;

		layers_open(&s, NULL);
		layers_must(&s, base);
		CHECK_INT(layers_add(&s, cases[i].top, &e) == 0, cases[i].good);
		if (!cases[i].good)
			CHECK_HAS(e.what, cases[i].says);
	}
}

TEST(layer_links_to_a_file_below_share_one_copy)
{
	static const struct tar_entry top[] = { { "d/l1", .type = '1', .link = "d/a", .uid = 99 },
		{ "l2", .type = '1', .link = "/d/a2" }, { "l3", .type = '1', .link = "l2" },
		{ "s2", .type = '1', .link = "s" }, { "p2", .type = '1', .link = "p" }, END };
	struct stat a, b, c;
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	layers_must(&s, top);
	CHECK_STR(layers_show(&s, "d/l1"), "f 4755 5:0 9.0 =a");
	CHECK_STR(layers_xattr(&s, "l2", "user.k"), "76");
	CHECK(layers_stat(&s, "d/l1", &a) && layers_stat(&s, "l2", &b) &&
		layers_stat(&s, "l3", &c));
	CHECK(a.st_ino == b.st_ino && b.st_ino == c.st_ino);
	CHECK_INT(a.st_nlink, 3);
	CHECK_STR(layers_show(&s, "s2"), "l 0:0 0.0 ->d");
	CHECK_STR(layers_show(&s, "p2"), "p 0644 3:0 0.0");
}

TEST(layer_links_to_what_is_hidden_below_are_refused)
{
	static const struct tar_entry cases[][4] = {
		{ { .name = ".wh.f" }, { "h", .type = '1', .link = "f" } },
		{ { "h", .type = '1', .link = "f" }, { .name = ".wh.f" } },
		{ { "h", .type = '1', .link = "d/a" }, { .name = "d/.wh..wh..opq" } },
		{ { "h", .type = '1', .link = "d/sub/c" }, { .name = ".wh.d" } },
		{ { "h", .type = '1', .link = "f" }, { .name = ".wh..wh..opq" } },
		{ { "h", .type = '1', .link = "s/a" }, { .name = ".wh.s" } },
		{ { "h", .type = '1', .link = "s/sub" } },
		{ { "h", .type = '1', .link = "d/sub" } },
		{ { "h", .type = '1', .link = "f/x" } },
	};
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		size_t n = s.n;

		if (layers_add(&s, cases[i], &e) >= 0 || strcmp(e.on, "h") != 0)
			test_fail(__FILE__, __LINE__, "%zu: '%s' %s", i, e.on, e.what);
		s.n = n;
	}
}

TEST(layer_with_an_opaque_root_asks_nothing_of_those_below)
{
	static const struct tar_entry top[] = { { .name = "d/x" }, { .name = "d/.wh.a" },
		{ .name = ".wh..wh..opq" }, END };
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	layers_must(&s, top);
	CHECK_INT(s.n, 1);
	CHECK_STR(layers_show(&s, "."), "d 0755 0:0 0.0");
	CHECK_STR(layers_show(&s, "d"), "d 0755 0:0 0.0");
	CHECK_STR(layers_list(&s, "d"), "x");
	CHECK_STR(layers_xattr(&s, ".", "trusted.overlay.opaque"), "-");
}

static int hold_below(const char *deps, const struct lower *lower, bool *ret, struct err *e)
{
	scoped_walk struct lower_walk w;

	lower_walk_begin(&w, lower);
	return layer_deps_hold(deps, &w, ret, e);
}

static bool holds(struct layers *s, size_t layer)
{
	struct lower lower = { .dirfds = &s->dirs[layer], .n = 1 };
	struct err e = ERR_INIT;
	bool ret = false;

	REQUIRE(hold_below(buf_get(s->deps), &lower, &ret, &e) == 0);
	return ret;
}

TEST(layer_depends_on_the_names_that_it_hides)
{
	static const struct tar_entry top[] = { { .name = "d/.wh..wh..opq" },
		{ "d/sub/x", .data = "x" }, { "n", .type = '5' }, { .name = "n/.wh..wh..opq" },
		END };
	static const struct {
		struct tar_entry change;
		bool same;
	} cases[] = {
		{ { .name = "unrelated" }, true },
		{ { "d/a", .data = "other" }, true },
		{ { "d/sub/c/x", .data = "x" }, false },
		{ { "d/other", .data = "x" }, false },
		{ { .name = "d/.wh.a" }, false },
		{ { "d/sub/other", .data = "x" }, false },
		{ { "n", .type = '5' }, false },
		{ { "n", .data = "n" }, true },
	};
	struct layers s;
	int below;

	layers_open(&s, NULL);
	layers_must(&s, base);
	below = s.dirs[0];
	layers_must(&s, top);
	CHECK(holds(&s, 0));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tar_entry list[] = { { ".", .type = '5', .mode = 0751, .uid = 11,
							  .gid = 12, .mtime = 500 },
			cases[i].change, END };
		scoped_buf struct buf deps = BUF_INIT;
		struct lower lower = { .dirfds = (int[]){ 0, below }, .n = 2 };
		struct err e = ERR_INIT;
		bool ret = false;

		buf_str(&deps, buf_get(s.deps));
		s.n = 1;
		if (!strcmp(cases[i].change.name, "d/sub/c/x"))
			layers_must(&s,
				(struct tar_entry[]){ { "d/sub/c", .type = '5' },
					{ "d/sub/c/x", .data = "x" }, END });
		else
			layers_must(&s, list);
		lower.dirfds = (int[]){ s.dirs[1], below };
		REQUIRE(hold_below(buf_get(&deps), &lower, &ret, &e) == 0);
		if (ret != cases[i].same)
			test_fail(__FILE__, __LINE__, "%zu: %s", i, cases[i].change.name);
		buf_reset(s.deps);
		buf_str(s.deps, buf_get(&deps));
	}
}

TEST(layer_dependencies_hold_on_the_same_facts_only)
{
	static const struct tar_entry top[] = { { .name = "d/new\n" }, { .name = ".wh.f" },
		{ "h", .type = '1', .link = "d/a" }, END };
	static const struct {
		struct tar_entry change;
		bool same;
	} cases[] = {
		{ { .name = "unrelated" }, true },
		{ { "d/other", .data = "x" }, true },
		{ { "d", .type = '5', .mode = 02750, .uid = 7, .gid = 9, .mtime = 1000,
			  .pax = { "SCHILY.xattr.user.mine=yes" } },
			false },
		{ { "d", .type = '5', .mode = 02750, .uid = 7, .gid = 8, .mtime = 1000,
			  .pax = { "SCHILY.xattr.user.mine=no" } },
			false },
		{ { "d/a", .data = "b", .uid = 5, .mode = 04755, .mtime = 9,
			  .pax = { "SCHILY.xattr.user.k=v" } },
			false },
		{ { "d/a", .data = "a", .uid = 5, .mode = 04755, .mtime = 9,
			  .pax = { "SCHILY.xattr.user.k=v" } },
			true },
	};
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, base);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tar_entry list[16] = { END };
		size_t n = ARRAY_LEN(base) - 1;

		memcpy(list, base, sizeof(base));
		list[n++] = cases[i].change;
		s.n = 0;
		layers_must(&s, list);
	}
	s.n = 0;
	layers_must(&s, base);
	layers_must(&s, top);
	CHECK(holds(&s, 0));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[16];
		struct err e = ERR_INIT;

		(void)snprintf(name, sizeof(name), "%zu", i + 1);
		REQUIRE(fd_open_dir(s.fd, name, &s.dirs[7], &e) == 0);
		if (holds(&s, 7) != cases[i].same)
			test_fail(__FILE__, __LINE__, "%zu", i);
	}
}

/*
 * The digest of a file that is made of these pieces of 64 KiB: x (bytes), z (zeros that are
 * written), h (a hole).
 */
static const char *digest_of(struct layers *s, const char *pieces)
{
	static char line[256], piece[65536], dir[16];
	static unsigned n;
	scoped_buf struct buf b = BUF_INIT;
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	scoped_walk struct lower_walk w;
	scoped_fd int at = -1, fd = -1;
	struct lower lower = { .dirfds = &at, .n = 1 };
	off_t end = 0;

	snprintf(dir, sizeof(dir), "dir%u", n++);
	REQUIRE(mkdirat(s->fd, dir, 0700) == 0);
	at = openat(s->fd, dir, O_RDONLY | O_CLOEXEC);
	fd = openat(at, "f", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	REQUIRE(at >= 0 && fd >= 0);
	for (const char *p = pieces; *p; p++, end += (off_t)sizeof(piece)) {
		memset(piece, *p == 'x' ? 'x' : 0, sizeof(piece));
		REQUIRE(*p == 'h' || pwrite(fd, piece, sizeof(piece), end) == sizeof(piece));
	}
	REQUIRE(ftruncate(fd, end) == 0);
	lower_walk_begin(&w, &lower);
	REQUIRE(lower_walk_find(&w, "f", &hit, NULL) == 1 &&
		layer_deps_add(&w, LAYER_DEP_FILE, "f", &hit, &b, NULL) == 0);
	CHECK(w.read <= (uint64_t)hit.st.st_blocks * 512); /* no hole was read */
	snprintf(line, sizeof(line), "%s", strstr(buf_get(&b), " blocks:"));
	return line;
}

TEST(the_digest_of_a_file_does_not_depend_on_its_holes)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "xhx", "xzx", true },
		{ "hxzh", "zxhz", true },
		{ "hhh", "zzz", true },
		{ "xh", "hx", false },
		{ "xhx", "xxh", false },
		{ "xx", "hxx", false },
		{ "hxh", "hhx", false },
	};
	struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char a[256];

		snprintf(a, sizeof(a), "%s", digest_of(&s, cases[i].a));
		if (!strcmp(digest_of(&s, cases[i].b), a) != cases[i].same)
			test_fail(__FILE__, __LINE__, "%s and %s", cases[i].a, cases[i].b);
	}
}

TEST(layer_dependencies_in_an_unknown_form_are_refused)
{
	static const char *const bad[] = { "x\n", "dir\n", "dir /a\n", "dir /a%0 yes\n",
		"dir /%00 yes\n", "what /a yes\n", " \n" };
	struct lower lower = { .n = 0 };
	bool ret;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		if (hold_below(bad[i], &lower, &ret, &e) >= 0 || !e.set)
			test_fail(__FILE__, __LINE__, "%s", bad[i]);
	}
}
