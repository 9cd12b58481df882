/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/fd.h"
#include "../../lib/base/vec.h"
#include "../../lib/check/expect.h"
#include "test.h"

/* Two trees in a scratch directory, of one owner: anyone can run these. */
struct trees {
	char name[32];
	int top, a, b;
	struct idmap map;  /* the identity */
	struct strv found; /* "CLASS PATH" */
	struct verify_counts counts;
};

static struct trees *setup(void)
{
	static struct trees t;

	snprintf(t.name, sizeof(t.name), "/tmp/check-verify-XXXXXX");
	umask(0);
	REQUIRE(mkdtemp(t.name) != NULL);
	t.top = open(t.name, O_PATH | O_CLOEXEC);
	REQUIRE(mkdirat(t.top, "a", 0755) == 0 && mkdirat(t.top, "b", 0755) == 0);
	t.a = openat(t.top, "a", O_PATH | O_CLOEXEC);
	t.b = openat(t.top, "b", O_PATH | O_CLOEXEC);
	REQUIRE(t.a >= 0 && t.b >= 0 && idmap_identity(&t.map, NULL) == 0);
	return &t;
}

static void teardown(struct trees *t)
{
	CHECK_INT(fd_remove_tree(AT_FDCWD, t->name, NULL), 0);
	idmap_done(&t->map);
	strv_done(&t->found);
}

static void note(const struct finding *f, void *arg)
{
	struct trees *t = arg;
	char line[9000];

	snprintf(line, sizeof(line), "%s %s", finding_word(f->class), f->path);
	REQUIRE(strv_add(&t->found, line) == 0);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The findings as one sorted text. */
static void check_found(struct trees *t, const char *want)
{
	scoped_buf struct buf b = BUF_INIT;

	if (t->found.len)
		qsort(t->found.items, t->found.len, sizeof(*t->found.items), by_text);
	for (size_t i = 0; i < t->found.len; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", t->found.items[i]);
	CHECK_STR(b.len ? buf_get(&b) : "", want);
	strv_done(&t->found);
}

static struct verify_options options(struct trees *t)
{
	return (struct verify_options){ .map = &t->map, .threads = 3, .found = note, .arg = t };
}

static void file(int dir, const char *name, mode_t mode)
{
	REQUIRE(mknodat(dir, name, S_IFREG | mode, 0) == 0);
}

static void dir(int at, const char *name)
{
	REQUIRE(mkdirat(at, name, 0755) == 0);
}

TEST(two_trees_differ_in_exactly_what_was_changed)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	const int both[] = { t->a, t->b };

	for (int i = 0; i < 2; i++) {
		dir(both[i], "d");
		dir(both[i], "d/e");
		file(both[i], "d/e/same", 0644);
		file(both[i], "d/new\nline", 0644);
		file(both[i], "\xff\xfe", 0600);
		REQUIRE(symlinkat("..", both[i], "d/up") == 0);
		REQUIRE(symlinkat("/", both[i], "root") == 0);
		file(both[i], "mode", i ? 0644 : 04644);
		dir(both[i], i ? "missing" : "extra");
		file(both[i], i ? "missing/below" : "extra/below", 0644);
		REQUIRE(mknodat(both[i], "type", (i ? S_IFREG : S_IFIFO) | 0644, 0) == 0);
	}
	dir(t->a, "turned");
	file(t->a, "turned/x", 0644);
	REQUIRE(symlinkat("d", t->b, "turned") == 0);

	REQUIRE(verify_trees(t->a, t->b, &o, &t->counts, NULL) == 0);
	check_found(t, "extra extra, missing missing, mode mode, type turned, type type");
	CHECK_INT(t->counts.entries, 1 + 2 + 5 + 5);
	CHECK_INT(verify_total(&t->counts), 5);

	o.classes = 1U << FINDING_MODE | 1U << FINDING_EXTRA;
	REQUIRE(verify_trees(t->a, t->b, &o, &t->counts, NULL) == 0);
	check_found(t, "extra extra, mode mode");

	o = options(t);
	o.max_findings = 2;
	REQUIRE(verify_trees(t->a, t->b, &o, &t->counts, NULL) == 0);
	CHECK_INT(t->found.len, 2);
	CHECK_INT(verify_total(&t->counts), 2);
	strv_done(&t->found);
	teardown(t);
}

TEST(one_tree_is_equal_to_itself_and_owned_as_the_map_says)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	struct idrange uid = { geteuid(), geteuid() + 7, 1 }, gid = { getegid(), getegid(), 1 };

	dir(t->a, "d");
	file(t->a, "d/f", 0644);
	REQUIRE(verify_trees(t->a, t->a, &o, &t->counts, NULL) == 0);
	check_found(t, "");
	CHECK_INT(t->counts.entries, 3);

	idmap_done(&t->map);
	REQUIRE(idmap_from_ranges(&uid, 1, &gid, 1, &t->map, NULL) == 0);
	REQUIRE(verify_trees(t->a, t->a, &o, &t->counts, NULL) == 0);
	check_found(t, "mismatch , mismatch d, mismatch d/f");
	teardown(t);
}

