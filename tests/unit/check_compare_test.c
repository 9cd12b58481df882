/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/check/compare.h"

#include <stdlib.h>

#include <linux/posix_acl.h>

#include "test.h"

/*
 * No two columns are alike, so that nothing comes out right by chance: uids 0-999 are seen from
 * 100000, 1000 alone is seen as 65534 (a real nobody), gids 50-149 from 200000.
 */
static struct idmap asymmetric(void)
{
	static const struct idrange uid[] = { { 0, 100000, 1000 }, { 1000, 65534, 1 } };
	static const struct idrange gid[] = { { 50, 200000, 100 } };
	struct idmap m;

	REQUIRE(idmap_from_ranges(uid, 2, gid, 1, &m, NULL) == 0);
	return m;
}

static unsigned classes(const struct meta *disk, const struct meta *seen, struct finding *f)
{
	struct idmap m = asymmetric();
	int n = compare_inode(disk, seen, &m, f);
	unsigned set = 0;

	REQUIRE(n >= 0 && n <= FINDINGS_PER_INODE);
	for (int i = 0; i < n; i++)
		set |= 1U << f[i].class;
	CHECK_INT(__builtin_popcount(set), n); /* each class once */
	idmap_done(&m);
	return set;
}

#define ONE(class) (1U << FINDING_##class)

TEST(compare_tells_the_owner_classes_apart)
{
	static const struct {
		uint32_t disk_uid, disk_gid, seen_uid, seen_gid;
		unsigned want;
		const char *says;
	} t[] = {
		{ 0, 50, 100000, 200000, 0, NULL },
		{ 999, 149, 100999, 200099, 0, NULL },
		{ 1000, 60, 65534, 200010, 0, NULL }, /* a real nobody */
		{ 0, 50, 0, 200000, ONE(MISMATCH), "uid: disk 0, seen 0, expected 100000" },
		{ 5, 51, 100006, 200000, ONE(MISMATCH),
			"uid: disk 5, seen 100006, expected 100005; gid: disk 51, seen 200000, "
			"expected 200001" },
		{ 0, 50, 65534, 200000, ONE(MISMATCH), "uid: disk 0, seen 65534, expected 100000" },
		{ 1001, 50, 65534, 200000, ONE(UNMAPPED),
			"uid: disk 1001 has no mapping, seen 65534" },
		{ 5, 49, 100005, 65534, ONE(UNMAPPED), "gid: disk 49 has no mapping, seen 65534" },
		{ 5, 150, 100005, 65534, ONE(UNMAPPED), "gid: disk 150 has no mapping" },
		{ 100007, 50, 65534, 200000, ONE(HALF_SHIFTED),
			"uid: disk 100007 is already shifted (the seen id of disk 7), seen 65534" },
		{ 65534, 50, 65534, 200000, ONE(HALF_SHIFTED), "(the seen id of disk 1000)" },
		{ 100999, 200099, 65534, 65534, ONE(HALF_SHIFTED),
			"gid: disk 200099 is already shifted (the seen id of disk 149)" },
		{ 101000, 200000, 65534, 65534, ONE(UNMAPPED) | ONE(HALF_SHIFTED),
			"uid: disk 101000 has no mapping" },
		{ 3, 7, 3, 65534, ONE(MISMATCH) | ONE(UNMAPPED), "uid: disk 3, seen 3" },
		/* The kinds are not mixed up: 100000 is a seen uid, not a seen gid. */
		{ 0, 100000, 100000, 65534, ONE(UNMAPPED), "gid: disk 100000 has no mapping" },
	};
	struct finding f[FINDINGS_PER_INODE];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct meta disk = { .known = META_STAT,
			.mode = S_IFREG,
			.uid = t[i].disk_uid,
			.gid = t[i].disk_gid };
		const struct meta seen = { .known = META_STAT,
			.mode = S_IFREG,
			.uid = t[i].seen_uid,
			.gid = t[i].seen_gid };
		unsigned got = classes(&disk, &seen, f);

		if (got != t[i].want)
			test_fail(__FILE__, __LINE__, "row %zu: classes %#x, not %#x", i, got,
				t[i].want);
		else if (t[i].says)
			CHECK_HAS(f[0].detail, t[i].says);
	}
}

TEST(compare_knows_the_expected_ids_where_there_are_some)
{
	const struct meta disk = { .known = META_STAT, .mode = S_IFREG, .uid = 5, .gid = 7 };
	const struct meta seen = { .known = META_STAT, .mode = S_IFREG, .uid = 5, .gid = 65534 };
	struct finding f[FINDINGS_PER_INODE];

	(void)classes(&disk, &seen, f);
	CHECK(f[0].has_uid && f[0].expected_uid == 100005);
	CHECK(!f[0].has_gid);
}

