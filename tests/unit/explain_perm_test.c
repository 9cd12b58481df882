/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules that people meet first, told one by one; explain_oracle_test.c compares all of them
 * with the kernel.
 */
#include <errno.h>
#include <sys/stat.h>

#include <linux/posix_acl.h>

#include "../../lib/base/cleanup.h"
#include "../../lib/explain/perm.h"
#include "test.h"

static struct idmap map_of(const char *text)
{
	struct idmap m = { 0 };

	REQUIRE(idmap_parse(&text, 1, NULL, &m, NULL) == 0);
	return m;
}

/* Disk ids 0 to 999 are seen from 100000 on; the map has nothing for OUTSIDE. */
enum { ROOT = 0, MAPPED = 100000, OUTSIDE = 5000 };

struct situation {
	enum perm_op op;
	uint32_t uid; /* the caller, all capabilities if ROOT */
	mode_t dir_mode, mode;
	uint32_t dir_owner, owner;
	int num;
	enum perm_rule rule;
};

static struct perm_verdict verdict_of(const struct situation *c, const struct perm_mount *mount)
{
	struct perm_inode dir = {
		.mode = S_IFDIR | c->dir_mode, .uid = c->dir_owner, .mount = mount
	};
	struct perm_inode file = { .mode = S_IFREG | c->mode, .uid = c->owner, .mount = mount };
	struct perm_inode top = { .mode = S_IFDIR | 0755, .mount = mount };
	struct perm_cred cred = {
		.uid = c->uid,
		.gid = c->uid,
		.caps = c->uid == ROOT ? PERM_CAPS_ALL : 0,
	};
	bool create = c->op == PERM_CREATE;

	return perm_check(c->op, create ? &top : &dir, create ? &dir : &file, &cred);
}

TEST(known_situations_have_their_errno_and_rule)
{
	static const struct situation cases[] = {
		{ PERM_CREATE, ROOT, 0755, 0644, 0, 0, EOVERFLOW, RULE_UNMAPPED_CALLER },
		{ PERM_CREATE, ROOT, 0755, 0644, OUTSIDE, 0, EOVERFLOW, RULE_UNMAPPED_CALLER },
		/* EACCES hides EOVERFLOW: the directory is searched first. */
		{ PERM_CREATE, ROOT, 0700, 0644, OUTSIDE, 0, EACCES, RULE_BITS_OTHER },
		{ PERM_CREATE, MAPPED, 0755, 0644, 0, 0, 0, RULE_BITS_OWNER },
		{ PERM_UNLINK, ROOT, 0755, 0644, 0, OUTSIDE, EOVERFLOW, RULE_UNMAPPED_INODE },
		{ PERM_UNLINK, ROOT, 0755, 0644, 0, 0, 0, RULE_CAP_DAC_OVERRIDE },
		/* A rename creates an entry, so the caller's ids must be mapped. */
		{ PERM_RENAME, ROOT, 0755, 0644, 0, 0, EOVERFLOW, RULE_UNMAPPED_CALLER },
		{ PERM_UNLINK, MAPPED + 1, 01777, 0666, 0, 0, EPERM, RULE_STICKY },
		{ PERM_UNLINK, MAPPED, 01777, 0666, 0, 1, 0, RULE_BITS_ALL },
		{ PERM_CHMOD, ROOT, 0755, 0644, 0, OUTSIDE, EOVERFLOW, RULE_UNMAPPED_INODE },
		{ PERM_CHMOD, MAPPED + 1, 0755, 0666, 0, 0, EPERM, RULE_NOT_OWNER },
		{ PERM_WRITE, ROOT, 0755, 0666, 0, OUTSIDE, EACCES, RULE_UNMAPPED_INODE },
		{ PERM_READ, ROOT, 0755, 0644, 0, OUTSIDE, 0, RULE_BITS_ALL },
		{ PERM_READ, ROOT, 0755, 0600, 0, OUTSIDE, EACCES, RULE_BITS_OTHER },
		{ PERM_READ, ROOT, 0755, 0600, 0, 0, 0, RULE_CAP_DAC_READ_SEARCH },
		{ PERM_EXEC, ROOT, 0755, 0644, 0, 0, EACCES, RULE_BITS_OTHER },
	};
	struct idmap map = map_of("0:100000:1000");
	const struct perm_mount mount = { .map = &map };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct perm_verdict d = verdict_of(&cases[i], &mount);

		if (d.num != cases[i].num || d.rule != cases[i].rule)
			test_fail(__FILE__, __LINE__, "case %zu: errno %d by %s, not %d by %s", i,
				d.num, perm_rule_word(d.rule), cases[i].num,
				perm_rule_word(cases[i].rule));
	}
	idmap_done(&map);
}

