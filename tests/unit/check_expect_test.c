/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/expect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/vec.h"
#include "test.h"

/* Look a name up without an index. */
static struct expect_node *child(
	const struct expect *x, const struct expect_node *d, const char *name)
{
	static const struct expect_index none;

	return expect_indexed(x, d, &none, name);
}

/*
 * An entry as "TYPE UID PATH": d directory, f file, l link; "-" alone begins the next layer below.
 */
static void add(struct expect *x, const char *line)
{
	static const struct {
		char c;
		mode_t type;
	} types[] = { { 'd', S_IFDIR }, { 'f', S_IFREG }, { 'l', S_IFLNK } };
	struct mtree_entry s = {
		.has_type = true, .has_uid = true, .has_gid = true, .has_mode = true
	};
	char *end;

	if (!strcmp(line, "-")) {
		REQUIRE(expect_next_layer(x) == 0);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].c == line[0])
			s.type = types[i].type;
	s.uid = (uint32_t)strtoul(line + 2, &end, 10);
	s.path = end + 1;
	REQUIRE(expect_add(&s, x) == 0);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything that should be there, as "TYPE UID PATH@LAYER" lines, sorted. */
static void collect(
	struct expect *x, const struct expect_node *d, const char *path, struct strv *ret)
{
	struct expect_index index;

	expect_index(x, d, &index);
	for (struct expect_node *n = expect_next(x, d, NULL); n; n = expect_next(x, d, n)) {
		struct meta m;
		char line[512], sub[256];

		expect_meta(x, n, &m);
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "/" : "", expect_name(n));
		snprintf(line, sizeof(line), "%c %u %s@%u",
			S_ISDIR(m.mode)         ? 'd' :
				S_ISREG(m.mode) ? 'f' :
						  'l',
			m.uid, sub, expect_layer(x, n));
		REQUIRE(strv_add(ret, line) == 0);
		CHECK(child(x, d, expect_name(n)) == n &&
			expect_indexed(x, d, &index, expect_name(n)) == n);
		if (S_ISDIR(m.mode))
			collect(x, n, sub, ret);
	}
}

static void check_merge(const char *what, const char *const *lines, const char *want)
{
	struct expect *x = expect_new(true);
	scoped_strv struct strv got = { 0 };
	scoped_buf struct buf b = BUF_INIT;

	REQUIRE(x != NULL);
	for (; *lines; lines++)
		add(x, *lines);
	collect(x, expect_root(x), "", &got);
	if (got.len)
		qsort(got.items, got.len, sizeof(*got.items), compare_lines);
	for (size_t i = 0; i < got.len; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", got.items[i]);
	if (strcmp(b.len ? buf_get(&b) : "", want))
		test_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", what,
			b.len ? buf_get(&b) : "", want);
	expect_free(x);
}

