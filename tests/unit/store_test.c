/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store takes no name that could lead out of it, nor a place that others can use; and sweeps only
 * what the dead left.
 */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/store/store.h"
#include "../../lib/store/store_dir.h"
#include "../../lib/store/store_image.h"
#include "../../lib/store/store_layer.h"
#include "../../lib/store/store_priv.h"
#include "../../lib/store/store_staging.h"

/* A directory of the test's own, removed by the caller. */
static const char *new_dir(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/shiftbox-unit.XXXXXX");
	REQUIRE(mkdtemp(path));
	return path;
}

static void remove_dir(const char *path)
{
	CHECK_INT(fd_remove_tree(AT_FDCWD, path, NULL), 0);
}

TEST(names_of_layers_are_digests_and_nothing_else)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "sha256-" HEX, true },
		{ "sha256-" HEX ".0123456789abcdef", true },
		{ "sha256-" HEX "0", false },
		{ "sha256-" HEX ".0123456789abcde", false },
		{ "sha256-" HEX ".0123456789abcdef0", false },
		{ "sha256-" HEX ".mtree", false },
		{ "sha256-" HEX "/", false },
		{ "sha256:" HEX, false },
		{ HEX, false },
		{ "", false },
		{ "sha256-0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
			false },
		{ "sha256-", false },
		{ "sha256-../../../../../../../../../../../../../../../../../../../../../etc",
			false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (store_layer_name_ok(cases[i].name) != cases[i].ok)
			test_fail(__FILE__, __LINE__, "'%s' is %s", cases[i].name,
				cases[i].ok ? "refused" : "taken");
}

TEST(names_of_images_are_one_component_that_needs_no_quoting)
{
	for (int c = 1; c < 256; c++) {
		const char inside[] = { 'a', (char)c, '\0' }, first[] = { (char)c, 'a', '\0' };
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || (c < 128 && strchr("._+:@=~%-", c));

		if ((store_image_name_check(inside, NULL) == 0) != plain)
			test_fail(__FILE__, __LINE__, "byte %d is %s", c,
				plain ? "refused" : "taken");
		CHECK_INT(store_image_name_check(first, NULL) == 0, plain && c != '.' && c != '-');
	}
}

TEST(a_store_is_its_owners_alone_and_never_a_directory_of_something_else)
{
	const char *dir = new_dir();
	struct store *s = NULL;
	struct stat st;
	char file[96];

	CHECK_INT(store_open(dir, 0, &s, NULL), -ENOENT);
	CHECK_INT(chmod(dir, 0755), 0);
	CHECK_INT(store_open(dir, STORE_CREATE, &s, NULL), 0);
	store_close(s);
	CHECK_INT(stat(dir, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	for (mode_t bit = 1; bit < 0100; bit <<= 1) {
		CHECK_INT(chmod(dir, 0700 | bit), 0);
		CHECK_INT(store_open(dir, 0, &s, NULL), -EPERM);
		CHECK_INT(store_open(dir, STORE_CREATE, &s, NULL), -EPERM);
	}
	remove_dir(dir);

	dir = new_dir();
	(void)snprintf(file, sizeof(file), "%s/file", dir);
	CHECK_INT(fd_write_file(AT_FDCWD, file, 0600, "", 0, NULL), 0);
	CHECK_INT(store_open(dir, STORE_CREATE, &s, NULL), -ENOTEMPTY);
	remove_dir(dir);
}

static bool exists(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(a_sweep_takes_what_the_dead_left_and_nothing_of_the_living)
{
	const char *dir = new_dir();
	struct store *s = NULL, *other = NULL;
	struct store_staging *living = NULL, *next = NULL;
	scoped_strv struct strv names = { 0 };
	pid_t pid;
	int status;

	REQUIRE(store_open(dir, STORE_CREATE, &s, NULL) == 0);
	REQUIRE(store_staging_new(s, &living, NULL) == 0);
	CHECK_INT(fd_write_file(store_staging_fd(living), "ours", 0600, "x", 1, NULL), 0);
	pid = fork();
	if (pid == 0) {
		struct store *mine = NULL;
		struct store_staging *st = NULL;
		bool ok = store_open(dir, 0, &mine, NULL) == 0 &&
			store_staging_new(mine, &st, NULL) == 0 &&
			fd_write_file(store_staging_fd(st), "left", 0600, "x", 1, NULL) == 0;

		_exit(ok ? 0 : 1); /* without cleaning up */
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_INT(store_dir_list(s->tmp, dir, &names, NULL), 0);
	CHECK_INT(names.len, 4); /* each with its mark */

	REQUIRE(store_open(dir, 0, &other, NULL) == 0);
	REQUIRE(store_staging_new(other, &next, NULL) == 0);
	strv_done(&names);
	CHECK_INT(store_dir_list(s->tmp, dir, &names, NULL), 0);
	CHECK_INT(names.len, 4); /* the living one's, and the next one's */
	CHECK(exists(store_staging_fd(living), "ours"));
	store_staging_free(next);
	store_staging_free(living);
	strv_done(&names);
	CHECK_INT(store_dir_list(s->tmp, dir, &names, NULL), 0);
	CHECK_INT(names.len, 0);
	store_close(other);
	store_close(s);
	remove_dir(dir);
}
