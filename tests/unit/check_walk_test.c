/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/walk_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/check/dirlist.h"
#include "test.h"

/* A tree without files: each directory has `width` children down to `depth`. */
struct made_up {
	unsigned width, depth;
	_Atomic unsigned visits, wrong;
	unsigned fail_at; /* visit that fails; 0: none */
	unsigned stop_at;
};

static int visit(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e)
{
	struct made_up *m = arg;
	uintptr_t level = (uintptr_t)d->tag;
	unsigned n = ++m->visits;
	scoped_buf struct buf path = BUF_INIT;
	unsigned slashes = 0;

	(void)index;
	walk_path(d, NULL, &path);
	for (const char *p = path.data; p && *p; p++)
		slashes += *p == '/';
	/* "0/3/1": a component for each level below the root */
	if (path.len != d->path_len || (level > 1 && slashes != level - 2))
		m->wrong++;
	if (n == m->fail_at)
		return err_set(e, EIO, "x", "made to fail");
	if (n == m->stop_at)
		walk_stop(w);
	for (unsigned i = 0; i < m->width && level <= m->depth; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		if (walk_push(w, d, name, (void *)(level + 1)) < 0)
			return err_nomem(e);
	}
	return 0;
}

TEST(every_directory_is_visited_once_by_any_number_of_threads)
{
	static const struct {
		unsigned width, depth, visits;
	} t[] = {
		{ 0, 0, 1 },
		{ 1, 1, 2 },
		{ 10, 3, 1111 },
		{ 2, 12, 8191 },
		{ 50000, 1, 50001 },
		{ 1, 20000, 20001 },
	};
	static const unsigned threads[] = { 1, 2, 7, 32 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t k = 0; k < ARRAY_LEN(threads); k++) {
			struct made_up m = { .width = t[i].width, .depth = t[i].depth };

			if (t[i].depth > 1000 && threads[k] != 2)
				continue; /* a path of each is long */
			CHECK_INT(walk_run(threads[k], (void *)1, visit, &m, NULL), 0);
			CHECK_INT(m.visits, t[i].visits);
			CHECK_INT(m.wrong, 0);
		}
}

TEST(the_first_error_ends_the_walk_and_is_told)
{
	for (unsigned threads = 1; threads <= 8; threads *= 2) {
		struct made_up m = { .width = 10, .depth = 4, .fail_at = 500 };
		struct err e = ERR_INIT;

		CHECK_INT(walk_run(threads, (void *)1, visit, &m, &e), -EIO);
		CHECK_STR(e.what, "made to fail");
		CHECK(m.visits < 11111); /* not the whole tree */
	}
}

TEST(a_stop_is_no_error)
{
	struct made_up m = { .width = 10, .depth = 4, .stop_at = 500 };

	CHECK_INT(walk_run(3, (void *)1, visit, &m, NULL), 0);
	CHECK(m.visits >= 500 && m.visits < 11111);
}

/*
 * --- walk_open
 * ------------------------------------------------------------------------------------
 */

