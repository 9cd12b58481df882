/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which links in layers/ are read, and which paths are taken for those of a layer. */

#include "../../lib/mount/stored_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "test.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NAME "sha256-" ID
#define LINK "../podman/overlay/" ID "/diff"

/* A store with podman's layer ID, whose directory has the file f. */
static int make_store(char dir[static 64])
{
	int fd;

	(void)snprintf(dir, 64, "/tmp/stored-layer.XXXXXX");
	REQUIRE(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	REQUIRE(mkdirat(fd, "layers", 0700) == 0 && mkdirat(fd, "podman", 0700) == 0 &&
		mkdirat(fd, "podman/overlay", 0700) == 0 &&
		mkdirat(fd, "podman/overlay/" ID, 0700) == 0 &&
		mkdirat(fd, "podman/overlay/" ID "/diff", 0700) == 0 &&
		mkdirat(fd, "podman/overlay/" ID "/diff/f", 0700) == 0);
	return fd;
}

static void drop_store(const char *dir)
{
	struct err e = ERR_INIT;

	CHECK(fd_remove_tree(AT_FDCWD, dir, &e) == 0);
}

TEST(only_a_link_of_the_one_form_leads_to_a_layer)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ LINK, 1 },
		{ LINK "/", -ELOOP },
		{ LINK "/f", -ELOOP },
		{ "../podman/overlay/" ID, -ELOOP },
		{ "./" LINK, -ELOOP },
		{ "../podman//overlay/" ID "/diff", -ELOOP },
		{ "../podman/overlay/" ID "0/diff", -ELOOP },
		{ "../podman/overlay/0123/diff", -ELOOP },
		{ "/podman/overlay/" ID "/diff", -ELOOP },
		{ "..", -ELOOP },
		{ LINK "/././././././././././././././././././.", -ELOOP },
	};
	char dir[64], id[STORED_LAYER_ID], text[STORED_LAYER_LINK];
	scoped_fd int store = make_store(dir);

	CHECK_STR(stored_layer_link(ID, text), LINK);
	CHECK_INT(stored_layer_id(store, "layers/" NAME, id), -ENOENT);
	CHECK_INT(stored_layer_id(store, "layers", id), 0);
	CHECK_INT(stored_layer_exists(store, NAME, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_fd int fd = -1;
		struct err e = ERR_INIT;

		REQUIRE(symlinkat(cases[i].text, store, "layers/" NAME) == 0);
		CHECK_INT(stored_layer_id(store, "layers/" NAME, id), cases[i].want);
		CHECK_INT(stored_layer_exists(store, NAME, NULL), cases[i].want > 0);
		CHECK_INT(stored_layer_open(store, NAME, O_PATH, &fd, &e),
			cases[i].want < 0 ? cases[i].want : 0);
		if (fd >= 0) {
			CHECK_STR(id, ID);
			CHECK(faccessat(fd, "f", F_OK, 0) == 0);
		}
		REQUIRE(unlinkat(store, "layers/" NAME, 0) == 0);
	}
	REQUIRE(symlinkat("../podman/overlay/" OTHER "/diff", store, "layers/" NAME) == 0);
	CHECK_INT(stored_layer_exists(store, NAME, NULL), 0);
	drop_store(dir);
}

TEST(no_link_is_followed_on_the_way_to_a_layer)
{
	char dir[64];
	scoped_fd int store = make_store(dir), fd = -1;
	struct err e = ERR_INIT;

	REQUIRE(symlinkat(LINK, store, "layers/" NAME) == 0);
	REQUIRE(renameat(store, "podman/overlay/" ID "/diff", store, "elsewhere") == 0);
	REQUIRE(symlinkat("../../../elsewhere", store, "podman/overlay/" ID "/diff") == 0);
	CHECK_INT(stored_layer_open(store, NAME, O_PATH, &fd, &e), -ELOOP);
	CHECK_INT(stored_layer_exists(store, NAME, NULL), 0);
	drop_store(dir);
}