TEST(compare_tells_types_devices_and_modes)
{
	static const struct {
		mode_t disk, seen;
		uint32_t disk_minor, seen_minor;
		unsigned want;
	} t[] = {
		{ S_IFREG | 0644, S_IFREG | 0644, 0, 0, 0 },
		{ S_IFREG | 04755, S_IFREG | 0755, 0, 0, ONE(MODE) },
		{ S_IFDIR | 01777, S_IFDIR | 0777, 0, 0, ONE(MODE) },
		{ S_IFLNK | 0777, S_IFLNK | 0755, 0, 0, 0 }, /* a link's mode is nothing */
		{ S_IFREG | 0644, S_IFDIR | 0755, 0, 0,
			ONE(TYPE) }, /* and nothing else: it is another file */
		{ S_IFCHR | 0666, S_IFCHR | 0666, 3, 3, 0 },
		{ S_IFCHR | 0666, S_IFCHR | 0666, 3, 5, ONE(TYPE) },
		{ S_IFCHR | 0666, S_IFBLK | 0666, 3, 3, ONE(TYPE) },
		{ S_IFREG | 0644, S_IFREG | 0644, 3, 5, 0 }, /* rdev of no device */
	};
	struct finding f[FINDINGS_PER_INODE];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct meta disk = { .known = META_STAT,
			.mode = t[i].disk,
			.gid = 50,
			.rdev_major = 1,
			.rdev_minor = t[i].disk_minor };
		const struct meta seen = { .known = META_STAT,
			.mode = t[i].seen,
			.uid = 100000,
			.gid = 200000,
			.rdev_major = 1,
			.rdev_minor = t[i].seen_minor };
		unsigned got = classes(&disk, &seen, f);

		if (got != t[i].want)
			test_fail(__FILE__, __LINE__, "row %zu: classes %#x, not %#x", i, got,
				t[i].want);
	}
}

TEST(compare_ignores_what_one_side_does_not_know)
{
	static const struct {
		unsigned known, want;
	} t[] = {
		{ META_TYPE, 0 },
		{ META_UID, ONE(MISMATCH) },
		{ META_GID, ONE(MISMATCH) },
		{ META_MODE, ONE(MODE) },
	};
	struct finding f[FINDINGS_PER_INODE];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct meta disk = {
			.known = t[i].known, .mode = S_IFREG | 0600, .uid = 1, .gid = 51
		};
		const struct meta seen = {
			.known = META_STAT, .mode = S_IFREG | 0644, .uid = 100000, .gid = 200000
		};

		CHECK_INT(classes(&disk, &seen, f), t[i].want);
	}
}

/*
 * --- ACLs
 * -----------------------------------------------------------------------------------------
 */

static struct acl acl_of(uint16_t tag, uint32_t id, uint16_t perm)
{
	const struct acl_entry x[] = {
		{ ACL_USER_OBJ, 7, 0 },
		{ tag, perm, id },
		{ ACL_GROUP_OBJ, 5, 0 },
		{ ACL_MASK, 7, 0 },
		{ ACL_OTHER, 0, 0 },
	};
	struct acl a = { .items = malloc(sizeof(x)), .len = ARRAY_LEN(x) };

	REQUIRE(a.items != NULL);
	memcpy(a.items, x, sizeof(x));
	acl_sort(&a);
	return a;
}

static unsigned compare_acls(struct acl disk, struct acl seen, bool dflt, struct finding *f)
{
	const struct meta d = { .known = META_XATTRS,
		.mode = S_IFDIR,
		.access = dflt ? (struct acl){ .len = 0 } : disk,
		.dflt = dflt ? disk : (struct acl){ .len = 0 } };
	const struct meta s = { .known = META_XATTRS,
		.mode = S_IFDIR,
		.access = dflt ? (struct acl){ .len = 0 } : seen,
		.dflt = dflt ? seen : (struct acl){ .len = 0 } };
	unsigned got = classes(&d, &s, f);

	acl_done(&disk);
	acl_done(&seen);
	return got;
}

TEST(compare_maps_the_ids_of_acl_entries)
{
	static const struct {
		uint16_t tag;
		uint32_t disk, seen;
		uint16_t seen_perm;
		const char *says;
	} t[] = {
		{ ACL_USER, 33, 100033, 6, NULL },
		{ ACL_GROUP, 60, 200010, 6, NULL },
		{ ACL_USER, 33, 33, 6, "expected user:100033:rw-" },
		{ ACL_GROUP, 60, 100060, 6, "expected group:200010:rw-" },
		{ ACL_USER, 33, 100033, 7, "expected user:100033:rw-" },
		{ ACL_USER, 70000, ACL_NO_ID, 6, "user disk 70000 has no mapping" },
		{ ACL_GROUP, 33, ACL_NO_ID, 6, "group disk 33 has no mapping" },
		{ ACL_USER, 100033, ACL_NO_ID, 6,
			"user disk 100033 is already shifted (the seen id of disk 33)" },
		{ ACL_USER, 33, ACL_NO_ID, 6, "seen user:(no id):rw-" },
	};
	struct finding f[FINDINGS_PER_INODE];

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (int dflt = 0; dflt < 2; dflt++) {
			unsigned got = compare_acls(acl_of(t[i].tag, t[i].disk, 6),
				acl_of(t[i].tag, t[i].seen, t[i].seen_perm), dflt, f);

			if (got != (t[i].says ? ONE(ACL) : 0))
				test_fail(__FILE__, __LINE__, "row %zu: classes %#x", i, got);
			else if (t[i].says)
				CHECK_HAS(f[0].detail, t[i].says);
			if (got)
				CHECK_INT(!strncmp(f[0].detail, "default", 7), dflt);
		}
}

