/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The -o language. */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/base/sys.h"
#include "../../lib/mount/options.h"

TEST(mount_options_take_the_protection_of_values_away)
{
	static const struct {
		const char *text, *upper;
	} good[] = {
		{ "upper=/a", "/a" },
		{ "upper=/a,ro", "/a" },
		{ "ro,upper=/a", "/a" },
		{ "upper=/a\\,b", "/a,b" },
		{ "upper=\"/a,b\"", "/a,b" },
		{ "upper=/a\",\"b", "/a,b" },
		{ "upper=/a\\\\", "/a\\" },
		{ "upper=/a\\\\,ro", "/a\\" },
		{ "upper=/a\\:b", "/a:b" },
		{ "upper=/a\\\"b", "/a\"b" },
		{ "upper=\"/a\\\"b\"", "/a\"b" },
		{ "upper=\"/a\\\\\",ro", "/a\\" },
		{ "upper=/a=b=c", "/a=b=c" },
		{ "upper=/\\040x", "/ x" },
		{ "upper=/\\0541", "/,1" },
		{ "upper=/\\377", "/\377" },
		{ "upper=/\\400", "/400" },
		{ "upper=/\\08", "/08" },
		{ "upper=/\\12", "/12" },
		{ "upper=/a\nb c", "/a\nb c" },
		{ "upper=@/x", "@/x" },
		{ "upper=/a,", "/a" },
		{ ",upper=/a", "/a" },
		{ ",,ro,,upper=/a,,", "/a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
		struct err e = ERR_INIT;

		if (mount_options_parse(&o, good[i].text, &e) < 0)
			test_fail(__FILE__, __LINE__, "%s: %s", good[i].text, e.what);
		else
			CHECK_STR(o.upper, good[i].upper);
		CHECK_INT(mount_options_parse(&o, "", &e), 0);
		CHECK_INT(mount_options_parse(&o, ",,", &e), 0);
	}
}

/* What -o must not contain. */
static const char *const bad[] = {
	"n\\onsense",
	"n onsense",
	"ro=",
	"ro=1",
	"upper",
	"upper=",
	"upper=\"\"",
	"=x",
	"\"\"",
	"upper=\"/a",
	"upper=/a\\",
	"upper=/\\000",
	"upper=/a,upper=/b",
	"lower=",
	"lower=@+1",
	"lower=/a@",
	"lower",
	"map",
	"map=",
	"mkdir=",
	"mkdir=8",
	"mkdir=10000",
	"mkdir=-1",
	"ephemeral=",
	"ephemeral=0",
	"ephemeral=1x",
	"ephemeral=-1",
	"ephemeral=99999999999999999999",
	"upper-map=",
	"upper-map=both",
	"upper-map",
	"loop=",
	"rbind=1",
	"offset",
	"offset=",
	"offset=-1",
	"offset=x",
	"offset=1,offset=2",
	"sizelimit=99999999999999999999",
	"subdir",
	"subdir=",
	"type=",
	"type=a,type=b",
	"X-mount.owner=1",
	"X-mount.",
	"user",
	"ro,users",
	"owner",
	"group,ro",
	"remount,ro",
	"private=1",
	"a/b",
	"fo\"o",
	"x=\\000",
};

TEST(mount_options_refuse_what_they_do_not_know)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
		struct err e = ERR_INIT;

		if (mount_options_parse(&o, bad[i], &e) >= 0)
			test_fail(__FILE__, __LINE__, "'%s' is taken", bad[i]);
		CHECK(e.usage && e.what[0]);
	}
}

TEST(mount_options_accept_the_notes_of_others)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	struct err e = ERR_INIT;

	CHECK_INT(mount_options_parse(&o,
			  "x-systemd.requires=a\\,b,X-note,nofail,noauto,defaults,nouser,comment=a "
			  "b,x-gvfs-name=\"a,b\"",
			  &e),
		0);
	CHECK_INT(o.flags.set | o.flags.clear | o.flags.propagation, 0);
}

TEST(mount_options_let_the_last_flag_count)
{
	static const struct {
		const char *text;
		uint64_t set, clear, propagation;
		const char *names;
	} cases[] = {
		{ "ro", MOUNT_ATTR_RDONLY, 0, 0, "ro" },
		{ "ro,rw", 0, MOUNT_ATTR_RDONLY, 0, "rw" },
		{ "rw,ro", MOUNT_ATTR_RDONLY, 0, 0, "ro" },
		{ "nosuid,nodev,suid", MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID, 0, "rw,nodev" },
		/*
		 * mount_setattr(2): a mode of access times is set only when all of its bits are
		 * cleared too
		 */
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME & ~(uint64_t)MOUNT_ATTR_NOATIME,
			0, "rw,noatime" },
		{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME,
			MOUNT_ATTR__ATIME & ~(uint64_t)MOUNT_ATTR_STRICTATIME, 0,
			"rw,strictatime" },
		{ "noatime,relatime", 0, MOUNT_ATTR__ATIME, 0, "rw" },
		{ "noatime,atime", 0, MOUNT_ATTR__ATIME, 0, "rw" },
		{ "slave,private,shared", 0, 0, MS_SHARED, "rw,shared" },
		{ "noexec,nosymfollow,nodiratime,unbindable",
			MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME, 0,
			MS_UNBINDABLE, "rw,noexec,nodiratime,nosymfollow,unbindable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
		scoped_buf struct buf b = BUF_INIT;

		CHECK_INT(mount_options_parse(&o, cases[i].text, NULL), 0);
		CHECK_INT(o.flags.set, cases[i].set);
		CHECK_INT(o.flags.propagation, cases[i].propagation);
		if (!(cases[i].clear & MOUNT_ATTR__ATIME))
			CHECK_INT(o.flags.clear, cases[i].clear);
		mount_flags_print(&o.flags, &b);
		CHECK_STR(buf_get(&b), cases[i].names);
	}
}