TEST(layers_merge_as_overlayfs_merges_them)
{
	static const struct {
		const char *what, *lines[12], *want;
	} t[] = {
		{ "directories merge, the upper's owner counts",
			{ "d 1 a", "f 1 a/x", "-", "d 2 a", "f 2 a/x", "f 2 a/y" },
			"d 1 a@0, f 1 a/x@0, f 2 a/y@1" },
		{ "a whiteout hides what is below",
			{ "f 0 .wh.a", "-", "d 2 a", "f 2 a/y", "-", "f 3 a" }, "" },
		{ "a whiteout below a file changes nothing",
			{ "f 1 a", "-", "f 0 .wh.a", "-", "f 3 a" }, "f 1 a@0" },
		{ "a whiteout cuts a directory that goes on above",
			{ "f 1 d/x", "-", "f 0 .wh.d", "-", "d 3 d", "f 3 d/y" },
			"d 0 d@0, f 1 d/x@0" },
		{ "a whiteout beside a directory of its layer makes it opaque",
			{ "f 0 .wh.d", "d 1 d", "f 1 d/x", "-", "d 2 d", "f 2 d/y" },
			"d 1 d@0, f 1 d/x@0" },
		{ "likewise in the other order",
			{ "d 1 d", "f 1 d/x", "f 0 .wh.d", "-", "d 2 d", "f 2 d/y" },
			"d 1 d@0, f 1 d/x@0" },
		{ "an opaque directory",
			{ "d 1 d", "f 0 d/.wh..wh..opq", "f 1 d/x", "-", "d 2 d", "f 2 d/y",
				"d 2 d/s", "f 2 d/s/z" },
			"d 1 d@0, f 1 d/x@0" },
		{ "opaque in the middle",
			{ "f 1 d/x", "-", "d 2 d", "f 0 d/.wh..wh..opq", "f 2 d/y", "-", "d 3 d",
				"f 3 d/z" },
			"d 2 d@0, f 1 d/x@0, f 2 d/y@1" },
		{ "an opaque root", { "f 0 .wh..wh..opq", "f 1 a", "-", "f 2 b", "d 2 d" },
			"f 1 a@0" },
		{ "a file over a directory", { "f 1 d", "-", "d 2 d", "f 2 d/x" }, "f 1 d@0" },
		{ "a directory over a file", { "d 1 d", "-", "f 2 d", "-", "d 3 d", "f 3 d/x" },
			"d 1 d@0" },
		{ "a link hides a directory", { "l 1 d", "-", "d 2 d", "f 2 d/x" }, "l 1 d@0" },
		{ "a parent that is not listed is as it was below", { "f 1 d/x", "-", "d 7 d" },
			"d 7 d@0, f 1 d/x@0" },
		{ "and one that nothing lists is 0:0", { "f 1 d/x" }, "d 0 d@0, f 1 d/x@0" },
		{ "but not as it was below a file", { "f 1 d/x", "-", "f 2 d", "-", "d 7 d" },
			"d 0 d@0, f 1 d/x@0" },
		{ "not listed twice", { "f 1 d/x", "-", "f 2 d/y", "-", "d 7 d" },
			"d 7 d@0, f 1 d/x@0, f 2 d/y@1" },
		{ "a name twice in a layer", { "f 1 a", "f 2 a" }, "f 2 a@0" },
		{ "slashes and dots", { "d 1 ./a/", "f 1 a//b", "f 2 ./a/./c" },
			"d 1 a@0, f 1 a/b@0, f 2 a/c@0" },
		{ "a whiteout of what is not there", { "f 0 .wh.a", "f 0 d/.wh.x" }, "d 0 d@0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_merge(t[i].what, t[i].lines, t[i].want);
}

TEST(entries_mean_the_same_in_whatever_order_they_come)
{
	static const struct {
		const char *what, *lines[12], *want;
	} t[] = {
		{ "a name between, before and behind those that are there",
			{ "f 1 d/b", "f 2 d/d", "f 3 d/c", "f 8 d/d", "f 4 d/a", "f 5 d/e",
				"f 6 d/cc", "f 7 d/c" },
			"d 0 d@0, f 1 d/b@0, f 4 d/a@0, f 5 d/e@0, f 6 d/cc@0, f 7 d/c@0, f 8 "
			"d/d@0" },
		{ "one that begins like the last", { "f 1 ab", "f 2 a", "f 3 abc", "f 4 ab" },
			"f 2 a@0, f 3 abc@0, f 4 ab@0" },
		{ "a directory becomes a file and one again",
			{ "d 1 a", "d 2 a/b", "f 3 a/b/c", "f 4 a/b/", "f 5 a/b/d" },
			"d 1 a@0, d 4 a/b@0, f 3 a/b/c@0, f 5 a/b/d@0" },
		{ "hidden in the layer below, where the layer above was last",
			{ "f 1 d/.wh..wh..opq", "f 1 d/x", "-", "f 2 d/y", "f 2 d/z", "f 2 e/z" },
			"d 0 d@0, d 0 e@1, f 1 d/x@0, f 2 e/z@1" },
		{ "dots and slashes on the way",
			{ "f 1 d/x", "f 2 d//y", "f 3 d/./z", "f 4 d/v", "f 5 d/", "f 6 d/w" },
			"d 5 d@0, f 1 d/x@0, f 2 d/y@0, f 3 d/z@0, f 4 d/v@0, f 6 d/w@0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_merge(t[i].what, t[i].lines, t[i].want);
}

TEST(a_whiteout_alone_can_be_told_from_nothing)
{
	struct expect *x = expect_new(true);

	REQUIRE(x != NULL);
	CHECK(expect_root(x) == NULL);
	add(x, "f 0 .wh.gone");
	add(x, "f 0 .wh.back");
	add(x, "f 1 back");
	CHECK(expect_whiteout(x, expect_root(x), "gone"));
	CHECK(!expect_whiteout(x, expect_root(x), "back"));
	CHECK(!expect_whiteout(x, expect_root(x), "never"));
	CHECK(child(x, expect_root(x), "gone") == NULL);
	expect_free(x);
}

TEST(nothing_is_known_of_a_parent_that_a_lone_spec_does_not_list)
{
	struct expect *x = expect_new(false);
	struct meta m;

	REQUIRE(x != NULL);
	add(x, "f 1 d/x");
	expect_meta(x, child(x, expect_root(x), "d"), &m);
	CHECK_INT(m.known, META_TYPE);
	CHECK(S_ISDIR(m.mode));
	expect_free(x);
}

TEST(a_path_that_climbs_is_refused)
{
	static const char *const bad[] = { "..", "../x", "a/../b", "a/..", "/../a" };
	struct expect *x = expect_new(true);

	REQUIRE(x != NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(expect_add(&(struct mtree_entry){ .path = bad[i] }, x), -EINVAL);
	CHECK_INT(expect_add(&(struct mtree_entry){ .path = "..a/b.." }, x), 0);
	expect_free(x);
}

/* Each of n names in one directory, and no other. */
static void check_names(unsigned names)
{
	struct expect *x = expect_new(true);
	struct expect_index index;
	struct expect_node *d;
	char line[64];

	REQUIRE(x != NULL);
	add(x, "f 0 d/.wh.gone");
	for (unsigned i = 0; i < names; i++) {
		snprintf(line, sizeof(line), "f %u d/%u", i, i * 7919);
		add(x, line);
	}
	d = child(x, expect_root(x), "d");
	REQUIRE(d != NULL);
	expect_index(x, d, &index);
	for (unsigned i = 0; i < names; i++) {
		struct expect_node *n;
		struct meta m;

		snprintf(line, sizeof(line), "%u", i * 7919);
		n = child(x, d, line);
		REQUIRE(n != NULL && n == expect_indexed(x, d, &index, line));
		expect_meta(x, n, &m);
		REQUIRE(m.uid == i);
		snprintf(line, sizeof(line), "%u", i * 7919 + 1);
		CHECK(!expect_indexed(x, d, &index, line));
	}
	CHECK(!expect_indexed(x, d, &index, "gone"));
	expect_free(x);
}

TEST(names_in_a_directory_of_any_size_are_found)
{
	static const unsigned sizes[] = { 0, 1, 2, 3, EXPECT_INDEX_MAX - 1, EXPECT_INDEX_MAX,
		EXPECT_INDEX_MAX + 1, 100000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		check_names(sizes[i]);
}
