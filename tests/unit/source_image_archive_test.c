/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index of the tar around an image: where members are, and which of them cannot be asked for.
 */

#include "../../lib/source/image_archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "make_tar.h"
#include "test.h"

/* A file in memory that holds the bytes. */
static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && fd_write_all(fd, p, n) == 0);
	return fd;
}

static int open_bytes(const void *p, size_t n, struct image_archive **ret, struct err *e)
{
	int fd = file_of(p, n), r = image_archive_open(fd, "a.tar", 1 << 20, ret, e);

	(void)close(fd);
	return r;
}

static struct image_archive *must_open(const struct tar_entry *list)
{
	scoped_buf struct buf b = tar_make(list);
	struct err e = ERR_INIT;
	struct image_archive *o = NULL;

	if (open_bytes(b.data, b.len, &o, &e) < 0) {
		test_fail(__FILE__, __LINE__, "%s: %s", e.on, e.what);
		test_stop();
	}
	return o;
}

/* What the member holds, or what is said instead. */
static const char *content(const struct image_archive *o, const char *name)
{
	static char text[4096];
	static struct err e;
	uint64_t offset, size;

	e = ERR_INIT;
	if (image_archive_find(o, name, &offset, &size, &e) < 0)
		return e.what;
	REQUIRE(size < sizeof(text) &&
		pread(image_archive_fd(o), text, size, (off_t)offset) == (ssize_t)size);
	text[size] = '\0';
	return text;
}

TEST(members_are_found_by_name_and_through_links_that_stay_inside)
{
	static const struct tar_entry list[] = { { "./", .type = '5' },
		{ "./plain", .data = "one" }, { "a/b/", .type = '5' },
		{ "a/b/file", .data = "two" }, { "/abs", .data = "three" },
		{ "a//x/./y", .data = "four" }, { "hard", .type = '1', .link = "./plain" },
		{ "a/b/sym", .type = '2', .link = "../../plain" },
		{ "a/two", .type = '2', .link = "b/sym" }, { "early", .type = '2', .link = "late" },
		{ "late", .data = "five" },
		{ "paxed", .data = "short", .pax = { "path=a/long/name" } },
		{ "old", .type = '\0', .data = "v7" }, { .name = "empty" },
		{ "dev", .type = '3', .major = 1, .minor = 3 }, { "fifo", .type = '6' },
		{ .name = NULL } };
	static const struct {
		const char *name, *holds;
	} want[] = {
		{ "plain", "one" },
		{ "./plain", "one" },
		{ "a/b/file", "two" },
		{ "abs", "three" },
		{ "/abs", "three" },
		{ "a/x/y", "four" },
		{ "hard", "one" },
		{ "a/b/sym", "one" },
		{ "a/two", "one" },
		{ "early", "five" },
		{ "a/long/name", "short" },
		{ "old", "v7" },
		{ "empty", "" },
		{ "paxed", "no such member" },
		{ "a/b", "no such member" },
		{ "a", "no such member" },
		{ "plai", "no such member" },
		{ "", "no such member" },
		{ "../plain", "\"..\"" },
		{ "dev", "not a regular file" },
		{ "fifo", "not a regular file" },
	};
	struct image_archive *o = must_open(list);

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_HAS(content(o, want[i].name), want[i].holds);
	CHECK(image_archive_has(o, "dev") && !image_archive_has(o, "a") &&
		!image_archive_has(o, "nothing"));
	image_archive_free(o);
}

TEST(links_that_lead_out_or_in_circles_and_names_given_twice_are_refused)
{
	static const struct tar_entry list[] = { { "etc/passwd", .data = "mine" },
		{ "abs", .type = '2', .link = "/etc/passwd" },
		{ "up", .type = '2', .link = "../etc/passwd" },
		{ "d/up", .type = '2', .link = "../../etc/passwd" },
		{ "d/root", .type = '2', .link = ".." }, { "dot", .type = '2', .link = "." },
		{ "hard", .type = '1', .link = "../etc/passwd" },
		{ "self", .type = '2', .link = "self" }, { "p", .type = '2', .link = "q" },
		{ "q", .type = '1', .link = "p" }, { "dangling", .type = '2', .link = "nothing" },
		{ "to-dev", .type = '2', .link = "dev" }, { "dev", .type = '4' },
		{ "../above", .data = "x" }, { "d/../e", .data = "x" }, { "twice", .data = "1" },
		{ "./twice", .data = "2" }, { "to-twice", .type = '2', .link = "twice" },
		{ "mixed", .data = "1" }, { "mixed", .type = '2', .link = "etc/passwd" },
		{ .name = NULL } };
	static const struct {
		const char *name, *says;
	} bad[] = {
		{ "abs", "leaves the archive" },
		{ "up", "leaves the archive" },
		{ "d/up", "leaves the archive" },
		{ "d/root", "leaves the archive" },
		{ "dot", "leaves the archive" },
		{ "hard", "leaves the archive" },
		{ "self", "point to each other" },
		{ "p", "point to each other" },
		{ "dangling", "does not have" },
		{ "to-dev", "not a regular file" },
		{ "above", "no such member" },
		{ "e", "no such member" },
		{ "twice", "more than once" },
		{ "to-twice", "more than once" },
		{ "mixed", "more than once" },
	};
	struct image_archive *o = must_open(list);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_HAS(content(o, bad[i].name), bad[i].says);
	image_archive_free(o);
}

