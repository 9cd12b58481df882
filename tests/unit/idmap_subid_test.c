/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of subuid and subgid, sound and faulty: each is met once, with its number and its fault. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/cleanup.h"
#include "../../lib/base/fd.h"
#include "../../lib/base/log.h"
#include "../../lib/base/vec.h"
#include "../../lib/idmap/subid.h"
#include "../../lib/idmap/subid_unused.h"
#include "test.h"

struct met {
	size_t n, line, faults, reversed, mine;
	struct grant last;
	const char *fault;
};

static const struct user alice = { .name = "alice", .uid = 2001 };

static int meet(const struct subid_line *l, void *arg)
{
	struct met *m = arg;

	m->n++;
	m->line = l->grant.line;
	m->faults += l->fault != NULL;
	m->fault = l->fault;
	m->reversed += l->reversed;
	m->mine += subid_is_users(l, &alice);
	if (!l->fault)
		m->last = l->grant;
	return 0;
}

TEST(subid_meets_each_line_that_says_something_with_its_number)
{
	struct met m = { .n = 0 };

	CHECK_INT(subid_each("# comment\n\nalice:1:2\n\nbob:3:4\n2001:5:6", meet, &m), 0);
	CHECK_INT(m.n, 3);
	CHECK_INT(m.line, 6);
	CHECK_INT(m.faults, 0);
	CHECK_INT(m.mine, 2); /* by name, and by number */
	CHECK_INT(m.last.start, 5);
	CHECK_INT(m.last.count, 6);
}