static int scratch(char name[static 32])
{
	int fd;

	snprintf(name, 32, "/tmp/check-walk-XXXXXX");
	REQUIRE(mkdtemp(name) != NULL);
	fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

TEST(a_directory_deeper_than_a_path_can_say_is_opened)
{
	char name[32], component[201];
	scoped_fd int root = scratch(name), at = -1;
	scoped_buf struct buf path = BUF_INIT;
	struct stat want, got;

	memset(component, 'x', 200);
	component[200] = '\0';
	at = openat(root, ".", O_PATH | O_CLOEXEC);
	for (int i = 0; i < 100; i++) { /* 20,100 bytes: five times PATH_MAX */
		int next;

		REQUIRE(mkdirat(at, component, 0755) == 0);
		next = openat(at, component, O_PATH | O_CLOEXEC);
		REQUIRE(next >= 0);
		close(at);
		at = next;
		if (i)
			buf_char(&path, '/');
		buf_str(&path, component);
	}
	REQUIRE(path.len > 4L * PATH_MAX && fstat(at, &want) == 0);
	for (int i = 0; i < 2; i++) {
		int fd = walk_open(root, buf_get(&path), i ? O_PATH : O_RDONLY);

		REQUIRE(fd >= 0);
		REQUIRE(fstat(fd, &got) == 0);
		CHECK_INT(got.st_ino, want.st_ino);
		close(fd);
	}
	CHECK_INT(fd_remove_tree(AT_FDCWD, name, NULL), 0);
}

TEST(walk_open_follows_nothing_and_does_not_climb)
{
	char name[32], absolute[64];
	scoped_fd int root = scratch(name);
	static const struct {
		const char *path;
		int want;
	} t[] = {
		{ "", 0 },
		{ "d", 0 },
		{ "d/e", 0 },
		{ "l", -ELOOP },
		{ "l/e", -ELOOP },
		{ "f", -ENOTDIR },
		{ "f/x", -ENOTDIR },
		{ "..", -EXDEV },
		{ "d/../..", -EXDEV },
		{ "gone", -ENOENT },
		{ "absolute", -ELOOP },
	};

	snprintf(absolute, sizeof(absolute), "%s/d", name);
	REQUIRE(mkdirat(root, "d", 0755) == 0 && mkdirat(root, "d/e", 0755) == 0);
	REQUIRE(symlinkat("d", root, "l") == 0 && symlinkat(absolute, root, "absolute") == 0);
	REQUIRE(mknodat(root, "f", S_IFREG | 0644, 0) == 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int fd = walk_open(root, t[i].path, O_PATH);

		if ((fd < 0 ? fd : 0) != t[i].want && !(fd == -ENOTDIR && t[i].want == -ELOOP))
			test_fail(__FILE__, __LINE__, "\"%s\": %d", t[i].path, fd);
		if (fd >= 0)
			close(fd);
	}
	CHECK_INT(fd_remove_tree(AT_FDCWD, name, NULL), 0);
}

/*
 * --- walk_dirs
 * ------------------------------------------------------------------------------------
 */

struct real_tree {
	int root;
	struct walk_dirs *dirs;
	unsigned visits, wrong;
};

/* What walk_dirs opens must be what the whole path leads to. */
static int visit_real(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e)
{
	struct real_tree *t = arg;
	scoped_buf struct buf path = BUF_INIT;
	scoped_fd int fd = walk_dirs_open(t->dirs, 0, t->root, d, O_RDONLY), same = -1;
	struct stat a, b;
	char buf[DIRLIST_BUFFER];
	struct dirlist_reader s = { .fd = fd, .buf = buf };
	const char *name;

	(void)index;
	walk_path(d, NULL, &path);
	same = walk_open(t->root, buf_get(&path), O_PATH);
	t->visits++;
	t->wrong += fd < 0 || fstat(fd, &a) < 0;
	/* Where no descriptor is left for us, the number of visits tells. */
	if (same != -EMFILE)
		t->wrong += same < 0 || fstat(same, &b) < 0 || a.st_ino != b.st_ino;
	while (fd >= 0 && dirlist_next(&s, &name) > 0)
		if (walk_push(w, d, name, NULL) < 0)
			return err_nomem(e);
	walk_dirs_keep(t->dirs, 0, d, &fd);
	return 0;
}

/* Levels of a chain that have another directory each, before or behind that which goes on. */
static void make_comb(int root, int levels)
{
	scoped_fd int at = openat(root, ".", O_PATH | O_CLOEXEC);

	for (int i = 0; i < levels; i++) {
		int next;

		REQUIRE(mkdirat(at, "d", 0755) == 0 && mkdirat(at, i % 2 ? "a" : "z", 0755) == 0);
		next = openat(at, "d", O_PATH | O_CLOEXEC);
		REQUIRE(next >= 0);
		close(at);
		at = next;
	}
}

TEST(directories_are_opened_from_a_near_one_with_many_open_files_and_with_few)
{
	static const rlim_t limits[] = { 1024, 64, 0 };
	char name[32];
	scoped_fd int root = scratch(name);

	make_comb(root, 700);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit was, few;
		struct real_tree t = { .root = root };
		int last = dup(0);

		REQUIRE(getrlimit(RLIMIT_NOFILE, &was) == 0 && last >= 0);
		few = (struct rlimit){ .rlim_cur = limits[i] ? limits[i] : was.rlim_cur,
			.rlim_max = was.rlim_max };
		REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
		t.dirs = walk_dirs_new(1);
		REQUIRE(t.dirs != NULL);
		/* Fewer than was thought: there is room for five. */
		few.rlim_cur = (rlim_t)last + 5;
		REQUIRE(limits[i] || setrlimit(RLIMIT_NOFILE, &few) == 0);
		CHECK_INT(walk_run(1, NULL, visit_real, &t, NULL), 0);
		walk_dirs_free(t.dirs);
		REQUIRE(setrlimit(RLIMIT_NOFILE, &was) == 0);
		close(last);
		CHECK_INT(t.visits, 1401);
		CHECK_INT(t.wrong, 0);
	}
	CHECK_INT(fd_remove_tree(AT_FDCWD, name, NULL), 0);
}
