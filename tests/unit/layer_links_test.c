/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths that lead through symbolic links. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/layer/layer_deps.h"
#include "../../lib/layer/layer_links.h"
#include "../../lib/layer/lowerdirs.h"
#include "layer_stack.h"
#include "test.h"

#define END { .name = NULL }

/* ---- the lookup ---- */

/* A links_below.look: "TYPE PATH" or "l PATH TARGET" in a list. */
static int look(
	void *arg, const char *path, mode_t *ret_type, struct buf *ret_target, struct err *e)
{
	const char *const *list = arg;
	char kind, name[64], target[64];

	(void)e;
	for (; *list; list++) {
		target[0] = '\0';
		REQUIRE(sscanf(*list, "%c %63s %63s", &kind, name, target) >= 2);
		if (strcmp(name, path) != 0)
			continue;
		*ret_type = kind == 'd' ? S_IFDIR : kind == 'l' ? S_IFLNK : S_IFREG;
		buf_str(ret_target, target);
	}
	return 0;
}

static int follow(struct links *s, const char *path)
{
	struct err e = ERR_INIT;

	return links_follow(s, path, strlen(path), "entry", NULL, &e);
}

TEST(links_are_followed_inside_the_root)
{
	static const char *const below[] = { "d usr", "d usr/bin", "l bin usr/bin",
		"l abs /usr/bin", "l up ../../../usr/./bin/", "l usr/up ../..//etc", "l chain bin",
		"l self self", "l ping pong", "l pong /ping", "f file", "l tofile file",
		"l gone no/such/place", "l back usr/bin/../../usr", "l root /", "l dot .", NULL };
	static const struct {
		const char *path, *want;
		int r;
	} cases[] = {
		{ "", "", 0 },
		{ "usr/bin", "usr/bin", 0 },
		{ "bin", "usr/bin", 0 },
		{ "bin/x", "usr/bin/x", 0 },
		{ "abs/x/y", "usr/bin/x/y", 0 },
		{ "up", "usr/bin", 0 },
		{ "usr/up/x", "etc/x", 0 },
		{ "chain/x", "usr/bin/x", 0 },
		{ "gone/x", "no/such/place/x", 0 },
		{ "back/bin", "usr/bin", 0 },
		{ "root/bin/x", "usr/bin/x", 0 },
		{ "dot/dot/bin", "usr/bin", 0 },
		{ "no/bin", "no/bin", 0 },
		{ "self", NULL, -ELOOP },
		{ "ping/x", NULL, -ELOOP },
		{ "file/x", NULL, -ENOTDIR },
		{ "tofile", NULL, -ENOTDIR },
	};
	const struct links_below view = { look, (void *)below };
	struct layer_tree own;
	struct err e = ERR_INIT;
	struct links s;

	REQUIRE(layer_tree_init(&own) == 0);
	REQUIRE(links_begin(&s, &own, NULL, &view, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK_INT(follow(&s, cases[i].path), cases[i].r);
		if (cases[i].want)
			CHECK_STR(s.path.data ? s.path.data : "", cases[i].want);
	}
	links_end(&s);
	layer_tree_done(&own);
}

TEST(at_most_40_links_are_followed)
{
	char lines[42][32];
	const char *below[43] = { NULL };
	const struct links_below view = { look, below };
	struct layer_tree own;
	struct err e = ERR_INIT;
	struct links s;

	for (int i = 0; i < 42; i++) {
		(void)snprintf(lines[i], sizeof(lines[i]), "l l%d l%d", i, i + 1);
		below[i] = lines[i];
	}
	REQUIRE(layer_tree_init(&own) == 0);
	REQUIRE(links_begin(&s, &own, NULL, &view, &e) == 0);
	CHECK_INT(follow(&s, "l2/x"), 0);
	CHECK_STR(s.path.data, "l42/x");
	CHECK_INT(follow(&s, "l1/x"), -ELOOP);
	links_end(&s);
	layer_tree_done(&own);
}

/* ---- layers ---- */

/* What each layer but the first is put on. */
static const struct tar_entry base[] = { { "usr", .type = '5', .uid = 7, .mode = 0751 },
	{ "usr/bin", .type = '5', .uid = 8, .mode = 0750 }, { "usr/bin/sh", .data = "sh" },
	{ "etc", .type = '5', .mode = 0755 }, { "etc/passwd", .data = "p", .uid = 3 },
	{ "bin", .type = '2', .link = "usr/bin" }, { "conf", .type = '2', .link = "/etc" },
	{ "gone", .type = '2', .link = "no/where" }, { "file", .data = "f" }, END };

struct link_case {
	struct tar_entry list[7];
	const char *path, *want;
};

static void must_show(struct layers *s, const struct link_case *c, size_t i)
{
	s->n = 0;
	layers_must(s, base);
	layers_must(s, c->list);
	if (strcmp(layers_show(s, c->path), c->want) != 0)
		test_fail(__FILE__, __LINE__, "%zu: %s is %s, not %s", i, c->path,
			layers_show(s, c->path), c->want);
}

TEST(layer_entries_go_through_links_of_lower_layers)
{
	static const struct link_case cases[] = {
		{ { { "bin/tool", .data = "t" } }, "usr/bin/tool", "f 0644 0:0 0.0 =t" },
		{ { { "bin/tool", .data = "t" } }, "bin", "-" },
		{ { { "bin/tool", .data = "t" } }, "usr", "d 0751 7:0 0.0" },
		{ { { "bin/tool", .data = "t" } }, "usr/bin", "d 0750 8:0 0.0" },
		{ { { "bin/sub", .type = '5', .mode = 0700 }, { "bin/sub/x", .data = "x" } },
			"usr/bin/sub", "d 0700 0:0 0.0" },
		{ { { "gone/x", .data = "x" } }, "no/where/x", "f 0644 0:0 0.0 =x" },
		{ { { "gone/x", .data = "x" } }, "no/where", "d 0755 0:0 0.0" },
		/* the later of two entries that are one file */
		{ { { "bin/x", .data = "1" }, { "usr/bin/x", .data = "2" } }, "usr/bin/x",
			"f 0644 0:0 0.0 =2" },
		{ { { "usr/bin/x", .data = "1" }, { "bin/x", .data = "2" } }, "usr/bin/x",
			"f 0644 0:0 0.0 =2" },
		/* a directory that takes the link's place, before or after */
		{ { { "bin", .type = '5', .mode = 0700 }, { "bin/x", .data = "x" } }, "bin/x",
			"f 0644 0:0 0.0 =x" },
		{ { { "bin/x", .data = "1" }, { "bin", .type = '5', .mode = 0700 },
			  { "bin/x", .data = "2" } },
			"bin/x", "f 0644 0:0 0.0 =2" },
		{ { { "bin/x", .data = "1" }, { "bin", .type = '5', .mode = 0700 },
			  { "bin/x", .data = "2" } },
			"usr/bin/x", "f 0644 0:0 0.0 =1" },
		{ { { "bin/x", .data = "1" }, { "bin", .type = '5', .mode = 0700 } }, "usr/bin/x",
			"f 0644 0:0 0.0 =1" },
		{ { { "bin/x", .data = "1" }, { "bin", .type = '2', .link = "etc" },
			  { "bin/x", .data = "2" } },
			"usr/bin/x", "f 0644 0:0 0.0 =1" },
		{ { { "bin/x", .data = "1" }, { "bin", .type = '2', .link = "etc" },
			  { "bin/x", .data = "2" } },
			"etc/x", "f 0644 0:0 0.0 =2" },
		/* a whiteout of the link, wherever it stands */
		{ { { .name = ".wh.bin" }, { "bin/x", .data = "x" } }, "bin/x",
			"f 0644 0:0 0.0 =x" },
		{ { { "bin/x", .data = "x" }, { .name = ".wh.bin" } }, "bin/x",
			"f 0644 0:0 0.0 =x" },
		/* ".." of a link that is itself behind a link */
		{ { { "bin/l", .type = '2', .link = "../../etc" }, { "bin/l/x", .data = "x" } },
			"etc/x", "f 0644 0:0 0.0 =x" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i], i);
}

TEST(layer_entries_go_through_links_of_their_own_layer)
{
	static const struct link_case cases[] = {
		{ { { "l", .type = '2', .link = "/a/b" }, { "l/x", .data = "x" } }, "a/b/x",
			"f 0644 0:0 0.0 =x" },
		{ { { "l", .type = '2', .link = "/a/b" }, { "l/x", .data = "x" } }, "l",
			"l 0:0 0.0 ->/a/b" },
		/* through a link of the layer, and then one below */
		{ { { "l", .type = '2', .link = "bin" }, { "l/x", .data = "x" } }, "usr/bin/x",
			"f 0644 0:0 0.0 =x" },
		{ { { "usr/bin", .type = '2', .link = "../etc" }, { "usr/bin/x", .data = "x" } },
			"etc/x", "f 0644 0:0 0.0 =x" },
		{ { { "usr/bin", .type = '2', .link = "../etc" }, { "bin/x", .data = "x" } },
			"etc/x", "f 0644 0:0 0.0 =x" },
		{ { { "l", .type = '2', .link = "a" }, { "l/x", .data = "1" },
			  { "l", .type = '5', .mode = 0711 }, { "l/x", .data = "2" } },
			"a/x", "f 0644 0:0 0.0 =1" },
		{ { { "l", .type = '2', .link = "a" }, { "l/x", .data = "1" },
			  { "l", .type = '5', .mode = 0711 }, { "l/x", .data = "2" } },
			"l/x", "f 0644 0:0 0.0 =2" },
		{ { { "a/x", .data = "1" }, { "l", .type = '2', .link = "a" },
			  { "l/x", .data = "2" } },
			"a/x", "f 0644 0:0 0.0 =2" },
		{ { { "l", .type = '2', .link = "a" }, { "l/x", .data = "1" },
			  { "a/x", .data = "2" } },
			"a/x", "f 0644 0:0 0.0 =2" },
		{ { { "l", .type = '2', .link = "usr/bin" }, { .name = "l/.wh.sh" } }, "usr/bin/sh",
			"whiteout" },
		{ { { "l", .type = '2', .link = "usr" },
			  { "l/d", .type = '5', .uid = 4, .mode = 0700,
				  .pax = { "SCHILY.xattr.user.k=v" } } },
			"usr/d", "d 0700 4:0 0.0" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i], i);
	CHECK_STR(layers_xattr(&s, "usr/d", "user.k"), "76");
}

TEST(layer_hard_links_are_followed_but_for_the_last_name)
{
	static const struct link_case cases[] = {
		{ { { "h", .type = '1', .link = "conf/passwd" } }, "h", "f 0644 3:0 0.0 =p" },
		{ { { "etc/new", .data = "n" }, { "h", .type = '1', .link = "conf/new" } }, "h",
			"f 0644 0:0 0.0 =n" },
		{ { { "bin/h", .type = '1', .link = "conf/passwd" } }, "usr/bin/h",
			"f 0644 3:0 0.0 =p" },
		{ { { "h", .type = '1', .link = "bin" } }, "h", "l 0:0 0.0 ->usr/bin" },
		{ { { "bin/x", .data = "x" }, { "h", .type = '1', .link = "bin" } }, "h",
			"l 0:0 0.0 ->usr/bin" },
		/* a hard link to a link below is a link, too */
		{ { { "h", .type = '1', .link = "bin" }, { "h/x", .data = "x" } }, "usr/bin/x",
			"f 0644 0:0 0.0 =x" },
		/* what was there when its turn came */
		{ { { "etc/new", .data = "1" }, { "h", .type = '1', .link = "conf/new" },
			  { "etc/new", .data = "2" } },
			"h", "f 0644 0:0 0.0 =1" },
		{ { { "etc/new", .data = "1" }, { "conf/new", .data = "2" },
			  { "h", .type = '1', .link = "etc/new" } },
			"h", "f 0644 0:0 0.0 =2" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_show(&s, &cases[i], i);
}

TEST(layer_refuses_links_that_lead_to_files_or_nowhere)
{
	static const struct {
		struct tar_entry list[4];
		const char *on, *says;
	} bad[] = {
		{ { { "l", .type = '2', .link = "file" }, { .name = "l/x" } }, "l/x",
			"parent 'file' is not a directory in a layer below" },
		{ { { "l", .type = '2', .link = "bin/sh" }, { .name = "l/x" } }, "l/x",
			"parent 'usr/bin/sh' is not a directory in a layer below" },
		{ { { "bin", .type = '2', .link = "bin" }, { .name = "bin/x" } }, "bin/x",
			"too many symbolic links" },
		{ { { "etc", .type = '1', .link = "conf/passwd" } }, "etc", "which it replaces" },
		{ { { "h", .type = '1', .link = "conf/none" } }, "h", "neither the layer nor" },
		{ { { "h", .type = '1', .link = "conf/new" }, { .name = "etc/new" } }, "h",
			"comes later in this layer" },
		{ { { "h", .type = '1', .link = "conf" }, { "g", .type = '1', .link = "h/../x" } },
			"h/../x", "\"..\"" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		int r;

		s.n = 0;
		layers_must(&s, base);
		r = layers_add(&s, bad[i].list, &e);
		if (r >= 0 || !strstr(e.what, bad[i].says) || strcmp(e.on, bad[i].on) != 0)
			test_fail(__FILE__, __LINE__, "%zu: %d, '%s' '%s', not '%s'", i, r, e.on,
				e.what, bad[i].says);
	}
}

/* ---- dependencies ---- */

static bool holds_on(struct layers *s, const char *deps, const struct tar_entry *list)
{
	struct lower lower = { .dirfds = s->dirs, .n = 1 };
	scoped_walk struct lower_walk w;
	struct err e = ERR_INIT;
	bool ret = false;

	s->n = 0;
	layers_must(s, list);
	lower_walk_begin(&w, &lower);
	REQUIRE(layer_deps_hold(deps, &w, &ret, &e) == 0);
	return ret;
}

TEST(layers_behind_links_depend_on_them)
{
	static const struct tar_entry tops[][3] = {
		{ { .name = "bin/x" } },
		{ { .name = "bin/.wh.sh" } },
		{ { .name = "bin/x" }, { "bin", .type = '5' } },
		{ { "l", .type = '2', .link = "bin" }, { .name = "l/x" } },
		{ { "h", .type = '1', .link = "bin/sh" } },
	};
	static const struct tar_entry bases[][4] = {
		{ { "usr/bin/sh", .data = "1" }, { "bin", .type = '2', .link = "usr/bin" } },
		{ { "usr/bin/sh", .data = "1" }, { "bin", .type = '2', .link = "usr/sbin" },
			{ "usr/sbin/sh", .data = "2" } },
		{ { "usr/bin/sh", .data = "1" }, { "bin/sh", .data = "2" } },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(tops); i++)
		for (size_t k = 0; k < ARRAY_LEN(bases); k++) {
			scoped_buf struct buf deps = BUF_INIT;

			s.n = 0;
			layers_must(&s, bases[k]);
			layers_must(&s, tops[i]);
			buf_str(&deps, buf_get(s.deps));
			for (size_t b = 0; b < ARRAY_LEN(bases); b++)
				if (holds_on(&s, buf_get(&deps), bases[b]) != (b == k))
					test_fail(__FILE__, __LINE__, "%zu: of %zu on %zu:\n%s", i,
						k, b, buf_get(&deps));
		}
}
