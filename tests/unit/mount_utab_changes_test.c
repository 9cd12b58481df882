/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmount's table: lines come and go with their mounts, and no others. */

#include "test.h"

#include "../../lib/mount/utab_changes.h"

static struct utab_changes changes;

#define OPTS(n) " OPTS=x-shiftbox.map=b:0:" n ":1\n"
#define LINE(src, target, root, n) "SRC=" src " TARGET=" target " ROOT=" root OPTS(n)

static struct mount_info mount_of(char *source, char *target, char *root)
{
	return (struct mount_info){ .id = 1, .source = source, .target = target, .root = root };
}

static void add(char *source, char *target, char *root, const char *n)
{
	const struct mount_info i = mount_of(source, target, root);
	char options[64] = "x-shiftbox.map=b:0:";

	strcat(strcat(options, n), ":1");
	utab_changes_mount(&changes, &i, options);
}

static void drop(char *source, char *target, char *root, bool below)
{
	const struct mount_info i = mount_of(source, NULL, root);

	utab_changes_umount(&changes, target, &i, below);
}

static void check(int line, const char *old, const char *want)
{
	struct buf b = BUF_INIT;

	utab_changes_merge(&changes, old, strlen(old), &b);
	if (!buf_get(&b) || strcmp(buf_get(&b), want))
		test_fail(__FILE__, line, "\"%s\" became \"%s\", not \"%s\"", old, b.data, want);
	buf_done(&b);
	utab_changes_done(&changes);
}

#define OTHERS "SRC=tmpfs TARGET=/a ROOT=/ OPTS=x-foo\nsomething new\nID=7 TARGET=/z\n"

TEST(a_mount_gets_a_line_and_the_others_stay)
{
	add("image:d", "/t", "/", "5");
	check(__LINE__, "", LINE("image:d", "/t", "/", "5"));
	add("image:d", "/t", "/", "5");
	check(__LINE__, OTHERS, OTHERS LINE("image:d", "/t", "/", "5"));
}

TEST(a_line_that_an_earlier_mount_has_left_is_replaced)
{
	add("image:d", "/t", "/", "5");
	check(__LINE__, OTHERS LINE("image:d", "/t", "/", "4") LINE("image:d", "/t", "/", "3"),
		OTHERS LINE("image:d", "/t", "/", "5"));
	/* Mounts below one on the same target are still there. */
	add("image:d", "/t", "/", "5");
	check(__LINE__, LINE("image:e", "/t", "/", "4") LINE("image:d", "/t", "/x", "3"),
		LINE("image:e", "/t", "/", "4") LINE("image:d", "/t", "/x", "3")
			LINE("image:d", "/t", "/", "5"));
}

TEST(an_unmount_takes_the_lines_of_its_mount_alone)
{
	drop("image:d", "/t", "/", false);
	check(__LINE__,
		OTHERS LINE("image:d", "/t", "/", "4") LINE("image:d", "/tt", "/", "4")
			LINE("image:e", "/t", "/", "4") LINE("image:d", "/t", "/x", "4"),
		OTHERS LINE("image:d", "/tt", "/", "4") LINE("image:e", "/t", "/", "4")
			LINE("image:d", "/t", "/x", "4"));
	drop(NULL, "/t", NULL, false); /* nothing is known of it */
	check(__LINE__, OTHERS LINE("image:d", "/t", "/", "4") LINE("image:e", "/t", "/", "4"),
		OTHERS);
}

TEST(a_detached_tree_takes_what_is_below)
{
	drop("image:d", "/t", "/", true);
	check(__LINE__,
		LINE("a", "/t", "/", "1") LINE("b", "/t/x", "/", "2") LINE("c", "/tx", "/", "3"),
		LINE("c", "/tx", "/", "3"));
}

TEST(what_was_undone_is_not_written)
{
	add("a", "/t", "/", "1");
	add("b", "/u", "/", "2");
	drop("a", "/t", "/", false);
	add("c", "/t", "/", "3");
	check(__LINE__, "", LINE("b", "/u", "/", "2") LINE("c", "/t", "/", "3"));
}

TEST(blanks_are_written_as_libmount_reads_them)
{
	add("a b", "/t\n\\x", "/\t", "1");
	check(__LINE__, "", LINE("a\\040b", "/t\\012\\134x", "/\\011", "1"));
	drop("a b", "/t\n\\x", "/\t", false);
	check(__LINE__, LINE("a\\040b", "/t\\012\\134x", "/\\011", "1"), "");
	add("", "/t", "/", "1"); /* no source */
	check(__LINE__, "", LINE("none", "/t", "/", "1"));
}

TEST(a_table_without_a_newline_at_its_end_is_read_whole)
{
	add("a", "/t", "/", "1");
	check(__LINE__, "SRC=x TARGET=/x ROOT=/ OPTS=x-y",
		"SRC=x TARGET=/x ROOT=/ OPTS=x-y\n" LINE("a", "/t", "/", "1"));
}
