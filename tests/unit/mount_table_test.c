/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines of an fstab: which are for us, what their escapes mean, and the order they are mounted
 * in.
 */

#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "../../lib/mount/table.h"

enum { LINES_MAX = 8 };

/*
 * "TARGET USE USE..." for each line, and the order expected: indices, with a '*' behind lines that
 * wait for others.
 */
static void check_order(size_t n, const char *const lines[][4], const char *want)
{
	struct table_need needs[LINES_MAX] = { 0 };
	size_t order[LINES_MAX];
	bool waits[LINES_MAX];
	struct err e = ERR_INIT;
	char got[64] = "";

	for (size_t i = 0; i < n; i++) {
		needs[i].target = lines[i][0];
		for (size_t k = 1; k < 4 && lines[i][k]; k++)
			REQUIRE(strv_add(&needs[i].uses, lines[i][k]) == 0);
	}
	if (table_order(needs, n, order, waits, &e) < 0)
		(void)snprintf(got, sizeof(got), "error: %.40s", e.on);
	else
		for (size_t i = 0; i < n; i++)
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%zu%s ",
				order[i], waits[order[i]] ? "*" : "");
	CHECK_STR(got, want);
	for (size_t i = 0; i < n; i++)
		strv_done(&needs[i].uses);
}

