/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/base/acl.h"

#include <errno.h>
#include <stdlib.h>

#include <linux/posix_acl.h>

#include "../../lib/base/cleanup.h"
#include "test.h"

/* An ACL's bytes: version, then tag, perm and id of each entry, little endian. */
static size_t put_acl(unsigned char *p, uint32_t version, const struct acl_entry *x, size_t n)
{
	size_t len = 4;

	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(version >> (8 * i));
	for (size_t k = 0; k < n; k++, len += 8) {
		p[len] = (unsigned char)x[k].tag;
		p[len + 1] = (unsigned char)(x[k].tag >> 8);
		p[len + 2] = (unsigned char)x[k].perm;
		p[len + 3] = (unsigned char)(x[k].perm >> 8);
		for (int i = 0; i < 4; i++)
			p[len + 4 + (size_t)i] = (unsigned char)(x[k].id >> (8 * i));
	}
	return len;
}

#define NONE UINT32_MAX

TEST(acl_parse_reads_ids_of_named_entries_only)
{
	const struct acl_entry x[] = {
		{ ACL_USER_OBJ, 7, NONE },
		{ ACL_USER, 6, 70000 },
		{ ACL_USER, 4, 33 },
		{ ACL_GROUP_OBJ, 5, NONE },
		{ ACL_GROUP, 0, 0x01020304 },
		{ ACL_MASK, 7, NONE },
		{ ACL_OTHER, 4, NONE },
	};
	unsigned char bytes[256];
	struct acl a;
	size_t n = put_acl(bytes, 2, x, ARRAY_LEN(x));

	REQUIRE(acl_parse(bytes, n, &a) == 0);
	CHECK_INT(a.len, ARRAY_LEN(x));
	/* Sorted by id within a tag, so that two views of one ACL compare entry by entry. */
	CHECK_INT(a.items[1].id, 33);
	CHECK_INT(a.items[1].perm, 4);
	CHECK_INT(a.items[2].id, 70000);
	CHECK_INT(a.items[4].id, 0x01020304);
	CHECK_INT(a.items[0].id, 0);
	CHECK_INT(a.items[6].perm, 4);
	acl_done(&a);
}

TEST(acl_parse_refuses_what_the_kernel_would_refuse)
{
	static const struct {
		const char *why;
		size_t n;
		struct acl_entry x[6];
	} bad[] = {
		{ "no other", 2, { { ACL_USER_OBJ, 7, NONE }, { ACL_GROUP_OBJ, 5, NONE } } },
		{ "no owner", 2, { { ACL_GROUP_OBJ, 7, NONE }, { ACL_OTHER, 5, NONE } } },
		{ "owner twice", 4,
			{ { ACL_USER_OBJ, 7, NONE }, { ACL_USER_OBJ, 7, NONE },
				{ ACL_GROUP_OBJ, 5, NONE }, { ACL_OTHER, 5, NONE } } },
		{ "a named user and no mask", 4,
			{ { ACL_USER_OBJ, 7, NONE }, { ACL_USER, 7, 1 }, { ACL_GROUP_OBJ, 5, NONE },
				{ ACL_OTHER, 5, NONE } } },
		{ "order", 3,
			{ { ACL_GROUP_OBJ, 5, NONE }, { ACL_USER_OBJ, 7, NONE },
				{ ACL_OTHER, 5, NONE } } },
		{ "unknown tag", 4,
			{ { ACL_USER_OBJ, 7, NONE }, { 3, 7, 0 }, { ACL_GROUP_OBJ, 5, NONE },
				{ ACL_OTHER, 5, NONE } } },
		{ "tag 0", 4,
			{ { 0, 7, 0 }, { ACL_USER_OBJ, 7, NONE }, { ACL_GROUP_OBJ, 5, NONE },
				{ ACL_OTHER, 5, NONE } } },
		{ "permission 8", 3,
			{ { ACL_USER_OBJ, 8, NONE }, { ACL_GROUP_OBJ, 5, NONE },
				{ ACL_OTHER, 5, NONE } } },
	};
	unsigned char bytes[256];
	struct acl a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (acl_parse(bytes, put_acl(bytes, 2, bad[i].x, bad[i].n), &a) != -EINVAL)
			test_fail(__FILE__, __LINE__, "taken: %s", bad[i].why);
}

TEST(acl_parse_checks_size_and_version)
{
	const struct acl_entry x[] = { { ACL_USER_OBJ, 7, NONE }, { ACL_GROUP_OBJ, 5, NONE },
		{ ACL_OTHER, 4, NONE } };
	unsigned char bytes[256];
	struct acl a;
	size_t n = put_acl(bytes, 2, x, 3);

	for (size_t k = 0; k < n; k++)
		if (acl_parse(bytes, k, &a) == 0) {
			CHECK_INT(k, 4); /* the header alone is an empty ACL */
			CHECK_INT(a.len, 0);
		}
	CHECK(acl_parse(bytes, n, &a) == 0);
	acl_done(&a);
	CHECK_INT(acl_parse(bytes, put_acl(bytes, 1, x, 3), &a), -EINVAL);
	CHECK_INT(acl_parse(bytes, put_acl(bytes, 0x02000000, x, 3), &a), -EINVAL);
}

TEST(acl_print_writes_what_acl_parse_reads)
{
	static const unsigned char value[] = "\2\0\0\0"
					     "\1\0\6\0\xff\xff\xff\xff"
					     "\2\0\7\0\x70\x11\1\0"
					     "\4\0\5\0\xff\xff\xff\xff"
					     "\x8\0\5\0\x09\0\0\0"
					     "\x10\0\7\0\xff\xff\xff\xff"
					     "\x20\0\0\0\xff\xff\xff\xff";
	scoped_buf struct buf b = BUF_INIT;
	struct acl a, copy;

	REQUIRE(acl_parse(value, sizeof(value) - 1, &a) == 0);
	REQUIRE(acl_copy(&a, &copy) == 0);
	acl_done(&a);
	acl_print(&copy, &b);
	REQUIRE(buf_get(&b));
	CHECK(b.len == sizeof(value) - 1 && !memcmp(b.data, value, b.len));
	acl_done(&copy);
}

TEST(acl_ids_are_found_and_rewritten_in_place_even_in_an_acl_that_is_not_valid)
{
	/* No mask, no owner, and a piece of an entry at the end. */
	unsigned char value[] = "\2\0\0\0"
				"\x8\0\5\0\x09\0\0\0"
				"\4\0\5\0\xff\xff\xff\xff"
				"\2\0\7\0\x70\x11\1\0"
				"\2\0\7\0\1\0\0";
	struct acl_id id = { 0 };

	REQUIRE(acl_id_next(value, sizeof(value) - 1, &id));
	CHECK(id.group && id.id == 9);
	REQUIRE(acl_id_next(value, sizeof(value) - 1, &id));
	CHECK(!id.group && id.id == 70000);
	acl_id_set(value, &id, 0x04030201);
	CHECK(!acl_id_next(value, sizeof(value) - 1, &id));
	CHECK(!memcmp(value + 20, "\2\0\7\0\1\2\3\4", 8));
	CHECK(!memcmp(value + 4, "\x8\0\5\0\x09\0\0\0", 8));

	for (size_t size = 0; size < 12; size++) {
		id = (struct acl_id){ 0 };
		CHECK(!acl_id_next(value, size, &id));
	}
}
