/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/ns/run_priv.h"
#include "../../lib/ns/untrusted_root.h"
#include "test.h"

TEST(binds_read_as_they_are_meant)
{
	static const struct {
		const char *text, *source, *target;
		bool ro, dev, own;
		enum map_wish wish;
	} good[] = {
		{ "a:/b", "a", "/b", false, false, false, MAP_KEEP },
		{ "/a:/b:ro", "/a", "/b", true, false, false, MAP_KEEP },
		{ "/a:/b:dev:ro:map", "/a", "/b", true, true, true, MAP_KEEP },
		{ "/a\\:c:/b\\\\\\:", "/a:c", "/b\\:", false, false, false, MAP_KEEP },
		{ "/a:/b:map=none", "/a", "/b", false, false, false, MAP_NONE },
		{ "/a:/b:ro:map=0:100000:1;5:6:1", "/a", "/b", true, false, false, MAP_SET },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct run_binds b = { 0 };
		struct err e = ERR_INIT;

		CHECK_INT(run_bind_parse(good[i].text, &b, &e), 0);
		CHECK_INT(b.len, 1);
		if (b.len == 1) {
			CHECK_STR(b.items[0].source, good[i].source);
			CHECK_STR(b.items[0].target, good[i].target);
			CHECK(b.items[0].read_only == good[i].ro && b.items[0].dev == good[i].dev);
			CHECK(b.items[0].own_map == good[i].own &&
				b.items[0].map.wish == good[i].wish);
		}
		run_binds_done(&b);
	}
}

TEST(what_is_no_bind_is_a_fault_of_usage)
{
	static const char *const bad[] = {
		"",
		":",
		"a",
		"a:",
		":/b",
		"a:b",
		"a\\:/b",
		"a:/b:",
		"a:/b:rw",
		"a:/b:ro:",
		"a:/b:map:map=+1",
		"a:/b:map=",
		"a:/b:map=x",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct run_binds b = { 0 };
		struct err e = ERR_INIT;

		CHECK(run_bind_parse(bad[i], &b, &e) < 0);
		CHECK(e.usage);
		CHECK_INT(b.len, 0);
		run_binds_done(&b);
	}
}

/* A root to look into, as descriptor; its path in dir. */
static int make_root(char *dir, const char *passwd, const char *group)
{
	static const char *const names[] = { "etc/passwd", "etc/group" };
	const char *const texts[] = { passwd, group };
	int root;

	if (!mkdtemp(dir) || (root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 ||
		mkdirat(root, "etc", 0755) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int fd = texts[i] ? openat(root, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) :
				    -1;

		if (texts[i] &&
			(fd < 0 || write(fd, texts[i], strlen(texts[i])) < 0 || close(fd) < 0))
			return -1;
	}
	return root;
}

static void remove_root(const char *dir, int root)
{
	(void)unlinkat(root, "etc/passwd", 0);
	(void)unlinkat(root, "etc/group", 0);
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
	(void)rmdir(dir);
	(void)close(root);
}

TEST(users_are_those_of_the_root)
{
	static const struct {
		const char *word;
		int r;
		unsigned uid, gid, n;
		const char *home;
	} cases[] = {
		{ NULL, 0, 0, 0, 0, "/r" },
		{ "daemon", 0, 5, 6, 2, "/d" },
		{ "5", 0, 5, 6, 0, "/d" },
		{ "70", 0, 70, 0, 0, "" },
		{ "daemon:extra", 0, 5, 7, 0, "/d" },
		{ "daemon:9", 0, 5, 9, 0, "/d" },
		{ "none", -ENOENT, 0, 0, 0, "" },
		{ "daemon:none", -ENOENT, 0, 0, 0, "" },
		{ "4294967295", -ERANGE, 0, 0, 0, "" },
		{ "5:4294967295", -ERANGE, 0, 0, 0, "" },
		{ "", -ENOENT, 0, 0, 0, "" },
		{ "-1", -ENOENT, 0, 0, 0, "" },
	};
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";
	int root = make_root(dir, "root:x:0:3::/r:/bin/sh\nbroken\ndaemon:x:5:6::/d:/bin/sh\n",
		"daemon:x:6:\nextra:x:7:root,daemon\nmore:x:8:daemon\n");

	CHECK(root >= 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct run_user u;

		CHECK_INT(run_user_find(root, cases[i].word, &u, &e), cases[i].r);
		if (cases[i].r < 0)
			continue;
		CHECK_INT(u.uid, cases[i].uid);
		CHECK_INT(u.gid, cases[i].gid);
		CHECK_INT(u.n_groups, cases[i].n);
		CHECK_STR(u.home, cases[i].home);
	}
	remove_root(dir, root);
}

TEST(a_root_without_accounts_has_numbers_and_root)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";
	int root = make_root(dir, NULL, NULL);
	struct err e = ERR_INIT;
	struct run_user u;

	CHECK(root >= 0);
	CHECK_INT(run_user_find(root, NULL, &u, &e), 0);
	CHECK_STR(u.home, "/root");
	CHECK_INT(run_user_find(root, "7:8", &u, &e), 0);
	CHECK(u.uid == 7 && u.gid == 8);
	CHECK_INT(run_user_find(root, "root", &u, &e), -ENOENT);
	remove_root(dir, root);
}

TEST(no_place_is_outside_of_the_root)
{
	static const struct {
		const char *path;
		int r;
	} cases[] = {
		{ "/etc", 0 },
		{ "//etc//", 0 },
		{ "/up/etc", 0 },
		{ "/abs/x", -EEXIST },
		{ "/up", -ENOTDIR },
		{ "/gone/x", -EEXIST },
		{ "/", -EINVAL },
		{ "etc", -EINVAL },
		{ "", -EINVAL },
		{ "/etc/..", -EINVAL },
		{ "/./etc", -EINVAL },
		{ "/...", 0 },
	};
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";
	int root = make_root(dir, NULL, NULL);
	struct stat st;

	CHECK(root >= 0);
	CHECK(symlinkat("../../..", root, "up") == 0 &&
		symlinkat("/shiftbox-none", root, "abs") == 0 &&
		symlinkat("none", root, "gone") == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int fd = -1;

		CHECK_INT(untrusted_root_place(root, cases[i].path, true, &fd, &e), cases[i].r);
		if (fd >= 0)
			(void)close(fd);
	}
	CHECK(fstatat(root, "none", &st, 0) < 0 && stat("/shiftbox-none", &st) < 0);
	(void)unlinkat(root, "...", AT_REMOVEDIR);
	(void)unlinkat(root, "up", 0);
	(void)unlinkat(root, "abs", 0);
	(void)unlinkat(root, "gone", 0);
	remove_root(dir, root);
}
