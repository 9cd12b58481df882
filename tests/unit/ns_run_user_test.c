/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/ns/run_priv.h"
#include "test.h"

/* Make a root directory with these files; dir is the template of its path. Returns a descriptor. */
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
