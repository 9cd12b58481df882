/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/check/expect.h"
#include "../../lib/check/infer_map.h"
#include "../../lib/check/list_mapped.h"
#include "../../lib/check/needed_ids.h"
#include "../../lib/check/verify.h"
#include "../../lib/explain/explain.h"

static void found(const struct finding *f, void *arg)
{
	CHECK(f->path != NULL);
	(void)arg;
}

/* One thread, so that the Nth allocation is the same one each time. */
OOM(verify_trees)
{
	static const struct {
		const char *path;
		bool dir;
	} made[] = {
		{ "a/d/extra", false },
		{ "b/d/missing", false },
		{ "a/d", true },
		{ "b/d", true },
		{ "a", true },
		{ "b", true },
	};
	char dir[] = "/tmp/oom-check-XXXXXX";
	struct idmap map = { .gid_assumed = false };
	struct verify_options o = { .map = &map, .threads = 1, .found = found };
	struct verify_counts counts;
	struct err e = ERR_INIT;
	int top, r;

	REQUIRE(mkdtemp(dir) != NULL);
	top = open(dir, O_PATH | O_CLOEXEC);
	REQUIRE(top >= 0);
	for (size_t i = ARRAY_LEN(made); i-- > 0;)
		REQUIRE((made[i].dir ? mkdirat(top, made[i].path, 0755) :
				       mknodat(top, made[i].path, S_IFREG | 0644, 0)) == 0);
	r = idmap_identity(&map, &e);
	if (r == 0) {
		scoped_fd int a = openat(top, "a", O_PATH | O_CLOEXEC),
			      b = openat(top, "b", O_PATH | O_CLOEXEC);

		r = verify_trees(a, b, &o, &counts, &e);
	}
	CHECK(r == 0 || (r == -ENOMEM && e.num == ENOMEM));
	CHECK(r < 0 || verify_total(&counts) == 2);
	idmap_done(&map);
	/* By hand: fd_remove_tree() allocates, and would be what fails. */
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		CHECK(unlinkat(top, made[i].path, made[i].dir ? AT_REMOVEDIR : 0) == 0);
	close(top);
	CHECK(rmdir(dir) == 0);
	return r;
}

OOM(expect)
{
	struct mtree_entry s = { .has_type = true, .type = S_IFREG };
	struct expect *x = expect_new(true);
	char path[64];
	int r = x ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < 3000; i++) {
		snprintf(path, sizeof(path), "d/%d/e/", i);
		s.path = path;
		r = expect_add(&s, x);
	}
	CHECK(r == 0 || r == -ENOMEM);
	expect_free(x);
	return r;
}

/* A directory with one file in it, open; -1 when there is none. */
static int small_tree(char *dir)
{
	int top = mkdtemp(dir) ? open(dir, O_PATH | O_CLOEXEC) : -1;

	REQUIRE(top >= 0 && mknodat(top, "file", S_IFREG | 0644, 0) == 0);
	return top;
}

static void small_tree_done(const char *dir, int top)
{
	REQUIRE(unlinkat(top, "file", 0) == 0 && rmdir(dir) == 0);
	(void)close(top);
}

OOM(needed_ids_add_tree)
{
	char dir[] = "/tmp/oom-check-XXXXXX";
	int top = small_tree(dir), r = -ENOMEM;
	struct needed_ids *c = needed_ids_new();
	struct err e = ERR_INIT;
	struct idmap m;
	uint64_t added;

	if (c)
		r = needed_ids_add_tree(c, top, 1, &e);
	if (r == 0)
		r = needed_ids_map(c, &m, &added, &e);
	if (r == 0)
		idmap_done(&m);
	needed_ids_free(c);
	small_tree_done(dir, top);
	return r;
}

OOM(infer_map)
{
	char dir[] = "/tmp/oom-check-XXXXXX";
	int top = small_tree(dir);
	struct err e = ERR_INIT;
	struct idmap m;
	ssize_t n = infer_map(top, top, 100, &m, &e);

	CHECK(n == 2 || n == -ENOMEM);
	if (n > 0)
		idmap_done(&m);
	small_tree_done(dir, top);
	return n < 0 ? (int)n : 0;
}

OOM(explain)
{
	struct explanation x;
	struct err e = ERR_INIT;
	scoped_buf struct buf way = BUF_INIT;
	int r = explain_look(
		&(struct explain_question){ .path = "/etc/passwd", .as = "4711:4711,12,13,14" }, &x,
		&e);
	size_t at;

	if (r == 0)
		r = explain_fix(&x, PERM_WRITE, &way);
	CHECK(r == 0 || r == -ENOMEM);
	if (r == 0)
		CHECK(explain_verdict(&x, PERM_WRITE, &at).num == EACCES);
	explain_done(&x);
	return r;
}
