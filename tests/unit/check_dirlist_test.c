/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/dirlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "test.h"

enum { FILES = 3000 };

/* A directory with FILES entries, which takes more than one getdents64(2), and two dot names. */
static int make_dir(char name[static 32])
{
	int fd;

	snprintf(name, 32, "/tmp/check-dirlist-XXXXXX");
	REQUIRE(mkdtemp(name) != NULL);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	for (int i = 0; i < FILES; i++) {
		char entry[64];

		snprintf(entry, sizeof(entry), "%d-a-name-that-takes-some-room", i * 7919 % FILES);
		REQUIRE(mknodat(fd, entry, S_IFREG | 0600, 0) == 0);
	}
	REQUIRE(mknodat(fd, "...", S_IFREG | 0600, 0) == 0);
	REQUIRE(mknodat(fd, ".x", S_IFREG | 0600, 0) == 0);
	return fd;
}

TEST(dirlist_has_each_name_once_sorted_and_without_dot_and_dotdot)
{
	char name[32];
	char *buf = malloc(DIRLIST_BUFFER);
	struct dirlist n = { .len = 0 };
	int fd = make_dir(name);

	REQUIRE(buf != NULL);
	CHECK_INT(dirlist_read(&n, fd, buf), 0);
	CHECK_INT((int)n.len, FILES + 2);
	CHECK_STR(dirlist_get(&n, 0), "...");
	CHECK_STR(dirlist_get(&n, 1), ".x");
	for (size_t i = 1; i < n.len; i++)
		CHECK(strcmp(dirlist_get(&n, i - 1), dirlist_get(&n, i)) < 0);

	/* Reading again replaces the list: the directory is at its end now. */
	CHECK_INT(dirlist_read(&n, fd, buf), 0);
	CHECK_INT((int)n.len, 0);
	dirlist_done(&n);
	free(buf);
	(void)close(fd);
	CHECK_INT(fd_remove_tree(AT_FDCWD, name, NULL), 0);
}

TEST(dirlist_reader_returns_the_error_of_the_kernel)
{
	char *buf = malloc(DIRLIST_BUFFER);
	struct dirlist_reader r = { .fd = open("/", O_PATH | O_CLOEXEC), .buf = buf };
	const char *name;

	REQUIRE(buf != NULL && r.fd >= 0);
	CHECK_INT(dirlist_next(&r, &name), -EBADF);
	free(buf);
}
