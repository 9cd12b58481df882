/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries that refer to users, their grants, the owner of a source, and files. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/log.h"
#include "../../lib/base/vec.h"
#include "../../lib/idmap/idmap.h"
#include "../../lib/idmap/names.h"
#include "../../lib/idmap/subid.h"
#include "test.h"

/* A system with two users and three groups, whose numbers differ by name. */
static const struct user users[] = {
	{ .name = "alice", .uid = 1000, .gid = 1100, .has_gid = true },
	{ .name = "www", .uid = 33, .gid = 34, .has_gid = true },
};

static int fake_user(const char *name, struct user *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (!strcmp(users[i].name, name)) {
			*ret = users[i];
			return 0;
		}
	return -ENOENT;
}

static int fake_user_of(uint32_t uid, struct user *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (users[i].uid == uid) {
			*ret = users[i];
			return 0;
		}
	return -ENOENT;
}

static int fake_gid(const char *name, uint32_t *ret)
{
	if (strcmp(name, "www") != 0)
		return -ENOENT;
	*ret = 34;
	return 0;
}

static const struct names_source fake = { fake_user, fake_user_of, fake_gid, NULL };

static char dir[] = "/tmp/idmap-test-XXXXXX";
static char subuid[64], subgid[64], listed[64];

static void remove_files(void)
{
	(void)unlink(subuid);
	(void)unlink(subgid);
	(void)unlink(listed);
	(void)rmdir(dir);
}

static void write_text(const char *path, const char *text)
{
	scoped_file FILE *f = fopen(path, "we");

	REQUIRE(f && fputs(text, f) >= 0 && fflush(f) == 0);
}

static void setup(const char *uids, const char *gids)
{
	names_set_source(&fake);
	if (!subuid[0]) {
		REQUIRE(mkdtemp(dir) != NULL);
		REQUIRE(atexit(remove_files) == 0);
	}
	(void)snprintf(subuid, sizeof(subuid), "%s/subuid", dir);
	(void)snprintf(subgid, sizeof(subgid), "%s/subgid", dir);
	(void)snprintf(listed, sizeof(listed), "%s/map", dir);
	write_text(subuid, uids);
	write_text(subgid, gids);
}

static int parse(const char *text, struct idmap *ret, struct err *e)
{
	const struct idmap_context ctx = { .source = dir, .subuid = subuid, .subgid = subgid };

	return idmap_parse(&text, 1, &ctx, ret, e);
}

static void check_map(const char *text, const char *canonical)
{
	scoped_idmap struct idmap m = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (parse(text, &m, &e) < 0) {
		test_fail(__FILE__, __LINE__, "'%s': '%s' %s", text, e.on, e.what);
		return;
	}
	idmap_print(&m, &b);
	CHECK_STR(buf_get(&b), canonical);
}

static void check_refused(const char *text, int num, const char *on, const char *what)
{
	struct idmap m = { 0 };
	struct err e = ERR_INIT;

	CHECK_INT(parse(text, &m, &e), num);
	CHECK_STR(e.on, on);
	CHECK_HAS(e.what, what);
}

static size_t warnings;
static char warned[512];

static void count_warnings(enum log_level level, const char *text)
{
	warnings += level == LOG_WARN;
	(void)snprintf(warned, sizeof(warned), "%s", text);
}

TEST(idmap_names_are_looked_up_for_each_kind)
{
	setup("", "");
	check_map("u:www:alice:1", "u:33:1000:1;g:0:0:4294967295");
	check_map("g:www:5:1", "u:0:0:4294967295;g:34:5:1");
	check_map("b:www:0:1", "u:33:0:1;g:34:0:1");
	check_refused("b:alice:0:1", -ENOENT, "alice",
		"there is no group of this name (byte 2 of the map)");
	check_refused(
		"b:0:bob:1", -ENOENT, "bob", "there is no user of this name (byte 4 of the map)");
}

