/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three policies for unavailable ids, applied to owners, ACLs and capabilities. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../../lib/layer/layer_unmapped.h"
#include "test.h"

static const unsigned char acl[] = "\2\0\0\0"
				   "\1\0\6\0\xff\xff\xff\xff"
				   "\2\0\7\0\x70\x11\1\0"
				   "\4\0\5\0\xff\xff\xff\xff"
				   "\x8\0\5\0\x09\0\0\0"
				   "\x8\0\5\0\x70\x11\1\0"
				   "\x10\0\7\0\xff\xff\xff\xff"
				   "\x20\0\0\0\xff\xff\xff\xff"; /* 70000 twice */
static const unsigned char cap3[] = "\1\0\0\3\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x70\x11\1\0";

static struct idmap small(void)
{
	const struct idrange r = { 0, 1000, 65536 };
	struct idmap m;

	REQUIRE(idmap_from_ranges(&r, 1, &r, 1, &m, NULL) == 0);
	return m;
}

static struct layer_entry entry(
	uint32_t uid, uint32_t gid, mode_t type, mode_t mode, struct xattrs *x)
{
	return (struct layer_entry){ .path = "f",
		.raw = "./f",
		.type = type,
		.mode = mode,
		.uid = uid,
		.gid = gid,
		.xattrs = x };
}

static void add(struct xattrs *x, const char *name, const void *value, size_t size)
{
	const struct layer_options o = { .keep_security = false };

	const struct xattr_file file = { .type = S_IFREG, .on = "f", .o = &o };

	REQUIRE(xattrs_add(x, name, value, size, &file, NULL) == 0);
}

TEST(unmapped_owners_by_policy)
{
	static const struct {
		uint32_t uid, gid;
		mode_t type, mode;
		int found;
		uint32_t want_uid, want_gid;
		mode_t want_mode;
	} cases[] = {
		{ 0, 0, S_IFREG, 06755, 0, 0, 0, 06755 },
		{ 65535, 65535, S_IFREG, 06755, 0, 65535, 65535, 06755 },
		{ 65536, 5, S_IFREG, 06755, 1, 65534, 5, 02755 },
		{ 5, 65536, S_IFREG, 06755, 1, 5, 65533, 04755 },
		{ 4294967294U, 4294967294U, S_IFREG, 06755, 1, 65534, 65533, 0755 },
		{ 5, 70000, S_IFDIR, 03775, 1, 5, 65533, 03775 },
	};
	struct idmap m = small();
	struct layer_ids ids = { .map = &m, .overflow_uid = 65534, .overflow_gid = 65533 };
	struct xattrs none = { .items = NULL };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct layer_entry t =
			entry(cases[i].uid, cases[i].gid, cases[i].type, cases[i].mode, &none);
		struct err e = ERR_INIT;

		ids.policy = UNMAPPED_REFUSE;
		CHECK_INT(layer_unmapped_fit(&t, &ids, &e), cases[i].found ? -EOVERFLOW : 0);
		CHECK_STR(e.on, cases[i].found ? "./f" : "");
		ids.policy = UNMAPPED_SKIP;
		CHECK_INT(layer_unmapped_fit(&t, &ids, NULL), cases[i].found);
		CHECK(t.uid == cases[i].uid && t.gid == cases[i].gid && t.mode == cases[i].mode);
		ids.policy = UNMAPPED_OVERFLOW;
		CHECK_INT(layer_unmapped_fit(&t, &ids, NULL), cases[i].found);
		CHECK_INT(t.uid, cases[i].want_uid);
		CHECK_INT(t.gid, cases[i].want_gid);
		CHECK_INT(t.mode, cases[i].want_mode);
		ids.policy = UNMAPPED_REFUSE; /* what came of it fits */
		CHECK_INT(layer_unmapped_fit(&t, &ids, NULL), 0);
	}
	idmap_done(&m);
}

TEST(unmapped_ids_of_attributes)
{
	struct idmap m = small();
	struct layer_ids ids = {
		.map = &m, .overflow_uid = 65534, .overflow_gid = 65533, .policy = UNMAPPED_OVERFLOW
	};
	struct xattrs x = { .items = NULL };
	struct layer_entry t = entry(1, 1, S_IFREG, 06755, &x);
	struct err e = ERR_INIT;
	const unsigned char *p;

	add(&x, "user.k", "v", 1);
	add(&x, "system.posix_acl_access", acl, sizeof(acl) - 1);
	add(&x, "security.capability", cap3, sizeof(cap3) - 1);
	add(&x, "user.l", "w", 1);
	ids.policy = UNMAPPED_REFUSE;
	CHECK_INT(layer_unmapped_fit(&t, &ids, &e), -EOVERFLOW);
	CHECK_HAS(e.what, "70000");
	ids.policy = UNMAPPED_OVERFLOW;
	CHECK_INT(layer_unmapped_fit(&t, &ids, NULL), 1);
	CHECK_INT(t.mode, 06755); /* the owner's are the owner's */
	CHECK_INT(x.len, 3);
	CHECK(!xattrs_has(&x, "security.capability") && xattrs_has(&x, "user.k") &&
		xattrs_has(&x, "user.l"));
	p = x.items[1].value;
	CHECK(!memcmp(p + 12, "\2\0\7\0\xfe\xff\0\0", 8));
	CHECK(!memcmp(p + 28,
		"\x8\0\5\0\x09\0\0\0"
		"\x8\0\5\0\xfd\xff\0\0",
		16));
	CHECK(!memcmp(p + 4, "\1\0\6\0\xff\xff\xff\xff", 8));
	xattrs_done(&x);
	idmap_done(&m);
}

TEST(unmapped_layers_are_told_apart_by_what_they_lack)
{
	struct idmap m = small();
	struct layer_ids ids = { .map = &m, .policy = UNMAPPED_SKIP };
	struct buf a = BUF_INIT, b = BUF_INIT;

	layer_unmapped_print(NULL, &a);
	CHECK_STR(buf_get(&a), "all");
	buf_reset(&a);
	layer_unmapped_print(&ids, &a);
	CHECK_STR(buf_get(&a), "u0+65536,g0+65536,skip");
	ids.policy = UNMAPPED_OVERFLOW;
	layer_unmapped_print(&ids, &b);
	CHECK_STR(buf_get(&b), "u0+65536,g0+65536,overflow:0:0");
	buf_done(&a);
	buf_done(&b);
	idmap_done(&m);
}