TEST(a_file_is_checked_too)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	scoped_fd int a = -1, b = -1;

	file(t->a, "f", 0644);
	file(t->b, "f", 0600);
	a = openat(t->a, "f", O_PATH | O_CLOEXEC);
	b = openat(t->b, "f", O_PATH | O_CLOEXEC);
	REQUIRE(verify_trees(a, b, &o, &t->counts, NULL) == 0);
	check_found(t, "mode ");
	CHECK_INT(t->counts.entries, 1);
	teardown(t);
}

TEST(a_wide_directory_is_paired_by_name)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	char name[64];

	for (unsigned i = 0; i < 6000; i++) {
		snprintf(
			name, sizeof(name), "%u-with-a-name-that-fills-buffers", (i * 7919) % 6000);
		if (i != 17)
			file(t->a, name, 0644);
		if (i != 5017)
			file(t->b, name, 0644);
	}
	REQUIRE(verify_trees(t->a, t->b, &o, &t->counts, NULL) == 0);
	CHECK_INT(t->found.len, 2);
	CHECK_INT(t->counts.findings[FINDING_MISSING], 1);
	CHECK_INT(t->counts.findings[FINDING_EXTRA], 1);
	CHECK_INT(t->counts.entries, 6001);
	teardown(t);
}

/* Files come and go, and change, while the tree is looked at. */
static _Atomic bool busy;

static void *disturb(void *arg)
{
	int at = *(int *)arg;

	while (busy) {
		/*
		 * One name, two inodes of different modes in turn: they are not to be compared with
		 * each other.
		 */
		for (mode_t mode = 0600; mode <= 0644; mode += 044)
			if (mknodat(at, "d/new", S_IFREG | mode, 0) == 0)
				(void)renameat(at, "d/new", at, "d/replaced");
		for (int i = 0; i < 50; i++) {
			char name[16];

			snprintf(name, sizeof(name), "d/%d", i);
			(void)mknodat(at, name, S_IFREG | 0644, 0);
			snprintf(name, sizeof(name), "d/%d", (i + 25) % 50);
			(void)unlinkat(at, name, 0);
		}
	}
	return NULL;
}

TEST(what_vanishes_or_appears_meanwhile_is_no_finding)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	uint64_t vanished = 0;
	pthread_t thread;

	dir(t->a, "d");
	busy = true;
	REQUIRE(pthread_create(&thread, NULL, disturb, &t->a) == 0);
	for (int i = 0; i < 20000 && (i < 2000 || !vanished); i++) {
		REQUIRE(verify_trees(t->a, t->a, &o, &t->counts, NULL) == 0);
		vanished += t->counts.vanished;
		CHECK_INT(verify_total(&t->counts), 0);
	}
	busy = false;
	pthread_join(thread, NULL);
	CHECK(vanished > 0);
	teardown(t);
}

/*
 * --- an expected tree
 * ------------------------------------------------------------------------------
 */

static void expect(struct expect *x, const char *path, mode_t mode)
{
	struct mtree_entry s = {
		.path = path,
		.has_type = true,
		.has_mode = true,
		.has_uid = true,
		.has_gid = true,
		.type = mode & S_IFMT,
		.mode = mode & 07777,
		.uid = geteuid(),
		.gid = getegid(),
	};

	REQUIRE(expect_add(&s, x) == 0);
}

TEST(a_tree_is_compared_with_what_should_be_there)
{
	struct trees *t = setup();
	struct verify_options o = options(t);
	struct expect *x = expect_new(false);

	REQUIRE(x != NULL);
	dir(t->a, "d");
	file(t->a, "d/right", 0644);
	file(t->a, "d/mode", 0644);
	file(t->a, "d/extra", 0644);
	file(t->a, "d/type", 0644);
	REQUIRE(symlinkat("x", t->a, "link") == 0);
	expect(x, "", S_IFDIR | 0755);
	expect(x, "d", S_IFDIR | 0755);
	expect(x, "d/right", S_IFREG | 0644);
	expect(x, "d/mode", S_IFREG | 0600);
	expect(x, "d/type", S_IFDIR | 0755);
	expect(x, "d/type/below", S_IFREG | 0644);
	expect(x, "d/missing", S_IFREG | 0644);
	expect(x, "gone", S_IFDIR | 0644);
	expect(x, "gone/below", S_IFREG | 0644);
	expect(x, "link", S_IFLNK | 0755);
	REQUIRE(verify_expect(t->a, x, NULL, &o, &t->counts, NULL) == 0);
	check_found(t, "extra d/extra, missing d/missing, missing gone, mode d/mode, type d/type");
	CHECK_INT(t->counts.entries, 9);
	expect_free(x);
	teardown(t);
}
