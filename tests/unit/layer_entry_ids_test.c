/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ids that an entry needs: all that it names are found, and each one must be in the map. */

#include "../../lib/layer/entry_ids.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../../lib/base/buf.h"
#include "test.h"

static const unsigned char acl[] = "\2\0\0\0"
				   "\1\0\6\0\xff\xff\xff\xff"
				   "\2\0\7\0\5\0\0\0"
				   "\4\0\5\0\xff\xff\xff\xff"
				   "\x8\0\5\0\7\0\0\0"
				   "\x10\0\7\0\xff\xff\xff\xff"
				   "\x20\0\0\0\xff\xff\xff\xff"; /* user 5, group 7 */
static const unsigned char cap2[] = "\1\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
static const unsigned char cap3[] = "\1\0\0\3\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x9\0\0\0";

static void add(struct xattrs *x, const char *name, const void *value, size_t size)
{
	const struct layer_options o = { .keep_security = false };
	const struct xattr_file file = { .type = S_IFREG, .on = "f", .o = &o };

	REQUIRE(xattrs_add(x, name, value, size, &file, NULL) == 0);
}

static int note(bool group, uint32_t id, const char *what, void *arg)
{
	CHECK(what != NULL);
	buf_printf(arg, "%c%u ", group ? 'g' : 'u', id);
	return id == 4242 ? 1 : 0;
}

TEST(entry_ids_are_those_of_acls_and_the_root_of_a_capability)
{
	scoped_buf struct buf b = BUF_INIT;
	struct xattrs x = { .items = NULL };

	add(&x, "user.k", acl, sizeof(acl) - 1);
	add(&x, "system.posix_acl_access", acl, sizeof(acl) - 1);
	add(&x, "security.capability", cap3, sizeof(cap3) - 1);
	CHECK_INT(entry_ids_each(&x, note, &b), 0);
	CHECK_STR(buf_get(&b), "u5 g7 u9 ");
	xattrs_done(&x);

	buf_reset(&b);
	add(&x, "security.capability", cap2, sizeof(cap2) - 1);
	CHECK_INT(entry_ids_each(&x, note, &b), 0);
	CHECK_STR(buf_get(&b), "u0 ");
	xattrs_done(&x);
}

static struct idmap map_of(uint32_t disk, uint32_t seen, uint32_t count)
{
	const struct idrange r = { disk, seen, count };
	struct idmap m;

	REQUIRE(idmap_from_ranges(&r, 1, &r, 1, &m, NULL) == 0);
	return m;
}

TEST(entry_ids_that_the_map_lacks_are_refused_with_an_extent_that_would_do)
{
	static const struct {
		uint32_t disk, seen, count, uid, gid;
		const char *says, *hint;
	} cases[] = {
		{ 0, 1000, 10, 9, 9, NULL, NULL },
		{ 0, 1000, 10, 10, 9, "user id 10", "u:10:1010:1" },
		{ 0, 1000, 10, 9, 12, "group id 12", "g:12:1012:1" },
		{ 5, 1000, 10, 4, 5, "user id 4", "u:4:1010:1" }, /* after all extents */
		{ 0, 4294967290, 5, 9, 0, "user id 9", "" },      /* no seen id is left */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct idmap m = map_of(cases[i].disk, cases[i].seen, cases[i].count);
		struct xattrs none = { .items = NULL };
		struct layer_entry en = {
			.raw = "f", .uid = cases[i].uid, .gid = cases[i].gid, .xattrs = &none
		};
		struct err e = ERR_INIT;

		CHECK_INT(entry_ids_check(&en, &m, &e), cases[i].says ? -EOVERFLOW : 0);
		CHECK_HAS(e.what, cases[i].says ? cases[i].says : "");
		CHECK_HAS(e.hint, cases[i].hint ? cases[i].hint : "");
		CHECK_INT(entry_ids_anchor(&m, false), cases[i].disk);
		idmap_done(&m);
	}
}

TEST(entry_ids_of_attributes_must_be_in_the_map_too)
{
	struct idmap m = map_of(0, 1000, 7);
	struct xattrs x = { .items = NULL };
	struct layer_entry en = { .raw = "f", .xattrs = &x };
	struct err e = ERR_INIT;

	add(&x, "system.posix_acl_access", acl, sizeof(acl) - 1);
	CHECK_INT(entry_ids_check(&en, &m, &e), -EOVERFLOW);
	CHECK_HAS(e.what, "its access control list names the group id 7");
	CHECK(entry_ids_covered(&m, true, 6) && !entry_ids_covered(&m, true, 7));
	xattrs_done(&x);
	idmap_done(&m);
}
