/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/err.h"
#include "../../lib/base/fd.h"
#include "../../lib/base/out.h"

static int file(void)
{
	int fd = memfd_create("out", MFD_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

/* What was written, in a static buffer; the file is closed. */
static const char *text_of(int fd)
{
	static struct buf b;

	buf_done(&b);
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	REQUIRE(fd_read_all(fd, "out", 1 << 24, &b, NULL) == 0);
	(void)close(fd);
	return buf_get(&b);
}

static const struct out_col cols[] = { { "name", "NAME", false }, { "size", "SIZE", true },
	{ "note", "NOTE", false } };

static void row(struct out *o, const char *name, uint64_t size, const char *note)
{
	out_begin(o, NULL);
	out_str(o, "name", name);
	out_u64(o, "size", size);
	if (note)
		out_str(o, "note", note);
	out_str(o, "hidden", "only in JSON");
	out_end(o);
}

TEST(out_table_is_aligned_by_characters)
{
	int fd = file();
	struct out *o = out_new(fd, false, false);

	out_table(o, cols, 3);
	row(o, "a", 1, "x");
	row(o, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 12345, NULL);
	row(o, "new\nline", 7, "y");
	out_table_end(o);
	CHECK_INT(out_flush(o), 0);
	out_free(o);
	CHECK_STR(text_of(fd),
		"NAME        SIZE  NOTE\n"
		"a              1  x\n"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4      12345\n"
		"new\\nline      7  y\n");
}

TEST(out_table_without_rows_or_titles_prints_no_header)
{
	static const struct out_col bare[] = { { "name", NULL, false } };
	int fd = file();
	struct out *o = out_new(fd, false, false);

	out_table(o, cols, 3);
	out_table_end(o);
	out_table(o, bare, 1);
	row(o, "a", 1, NULL);
	out_table_end(o);
	out_line(o, "%s", "a line");
	CHECK_INT(out_flush(o), 0);
	out_free(o);
	CHECK_STR(text_of(fd), "a\na line\n");
}

TEST(out_nested_values_do_not_reach_the_table)
{
	int fd = file();
	struct out *o = out_new(fd, false, false);

	out_table(o, cols, 3);
	out_begin(o, NULL);
	out_begin(o, "inner");
	out_str(o, "name", "wrong");
	out_end(o);
	out_array(o, "list");
	out_str(o, NULL, "wrong");
	out_array_end(o);
	out_str(o, "name", "right");
	out_end(o);
	out_table_end(o);
	CHECK_INT(out_flush(o), 0);
	out_free(o);
	CHECK_STR(text_of(fd), "NAME   SIZE  NOTE\nright\n");
}

TEST(out_json_is_one_object_a_line_in_the_order_of_the_calls)
{
	int fd = file();
	struct out *o = out_new(fd, true, false);

	out_table(o, cols, 3);
	row(o, "a", 1, NULL);
	out_begin(o, NULL);
	out_array(o, "list");
	out_str(o, NULL, "x");
	out_begin(o, NULL);
	out_bool(o, "yes", true);
	out_i64(o, "least", INT64_MIN);
	out_end(o);
	out_array_end(o);
	out_mode(o, "mode", 0104755);
	out_u64(o, "most", UINT64_MAX);
	out_end(o);
	out_table_end(o);
	out_line(o, "no text");
	CHECK_INT(out_flush(o), 0);
	out_free(o);
	CHECK_STR(text_of(fd),
		"{\"version\":1,\"name\":\"a\",\"size\":1,\"hidden\":\"only in JSON\"}\n"
		"{\"version\":1,"
		"\"list\":[\"x\",{\"yes\":true,\"least\":-9223372036854775808}],\"mode\":\"4755\","
		"\"most\":\"18446744073709551615\"}\n");
}

/* Any bytes must come out as JSON that another parser takes, and must be recoverable from it. */
TEST(out_json_takes_any_bytes)
{
	static const struct {
		const char *in;
		size_t n;
		const char *text, *base64;
	} cases[] = {
		{ "plain", 5, "plain", NULL },
		{ "\x01\x1f\"\\\n\x7f", 6, "\x01\x1f\"\\\n\x7f", NULL },
		{ "\xc3\xa4", 2, "\xc3\xa4", NULL },
		{ "a\xff"
		  "b",
			3,
			"a\xef\xbf\xbd"
			"b",
			"Yf9i" },
		{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "7aCA" },
		{ "a\0b", 3,
			"a\xef\xbf\xbd"
			"b",
			"YQBi" },
		{ "\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd", "4oI=" },
		{ "", 0, "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = file();
		struct out *o = out_new(fd, true, false);
		json_t *v;

		out_begin(o, NULL);
		out_bytes(o, "path", cases[i].in, cases[i].n);
		out_end(o);
		CHECK_INT(out_flush(o), 0);
		out_free(o);
		v = json_loads(text_of(fd), 0, NULL);
		REQUIRE(v);
		CHECK_STR(json_string_value(json_object_get(v, "path")), cases[i].text);
		if (cases[i].base64)
			CHECK_STR(json_string_value(json_object_get(v, "path_base64")),
				cases[i].base64);
		else
			CHECK(!json_object_get(v, "path_base64"));
		json_decref(v);
	}
}

TEST(out_safe_line_is_one_line_that_no_terminal_obeys)
{
	static const struct {
		bool json;
		const char *want;
	} cases[] = {
		{ false, "a: li\\nfake: \\x1b[2J\\\\ \\xff \xc3\xa4\n" },
		{ true, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = file();
		struct out *o = out_new(fd, cases[i].json, true);

		REQUIRE(o);
		out_safe_line(o, "%s: %s", "a", "li\nfake: \x1b[2J\\ \xff \xc3\xa4");
		CHECK_INT(out_flush(o), 0);
		out_free(o);
		CHECK_STR(text_of(fd), cases[i].want);
	}
}

TEST(out_that_cannot_be_written_is_an_error)
{
	for (int json = 0; json < 2; json++) {
		int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
		struct out *o = out_new(fd, json, false);

		out_begin(o, NULL);
		out_str(o, "name", "a");
		out_end(o);
		out_line(o, "line");
		CHECK_INT(out_flush(o), -ENOSPC);
		CHECK_INT(out_flush(o), -ENOSPC);
		out_free(o);
		(void)close(fd);
	}
}

TEST(out_left_open_leaks_nothing)
{
	struct out *o = out_new(-1, true, false);

	out_begin(o, NULL);
	out_array(o, "list");
	out_begin(o, NULL);
	out_str(o, "name", "a");
	out_free(o);
}

TEST(out_error_json_has_what_is_known_and_nothing_else)
{
	struct err e = ERR_INIT;
	int fd = file();

	(void)err_set(&e, EINVAL, "/p\xff", "cannot do");
	CHECK_INT(out_error_json(fd, "cmd", &e), 0);
	CHECK_STR(text_of(fd),
		"{\"version\":1,"
		"\"error\":{\"command\":\"cmd\",\"path\":\"/p\\uFFFD\",\"path_base64\":\"L3D/"
		"\",\"what\":\"cannot do\",\"errno\":\"EINVAL\"}}\n");

	fd = file();
	(void)err_say(&e, EINVAL, NULL, "is wrong");
	err_op(&e, "step");
	err_why(&e, "because");
	err_try(&e, "this");
	CHECK_INT(out_error_json(fd, "cmd", &e), 0);
	CHECK_STR(text_of(fd),
		"{\"version\":1,\"error\":{\"command\":\"cmd\",\"op\":\"step\",\"what\":\"is "
		"wrong\",\"why\":\"because\",\"try\":\"this\"}}\n");
}

/* What the program prints on a terminal of that many columns, without the terminal's own \r. */
static const char *on_terminal(const char *columns, void (*print)(struct out *o))
{
	static char text[4096];
	int main_fd = posix_openpt(O_RDWR | O_NOCTTY), fd;
	struct out *o;
	size_t n = 0;
	ssize_t got;

	REQUIRE(main_fd >= 0 && grantpt(main_fd) == 0 && unlockpt(main_fd) == 0);
	fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY);
	REQUIRE(fd >= 0 && setenv("COLUMNS", columns, 1) == 0);
	o = out_new(fd, false, false);
	print(o);
	CHECK_INT(out_flush(o), 0);
	out_free(o);
	got = read(main_fd, text, sizeof(text) - 1);
	REQUIRE(got > 0);
	for (ssize_t i = 0; i < got; i++)
		if (text[i] != '\r')
			text[n++] = text[i];
	text[n] = '\0';
	(void)close(fd);
	(void)close(main_fd);
	return text;
}

static void print_two_rows(struct out *o)
{
	out_table(o, cols, 3);
	row(o, "first", 12345, "some words to be broken into lines");
	row(o, "second", 1, NULL);
	out_table_end(o);
}

TEST(out_table_breaks_the_last_column_or_makes_blocks_on_narrow_terminals)
{
	CHECK_STR(on_terminal("60", print_two_rows),
		"NAME     SIZE  NOTE\n"
		"first   12345  some words to be broken into lines\n"
		"second      1\n");
	CHECK_STR(on_terminal("40", print_two_rows),
		"NAME     SIZE  NOTE\n"
		"first   12345  some words to be broken\n"
		"               into lines\n"
		"second      1\n");
	CHECK_STR(on_terminal("20", print_two_rows),
		"NAME: first\n"
		"SIZE: 12345\n"
		"NOTE: some words to\n"
		"  be broken into\n"
		"  lines\n"
		"\n"
		"NAME: second\n"
		"SIZE: 1\n"
		"\n");
}