TEST(idmap_grants_become_disk_ids_from_0_in_the_order_of_the_file)
{
	setup("# comment\n\nalice:100000:1000\nwww:1:1\n1000:300000:10\nalice:100000:1000\n",
		"alice:500000:65536\n");
	check_map("subid:alice", "u:0:100000:1000;u:1000:300000:10;g:0:500000:65536");
	check_map("subid:1000", "u:0:100000:1000;u:1000:300000:10;g:0:500000:65536");
	check_map("user:alice",
		"u:0:1000:1;u:1:100000:1000;u:1001:300000:10;g:0:1100:1;g:1:500000:65536");
	check_map("subid:alice u:1010:7:1",
		"u:0:100000:1000;u:1000:300000:10;u:1010:7:1;g:0:500000:65536");
	check_refused("subid:www", -ENOENT, "", "subid:www (byte 0 of the map): www has no ids in");
	check_refused("0:1:1 user:bob", -ENOENT, "bob", "no user of this name (byte 11");
	check_refused("subid:", -EINVAL, "", "USER is missing (byte 6");
	check_refused("user:alice:1", -EINVAL, "alice:1", "':'");
	check_refused("user:4242", -ENOENT, "user:4242", "no passwd entry");
}

TEST(idmap_keep_id_keeps_one_id_and_fills_up_the_others)
{
	setup("alice:100000:1000\nalice:300000:10\n", "alice:500000:65536\n");
	check_map("keep-id:alice",
		"u:0:100000:1000;u:1000:1000:1;u:1001:300000:10;"
		"g:0:500000:1100;g:1100:1100:1;g:1101:501100:64436");
	check_map("keep-id:alice:33:34",
		"u:0:100000:33;u:33:1000:1;u:34:100033:967;u:1001:300000:10;"
		"g:0:500000:34;g:34:1100:1;g:35:500034:65502");
	check_map("keep-id:1000:0:0",
		"u:0:1000:1;u:1:100000:1000;u:1001:300000:10;g:0:1100:1;g:1:500000:65536");
	check_map("keep-id:alice:5000",
		"u:0:100000:1000;u:1000:300000:10;u:5000:1000:1;"
		"g:0:500000:1100;g:1100:1100:1;g:1101:501100:64436");
	check_refused("keep-id:", -EINVAL, "", "USER is missing (byte 8");
	check_refused("keep-id:bob", -ENOENT, "bob", "no user of this name (byte 8");
	check_refused("keep-id:alice:", -EINVAL, "", "UID is missing");
	check_refused("keep-id:alice:33:", -EINVAL, "", "GID is missing");
	check_refused("keep-id:alice:-1", -EINVAL, "-1", "UID has a sign");
	check_refused("keep-id:alice:4294967295", -ERANGE, "keep-id:alice:4294967295", "beyond");
	check_refused("keep-id:alice:1:2:3", -EINVAL, "keep-id:alice:1:2:3", "no more fields");
}

TEST(idmap_a_grant_needs_no_account)
{
	setup("containers:2147483648:65536\n4294967295:9:9\n", "containers:2147483648:65536\n");
	check_map("subid:containers", "b:0:2147483648:65536");
	check_refused("user:containers", -ENOENT, "containers", "no user of this name (byte 5");
	check_refused("subid:bob", -ENOENT, "bob",
		"subid:bob (byte 0 of the map): there is no user of this name, and no grant in");
	setup("containers:5:6\n", "");
	check_refused("subid:containers", -ENOENT, "containers", "and no grant in");
	setup("containers:5\n", "containers:5:6\n");
	check_refused("subid:containers", -EINVAL, "containers:5", "is not USER:START:COUNT");
}

TEST(idmap_auto_is_the_grant_of_who_calls)
{
	char uids[64];

	(void)snprintf(uids, sizeof(uids), "%u:100000:65536\n", getuid());
	setup(uids, uids);
	check_map("auto", "b:0:100000:65536");
	setup("alice:1:1\n", "alice:1:1\n");
	if (getuid() != 1000)
		CHECK_INT(parse("auto", &(struct idmap){ 0 }, &ERR_INIT), -ENOENT);
}

