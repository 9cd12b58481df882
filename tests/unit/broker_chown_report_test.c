/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/broker/chown_report.h"
#include "test.h"

/* Print the report with a map of the ids 0 to 999; free the report. */
static void print(struct chown_report *r, bool json, bool granted, char *ret, size_t size)
{
	const struct idrange range = { 0, 100000, 1000 };
	int fd = memfd_create("report", MFD_CLOEXEC);
	struct out *o = out_new(fd, json, false);
	struct idmap m;
	ssize_t n;

	REQUIRE(o && idmap_from_ranges(&range, 1, &range, 1, &m, NULL) == 0);
	chown_report_print(r, &m, granted, o);
	REQUIRE(out_flush(o) == 0);
	n = pread(fd, ret, size - 1, 0);
	REQUIRE(n >= 0);
	ret[n] = '\0';
	out_free(o);
	idmap_done(&m);
	(void)close(fd);
	chown_report_done(r);
}

TEST(calls_of_one_program_for_one_owner_are_one_row_with_the_first_path)
{
	struct chown_report r = { 0 };
	char text[4096];

	chown_report_add(&r, "tar", 70000, 5, false, "/first");
	chown_report_add(&r, "tar", 70000, 5, false, "/second");
	chown_report_add(&r, "tar", 1, 2, true, "/mapped");
	chown_report_add(&r, "cp", 70000, 5, false, "/other");
	CHECK_INT(r.len, 3);
	print(&r, true, false, text, sizeof(text));
	CHECK_HAS(text, "\"times\":2,\"mapping\":\"none\",\"path\":\"/first\"");
	CHECK(!strstr(text, "/second"));
	CHECK(strstr(text, "/other") < strstr(text, "/mapped")); /* what has no mapping is first */
}

TEST(the_smallest_map_has_every_id_that_was_requested)
{
	struct chown_report r = { 0 };
	char text[4096];

	chown_report_add(&r, "tar", 70000, UINT32_MAX, false, "/a");
	chown_report_add(&r, "tar", 1, 7, true, "/b");
	print(&r, true, false, text, sizeof(text));
	CHECK_HAS(text, "\"uids_missing\":true,\"gids_missing\":false");
	CHECK_HAS(text, "\"uids_needed\":70001,\"gids_needed\":8");

	chown_report_add(&r, "tar", 70000, 7, false, "/a");
	print(&r, false, false, text, sizeof(text));
	CHECK_HAS(text, "70001 user ids and 8 group ids from 0, as in -m");
	chown_report_add(&r, "tar", 70000, 7, false, "/a");
	print(&r, false, true, text, sizeof(text));
	CHECK_HAS(text, "70000 subordinate user ids and 7 group ids");
	chown_report_add(&r, "tar", 70000, 0, false, "/a");
	print(&r, false, false, text, sizeof(text));
	CHECK_HAS(text, "70001 user ids and 1 group id from 0, as in -m");
	chown_report_add(&r, "tar", 70000, 1, false, "/a");
	print(&r, false, true, text, sizeof(text));
	CHECK_HAS(text, "70000 subordinate user ids and 1 group id (/etc/subuid");
	chown_report_add(&r, "tar", 999, 0, true, "/a");
	print(&r, false, true, text, sizeof(text));
	CHECK_HAS(text, "every owner has a mapping");
}

TEST(a_full_table_counts_what_it_cannot_hold)
{
	struct chown_report r = { 0 };

	for (uint32_t i = 0; i < CHOWN_REPORT_ROWS_MAX + 3; i++)
		chown_report_add(&r, "many", i, i, true, "/x");
	chown_report_add(&r, "many", 0, 0, true, "/x");
	CHECK_INT(r.len, CHOWN_REPORT_ROWS_MAX);
	CHECK_INT(r.lost, 3);
	CHECK_INT(r.items[0].times, 2);
	chown_report_done(&r);
}
