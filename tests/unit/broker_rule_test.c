/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/broker/rule.h"
#include "test.h"

TEST(a_rule_is_valid_as_a_whole_or_is_a_usage_error)
{
	static const char *const bad[] = {
		"",
		"mknod",
		"mknod:",
		"mknod:x:1:3",
		"mknod:c",
		"mknod:c:1",
		"mknod:c:1:",
		"mknod:c::3",
		"mknod:c:1:3:4",
		"mknod:c:-1:3",
		"mknod:c:+1:3",
		"mknod:c:0x1:3",
		"mknod:c:4096:0",
		"mknod:c:1:1048576",
		"mknod:c:4294967297:3",
		"mknod:c:0:0",
		"mknod:c:1:3 ",
		"mknod:safe ",
		"MKNOD:SAFE",
		"mount:",
		"mount:ext4",
		"mount:ext4:",
		"mount::/a",
		"mount:ext4:a",
		"mount:ext4::ro",
		"umount:",
		"chown",
		"chown:all",
		"chown:emulate,chown:report",
		"all",
		"*",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rules rs = { 0 };
		struct err e = ERR_INIT;

		if (!CHECK(rules_add(&rs, bad[i], &e) == -EINVAL && e.usage && rs.len == 0))
			fprintf(stderr, "# '%s'\n", bad[i]);
		CHECK_HAS(e.what, bad[i]);
		rules_done(&rs);
	}
}

TEST(a_device_is_allowed_by_its_own_rule_and_no_other)
{
	struct rules rs = { 0 };

	REQUIRE(rules_add(&rs, "mknod:b:7:1048575", NULL) == 0 &&
		rules_add(&rs, "mknod:c:10:200", NULL) == 0);
	CHECK(rules_device(&rs, S_IFBLK, 7, 1048575));
	CHECK(!rules_device(&rs, S_IFCHR, 7, 1048575));
	CHECK(!rules_device(&rs, S_IFBLK, 7, 0));
	CHECK(rules_device(&rs, S_IFCHR, 10, 200));
	CHECK(!rules_device(&rs, S_IFCHR, 1, 3));
	CHECK(rules_privileged(&rs));
	rules_done(&rs);
}

/* As in /dev, where every user may open them; the console, 5:1, is not among them. */
TEST(the_safe_devices_are_seven_and_open_to_all_on_any_host)
{
	static const unsigned char want[][2] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 },
		{ 5, 0 }, { 5, 2 } };
	struct rules rs = { 0 };
	size_t found = 0;

	REQUIRE(rules_add(&rs, "mknod:safe", NULL) == 0);
	for (unsigned major = 0; major < 512; major++)
		for (unsigned minor = 0; minor < 512; minor++) {
			CHECK(!rules_device(&rs, S_IFBLK, major, minor));
			found += rules_device(&rs, S_IFCHR, major, minor) ? 1 : 0;
		}
	CHECK_INT(found, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK(rules_device(&rs, S_IFCHR, want[i][0], want[i][1]));
	rules_done(&rs);
}

TEST(the_source_of_a_mount_may_contain_colons_and_is_compared_by_byte)
{
	const struct rule *r;
	struct rules rs = { 0 };

	REQUIRE(rules_add(&rs, "mount:ext4:/a:b:ro", NULL) == 0 &&
		rules_add(&rs, "mount:xfs:/a:b", NULL) == 0);
	r = rules_mount(&rs, "ext4", "/a:b");
	CHECK(r && r->read_only);
	r = rules_mount(&rs, "xfs", "/a:b");
	CHECK(r && !r->read_only);
	CHECK(!rules_mount(&rs, "ext4", "/a:b:ro") && !rules_mount(&rs, "ext4", "//a:b") &&
		!rules_mount(&rs, "ext3", "/a:b"));
	rules_done(&rs);
}

TEST(rules_that_contradict_each_other_are_refused)
{
	static const char *const pairs[][2] = {
		{ "chown:report", "chown:emulate" },
		{ "chown:emulate", "chown:report" },
		{ "umount", "umount" },
		{ "mount:ext4:/a", "mount:ext4:/a:ro" },
	};

	for (size_t i = 0; i < 4; i++) {
		struct rules rs = { 0 };
		struct err e = ERR_INIT;

		CHECK(rules_add(&rs, pairs[i][0], NULL) == 0);
		CHECK(rules_add(&rs, pairs[i][1], &e) < 0 && e.usage && rs.len == 1);
		rules_done(&rs);
	}
}

static int read_policy(const char *text, mode_t mode, struct rules *rs, struct err *e)
{
	char path[] = "/tmp/policy.XXXXXX";
	int fd = mkstemp(path), r;

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		fchmod(fd, mode) == 0);
	(void)close(fd);
	r = rules_read(rs, path, e);
	(void)unlink(path);
	return r;
}

TEST(a_policy_is_lines_of_rules_with_blanks_and_comments)
{
	struct rules rs = { 0 };

	CHECK_INT(read_policy(
			  "# devices\n\n  mknod:safe \r\n\tumount\nchown:emulate", 0600, &rs, NULL),
		0);
	CHECK_INT(rs.len, 3);
	CHECK(rules_find(&rs, RULE_MKNOD_SAFE) && rules_find(&rs, RULE_UMOUNT) &&
		rules_find(&rs, RULE_CHOWN_EMULATE));
	rules_done(&rs);
}

TEST(a_fault_in_a_policy_names_its_line)
{
	struct rules rs = { 0 };
	struct err e = ERR_INIT;

	CHECK(read_policy("mknod:safe\n\nmknod:d:1:3\n", 0600, &rs, &e) < 0);
	CHECK_HAS(e.what, "line 3");
	rules_done(&rs);
}

TEST(a_policy_that_others_can_write_is_refused)
{
	struct rules rs = { 0 };

	CHECK_INT(read_policy("umount\n", 0622, &rs, NULL), -EPERM);
	CHECK_INT(read_policy("umount\n", 0660, &rs, NULL), -EPERM);
	CHECK_INT(rs.len, 0);
	rules_done(&rs);
}

TEST(completion_offers_rules_and_beginnings_of_rules)
{
	char words[] = RULE_WORDS, *save = NULL;
	struct rules rs = { 0 };
	struct err e = ERR_INIT;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		bool whole = w[strlen(w) - 1] != ':';

		CHECK_INT(rules_add(&rs, w, &e), whole ? 0 : -EINVAL);
		if (!whole)
			CHECK(!strstr(e.what, "there is no such rule"));
		rules_done(&rs);
	}
}
