/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/ns/untrusted_root.h"
#include "test.h"

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
	int root = mkdtemp(dir) ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct stat st;

	REQUIRE(root >= 0 && mkdirat(root, "etc", 0755) == 0);
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
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
	(void)rmdir(dir);
	(void)close(root);
}