TEST(table_order_puts_what_a_line_lies_on_before_it_and_else_keeps_the_file)
{
	static const struct {
		size_t n;
		const char *lines[LINES_MAX][4];
		const char *want;
	} cases[] = {
		{ 3, { { "/c", "/s" }, { "/a", "/s" }, { "/b", "/s" } }, "0 1 2 " },
		{ 3, { { "/a/b/c", "/s" }, { "/a/b", "/s" }, { "/a", "/s" } }, "2 1 0 " },
		/* a name that begins alike is no parent */
		{ 2, { { "/ab/c", "/s" }, { "/a", "/s" } }, "0 1 " },
		/* the root is above everything */
		{ 2, { { "/a", "/s" }, { "/", "/s" } }, "1 0* " },
		/*
		 * sources on targets, the target itself too; a line that covers its own source
		 * waits for nobody
		 */
		{ 3, { { "/x", "/y/in/it" }, { "/y", "/z" }, { "/z", "/z" } }, "2 1* 0* " },
		{ 2, { { "/x", "overlay", "/l/1", "/up/1" }, { "/up", "/dev/null" } }, "1 0* " },
		{ 2, { { "/x", "image:overlay" }, { "/image:overlay", "/s" } }, "0 1 " },
		/* those that wait for each other come out all the same */
		{ 2, { { "/a", "/b" }, { "/b", "/a" } }, "1* 0* " },
		{ 2, { { "/a", "/s" }, { "/a", "/t" } }, "error: /a" },
		{ 0, { { NULL } }, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_order(cases[i].n, cases[i].lines, cases[i].want);
}

TEST(table_order_takes_chains_as_long_as_the_table)
{
	enum { N = 100000 };
	static struct table_need needs[N];
	static size_t order[N];
	static bool waits[N];
	struct err e = ERR_INIT;
	char text[32];

	for (size_t i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "/t%zu", i);
		needs[i].target = strdup(text);
		(void)snprintf(text, sizeof(text), "/t%zu/below", i + 1);
		REQUIRE(needs[i].target && strv_add(&needs[i].uses, text) == 0);
	}
	REQUIRE(table_order(needs, N, order, waits, &e) == 0);
	for (size_t i = 0; i < N; i++) {
		if (order[i] != N - 1 - i)
			test_fail(__FILE__, __LINE__, "line %zu comes as number %zu", order[i], i);
		free((char *)needs[i].target);
		strv_done(&needs[i].uses);
	}
}

TEST(table_path_drops_only_what_changes_nothing)
{
	static const char *const cases[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/a//b/./c/", "/a/b/c" },
		{ "/a/../b", "/a/../b" },
		{ "/.x/..y", "/.x/..y" },
		{ "image:a//b", "image:a//b" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_free char *path = table_path(cases[i][0]);

		CHECK_STR(path, cases[i][1]);
	}
}

/* Write text as an fstab and read it: what is returned is table_read()'s. */
static int read_text(const char *text, enum table_faults faults, struct fstab *t, struct err *e)
{
	char path[] = "/tmp/shiftbox-fstab.XXXXXX";
	int fd = mkstemp(path), r;

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
	r = table_read(path, faults, t, e);
	(void)unlink(path);
	return r;
}

TEST(table_read_takes_our_lines_and_undoes_the_escapes)
{
	scoped_fstab struct fstab t = { 0 };
	struct err e = ERR_INIT;

	REQUIRE(read_text("# /no /no shiftbox map=0:1:1\n"
			  "\n"
			  "UUID=123 / ext4 defaults 0 1\n"
			  "none swap swap sw 0 0\n"
			  "/a\\040b\t/mnt//t\\011x/ shiftbox map=0:1:1,ro 0 0\n"
			  "  /n\\012x /mnt/b\\134x\\043y shiftbox defaults\n"
			  "/dev/vda /mnt/i ext4 ro,X-mount.idmap=b:0:1:1 0 2\n"
			  "/dev/vdb /mnt/j ext4 ro,x-X-mount.idmap=b:0:1:1 0 2\n"
			  "/a#b /mnt/none shiftbox",
			TABLE_STRICT, &t, &e) == 0);
	REQUIRE(t.lines.len == 4);
	CHECK_STR(t.lines.items[0].source, "/a b");
	CHECK_STR(t.lines.items[0].target, "/mnt/t\tx");
	CHECK_STR(t.lines.items[0].options, "map=0:1:1,ro");
	CHECK_STR(t.lines.items[1].source, "/n\nx");
	CHECK_STR(t.lines.items[1].target, "/mnt/b\\x#y");
	CHECK(t.lines.items[1].own);
	CHECK_STR(t.lines.items[2].target, "/mnt/i");
	CHECK(!t.lines.items[2].own);
	CHECK_STR(t.lines.items[3].source, "/a#b");

	CHECK(table_find(&t, "/mnt/b\\x#y/") == &t.lines.items[1]);
	CHECK(table_find(&t, "/a b") == &t.lines.items[0]);
	CHECK(!table_find(&t, "/mnt/j"));
	CHECK(!table_find(&t, "/"));
}

TEST(table_read_refuses_lines_of_ours_that_are_faulty_and_skips_all_others)
{
	static const struct {
		const char *text, *what, *why; /* what NULL: the line is skipped */
	} cases[] = {
		{ "/a /b shiftbox defaults 0 0\n/c\n", NULL, NULL },
		{ "/c /d\n/a /b shiftbox defaults 0 0\n", NULL, NULL },
		{ "/c / ext4 defaults, noatime 0 1\n/a /b shiftbox defaults 0 0\n", NULL, NULL },
		{ "/c / ext4 defaults # shiftbox\n/a /b shiftbox\n", NULL, NULL },
		{ "/a b shiftbox defaults 0 0\n", "the target must be an absolute path", "" },
		{ "#\n/a /b shiftbox map=1:2:3 4:5:6 0 0\n", "line 2 is not a valid line",
			"the fifth field, '4:5:6', is not" },
		{ "\n\n/a /b shiftbox map=1:2:3 0 x\n", "line 3 is not a valid line",
			"the sixth field, 'x', is not" },
		{ "/a /b shiftbox map=1:2:3 # ours\n", "line 1 is not", "a remark needs" },
		{ "/a b /c shiftbox map=1:2:3 0 0\n", "line 1 is not", "a blank ends a field" },
		{ "/a /c ext4 ro, X-mount.idmap=1:2:3 0 0\n", "line 1 is not",
			"'X-mount.idmap=1:2:3'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_fstab struct fstab t = { 0 };
		struct err e = ERR_INIT;
		int r = read_text(cases[i].text, TABLE_STRICT, &t, &e);

		if (!cases[i].what) {
			CHECK_INT(r, 0);
			CHECK(t.lines.len == 1 && !e.set);
			continue;
		}
		CHECK_INT(r, -EINVAL);
		CHECK_HAS(e.what, cases[i].what);
		CHECK_HAS(e.why, cases[i].why);
		table_done(&t);
		CHECK_INT(read_text(cases[i].text, TABLE_WARN, &t, &e), 0);
		CHECK_INT((int)t.lines.len, 0);
	}
}