TEST(immutable_and_append_only_come_before_every_right)
{
	static const struct {
		enum perm_op op;
		bool dir, append; /* the flag is the directory's; append-only, not immutable */
		int num;
		enum perm_rule rule;
	} cases[] = {
		{ PERM_WRITE, false, false, EPERM, RULE_IMMUTABLE },
		{ PERM_READ, false, false, 0, RULE_BITS_ALL },
		{ PERM_UNLINK, false, false, EPERM, RULE_IMMUTABLE },
		{ PERM_CHMOD, false, false, EPERM, RULE_IMMUTABLE },
		{ PERM_TOUCH, false, false, EPERM, RULE_IMMUTABLE },
		{ PERM_UNLINK, true, false, EPERM, RULE_IMMUTABLE },
		{ PERM_WRITE, false, true, EPERM, RULE_APPEND },
		{ PERM_RENAME, false, true, EPERM, RULE_APPEND },
		{ PERM_UTIMES, false, true, EPERM, RULE_APPEND },
		{ PERM_TOUCH, false, true, 0, RULE_OWNER },
		{ PERM_UNLINK, true, true, EPERM, RULE_APPEND },
	};
	const struct perm_mount mount = { .map = NULL };
	const struct perm_cred root = { .caps = PERM_CAPS_ALL };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct perm_inode dir = { .mode = S_IFDIR | 0755, .mount = &mount };
		struct perm_inode file = { .mode = S_IFREG | 0644, .mount = &mount };
		struct perm_inode *n = cases[i].dir ? &dir : &file;
		struct perm_verdict d;

		n->append = cases[i].append;
		n->immutable = !cases[i].append;
		d = perm_check(cases[i].op, &dir, &file, &root);
		CHECK_INT(d.num, cases[i].num);
		CHECK_INT(d.rule, cases[i].rule);
	}
}

