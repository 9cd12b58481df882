/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker and mknod(): nodes that it creates, and attempts to get others or to get them
 * elsewhere. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker_box.h"
#include "test.h"

static const char *const safe[] = { "mknod:safe", NULL };

static void *in_thread(void *arg)
{
	int *ret = arg;

	/* Give this thread a working directory other than the leader's. */
	*ret = unshare(CLONE_FS) < 0 || mkdir("below", 0755) < 0 || chdir("below") < 0 ||
		mknod("zero", S_IFCHR | 0600, makedev(1, 5)) < 0;
	return NULL;
}

static int make_nodes(void)
{
	int fd, failed = 1;
	pthread_t t;

	(void)umask(022);
	if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return 1;
	fd = mkdir("other", 0755) < 0 ? -1 : open("other", O_PATH | O_DIRECTORY);
	if (fd < 0 || mknodat(fd, "full", S_IFCHR | 0620, makedev(1, 7)) < 0)
		return 2;
	if (pthread_create(&t, NULL, in_thread, &failed) || pthread_join(t, NULL) || failed)
		return 3;
	if (mkdir("root", 0755) < 0 || mkdir("root/dev", 0755) < 0 ||
		symlink("/dev", "root/link") < 0 || chroot("root") < 0 || chdir("/dev") < 0)
		return 4;
	if (mknod("/link/random", S_IFCHR | 0644, makedev(1, 8)) < 0)
		return 5;
	return mknod("../../../dev/urandom", S_IFCHR | 0644, makedev(1, 9)) < 0 ? 6 : 0;
}

TEST(allowed_nodes_are_created_in_the_directory_of_the_thread_and_belong_to_it)
{
	CHECK_INT(box_run(safe, NULL, make_nodes, NULL, 0), 0);
	CHECK(box_node_is("null", S_IFCHR | 0644, 1, 3, BOX_BASE));
	CHECK(box_node_is("other/full", S_IFCHR | 0600, 1, 7, BOX_BASE));
	CHECK(box_node_is("below/zero", S_IFCHR | 0600, 1, 5, BOX_BASE));
	CHECK(box_node_is("root/dev/random", S_IFCHR | 0644, 1, 8, BOX_BASE));
	CHECK(box_node_is("root/dev/urandom", S_IFCHR | 0644, 1, 9, BOX_BASE));
}

