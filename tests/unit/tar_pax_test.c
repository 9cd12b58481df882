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

			buf_printf(&acl, "user::r--,group::r--,other::r--");
			for (int k = 3; k < n; k++)
				buf_printf(&acl, "%suser:%d:r--", k % 2 ? "," : "\n", k);
			REQUIRE(buf_get(&acl));
			add_record(&b, keys[i], buf_get(&acl));
			wrong = tar_pax_parse(&x, buf_get(&b), b.len, &key);
			CHECK((wrong != NULL) == (n > MOST));
			if (wrong)
				CHECK_STR(key, keys[i]);
		}
}

#define BASE "user::rw-,group::r--,other::r--"

/* acl(5), "ACL TEXT FORMS", with the numbers that star and bsdtar add. */
TEST(pax_acls_are_read_whole_or_refused)
{
	static const struct {
		const char *text;
		uint32_t entries; /* 0: refused */
	} cases[] = {
		{ BASE, 3 },
		{ "u::rw-\ng::r--\no::r--\n", 3 },
		{ BASE ",user:joe:rw-:5,mask::r--", 5 },
		{ BASE ",user:5:rw-,group:6:r,mask:r--", 6 },
		{ "user::rw-\nuser:5:rwx\t#effective:r--\ngroup::r--\nmask::r--\nother::---\n", 5 },
		{ BASE ",", 3 },
		{ BASE ",,mask::r--", 0 },
		{ "user::rw-,group::r--", 0 },
		{ "user::rw-,other::r--,mask::rwx", 0 },
		{ BASE ",user::r--", 0 },
		{ BASE ",mask::r--,mask::rwx", 0 },
		{ BASE ",blah", 0 },
		{ BASE ",user", 0 },
		{ BASE ",user:5", 0 },
		{ BASE ",user:5:", 0 },
		{ BASE ",user:joe:rwq:5", 0 },
		{ BASE ",user:joe:rw-:5z", 0 },
		{ BASE ",user:joe:rw-:-65", 0 },
		{ BASE ",user:joe:rw-:5:6", 0 },
		{ BASE ",other:joe:r--", 0 },
		{ BASE ",default:user:5:rwx", 0 },
		{ BASE ",owner@:rwx::allow", 0 },
		{ "#" BASE, 0 },
		{ ",", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct tar_pax x = { .path = NULL };
		const char *key = NULL, *wrong;

		add_record(&b, "SCHILY.acl.access", cases[i].text);
		add_record(&b, "SCHILY.acl.default", cases[i].text);
		wrong = tar_pax_parse(&x, buf_get(&b), b.len, &key);
		if (!wrong == !cases[i].entries || x.acl_access != cases[i].entries ||
			(!wrong && x.acl_default != cases[i].entries))
			test_fail(__FILE__, __LINE__, "'%s': %u entries, %s", cases[i].text,
				x.acl_access, wrong ? wrong : "accepted");
	}
}