TEST(mount_options_keep_layers_in_order_with_their_maps)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	struct err e = ERR_INIT;

	REQUIRE(mount_options_parse(&o,
			"lower=/a@+100,lower=/b\\@c,lower=\"/d,e\"@none,lower=/f@@file", &e) == 0);
	REQUIRE(mount_options_parse(&o, "lower=/g\\100h,map=+1,map=u:1:2:3;g:1:2:3", &e) == 0);
	REQUIRE(o.lowers.len == 5);
	CHECK_STR(o.lowers.items[0].dir, "/a");
	CHECK_STR(o.lowers.items[0].map, "+100");
	CHECK_STR(o.lowers.items[1].dir, "/b@c");
	CHECK(!o.lowers.items[1].map);
	CHECK_STR(o.lowers.items[2].dir, "/d,e");
	CHECK_STR(o.lowers.items[2].map, "none");
	CHECK_STR(o.lowers.items[3].map, "@file");
	CHECK_STR(o.lowers.items[4].dir, "/g@h");
	REQUIRE(o.maps.len == 2);
	CHECK_STR(o.maps.items[1], "u:1:2:3;g:1:2:3");
}

TEST(mount_options_read_modes_and_sizes)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;

	CHECK_INT(mount_options_parse(&o, "mkdir,ephemeral", NULL), 0);
	CHECK_INT(o.mkdir_mode, 0755);
	CHECK_INT(o.ephemeral_size, 0);
	CHECK_INT(mount_options_parse(&o, "mkdir=1700,ephemeral=64M", NULL), 0);
	CHECK_INT(o.mkdir_mode, 01700);
	CHECK_INT(o.ephemeral_size, 64 << 20);
	CHECK(o.mkdir && o.ephemeral);
}

TEST(mount_options_keep_what_only_a_driver_can_judge)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	scoped_buf struct buf b = BUF_INIT;

	REQUIRE(mount_options_parse(&o,
			"noload,ro,data=journal,subvol=/"
			"a\\,b,offset=1M,sizelimit=4096,loop,RO,empty=,type=ext4",
			NULL) == 0);
	REQUIRE(o.fs.len == 5);
	CHECK(!o.fs.items[0].value);
	CHECK_STR(o.fs.items[2].value, "/a,b");
	mount_fs_options_print(o.fs.items, o.fs.len, &b);
	CHECK_STR(buf_get(&b), "noload,data=journal,subvol=/a,b,RO,empty=");
	CHECK_INT(o.offset, 1 << 20);
	CHECK_INT(o.sizelimit, 4096);
	CHECK(o.loop && o.flags.set == MOUNT_ATTR_RDONLY);
	CHECK_STR(o.type, "ext4");
}

TEST(mount_options_table_is_fit_for_the_manual)
{
	const char *name, *arg, *help, *other, *unused;

	for (size_t i = 0; mount_options_row(i, &name, &arg, &help); i++) {
		CHECK(name[0] && help[0]);
		CHECK(help[strlen(help) - 1] != '.');
		CHECK(!arg[0] || arg[0] == '=' || !strncmp(arg, "[=", 2));
		for (size_t k = 0; k < i && mount_options_row(k, &other, &unused, &unused); k++)
			CHECK(strcmp(name, other) != 0);
	}
}

TEST(mount_options_say_what_they_go_with)
{
	static const struct {
		const char *text;
		unsigned uses;
		const char *first;
	} cases[] = {
		{ "ro,suid,store=/s,public,map=+1", ~0U, NULL },
		{ "upper=/u,lower=/l", OPTION_STACK, "lower" },
		{ "ephemeral=1M", OPTION_STACK, "ephemeral" },
		{ "upper-map=same", OPTION_STACK, NULL },
		{ "upper-map=none", OPTION_STACK, "upper-map" },
		{ "sizelimit=1,type=ext4", OPTION_FS, "type" },
		{ "sizelimit=1", OPTION_FS, "sizelimit" },
		{ "sizelimit=1", OPTION_STACK | OPTION_BIND, NULL },
		{ "recursive", OPTION_BIND, "recursive" },
		{ "recursive,type=ext4,upper=/u", OPTION_NOT_ROOT, NULL },
		{ "lower=/l", OPTION_NOT_ROOT, "lower" },
		{ "rbind", OPTION_NOT_ROOT, "rbind" },
		{ "slave", OPTION_NOT_ROOT, "slave" },
		{ "X-mount.mkdir=700", OPTION_NOT_ROOT, "mkdir" },
		{ "X-mount.subdir=a", OPTION_NOT_ROOT, "subdir" },
		{ "noauto", OPTION_NOT_ROOT, "noauto" },
		{ "noauto,auto", OPTION_NOT_ROOT, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
		const char *first;

		REQUIRE(mount_options_parse(&o, cases[i].text, NULL) == 0);
		first = mount_options_first(&o, cases[i].uses);
		CHECK_STR(first ? first : "none", cases[i].first ? cases[i].first : "none");
	}
}
