/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lib/base/compat.[ch] has for other C libraries does what glibc does: with glibc this tests
 * glibc, and tests/arches/run compiles it with musl, too.
 */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/cleanup.h"

TEST(numbers_of_errors_and_signals_have_names)
{
	CHECK_STR(strerrorname_np(ENOENT), "ENOENT");
	CHECK_STR(strerrorname_np(EAGAIN), "EAGAIN");
	CHECK_STR(strerrorname_np(EHWPOISON), "EHWPOISON");
	CHECK_STR(strerrorname_np(0), "0");
	CHECK(!strerrorname_np(-1) && !strerrorname_np(41) && !strerrorname_np(4711));
	for (int i = 1; i <= EHWPOISON; i++)
		CHECK(i == 41 || i == 58 || (strerrorname_np(i) && strerrordesc_np(i)));
	CHECK_STR(strerrordesc_np(EISDIR), strerror(EISDIR));

	CHECK_STR(sigabbrev_np(SIGHUP), "HUP");
	CHECK_STR(sigabbrev_np(SIGTERM), "TERM");
	CHECK_STR(sigabbrev_np(SIGSYS), "SYS");
	CHECK(!sigabbrev_np(0) && !sigabbrev_np(-1) && !sigabbrev_np(4711));
	for (int i = 1; i < 32; i++)
		CHECK(sigabbrev_np(i));
}

static FILE *text_file(const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	REQUIRE(f);
	return f;
}

TEST(lines_of_passwd_are_read_as_by_glibc)
{
	static const char text[] =
		"\n# root:x:9:9:::\n  root:x:0:0:root:/root:/bin/sh\n"
		"no entry\nwords:x:one:1:::\nhalf:x:1\n"
		"big:x:4294967294:4294967295:a, b:/:\nshort:x:7:8\nlast:x:1:2:3:4:5";
	static const struct passwd want[] = {
		{ .pw_name = "root", .pw_dir = "/root", .pw_shell = "/bin/sh", .pw_gecos = "root" },
		{ "big", "x", 4294967294, 4294967295, "a, b", "/", "" },
		{ "short", "x", 7, 8, "", "", "" },
		{ "last", "x", 1, 2, "3", "4", "5" },
	};
	scoped_file FILE *f = text_file(text);
	struct passwd pw, *found;
	char room[64];

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CHECK_INT(fgetpwent_r(f, &pw, room, sizeof(room), &found), 0);
		REQUIRE(found == &pw);
		CHECK_STR(pw.pw_name, want[i].pw_name);
		CHECK_STR(pw.pw_passwd, "x");
		CHECK_INT(pw.pw_uid, want[i].pw_uid);
		CHECK_INT(pw.pw_gid, want[i].pw_gid);
		CHECK_STR(pw.pw_gecos, want[i].pw_gecos);
		CHECK_STR(pw.pw_dir, want[i].pw_dir);
		CHECK_STR(pw.pw_shell, want[i].pw_shell);
	}
	CHECK_INT(fgetpwent_r(f, &pw, room, sizeof(room), &found), ENOENT);
	CHECK(!found);
}

TEST(lines_of_group_are_read_as_by_glibc)
{
	scoped_file FILE *f = text_file("none:x:5:\nbad:x:y:\none:*:6:anna\n"
					"three:x:7:anna,bert,cora\nhalf:x:8\n");
	static const struct {
		const char *name;
		gid_t gid;
		const char *members[4];
	} want[] = {
		{ "none", 5, { NULL } },
		{ "one", 6, { "anna" } },
		{ "three", 7, { "anna", "bert", "cora" } },
		{ "half", 8, { NULL } },
	};
	struct group gr, *found;
	char room[128];

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		size_t n = 0;

		CHECK_INT(fgetgrent_r(f, &gr, room, sizeof(room), &found), 0);
		REQUIRE(found == &gr);
		CHECK_STR(gr.gr_name, want[i].name);
		CHECK_INT(gr.gr_gid, want[i].gid);
		for (; want[i].members[n]; n++)
			CHECK_STR(gr.gr_mem[n], want[i].members[n]);
		CHECK(!gr.gr_mem[n]);
	}
	CHECK_INT(fgetgrent_r(f, &gr, room, sizeof(room), &found), ENOENT);
}

TEST(a_line_without_room_is_reported_and_kept)
{
	static const char text[] =
		"anna:x:1:2:a long name that needs some room:/home/anna:/bin/sh\n";
	static const char group[] = "g:x:1:a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z\n";
	scoped_file FILE *f = text_file(text);
	scoped_file FILE *g = text_file(group);
	struct passwd pw, *p;
	struct group gr, *r;
	char room[512];

	CHECK_INT(fgetpwent_r(f, &pw, room, 30, &p), ERANGE);
	CHECK_INT(fgetpwent_r(f, &pw, room, sizeof(room), &p), 0);
	CHECK_STR(pw.pw_shell, "/bin/sh");
	CHECK_INT(fgetgrent_r(g, &gr, room, 100, &r), ERANGE);
}

TEST(statx_renameat2_and_close_range_reach_the_kernel)
{
	char dir[] = "/tmp/compat.XXXXXX", a[64], b[64];
	struct statx stx;
	struct stat st;
	int fd;

	REQUIRE(mkdtemp(dir));
	(void)snprintf(a, sizeof(a), "%s/a", dir);
	(void)snprintf(b, sizeof(b), "%s/b", dir);
	fd = open(a, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && mkdir(b, 0700) == 0);

	REQUIRE(statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &stx) == 0);
	REQUIRE(fstat(fd, &st) == 0);
	CHECK(stx.stx_mode == st.st_mode && stx.stx_ino == st.st_ino && stx.stx_uid == st.st_uid);

	CHECK(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_NOREPLACE) < 0 && errno == EEXIST);
	CHECK(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0);
	CHECK(rmdir(a) == 0 && unlink(b) == 0 && rmdir(dir) == 0);

	CHECK(close_range((unsigned)fd, (unsigned)fd, 0) == 0);
	CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
}