TEST(chown_needs_the_id_to_exist_and_to_be_storable)
{
	struct idmap map = map_of("0:100000:1000"), inner = map_of("0:100000:10");
	const struct perm_mount mount = { .map = &map };
	const struct perm_userns ns = { .map = &inner };
	struct perm_inode file = { .mode = S_IFREG | 0644, .uid = 1, .gid = 1, .mount = &mount };
	const uint32_t group = 100007;
	const struct perm_cred root = { .caps = PERM_CAPS_ALL },
			       inside = { .uid = MAPPED, .userns = &ns, .caps = PERM_CAPS_ALL },
			       owner = { .uid = MAPPED + 1,
				       .gid = MAPPED + 1,
				       .groups = &group,
				       .n_groups = 1 };
	const struct {
		const struct perm_cred *cred;
		struct perm_chown to;
		int num;
		enum perm_rule rule;
	} cases[] = {
		{ &root, { true, false, MAPPED + 5, 0 }, 0, RULE_CAP_CHOWN },
		{ &root, { true, false, 5, 0 }, EOVERFLOW, RULE_UNMAPPED_NEW },
		{ &inside, { true, false, 5, 0 }, 0, RULE_CAP_CHOWN },
		{ &inside, { true, false, 33, 0 }, EINVAL, RULE_NO_SUCH_ID },
		{ &owner, { false, true, 0, MAPPED + 7 }, 0, RULE_OWNER },
		{ &owner, { false, true, 0, MAPPED + 8 }, EPERM, RULE_NO_CAP_CHOWN },
		{ &owner, { true, false, MAPPED + 2, 0 }, EPERM, RULE_NO_CAP_CHOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct perm_verdict d = perm_check_chown(NULL, &file, cases[i].cred, &cases[i].to);

		CHECK_INT(d.num, cases[i].num);
		CHECK_INT(d.rule, cases[i].rule);
	}
	/* An owner without an id can be replaced, but not kept. */
	file.uid = OUTSIDE;
	CHECK_INT(perm_check_chown(NULL, &file, &root, &cases[0].to).num, 0);
	CHECK_INT(perm_check_chown(NULL, &file, &root, &cases[4].to).num, EOVERFLOW);
	/* CAP_CHOWN alone may not clear a set-user-id bit. */
	file.uid = 1;
	file.mode |= S_ISUID;
	CHECK_INT(perm_check_chown(
			  NULL, &file, &(struct perm_cred){ .caps = PERM_CAP_CHOWN }, &cases[0].to)
			  .num,
		EPERM);
	idmap_done(&map);
	idmap_done(&inner);
}

TEST(an_overlay_copies_up_what_it_can_store)
{
	struct idmap low = map_of("0:100000:1000"), up = map_of("0:100000:10");
	const struct perm_mount merged = { .map = NULL }, lower = { .map = &low },
				upper = { .map = &up };
	const struct perm_cred mounter = { .caps = PERM_CAPS_ALL }, root = mounter;
	const struct perm_overlay overlay = { .mounter = &mounter, .upper = &upper };
	struct perm_real top = { .inode = { .mode = S_IFDIR | 0755, .mount = &upper },
		.in_upper = true };
	struct perm_real real = { .inode = { .mode = S_IFREG | 0644, .mount = &lower } };
	struct perm_inode dir = { .mode = S_IFDIR | 0755,
		.uid = MAPPED,
		.gid = MAPPED,
		.mount = &merged,
		.overlay = &overlay,
		.real = &top };
	struct perm_inode file = { .mode = S_IFREG | 0644,
		.uid = MAPPED,
		.gid = MAPPED,
		.mount = &merged,
		.overlay = &overlay,
		.real = &real,
		.parent = &dir };
	struct perm_verdict d = perm_check(PERM_WRITE, &dir, &file, &root);

	CHECK_INT(d.num, 0);
	/* Its owner is seen, but has no disk id in the upper directory. */
	real.inode.uid = 500;
	file.uid = MAPPED + 500;
	d = perm_check(PERM_CHMOD, &dir, &file, &root);
	CHECK_INT(d.num, EOVERFLOW);
	CHECK_INT(d.rule, RULE_COPY_UP);
	CHECK_INT(perm_check(PERM_READ, &dir, &file, &root).num, 0);
	/* Its owner is not seen. */
	real.inode.uid = OUTSIDE;
	file.uid = UINT32_MAX;
	d = perm_check(PERM_WRITE, &dir, &file, &root);
	CHECK_INT(d.num, EACCES);
	CHECK_INT(d.rule, RULE_UNMAPPED_INODE);
	/* A caller in the group may read it; the mounter is in none, and its capabilities do not
	   count. */
	file.mode = real.inode.mode = S_IFREG | 0040;
	d = perm_check(PERM_READ, &dir, &file, &(struct perm_cred){ .uid = 7, .gid = MAPPED });
	CHECK_INT(d.num, EACCES);
	CHECK_INT(d.rule, RULE_MOUNTER);
	d = perm_check(PERM_CREATE, NULL, &dir, &root);
	CHECK_INT(d.num, EOVERFLOW);
	CHECK_INT(d.rule, RULE_UNMAPPED_CALLER);
	idmap_done(&low);
	idmap_done(&up);
}

TEST(an_acl_entry_is_compared_by_its_seen_id_and_limited_by_the_mask)
{
	struct idmap map = map_of("0:100000:1000");
	const struct perm_mount mount = { .map = &map };
	struct acl_entry entries[] = {
		{ ACL_USER_OBJ, 7, 0 },
		{ ACL_USER, 7, 33 },
		{ ACL_GROUP_OBJ, 7, 0 },
		{ ACL_MASK, 5, 0 },
		{ ACL_OTHER, 0, 0 },
	};
	struct perm_inode file = {
		.mode = S_IFREG | 0750,
		.mount = &mount,
		.access = { .items = entries, .len = ARRAY_LEN(entries) },
	};
	struct perm_cred cred = { .uid = 100033, .gid = 4 };
	struct perm_verdict d = perm_check(PERM_READ, NULL, &file, &cred);

	CHECK_INT(d.num, 0);
	CHECK_INT(d.rule, RULE_ACL_USER);
	CHECK_INT(d.acl_id, 33);
	CHECK_INT(d.have, 5);
	CHECK_INT(perm_check(PERM_WRITE, NULL, &file, &cred).num, EACCES);
	cred.uid = 33; /* the disk id is nobody's */
	CHECK_INT(perm_check(PERM_READ, NULL, &file, &cred).rule, RULE_ACL_OTHER);
	idmap_done(&map);
}

TEST(a_capability_that_does_not_count_is_named)
{
	struct idmap map = map_of("0:1000:1"), inner = map_of("0:100000:65536");
	const struct perm_userns ns = { .map = &inner };
	const struct perm_mount mount = { .map = &map };
	struct perm_inode file = { .mode = S_IFREG | 0600, .mount = &mount };
	struct perm_cred cred = {
		.uid = 100000, .gid = 100000, .caps = PERM_CAPS_ALL, .userns = &ns
	};
	struct perm_verdict d = perm_check(PERM_WRITE, NULL, &file, &cred);

	CHECK_INT(d.num, EACCES);
	CHECK_INT(d.lost_caps, PERM_CAP_DAC_OVERRIDE);
	idmap_done(&map);
	idmap_done(&inner);
}

TEST(operations_and_rules_all_have_words)
{
	for (size_t i = 0; i < PERM_RULES; i++)
		CHECK(perm_rule_word(i) != NULL && *perm_rule_word(i));
	CHECK_STR(perm_op_word(PERM_TOUCH), "touch");
}