TEST(idmap_grants_that_cannot_be_are_named_with_file_and_line)
{
	static const struct {
		const char *line, *what;
	} bad[] = {
		{ "alice", "is not USER:START:COUNT" },
		{ "alice:1", "is not USER:START:COUNT" },
		{ "alice:1:1:1", "is not USER" },
		{ "alice:x:1", "START that is not a decimal" },
		{ "alice:-1:1", "START that is not a decimal" },
		{ "alice:1:1 ", "COUNT that is not a decimal" },
		{ "alice:1:0", "count 0" },
		{ "alice::1", "START" },
		{ "alice:4294967295:1", "beyond the last id" },
		{ "alice:1:4294967295", "beyond the last id" },
		{ "1000:1:", "COUNT" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[64], want[128];

		(void)snprintf(text, sizeof(text), "alice:7:1\n%s\n", bad[i].line);
		setup(text, "alice:7:1\n");
		check_refused("subid:alice", -EINVAL, bad[i].line, bad[i].what);
		(void)snprintf(want, sizeof(want), "(line 2 of %s)", subuid);
		check_refused("subid:alice", -EINVAL, bad[i].line, want);
		/* and another user is only told of it */
		(void)snprintf(text, sizeof(text), "www:7:1\n%s\n", bad[i].line);
		setup(text, "www:7:1\n");
		warnings = 0;
		log_set_sink(count_warnings);
		check_map("subid:www", "b:0:7:1");
		log_set_sink(NULL);
		CHECK_INT(warnings, 1);
		(void)snprintf(want, sizeof(want), "%s:2: '%s'", subuid, bad[i].line);
		CHECK_HAS(warned, want);
	}
}

TEST(idmap_grants_that_overlap_are_refused_with_both)
{
	setup("alice:100:10\nalice:105:10\n", "alice:1:1\n");
	check_refused("subid:alice", -EINVAL, "u:10:105:10",
		"overlaps u:0:100:10: seen ids 105-109 would stand for two disk ids each (line 2 "
		"of");
	setup("alice:999:10\n", "alice:1:1\n"); /* the user's own id is 1000 */
	check_refused(
		"user:alice", -EINVAL, "u:1:999:10", "overlaps u:0:1000:1: seen id 1000 would");
}

/* A directory that user 33 of group 34 makes, since nothing here chowns. */
static void make_owned(const char *path)
{
	int status;
	pid_t pid;

	REQUIRE(chmod(dir, 0777) == 0);
	pid = fork();
	if (pid == 0)
		_exit(setresgid(34, 34, 34) < 0 || setresuid(33, 33, 33) < 0 ||
			mkdir(path, 0755) < 0);
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

TEST(idmap_owner_takes_user_and_group_of_the_source_apart)
{
	const char *const text = "owner:alice";
	struct idmap_context ctx = { .source = "/no/such/place" };
	scoped_idmap struct idmap m = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	setup("", "");
	CHECK_INT(idmap_parse(&text, 1, NULL, &m, &e), -EINVAL);
	CHECK_HAS(e.what, "no source here");
	CHECK_INT(idmap_parse(&text, 1, &ctx, &m, &e), -ENOENT);
	CHECK_STR(e.on, "/no/such/place");

	if (geteuid() != 0)
		SKIP("needs root to make another user's directory");
	make_owned(listed);
	ctx.source = listed;
	CHECK_INT(idmap_parse(&text, 1, &ctx, &m, &e), 0);
	CHECK(rmdir(listed) == 0);
	idmap_print(&m, &b);
	CHECK_STR(buf_get(&b), "u:33:1000:1;g:34:1100:1");
}

static void check_file(const char *content, const char *canonical)
{
	char text[80];

	write_text(listed, content);
	(void)snprintf(text, sizeof(text), "@%s", listed);
	check_map(text, canonical);
}

static void check_bad_file(const char *content, const char *on, const char *what)
{
	char text[80];

	write_text(listed, content);
	(void)snprintf(text, sizeof(text), "@%s", listed);
	check_refused(text, -EINVAL, on ? on : text, what);
}

TEST(idmap_files_hold_lines_of_uid_map_with_a_kind_where_one_is_meant_alone)
{
	setup("", "");
	check_file("0 100000 65536\n", "b:0:100000:65536");
	check_file("  0\t100000   65536", "b:0:100000:65536");
	check_file(
		"# all\n\nu 0 1 2 # users\ng 0 3 2\nb 7 8 9\n", "u:0:1:2;u:7:8:9;g:0:3:2;g:7:8:9");
	check_file("uid www 1 1\n", "u:33:1:1;g:0:0:4294967295");

	check_bad_file("0 1 1\n0 1\n", "0 1",
		"is not a line of a map: [u|g|b] DISK SEEN COUNT (line 2 of ");
	check_bad_file("x 0 1 1\n", "x", "is not a kind of id");
	check_bad_file("u 0 1 1 1\n", "u 0 1 1 1", "is not a line of a map");
	check_bad_file("0 1 1\n\n0 2 -1\n", "-1", "COUNT is not a decimal number (line 3 of ");
	check_bad_file("0 1 1\n5 6 7\n0 5 1\n", "b:0:5:1",
		"overlaps b:0:1:1: disk id 0 would be seen as two ids (line 3 of ");
	check_bad_file("# nothing\n", NULL, "has no line of a map");
	check_bad_file("", NULL, "has no line of a map");
}

TEST(idmap_files_are_regular_and_bounded)
{
	scoped_free char *big = malloc((1 << 20) + 2);
	char text[80];

	setup("", "");
	check_refused(
		"@/no/such/file", -ENOENT, "/no/such/file", "@/no/such/file (byte 0 of the map)");
	check_refused("@/dev/zero", -EINVAL, "/dev/zero", "a character device");
	check_refused("@/", -EISDIR, "/", "a directory");
	check_refused("@", -EINVAL, "", "FILE is missing");

	REQUIRE(mkfifo(listed, 0600) == 0);
	(void)snprintf(text, sizeof(text), "@%s", listed);
	check_refused(text, -EINVAL, listed, "a FIFO"); /* and nobody waits for a writer */
	REQUIRE(unlink(listed) == 0);

	REQUIRE(big != NULL);
	memset(big, '#', (1 << 20) + 1);
	big[(1 << 20) + 1] = '\0';
	write_text(listed, big);
	check_refused(text, -EFBIG, listed, "is larger than");
}

TEST(idmap_references_that_are_no_numbers_are_refused)
{
	setup("", "");
	check_refused("pid:", -EINVAL, "", "is not a process id");
	check_refused("pid:0", -EINVAL, "0", "is not a process id");
	check_refused("pid:-1", -EINVAL, "-1", "is not a process id");
	check_refused("pid:4294967297", -EINVAL, "4294967297", "is not a process id");
	check_refused("pid:2147483647", -ENOENT, "/proc/2147483647", "there is no such process");
	check_refused(
		"/proc/x/ns/user", -ENOENT, "/proc/x/ns/user", "cannot open the user namespace");
	check_refused("/proc/self/ns/user", -EINVAL, "", "own user namespace");
	check_refused("/proc/self/ns/net", -EINVAL, "", "another kind of namespace");
	check_refused("/dev/null", -EINVAL, "/dev/null", "is not a user namespace");
	check_refused("/", -EINVAL, "/", "is not a user namespace");
	check_refused("fd:x", -EINVAL, "x", "is not a file descriptor");
	check_refused("fd:1000000", -EBADF, "", "fd:1000000 (byte 0 of the map)");
}

TEST(names_of_the_system_are_found)
{
	struct user u;
	struct err e = ERR_INIT;
	uint32_t id;

	REQUIRE(names_user("root", &u, &e) == 0);
	CHECK(u.uid == 0 && u.gid == 0 && u.has_gid);
	REQUIRE(names_user("0", &u, &e) == 0);
	CHECK_STR(u.name, "root");
	CHECK(names_gid("root", &id, &e) == 0 && id == 0);
	CHECK_INT(names_uid("0", &id, &e), -ENOENT); /* a name, not a number */
	CHECK_INT(names_user("no-such-user-here", &u, &e), -ENOENT);
	REQUIRE(names_user("3999999999", &u, &e) == 0);
	CHECK(u.uid == 3999999999u && !u.has_gid && !u.name[0]);
}
