/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of an image: which are opened, and how much of them is read. */

#include "../../lib/source/source_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/source/image_archive.h"
#include "make_tar.h"
#include "test.h"

static void add_file(int dir, const char *name, const char *text)
{
	scoped_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

/* A layout with "plain", "d/inner", links to both, and a FIFO. */
static struct source layout(void)
{
	char path[] = "/tmp/shiftbox-unit-XXXXXX";
	struct source s = { .dirfd = -1 };
	struct err e = ERR_INIT;

	REQUIRE(mkdtemp(path) && fd_open_dir(AT_FDCWD, path, &s.dirfd, &e) == 0);
	add_file(s.dirfd, "plain", "content");
	REQUIRE(mkdirat(s.dirfd, "d", 0700) == 0);
	add_file(s.dirfd, "d/inner", "inner");
	REQUIRE(symlinkat("plain", s.dirfd, "link") == 0);
	REQUIRE(symlinkat("d", s.dirfd, "dirlink") == 0);
	REQUIRE(mkfifoat(s.dirfd, "fifo", 0600) == 0);
	return s;
}

static void remove_layout(struct source *s)
{
	char proc[32], path[128] = "";
	struct err e = ERR_INIT;

	REQUIRE(readlink(fd_proc_path(s->dirfd, proc), path, sizeof(path) - 1) > 0);
	REQUIRE(fd_remove_tree(AT_FDCWD, path, &e) == 0);
	(void)close(s->dirfd);
}

TEST(parts_of_a_layout_are_regular_files_and_no_link_is_followed)
{
	static const struct {
		const char *name;
		int want;
	} cases[] = {
		{ "plain", 0 },
		{ "d/inner", 0 },
		{ "link", -ELOOP },
		{ "dirlink/inner", -ELOOP },
		{ "fifo", -EINVAL },
		{ "d", -EINVAL },
		{ "missing", -ENOENT },
		{ "plain/x", -ENOTDIR },
	};
	struct source s = layout();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_source_part struct source_part p = SOURCE_PART_INIT;
		struct err e = ERR_INIT;
		int r = source_part_open(&s, cases[i].name, &p, &e);

		if (r != cases[i].want || (p.fd >= 0) != (r == 0) || e.set != (r < 0))
			test_fail(__FILE__, __LINE__, "%s: %d", cases[i].name, r);
	}
	remove_layout(&s);
}

TEST(parts_are_read_whole_up_to_the_limit)
{
	struct source s = layout();
	struct err e = ERR_INIT;
	scoped_buf struct buf b = BUF_INIT;

	CHECK_INT(source_part_read_file(&s, "plain", 7, &b, &e), 0);
	CHECK_STR(buf_get(&b), "content");
	CHECK_INT(source_part_read_file(&s, "plain", 6, &b, &e), -EFBIG);
	CHECK_HAS(e.what, "larger than 6 bytes");
	CHECK_INT(source_part_read_file(&s, "d/inner", 100, &b, &e), 0);
	CHECK_STR(buf_get(&b), "contentinner");
	remove_layout(&s);
}

TEST(a_part_that_became_shorter_is_refused)
{
	struct source_part p = { .fd = memfd_create("part", MFD_CLOEXEC), .size = 6 };
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	REQUIRE(p.fd >= 0 && fd_write_all(p.fd, "short", 5) == 0);
	CHECK_INT(source_part_read(&p, "f", 100, &b, &e), -EBADMSG);
	CHECK_STR(e.on, "f");
	cleanup_source_part(&p);
}

TEST(parts_of_an_archive_begin_at_their_offset_and_links_inside_are_followed)
{
	static const struct tar_entry list[] = { { "a", .data = "first" },
		{ "b", .data = "second" }, { "to-b", .type = '2', .link = "b" }, { .name = NULL } };
	scoped_buf struct buf tar = tar_make(list), b = BUF_INIT;
	scoped_fd int fd = memfd_create("archive", MFD_CLOEXEC);
	struct source s = { .dirfd = -1 };
	struct err e = ERR_INIT;

	REQUIRE(fd >= 0 && fd_write_all(fd, tar.data, tar.len) == 0);
	REQUIRE(image_archive_open(fd, "a.tar", 1 << 20, &s.archive, &e) == 0);
	CHECK_INT(source_part_read_file(&s, "to-b", 6, &b, &e), 0);
	CHECK_INT(source_part_read_file(&s, "a", 5, &b, &e), 0);
	CHECK_STR(buf_get(&b), "secondfirst");
	CHECK_INT(source_part_read_file(&s, "c", 5, &b, &e), -ENOENT);
	image_archive_free(s.archive);
}