TEST(ids_are_found_in_the_paths_of_podmans_directories_alone)
{
	static const struct {
		const char *path;
		bool want;
	} cases[] = {
		{ "/podman/overlay/" ID "/diff", true },
		{ "/srv/view/overlay/" ID "/diff", true },
		{ "overlay/" ID "/diff/usr/bin", true },
		{ "/a/overlay/x/overlay/" ID "/diff", true },
		{ "/srv/fuse-overlay/" ID "/diff", false },
		{ "/podman/overlay/" ID "/diff1", false },
		{ "/podman/overlay/" ID, false },
		{ "/podman/overlay/" ID "/merged", false },
		{ "/podman/overlay/012/diff", false },
		{ "/podman/overlay/l/ABCDEFGHIJKLMNOPQRSTUVWXYZ", false },
		{ "", false },
	};
	char id[STORED_LAYER_ID];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(stored_layer_id_in(cases[i].path, id) == cases[i].want);
		if (cases[i].want)
			CHECK_STR(id, ID);
	}
}

TEST(what_the_kernel_shows_is_compared_with_a_layer)
{
	static const struct {
		const char *shown;
		bool linked, plain; /* what is right for a link, and for a directory */
	} cases[] = {
		{ "/podman/overlay/" ID "/diff", true, false },
		{ "/podman/overlay/" OTHER "/diff", false, false },
		{ "/layers/" NAME, true, true },
		{ "/" NAME, true, true },
		{ NAME, true, true },
		{ "/layers/sha256-" OTHER, false, false },
		{ "sha256-" OTHER, false, false },
		{ "/", true, true },
		{ "17", true, true },
	};
	char dir[64], path[256];
	scoped_fd int store = make_store(dir);

	(void)snprintf(path, sizeof(path), "%s/layers/" NAME, dir);
	REQUIRE(symlinkat(LINK, store, "layers/" NAME) == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(stored_layer_may_be(cases[i].shown, path) == cases[i].linked);
	REQUIRE(unlinkat(store, "layers/" NAME, 0) == 0 &&
		mkdirat(store, "layers/" NAME, 0700) == 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(stored_layer_may_be(cases[i].shown, path) == cases[i].plain);
	drop_store(dir);
}

static int open_dir(int store, const char *path)
{
	int fd = openat(store, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

/* Is it the layer NAME of the store? */
static bool is_found(int store, int fd)
{
	char name[STORED_LAYER_NAME];
	scoped_fd int found = -1;
	struct stat a, b;

	if (!stored_layer_find(fd, &found, name))
		return false;
	REQUIRE(fstat(store, &a) == 0 && fstat(found, &b) == 0);
	CHECK(same_file(&a, &b));
	CHECK_STR(name, NAME);
	return true;
}

TEST(the_store_of_an_open_layer_is_found)
{
	char dir[64];
	scoped_fd int store = make_store(dir);
	scoped_fd int diff = open_dir(store, "podman/overlay/" ID "/diff");
	scoped_fd int below = open_dir(store, "podman/overlay/" ID "/diff/f");
	scoped_fd int plain = -1;

	CHECK(!is_found(store, store));
	CHECK(!is_found(store, diff)); /* a second tree of podman's, to which no link leads */
	CHECK(stored_layer_may_be_open("/podman/overlay/" ID "/diff", diff));
	CHECK(!stored_layer_may_be_open("/podman/overlay/" OTHER "/diff", diff));
	CHECK(!stored_layer_may_be_open("/layers/" NAME, diff));
	REQUIRE(symlinkat("../podman/overlay/" OTHER "/diff", store, "layers/other") == 0 &&
		symlinkat(LINK, store, "layers/nolayer") == 0);
	CHECK(!is_found(store, diff));
	REQUIRE(symlinkat(LINK, store, "layers/" NAME) == 0);
	CHECK(is_found(store, diff));
	CHECK(!is_found(store, below));
	CHECK(stored_layer_may_be_open(NAME, diff) && stored_layer_may_be_open("/", diff));
	CHECK(!stored_layer_may_be_open("/layers/sha256-" OTHER, diff));
	REQUIRE(unlinkat(store, "layers/" NAME, 0) == 0 &&
		mkdirat(store, "layers/" NAME, 0700) == 0 &&
		mkdirat(store, "podman/" NAME, 0700) == 0);
	plain = open_dir(store, "layers/" NAME);
	CHECK(is_found(store, plain));
	CHECK(stored_layer_may_be_open("/layers/" NAME, plain));
	CHECK(!stored_layer_may_be_open("/podman/overlay/" ID "/diff", plain));
	cleanup_fd(&plain);
	plain = open_dir(store, "podman/" NAME); /* a directory of that name, in no store */
	CHECK(!is_found(store, plain));
	drop_store(dir);
}