TEST(compare_tells_an_acl_of_one_side)
{
	struct finding f[FINDINGS_PER_INODE];

	CHECK_INT(compare_acls(acl_of(ACL_USER, 33, 4), (struct acl){ .len = 0 }, false, f),
		ONE(ACL));
	CHECK_INT(compare_acls((struct acl){ .len = 0 }, acl_of(ACL_USER, 33, 4), false, f),
		ONE(ACL));
}

/*
 * --- capabilities
 * ---------------------------------------------------------------------------------
 */

TEST(compare_maps_the_root_of_capabilities)
{
	static const struct {
		struct filecap disk, seen;
		const char *says;
	} t[] = {
		{ { .present = true, .root = 0 }, { .present = true, .root = 100000 },
			NULL }, /* revision 2 on disk */
		{ { .present = true, .root = 7 }, { .present = true, .root = 100007 }, NULL },
		{ { .present = true, .root = 0 }, { .present = true, .root = 0 },
			"root id: disk 0, seen 0, expected 100000" },
		{ { .present = true, .root = 7 }, { .present = true, .root_unmapped = true },
			"root id: disk 7, seen as none, expected 100007" },
		{ { .present = true, .root = 70000 }, { .present = true, .root_unmapped = true },
			"root id: disk 70000 has no mapping" },
		{ { .present = true, .root = 100000 }, { .present = true, .root_unmapped = true },
			"root id: disk 100000 is already shifted (the seen id of disk 0)" },
		{ { .present = true }, { .present = false }, "capabilities on disk are not seen" },
		{ { .present = false }, { .present = true, .root = 100000 },
			"capabilities are seen that are not on disk" },
		{ { .present = true, .permitted = 1 << 13 },
			{ .present = true, .root = 100000, .permitted = 1 << 12 },
			"disk permitted 0x2000" },
		{ { .present = true, .inheritable = 1 }, { .present = true, .root = 100000 },
			"inheritable 0x1" },
		{ { .present = true, .effective = true }, { .present = true, .root = 100000 },
			"effective" },
	};
	struct finding f[FINDINGS_PER_INODE];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct meta d = { .known = META_XATTRS, .mode = S_IFREG, .cap = t[i].disk };
		const struct meta s = { .known = META_XATTRS, .mode = S_IFREG, .cap = t[i].seen };
		unsigned got = classes(&d, &s, f);

		if (got != (t[i].says ? ONE(CAPS) : 0))
			test_fail(__FILE__, __LINE__, "row %zu: classes %#x", i, got);
		else if (t[i].says)
			CHECK_HAS(f[0].detail, t[i].says);
	}
}

TEST(an_inode_may_have_everything_wrong_at_once)
{
	struct acl a = acl_of(ACL_USER, 70000, 4);
	const struct meta d = { .known = META_STAT | META_XATTRS,
		.mode = S_IFCHR | 0600,
		.uid = 1001,
		.gid = 200000,
		.rdev_major = 1,
		.rdev_minor = 3,
		.access = a,
		.cap = { .present = true } };
	const struct meta s = { .known = META_STAT | META_XATTRS,
		.mode = S_IFCHR | 0644,
		.uid = 65534,
		.gid = 65534,
		.rdev_major = 1,
		.rdev_minor = 5 };
	struct finding f[FINDINGS_PER_INODE];

	CHECK_INT(classes(&d, &s, f),
		ONE(UNMAPPED) | ONE(HALF_SHIFTED) | ONE(MODE) | ONE(TYPE) | ONE(ACL) | ONE(CAPS));
	acl_done(&a);
}

TEST(a_long_acl_does_not_overflow_the_detail)
{
	struct acl a = { .items = calloc(4000, sizeof(*a.items)), .len = 4000 };
	struct finding f[FINDINGS_PER_INODE];

	REQUIRE(a.items != NULL);
	for (size_t i = 0; i < a.len; i++)
		a.items[i] = (struct acl_entry){ ACL_USER, 4, 1000000 + (uint32_t)i };
	CHECK_INT(compare_acls(a, (struct acl){ .len = 0 }, false, f), ONE(ACL));
	CHECK(strnlen(f[0].detail, sizeof(f[0].detail)) < sizeof(f[0].detail));
}

TEST(the_words_of_the_classes_are_in_order)
{
	const char *at = FINDING_WORDS;

	for (size_t i = 0; i < FINDING_CLASSES; i++) {
		size_t len = strlen(finding_word(i));

		CHECK(!strncmp(at, finding_word(i), len) && (at[len] == ' ' || !at[len]));
		at += len + (at[len] == ' ');
	}
	CHECK_STR(at, "");
}