static int try_others(void)
{
	static const struct {
		mode_t type;
		unsigned major, minor;
	} other[] = {
		{ S_IFBLK, 1, 3 },
		{ S_IFCHR, 1, 1 },
		{ S_IFCHR, 1, 4 },
		{ S_IFBLK, 8, 0 },
		{ S_IFBLK, 7, 0 },
		{ S_IFCHR, 10, 237 },
		{ S_IFCHR, 257, 3 },
	};

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (mknod("bad", other[i].type | 0600, makedev(other[i].major, other[i].minor)) ==
				0 ||
			errno != EPERM)
			return 1;
	/* The kernel reads 32 bits of the number, and so must the broker. c 1:1 is /dev/mem. */
	if (syscall(SYS_mknodat, AT_FDCWD, "bad", S_IFCHR | 0600, 0x100000103L) == 0 &&
		access("bad", F_OK) == 0) {
		struct stat st;

		if (stat("bad", &st) < 0 || st.st_rdev != makedev(1, 3))
			return 2;
		(void)unlink("bad");
	}
	if (mknod("whiteout", S_IFCHR, 0) < 0)
		return 3;
	/* Without CAP_MKNOD the kernel refuses it to root of the initial namespace too. */
	if (setresuid(1000, 1000, 1000) < 0)
		return 4;
	return mknod("/tmp/x", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EPERM ? 5 : 0;
}

TEST(other_devices_are_denied_and_whiteouts_are_left_to_the_kernel)
{
	CHECK_INT(box_run(safe, NULL, try_others, NULL, 0), 0);
	CHECK(access(box_at("bad"), F_OK) < 0);
	CHECK(box_node_is("whiteout", S_IFCHR, 0, 0, BOX_BASE));
}

static const char *const odd_paths[] = {
	"",
	"/",
	".",
	"..",
	"none/x",
	"file/x",
	"file",
	"dir",
	"dir/",
	"new/",
	"dir/.",
	"dir/..",
	"loop/x",
	"loop",
	"dangling",
	"todir/there",
	"/proc/self/nosuch/x",
	"ro/x",
	"ro/",
	"file/",
	"new//",
	"dir//",
	"hosts/x",
	"hosts/there",
	"hosts/closed/x",
};

/* What mknod() of this type gives: 0 or an errno. */
static int errno_of(const char *path, mode_t type, dev_t dev)
{
	int num = mknod(path, type | 0600, dev) == 0 ? 0 : errno;

	if (!num)
		(void)unlink(path);
	return num;
}

/* A FIFO, which the kernel makes, and a device fail alike. */
static bool fails_alike(const char *path)
{
	int fifo = errno_of(path, S_IFIFO, 0), node = errno_of(path, S_IFCHR, makedev(1, 3));

	if (fifo != node)
		fprintf(stderr, "# '%.20s': a FIFO gives %s, a device %s\n", path,
			strerrorname_np(fifo), strerrorname_np(node));
	return fifo == node;
}

static int same_errnos(void)
{
	char longer[5000];
	int bad = 0;

	if (mkdir("dir", 0755) < 0 || close(open("file", O_CREAT | O_WRONLY, 0600)) < 0 ||
		symlink("loop", "loop") < 0 || symlink("nowhere", "dangling") < 0 ||
		symlink("dir", "todir") < 0 || mkdir("ro", 0755) < 0 ||
		mount("ro", "ro", "tmpfs", MS_RDONLY, NULL) < 0)
		return 101;
	for (size_t i = 0; i < sizeof(odd_paths) / sizeof(odd_paths[0]); i++)
		if (!fails_alike(odd_paths[i]))
			bad = 1;
	memset(longer, 'x', sizeof(longer));
	longer[4095] = '\0';
	if (!fails_alike(longer))
		bad = 1;
	longer[256] = '\0';
	if (!fails_alike(longer))
		bad = 1;
	if (mknod((const char *)8, S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EFAULT)
		bad = 2;
	if (mknodat(77, "x", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EBADF)
		bad = 3;
	return bad;
}

TEST(a_path_fails_as_it_does_for_the_kernels_own_mknod)
{
	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	REQUIRE(mkdir(box_at("hosts"), 0755) == 0 && mkdir(box_at("hosts/there"), 0755) == 0 &&
		mkdir(box_at("hosts/closed"), 0700) == 0);
	CHECK_INT(box_run(safe, NULL, same_errnos, NULL, 0), 0);
}

/* A directory of the host's root, one of another user of the namespace, and a set-gid directory. */
static int respect_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1U << CAP_MKNOD,
		.permitted = 1U << CAP_MKNOD } };
	gid_t group = 44;
	struct stat st;

	if (mknod("hosts/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 1; /* its owner has no mapping: no capability here counts there */
	if (mknod("hosts/open/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 2;
	if (mknod("users/null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 3;
	if (mknod("setgid/null", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
		stat("setgid/null", &st) < 0 || st.st_gid != 55)
		return 4;
	/* CAP_MKNOD alone, as uid 1000: the directory's mode counts. */
	if (setgroups(1, &group) < 0 || setresgid(1000, 1000, 1000) < 0 ||
		prctl(PR_SET_KEEPCAPS, 1) < 0 || setresuid(1000, 1000, 1000) < 0 ||
		syscall(SYS_capset, &head, caps) < 0)
		return 5;
	if (mknod("users/second", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 6;
	if (mknod("groups/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 7; /* the group is not among its groups */
	if (mknod("mygroups/null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 8;
	if (mknod("notmygroups/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 9; /* others may, but this group may not */
	return 0;
}

TEST(a_node_is_made_only_where_the_caller_itself_may_create)
{
	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	REQUIRE(mkdir(box_at("hosts"), 0700) == 0 && mkdir(box_at("hosts/open"), 0777) == 0 &&
		chmod(box_at("hosts/open"), 0777) == 0);
	REQUIRE(mkdir(box_at("users"), 0755) == 0 &&
		chown(box_at("users"), BOX_BASE + 33, BOX_BASE + 33) == 0);
	REQUIRE(mkdir(box_at("groups"), 0770) == 0 &&
		chown(box_at("groups"), BOX_BASE + 33, BOX_BASE + 66) == 0);
	REQUIRE(mkdir(box_at("mygroups"), 0770) == 0 &&
		chown(box_at("mygroups"), BOX_BASE + 33, BOX_BASE + 44) == 0 &&
		chmod(box_at("mygroups"), 0770) == 0);
	REQUIRE(chmod(box_at("groups"), 0770) == 0);
	REQUIRE(mkdir(box_at("notmygroups"), 0700) == 0 &&
		chown(box_at("notmygroups"), BOX_BASE + 33, BOX_BASE + 44) == 0 &&
		chmod(box_at("notmygroups"), 0707) == 0);
	REQUIRE(mkdir(box_at("setgid"), 0755) == 0 &&
		chown(box_at("setgid"), BOX_BASE, BOX_BASE + 55) == 0 &&
		chmod(box_at("setgid"), 02755) == 0);
	CHECK_INT(box_run(safe, NULL, respect_rights, NULL, 0), 0);
}

/*
 * Root, two users and root again, each in a process of its own: the broker must not act for one
 * with the credentials of the previous one.
 */
static int take_turns(void)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t umask;
		const char *name;
	} turns[] = {
		{ 0, 0, 022, "a" },
		{ 1000, 1000, 027, "b" },
		{ 0, 0, 077, "c" },
		{ 2000, 1000, 0, "d" },
		{ 1000, 1000, 022, "e" },
		{ 0, 0, 0, "f" },
		{ 0, 7, 0, "g" },
	};
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1U << CAP_MKNOD,
		.permitted = 1U << CAP_MKNOD } };

	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			(void)umask(turns[i].umask);
			if (prctl(PR_SET_KEEPCAPS, 1) < 0 ||
				setresgid(turns[i].gid, turns[i].gid, turns[i].gid) < 0 ||
				setresuid(turns[i].uid, turns[i].uid, turns[i].uid) < 0 ||
				(turns[i].uid && syscall(SYS_capset, &head, caps) < 0))
				_exit(20);
			_exit(chdir("all") < 0 ||
						mknod(turns[i].name, S_IFCHR | 0666,
							makedev(1, 3)) < 0 ?
					30 + (int)i :
					0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 21;
	}
	return 0;
}

TEST(callers_that_take_turns_get_nodes_of_their_own)
{
	struct stat st;

	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	REQUIRE(mkdir(box_at("all"), 0777) == 0 && chmod(box_at("all"), 0777) == 0);
	CHECK_INT(box_run(safe, NULL, take_turns, NULL, 0), 0);
	CHECK(box_node_is("all/a", S_IFCHR | 0644, 1, 3, BOX_BASE));
	CHECK(box_node_is("all/b", S_IFCHR | 0640, 1, 3, BOX_BASE + 1000));
	CHECK(box_node_is("all/c", S_IFCHR | 0600, 1, 3, BOX_BASE));
	CHECK(stat(box_at("all/d"), &st) == 0 && st.st_uid == BOX_BASE + 2000 &&
		st.st_gid == BOX_BASE + 1000);
	CHECK(box_node_is("all/e", S_IFCHR | 0644, 1, 3, BOX_BASE + 1000));
	CHECK(box_node_is("all/f", S_IFCHR | 0666, 1, 3, BOX_BASE));
	CHECK(stat(box_at("all/g"), &st) == 0 && st.st_uid == BOX_BASE &&
		st.st_gid == BOX_BASE + 7);
}

/*
 * If the broker resolved paths from its own root directory, the caller could reach files outside of
 * its root.
 */
static int stay_inside(void)
{
	if (mkdir("jail", 0755) < 0 || mkdir("jail/in", 0755) < 0 || mkdir("outside", 0777) < 0 ||
		symlink("/mnt/outside", "jail/way") < 0 || symlink("../../..", "jail/in/up") < 0 ||
		chroot("jail") < 0 || chdir("/in") < 0)
		return 1;
	if (mknod("/way/a", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != ENOENT ||
		mknod("../way/a", S_IFCHR | 0600, makedev(1, 3)) == 0)
		return 2;
	if (mknod("../../b", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
		mknod("up/c", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
		mknod("/../d", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 3;
	return mknod("//in//..//./in///e", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
			mknod("/f", S_IFCHR | 0600, makedev(1, 3)) < 0 ?
		4 :
		0;
}

TEST(the_callers_root_is_the_end_of_its_paths)
{
	static const char *const inside[] = { "jail/b", "jail/c", "jail/d", "jail/in/e", "jail/f" };

	CHECK_INT(box_run(safe, NULL, stay_inside, NULL, 0), 0);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		CHECK(box_node_is(inside[i], S_IFCHR | 0600, 1, 3, BOX_BASE));
	CHECK(access(box_at("outside/a"), F_OK) < 0 && access(box_at("b"), F_OK) < 0 &&
		access(box_at("c"), F_OK) < 0 && access(box_at("d"), F_OK) < 0);
}

/* A caller with more groups than the broker can set is denied. */
static int with_groups(void)
{
	static gid_t groups[2000];

	for (size_t i = 0; i < 2000; i++)
		groups[i] = (gid_t)i;
	if (setgroups(256, groups) < 0 || mknod("few", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 1;
	if (setgroups(257, groups) < 0 || mknod("many", S_IFCHR | 0600, makedev(1, 3)) == 0 ||
		errno != EPERM)
		return 2;
	return setgroups(2000, groups) < 0 || mknod("many", S_IFCHR | 0600, makedev(1, 3)) == 0 ||
			errno != EPERM ?
		3 :
		0;
}

TEST(a_caller_with_more_groups_than_the_broker_can_set_is_denied)
{
	CHECK_INT(box_run(safe, NULL, with_groups, NULL, 0), 0);
	CHECK(box_node_is("few", S_IFCHR | 0600, 1, 3, BOX_BASE));
	CHECK(access(box_at("many"), F_OK) < 0);
}

static int from_below(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(1);
		_exit(mknod("nested", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EPERM ? 2 :
											      0);
	}
	return waitpid(pid, &status, 0) != pid ? 3 : status;
}

TEST(a_descendant_user_namespace_gets_no_rule)
{
	CHECK_INT(box_run(safe, NULL, from_below, NULL, 0), 0);
	CHECK(access(box_at("nested"), F_OK) < 0);
}

/* --- attacks --- */

static char swapped[64];

static void *swap_bytes(void *arg)
{
	(void)arg;
	for (;;) {
		memcpy(swapped, "mine/x", 7);
		memcpy(swapped, "host/x", 7);
	}
	return NULL;
}

static int race_memory(void)
{
	pthread_t t;

	if (mkdir("mine", 0755) < 0 || pthread_create(&t, NULL, swap_bytes, NULL))
		return 1;
	for (int i = 0; i < 2000; i++) {
		(void)mknod(swapped, S_IFCHR | 0600, makedev(1, 3));
		(void)unlink("mine/x");
	}
	return 0;
}

static void *swap_link(void *arg)
{
	(void)arg;
	/* The name is free whenever the link is made, unless this thread has failed before. */
	while (symlink("mine", "way.new") == 0 && rename("way.new", "way") == 0 &&
		symlink("host", "way.new") == 0 && rename("way.new", "way") == 0)
		;
	return NULL;
}

static int race_links(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, swap_link, NULL))
		return 1;
	for (int i = 0; i < 2000; i++) {
		(void)mknod("way/x", S_IFCHR | 0600, makedev(1, 3));
		(void)unlink("mine/x");
	}
	return 0;
}

TEST(paths_and_links_that_change_meanwhile_lead_only_where_the_caller_could_go)
{
	if (geteuid() != 0)
		SKIP("needs root");
	box_make_dir();
	REQUIRE(mkdir(box_at("host"), 0755) == 0);
	CHECK_INT(box_run(safe, NULL, race_memory, NULL, 0), 0);
	CHECK(access(box_at("host/x"), F_OK) < 0);
	CHECK_INT(box_run(safe, NULL, race_links, NULL, 0), 0);
	CHECK(access(box_at("host/x"), F_OK) < 0);
}

/* Callers that die while they wait: the broker continues, and serves the next caller. */
static int die_often(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;) {
				(void)mknod("dying", S_IFCHR | 0600, makedev(1, 3));
				(void)unlink("dying");
			}
		(void)usleep(i % 7 * 100);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return mknod("after", S_IFCHR | 0600, makedev(1, 3)) < 0 ? 1 : 0;
}

TEST(callers_that_die_do_not_stop_the_broker)
{
	CHECK_INT(box_run(safe, NULL, die_often, NULL, 0), 0);
	CHECK(box_node_is("after", S_IFCHR | 0600, 1, 3, BOX_BASE));
}
