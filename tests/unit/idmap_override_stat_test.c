/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recorded owners: the forms that tools write are read, everything else is refused. */

#include <errno.h>
#include <string.h>

#include "../../lib/base/cleanup.h"
#include "../../lib/idmap/override_stat.h"
#include "test.h"

TEST(record_parse_reads_what_tools_write)
{
	static const struct {
		const char *text;
		uint32_t uid, gid, mode;
		const char *type;
	} good[] = {
		{ "0:0:0555", 0, 0, 0555, "" },
		{ "70000:5:0644", 70000, 5, 0644, "" },
		{ "1:2:7777", 1, 2, 07777, "" },
		{ "0:0:0100755", 0, 0, 0755, "" }, /* libkrun: st_mode as it is */
		{ "4294967294:4294967294:0177777", 4294967294, 4294967294, 07777, "" },
		{ "0:0:0755:dir", 0, 0, 0755, "dir" },
		{ "0:0:0644:file", 0, 0, 0644, "file" },
		{ "0:0:0777:symlink", 0, 0, 0777, "symlink" },
		{ "0:0:0644:pipe", 0, 0, 0644, "pipe" },
		{ "0:0:0644:socket", 0, 0, 0644, "socket" },
		{ "0:6:0660:block-8-17", 0, 6, 0660, "block-8-17" },
		{ "0:0:0666:char-1-3", 0, 0, 0666, "char-1-3" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct record r = { .uid = 99 };

		if (record_parse(good[i].text, strlen(good[i].text), &r) != 0 ||
			r.uid != good[i].uid || r.gid != good[i].gid || r.mode != good[i].mode ||
			strcmp(r.type, good[i].type) != 0)
			test_fail(__FILE__, __LINE__, "'%s' is read as %u:%u:%o:%s", good[i].text,
				r.uid, r.gid, r.mode, r.type);
	}
}

TEST(record_parse_refuses_everything_else)
{
	static const char *const bad[] = {
		"",
		":",
		"::",
		":::",
		"0",
		"0:0",
		"0:0:",
		":0:0644",
		"0::0644",
		"0:0:0644:",
		"0:0:0644:file:",
		"0:0:0644:file:x",
		"-1:0:0644",
		"0:-1:0644",
		"+1:0:0644",
		" 0:0:0644",
		"0:0:0644 ",
		"0:0:0644\n",
		"0x1:0:0644",
		"a:0:0644",
		"4294967295:0:0644",
		"0:4294967295:0644",
		"4294967296:0:0644",
		"18446744073709551616:0:0644",
		"0:0:0648",
		"0:0:rw",
		"0:0:-644",
		"0:0:200000",
		"0:0:7777777777777777777777777",
		"0:0:0644:fil",
		"0:0:0644:files",
		"0:0:0644:File",
		"0:0:0644:block",
		"0:0:0644:block-",
		"0:0:0644:block-8",
		"0:0:0644:block-8-",
		"0:0:0644:block--1",
		"0:0:0644:block-8-1-2",
		"0:0:0644:char-a-1",
		"0:0:0644:dir-1-1",
		"0:0:0644:block-00000000000000000000000000000008-1",
	};
	struct record r = { .uid = 99, .type = "kept" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (record_parse(bad[i], strlen(bad[i]), &r) != -EINVAL)
			test_fail(__FILE__, __LINE__, "'%s' is taken", bad[i]);
	CHECK_INT(record_parse("0:0:0644\0", 9, &r), -EINVAL);
	CHECK_INT(record_parse("0:0:0644 and more", 8, &r), 0);
	CHECK_INT(r.mode, 0644);
	CHECK_INT(r.uid, 0);
}
