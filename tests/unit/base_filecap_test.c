/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/base/filecap.h"

#include <errno.h>

#include "test.h"

TEST(filecap_parse_reads_all_three_revisions)
{
	/* cap_net_raw (13) permitted and effective, cap_audit_read (37) inheritable */
	static const unsigned char v1[12] = { 1, 0, 0, 1, 0, 0x20 };
	static const unsigned char v2[20] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x20 };
	static const unsigned char v3[24] = { 0, 0, 0, 3, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x20, 0, 0, 0, 0xa0, 0x86, 1, 0 };
	struct filecap c;

	REQUIRE(filecap_parse(v1, sizeof(v1), &c) == 0);
	CHECK(c.present && c.effective && c.permitted == 1 << 13 && c.inheritable == 0 &&
		c.root == 0);
	REQUIRE(filecap_parse(v2, sizeof(v2), &c) == 0);
	CHECK(c.effective && c.permitted == 1 << 13 && c.inheritable == 1ULL << 37 && c.root == 0);
	REQUIRE(filecap_parse(v3, sizeof(v3), &c) == 0);
	CHECK(!c.effective && c.permitted == 1 << 13 && c.inheritable == 1ULL << 37);
	CHECK_INT(c.root, 100000);
}

TEST(filecap_parse_wants_the_size_of_the_revision)
{
	unsigned char bytes[32] = { 0 };
	struct filecap c;

	for (unsigned revision = 0; revision < 6; revision++)
		for (size_t n = 0; n <= sizeof(bytes); n++) {
			int want = (revision == 1 && n == 12) || (revision == 2 && n == 20) ||
					(revision == 3 && n == 24) ?
				0 :
				-EINVAL;

			bytes[3] = (unsigned char)revision;
			if (filecap_parse(bytes, n, &c) != want)
				test_fail(__FILE__, __LINE__, "revision %u of %zu bytes", revision,
					n);
		}
}

TEST(filecap_to_v2_keeps_all_but_the_root)
{
	static const unsigned char v3[] =
		"\1\0\0\3\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\x70\x11\1\0";
	unsigned char v2[FILECAP_SIZE_2];
	struct filecap a, b;

	filecap_to_v2(v3, v2);
	REQUIRE(filecap_parse(v3, FILECAP_SIZE_3, &a) == 0);
	REQUIRE(filecap_parse(v2, sizeof(v2), &b) == 0);
	CHECK(a.version == 3 && a.root == 70000);
	CHECK(b.version == 2 && b.root == 0);
	CHECK(a.effective == b.effective && a.permitted == b.permitted &&
		a.inheritable == b.inheritable);
}