TEST(subid_tells_what_is_wrong_with_a_line)
{
	static const struct {
		const char *line, *fault;
		bool reversed;
	} rows[] = {
		{ "alice:100000:65536", NULL, false },
		{ "alice:4294967294:1", NULL, false },
		{ "alice:0:4294967295", NULL, false },
		{ "2001:100000:65536 ", "COUNT that is not a decimal", false },
		{ "alice", "is not USER:START:COUNT", false },
		{ "alice:1", "is not USER:START:COUNT", false },
		{ "alice:1:2:3", "is not USER:START:COUNT", false },
		{ "alice:1:2:", "is not USER:START:COUNT", false },
		{ "alice::2", "START that is not a decimal", false },
		{ "alice:1:", "COUNT that is not a decimal", false },
		{ "alice:-1:2", "START that is not a decimal", false },
		{ "alice:1:0x2", "COUNT that is not a decimal", false },
		{ "alice: 1:2", "START that is not a decimal", false },
		{ "alice:1:0", "count 0", false },
		{ "alice:4294967295:1", "beyond the last id", false },
		{ "alice:1:4294967295", "beyond the last id", false },
		{ " alice:1:2", "has a blank beside the name", false },
		{ "alice :1:2", "has a blank beside the name", false },
		{ "\talice:1:2", "has a blank beside the name", false },
		{ "\xef\xbb\xbf"
		  "alice:1:2",
			"begins with a byte order mark", false },
		{ "alice:1:2\r", "COUNT that is not a decimal", false },
		{ "alice:0100000:2", "zero in front", false },
		{ "alice:1:02", "zero in front", false },
		{ "02001:1:2", "uid with a zero in front", false },
		{ "0:1:2", NULL, false },
		{ "100000:65536:alice", "COUNT that is not a decimal", true },
		{ "100000:alice:65536", "START that is not a decimal", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct met m = { .n = 0 };

		CHECK_INT(subid_each(rows[i].line, meet, &m), 0);
		CHECK_INT(m.n, 1);
		CHECK_INT(m.reversed, rows[i].reversed);
		if (!rows[i].fault)
			CHECK(!m.fault);
		else if (CHECK(m.fault != NULL))
			CHECK_HAS(m.fault, rows[i].fault);
	}
}

TEST(subid_knows_a_user_by_the_whole_name_only)
{
	static const struct {
		const char *line;
		bool mine;
	} rows[] = {
		{ "alice:1:2", true },
		{ "2001:1:2", true },
		{ "alic:1:2", false },
		{ "alice2:1:2", false },
		{ "Alice:1:2", false },
		{ "20011:1:2", false },
		{ "02001:1:2", true },
		{ ":1:2", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct met m = { .n = 0 };

		CHECK_INT(subid_each(rows[i].line, meet, &m), 0);
		if (m.mine != rows[i].mine)
			test_fail(__FILE__, __LINE__, "%s", rows[i].line);
	}
}

static int count_meant(const struct subid_line *l, void *arg)
{
	*(int *)arg += subid_is_meant_for(l, &alice);
	return 0;
}

TEST(subid_knows_the_lines_that_are_meant_for_a_user)
{
	static const struct {
		const char *line;
		int meant;
	} rows[] = {
		{ "alice:1:2", 1 },
		{ "alice:1:2 ", 1 },
		{ " alice:1:2", 1 },
		{ "2001:1:2:", 1 },
		{ "02001:1:2", 1 },
		{ "alice 1 2", 1 },
		{ "alice=1:2", 1 },
		{ "alice,1,2", 1 },
		{ "1:2:alice", 1 },
		{ "\xef\xbb\xbf"
		  "alice:1:2",
			1 },
		{ "alice2:1:2:", 0 },
		{ "bob:1:2 ", 0 },
		{ "2001 1 2", 0 },
		{ " # alice:1:2", 0 },
		{ "  ", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int meant = 0;

		CHECK_INT(subid_each(rows[i].line, count_meant, &meant), 0);
		if (meant != rows[i].meant)
			test_fail(__FILE__, __LINE__, "%s", rows[i].line);
	}
}

static int stop(const struct subid_line *l, void *arg)
{
	(void)l;
	return ++*(int *)arg == 2 ? 7 : 0;
}

TEST(subid_stops_where_it_is_told_to)
{
	int n = 0;

	CHECK_INT(subid_each("a:1:1\nb:2:2\nc:3:3\n", stop, &n), 7);
	CHECK_INT(n, 2);
}

static size_t said;

static void count_said(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
	said++;
}

TEST(subid_warns_of_many_lines_of_others_in_two)
{
	scoped_buf struct buf text = BUF_INIT;
	struct grants g = { .len = 0 };
	struct err e;

	log_set_sink(count_said);
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "bob %d:10\n", 200000 + 10 * i);
	buf_str(&text, "alice:100000:65536\n");
	REQUIRE(buf_get(&text));
	CHECK_INT(subid_parse(buf_get(&text), "subuid", &alice, &g, &e), 0);
	CHECK_INT(g.len, 1);
	CHECK_INT(said, 2);
	VEC_DONE(&g);
}

TEST(subid_keeps_the_first_of_repeated_lines_in_order_and_in_time)
{
	enum { LINES = 300000 };
	scoped_buf struct buf text = BUF_INIT;
	struct grants g = { .len = 0 };
	struct err e;
	clock_t start = clock();

	for (int i = 0; i < LINES; i++)
		buf_printf(&text, "alice:%d:10\n", 20000000 - 10 * (i / 2));
	REQUIRE(buf_get(&text));
	CHECK_INT(subid_parse(buf_get(&text), "subuid", &alice, &g, &e), 0);
	REQUIRE(g.len == LINES / 2);
	for (size_t i = 0; i < g.len; i++) {
		REQUIRE(g.items[i].line == 2 * i + 1);
		REQUIRE(g.items[i].start == 20000000 - 10 * i);
	}
	/* Comparing each line with all others takes 100 times as long. */
	CHECK((clock() - start) / CLOCKS_PER_SEC < 4);
	VEC_DONE(&g);
}

static void write_file(const char *name, const char *text)
{
	scoped_fd int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	REQUIRE(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

TEST(unused_ids_lie_above_all_grants_of_all_files)
{
	char dir[] = "/tmp/shiftbox-unit.XXXXXX";
	uint32_t start;

	REQUIRE(mkdtemp(dir) && chdir(dir) == 0);
	write_file("uids", "alice:900000000:65536\n2001:100000:65536\n");
	write_file("gids", "alice:900000000:65537\nbob:nonsense\n");
	REQUIRE(subid_unused("uids", "gids", 65536, &start));
	CHECK_INT(start, 900065537);
	write_file("gids", "bob:4294900000:65536\n");
	REQUIRE(subid_unused("uids", "gids", 1000, &start));
	CHECK_INT(start, 4294965536);
	CHECK(!subid_unused("uids", "gids", 65536, &start));
	REQUIRE(subid_unused("missing", "missing", 65536, &start));
	CHECK(start >= 100000);
	CHECK(unlink("uids") == 0 && unlink("gids") == 0 && rmdir(dir) == 0);
}
