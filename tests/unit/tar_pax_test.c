/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of pax headers: the last one of a key counts, and ACLs have a largest size. */

#include "../../lib/tar/tar_pax.h"

#include <string.h>

#include "../../lib/base/buf.h"
#include "test.h"

/* Append a record: its length counts the digits of the length too. */
static void add_record(struct buf *b, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;

	for (size_t d = 10; n + digits >= d; d *= 10)
		digits++;
	buf_printf(b, "%zu %s=%s\n", n + digits, key, value);
}

TEST(the_last_pax_record_of_a_key_counts)
{
	scoped_buf struct buf b = BUF_INIT;
	struct tar_pax x = { .path = NULL };
	const char *key = NULL;

	add_record(&b, "uid", "1");
	add_record(&b, "path", "first");
	add_record(&b, "unknown", "x");
	add_record(&b, "uid", "2");
	add_record(&b, "path", "second");
	CHECK(!tar_pax_parse(&x, buf_get(&b), b.len, &key));
	CHECK(x.has_uid && x.uid == 2 && !x.has_gid && !x.has_size);
	CHECK(x.path_len == 6 && !memcmp(x.path, "second", 6));
}

/* linux/posix_acl_xattr.h: 4 bytes and 8 for each entry; an attribute has at most 65536 bytes. */
TEST(pax_acls_have_no_more_entries_than_an_attribute_can_hold)
{
	static const char *const keys[] = { "SCHILY.acl.access", "SCHILY.acl.default" };
	enum { MOST = (65536 - 4) / 8 };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (int n = MOST - 1; n <= MOST + 1; n++) {
			scoped_buf struct buf acl = BUF_INIT, b = BUF_INIT;
			struct tar_pax x = { .path = NULL };
			const char *key = NULL, *wrong;

			for (int k = 0; k < n; k++)
				buf_printf(&acl, "%suser:%d:r--",
					k == 0        ? "" :
						k % 2 ? "," :
							"\n",
					k);
			REQUIRE(buf_get(&acl));
			add_record(&b, keys[i], buf_get(&acl));
			wrong = tar_pax_parse(&x, buf_get(&b), b.len, &key);
			CHECK((wrong != NULL) == (n > MOST));
			if (wrong)
				CHECK_STR(key, keys[i]);
		}
}
