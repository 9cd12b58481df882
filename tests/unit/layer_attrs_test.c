/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended attributes, ACLs, capabilities, sparse files: what a layer may carry, and how it
 * arrives.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../../lib/layer/xattr.h"
#include "layer_stack.h"
#include "test.h"

#define END { .name = NULL }

/* overlayfs understands escaped attributes since Linux 6.7; before, they are refused. */
static bool escapes_known(void)
{
	const struct layer_options o = { .keep_security = false };
	const struct xattr_file file = { .type = S_IFREG, .on = "f", .o = &o };
	struct xattrs x = { .items = NULL };
	int r = xattrs_add(&x, "user.overlay.opaque", "y", 1, &file, NULL);

	xattrs_done(&x);
	CHECK(r == 0 || r == -EOPNOTSUPP);
	return r == 0;
}

struct attr_case {
	struct tar_entry t;
	const char *name, *want; /* an attribute of the file on disk, in hexadecimal; "-": none */
};

static void must_have(struct layers *s, const struct attr_case *c)
{
	const struct tar_entry list[] = { c->t, END };

	s->n = 0;
	layers_must(s, list);
	if (strcmp(layers_xattr(s, c->t.name, c->name), c->want) != 0)
		test_fail(__FILE__, __LINE__, "%s of %s is %s", c->name, c->t.name,
			layers_xattr(s, c->t.name, c->name));
}