/* Are n bytes of the archive whole members, but perhaps for the padding of the last one? */
static bool ends_whole(const struct tar_entry *list, size_t n)
{
	size_t end = 0;

	for (; list->name; list++) {
		size_t body = end + 512 + (list->size ? list->size : strlen(list->data));

		end = (body + 511) / 512 * 512;
		if (n >= body && n <= end)
			return true;
	}
	return n >= end + 512; /* after the first block of zeros */
}

/*
 * Bodies so long that they are passed over, not read: their offsets must still be right, and no cut
 * may be missed.
 */
TEST(long_bodies_are_passed_over_and_an_archive_that_is_cut_anywhere_is_refused)
{
	enum { LONG = 700 * 1000 };
	static char body[LONG];
	const struct tar_entry list[] = { { "a", .data = body, .size = LONG },
		{ "b", .data = "after" }, { "c", .data = body, .size = LONG - 512 * 3 + 1 },
		{ "d", .data = "last" }, { .name = NULL } };
	scoped_buf struct buf b = tar_make(list);
	struct err e = ERR_INIT;
	struct image_archive *o = must_open(list);
	size_t whole = 0;
	uint64_t at, size;

	CHECK_STR(content(o, "b"), "after");
	CHECK_STR(content(o, "d"), "last");
	CHECK_INT(image_archive_find(o, "c", &at, &size, &e), 0);
	CHECK_INT(size, LONG - 512 * 3 + 1);
	image_archive_free(o);
	for (size_t n = b.len - 1; n > 1; n -= n > 20000 && n < b.len - 4000 ? 9973 : 1) {
		if (open_bytes(b.data, n, &o, &e) == 0) {
			CHECK(ends_whole(list, n));
			whole++;
			image_archive_free(o);
		}
	}
	/* Cut after the first block of zeros, or in the padding of "d" or "c". */
	CHECK(whole >= 512 + 509 + 416 && whole < 512 + 509 + 416 + 10);
}

TEST(what_is_not_one_sound_archive_is_refused)
{
	static const struct tar_entry sum[] = { { "a", .bad_sum = true }, { .name = NULL } };
	static const struct tar_entry size[] = { { "a", .pax = { "size=-1" } }, { .name = NULL } };
	static const struct tar_entry *const bad[] = { sum, size };
	struct err e = ERR_INIT;
	struct image_archive *o = NULL;
	char junk[4096];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_buf struct buf b = tar_make(bad[i]);

		CHECK_INT(open_bytes(b.data, b.len, &o, &e), -EBADMSG);
		CHECK_HAS(e.what, "a.tar: ");
	}
	memset(junk, 'x', sizeof(junk));
	CHECK_INT(open_bytes(junk, sizeof(junk), &o, &e), -EBADMSG);
	CHECK_INT(open_bytes("", 0, &o, &e), -EBADMSG);
}

TEST(the_number_of_members_is_limited)
{
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct image_archive *o = NULL;
	char name[32];

	for (int i = 0; i <= IMAGE_ARCHIVE_MAX_MEMBERS; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		tar_add(&b, &(struct tar_entry){ .name = name });
		if (i == IMAGE_ARCHIVE_MAX_MEMBERS - 1) {
			CHECK_INT(open_bytes(b.data, b.len, &o, &e), 0);
			image_archive_free(o);
		}
	}
	CHECK_INT(open_bytes(b.data, b.len, &o, &e), -EFBIG);
}

static bool ends_with_slash(const char *s)
{
	return s[strlen(s) - 1] == '/';
}

TEST(an_archive_of_an_image_is_known_by_all_its_members)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LIST "[{\"Layers\":[]}]"
	static const struct {
		const char *names[4], *manifest;
		enum members_kind kind;
	} cases[] = {
		{ { "./", "./blobs/", "./oci-layout", "./index.json" }, NULL, MEMBERS_OCI },
		{ { "README", "bin/sh", "manifest.json" }, LIST, MEMBERS_DOCKER },
		{ { "./README", "./manifest.json", "./x" }, LIST, MEMBERS_DOCKER },
		{ { "manifest.json", "index.html" }, "{}", MEMBERS_LAYER },
		{ { HEX "/", HEX "/layer.tar", "repositories" }, NULL, MEMBERS_OLD },
		{ { HEX ".json" }, NULL, MEMBERS_PART },
		{ { "etc/", "etc/passwd" }, NULL, MEMBERS_LAYER },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		int fd;

		for (size_t k = 0; k < 4 && cases[i].names[k]; k++)
			tar_add(&b,
				&(struct tar_entry){ .name = cases[i].names[k],
					.type = ends_with_slash(cases[i].names[k]) ? '5' : '0',
					.data = strstr(cases[i].names[k], "manifest.json") ?
						cases[i].manifest :
						NULL });
		fd = file_of(b.data, b.len);
		if (image_archive_look(fd, 1 << 20) != cases[i].kind)
			test_fail(__FILE__, __LINE__, "%s is taken for another kind",
				cases[i].names[0]);
		(void)close(fd);
	}
}

TEST(an_archive_without_members_is_none_and_one_that_cannot_be_read_is_left_to_its_reader)
{
	static const char zeros[1024];
	int fd = file_of(zeros, sizeof(zeros));

	CHECK_INT(image_archive_look(fd, 1 << 20), MEMBERS_NONE);
	(void)close(fd);
	fd = file_of("no archive", 10);
	CHECK_INT(image_archive_look(fd, 1 << 20), MEMBERS_LAYER);
	(void)close(fd);
}