TEST(layer_attributes_are_set_or_skipped)
{
	static const struct attr_case cases[] = {
		{ { "f", .pax = { "SCHILY.xattr.user.k=\n=v" } }, "user.k", "0a3d76" },
		{ { "f", .pax = { "SCHILY.xattr.user.k=1", "SCHILY.xattr.user.k=2" } }, "user.k",
			"32" },
		{ { "f", .pax = { "LIBARCHIVE.xattr.user.%6b=AAEC" } }, "user.k", "000102" },
		{ { "f", .pax = { "SCHILY.xattr.trusted.k=v" } }, "trusted.k", "76" },
		{ { "d", .type = '5', .pax = { "SCHILY.xattr.user.k=v" } }, "user.k", "76" },
		{ { "s", .type = '2', .link = "/", .pax = { "SCHILY.xattr.user.k=v" } }, "user.k",
			"-" },
		{ { "s", .type = '2', .link = "/", .pax = { "SCHILY.xattr.trusted.k=v" } },
			"trusted.k", "76" },
		{ { "p", .type = '6', .pax = { "SCHILY.xattr.trusted.k=v" } }, "trusted.k", "76" },
		{ { "f", .pax = { "SCHILY.xattr.security.selinux=x" } }, "security.selinux", "-" },
		{ { "f", .pax = { "SCHILY.xattr.com.apple.quarantine=x" } }, "com.apple.quarantine",
			"-" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_have(&s, &cases[i]);
}

TEST(layer_attributes_of_overlayfs_are_escaped)
{
	static const struct attr_case cases[] = {
		{ { "d", .type = '5', .pax = { "SCHILY.xattr.trusted.overlay.opaque=y" } },
			"trusted.overlay.opaque", "-" },
		{ { "d", .type = '5', .pax = { "SCHILY.xattr.trusted.overlay.opaque=y" } },
			"trusted.overlay.overlay.opaque", "79" },
		{ { "f", .pax = { "LIBARCHIVE.xattr.user.overlay.whiteout=eQ==" } },
			"user.overlay.whiteout", "-" },
		{ { "f", .pax = { "LIBARCHIVE.xattr.user.overlay.whiteout=eQ==" } },
			"user.overlay.overlay.whiteout", "79" },
		{ { "./", .type = '5', .pax = { "SCHILY.xattr.trusted.overlay.redirect=/x" } },
			"trusted.overlay.redirect", "-" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; escapes_known() && i < ARRAY_LEN(cases); i++)
		must_have(&s, &cases[i]);
}

TEST(layer_acls_and_capabilities_are_set_byte_for_byte)
{
	static const struct attr_case cases[] = {
		{ { "f", .mode = 0670,
			  .pax = { "SCHILY.acl.access=user::rw-,user:joe:r--:1234,group::r--,group:"
				   "x:r-x:4321,mask::rwx,other::---" } },
			"system.posix_acl_access",
			"0200000001000600ffffffff02000400d204000004000400ffffffff08000500e110000010"
			"000700ffffffff20000000ffffffff" },
		{ { "d", .type = '5',
			  .pax = { "SCHILY.acl.default=user::rwx,user:99:r-x,group::r-x,mask::r-x,"
				   "other::r-x" } },
			"system.posix_acl_default",
			"0200000001000700ffffffff020005006300000004000500ffffffff10000500ffffffff20"
			"000500ffffffff" },
		/* A v2 and a v3 capability, as base64. */
		{ { "f", .uid = 1000, .data = "x",
			  .pax = { "LIBARCHIVE.xattr.security.capability="
				   "AQAAAgAgAAAAAAAAAAAAAAAAAAA=" } },
			"security.capability", "0100000200200000000000000000000000000000" },
		{ { "f", .uid = 1000, .data = "x",
			  .pax = { "LIBARCHIVE.xattr.security.capability="
				   "AQAAAwAgAAAAAAAAAAAAAAAAAACghgEA" } },
			"security.capability", "0100000300200000000000000000000000000000a0860100" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_have(&s, &cases[i]);
}

TEST(layer_modes_are_the_headers_whatever_the_acl_says)
{
	static const struct tar_entry list[] = {
		{ "f", .mode = 04670, .data = "x", .uid = 5,
			.pax = { "SCHILY.acl.access=user::rw-,user:9:r--,group::r--,mask::rwx,"
				 "other::---" } },
		{ "d", .type = '5', .mode = 02770, .gid = 4,
			.pax = { "SCHILY.acl.access=user::rwx,user:9:r--,group::r--,mask::rwx,"
				 "other::---",
				"SCHILY.acl.default=user::rwx,group::---,other::---" } },
		{ "d/f", .mode = 0666 }, { "d/s", .type = '5', .mode = 0777 }, END
	};
	struct layers s;

	layers_open(&s, NULL);
	layers_must(&s, list);
	CHECK_STR(layers_show(&s, "f"), "f 4670 5:0 0.0 =x");
	CHECK_STR(layers_show(&s, "d"), "d 2770 0:4 0.0");
	CHECK_STR(layers_show(&s, "d/f"), "f 0666 0:0 0.0 =");
	CHECK_STR(layers_show(&s, "d/s"), "d 0777 0:0 0.0");
	CHECK_STR(layers_xattr(&s, "d/s", "system.posix_acl_default"), "-");
}

/* bsdtar writes the owning group's bits into the header, where stat(2) has the mask. */
TEST(layer_masks_of_acls_in_text_beat_the_headers_group_bits)
{
	static const struct {
		struct tar_entry t;
		const char *want, *acl;
	} cases[] = {
		{ { "f", .mode = 0644,
			  .pax = { "SCHILY.acl.access=user::rw-,group::r--,other::r--,"
				   "user:someone:rw-:1000,mask::rw-" } },
			"f 0664 0:0 0.0 =",
			"0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20"
			"000400ffffffff" },
		{ { "d", .type = '5', .mode = 03750,
			  .pax = { "SCHILY.acl.access=user::rwx,group::r-x,other::---,"
				   "user:someone:rwx:1000,mask::rwx" } },
			"d 3770 0:0 0.0",
			"0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20"
			"000000ffffffff" },
		{ { "f", .mode = 04640,
			  .pax = { "SCHILY.acl.access=user::rw-,group::r--,other::---,"
				   "group:x:rw-:7,mask::---" } },
			"f 4600 0:0 0.0 =",
			"0200000001000600ffffffff04000400ffffffff080006000700000010000000ffffffff20"
			"000000ffffffff" },
		{ { "p", .type = '6', .mode = 0640,
			  .pax = { "SCHILY.acl.access=user::rw-,group::r--,other::---,"
				   "user:x:rw-:7,mask::rw-" } },
			"p 0660 0:0 0.0",
			"0200000001000600ffffffff020006000700000004000400ffffffff10000600ffffffff20"
			"000000ffffffff" },
		/* POSIX.1 pax: of two records of a key the later one counts. */
		{ { "f", .mode = 0640,
			  .pax = { "SCHILY.acl.access=user::rw-,user:x:rwx:8,group::r--,mask::rwx,"
				   "other::---",
				  "SCHILY.acl.access=user::rw-,group::r--,other::---,"
				  "group:x:rw-:7,mask::rw-" } },
			"f 0660 0:0 0.0 =",
			"0200000001000600ffffffff04000400ffffffff080006000700000010000600ffffffff20"
			"000000ffffffff" },
		/* Without a mask the mode says it all. */
		{ { "f", .mode = 0640,
			  .pax = { "SCHILY.acl.access=user::rw-,group::r--,other::---" } },
			"f 0640 0:0 0.0 =", "-" },
		/* A default ACL has nothing to do with the directory's own mode. */
		{ { "d", .type = '5', .mode = 0755,
			  .pax = { "SCHILY.acl.default=user::rwx,group::r-x,other::---,"
				   "user:x:rwx:7,mask::rwx" } },
			"d 0755 0:0 0.0", "-" },
	};
	static struct layers s;

	layers_open(&s, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tar_entry list[] = { cases[i].t, END };

		s.n = 0;
		layers_must(&s, list);
		CHECK_STR(layers_show(&s, cases[i].t.name), cases[i].want);
		CHECK_STR(
			layers_xattr(&s, cases[i].t.name, "system.posix_acl_access"), cases[i].acl);
	}
}

TEST(layer_starts_plain_below_a_directory_that_hands_things_down)
{
	static const struct tar_entry list[] = { { "d", .type = '5', .mode = 0755, .gid = 3 },
		{ "d/f", .gid = 4 }, END };
	struct layers s;

	layers_open(&s, NULL);
	REQUIRE(chmod(s.path, 02700) == 0);
	layers_must(&s, list);
	CHECK_STR(layers_show(&s, "."), "d 0755 0:0 0.0");
	CHECK_STR(layers_show(&s, "d/f"), "f 0644 0:4 0.0 =");
}

TEST(layer_too_many_attributes_are_refused)
{
	static const struct tar_entry list[] = {
		{ "f",
			.pax = { "SCHILY.xattr.user.a=0123456789",
				"SCHILY.xattr.user.b=0123456789" } },
		END
	};
	struct err e = ERR_INIT;
	struct layers s;

	layers_open(&s, NULL);
	s.o.limits.xattr_bytes = 30;
	CHECK_INT(layers_add(&s, list, &e), -E2BIG);
	s.o.limits.xattr_bytes = 32;
	layers_must(&s, list);
}

TEST(layer_keeps_the_holes_of_sparse_files)
{
	static const struct tar_entry list[] = {
		{ "GNUSparseFile.1/big", .data = "abcxyz",
			.pax = { "GNU.sparse.size=1073741824", "GNU.sparse.numblocks=2",
				"GNU.sparse.name=big", "GNU.sparse.map=0,3,1000000,3" } },
		{ "after", .data = "after" }, END
	};
	static const struct tar_entry bad[][2] = {
		{ { "f", .data = "abcxyz",
			  .pax = { "GNU.sparse.size=100", "GNU.sparse.numblocks=2",
				  "GNU.sparse.map=10,3,0,3" } },
			END },
		{ { "f", .data = "abcxyz",
			  .pax = { "GNU.sparse.size=100", "GNU.sparse.numblocks=2",
				  "GNU.sparse.map=0,3,1,3" } },
			END },
		{ { "f", .data = "abcxyz",
			  .pax = { "GNU.sparse.size=4", "GNU.sparse.numblocks=2",
				  "GNU.sparse.map=0,3,3,3" } },
			END },
	};
	struct layers s;
	struct stat st;

	layers_open(&s, NULL);
	layers_must(&s, list);
	CHECK(layers_stat(&s, "big", &st));
	CHECK_INT(st.st_size, 1073741824);
	CHECK(st.st_blocks < 100);
	CHECK_INT(s.counts.bytes, 11);
	CHECK_STR(layers_show(&s, "after"), "f 0644 0:0 0.0 =after");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		CHECK_INT(layers_add(&s, bad[i], &e), -EBADMSG);
		CHECK_HAS(e.what, "sparse");
	}
}
