/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker on the real kernel: a command in a user namespace of its own, whose calls are held. */

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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../lib/idmap/userns.h"
#include "../../lib/ns/broker.h"
#include "../../lib/ns/message.h"
#include "test.h"

enum { BASE = 100000, COUNT = 65536 };

static char dir[64]; /* a directory that the namespace's root owns, seen alike from everywhere */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/* In the namespace: become its root, install the filter, hand over the listener, do the work; what it returns is the exit status. */
static _Noreturn void command(int socket, const struct broker *b, int (*work)(void))
{
	struct err e = ERR_INIT;
	int listener = -1;
	char ready;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || write(socket, "u", 1) != 1 || read(socket, &ready, 1) != 1)
		_exit(201);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 || chdir(dir) < 0)
		_exit(202);
	if (broker_filter(b, &listener, &e) < 0 || message_send(socket, "l", 1, &listener, 1) < 0)
		_exit(203);
	(void)close(listener);
	(void)close(socket);
	_exit(work());
}

static void serve(struct broker *b, int listener, pid_t init)
{
	struct broker_place place = { .init = init, .pidfd = -1 };
	struct err e = ERR_INIT;
	struct out *out = out_new(1, true, false);

	if (userns_open_pid(init, &place.userns, &e) < 0 || broker_serve(b, listener, &place, &e) < 0) {
		fprintf(stderr, "# broker: %s: %s\n", e.on, e.what);
		_exit(1);
	}
	broker_report(b, out);
	_exit(out_flush(out) < 0);
}

static void make_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/broker.XXXXXX");
	REQUIRE(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mkdtemp(dir));
	REQUIRE(mount("tmpfs", dir, "tmpfs", 0, "mode=755,uid=100000,gid=100000") == 0);
	REQUIRE(rmdir(dir) < 0); /* it is busy: the mount is there */
}

/* Run work under the rules; returns its exit status, and what the broker's report said in said. */
static int run(const char *const *rules, const char *audit, int (*work)(void), char *said, size_t said_size)
{
	scoped_idmap struct idmap map = { 0 };
	const char *const words[] = { "b:0:100000:65536" };
	struct strv list = { 0 };
	struct broker_config config = { .rules = &list, .audit = audit, .map = &map, .privileged = true };
	struct broker *b = NULL;
	struct err e = ERR_INIT;
	int pair[2], out[2], listener = -1, status = -1, served = -1;
	char byte, path[64];
	size_t n = 0;
	pid_t pid, broker;
	ssize_t got;

	if (geteuid() != 0)
		SKIP("needs root");
	if (!dir[0])
		make_dir();
	for (; *rules; rules++)
		REQUIRE(strv_add(&list, *rules) == 0);
	REQUIRE(idmap_parse(words, 1, NULL, &map, &e) == 0);
	if (!CHECK(broker_new(&config, &b, &e) == 0))
		fprintf(stderr, "# %s %s\n", e.on, e.what);
	REQUIRE(b && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 && pipe2(out, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0)
		command(pair[1], b, work);
	(void)close(pair[1]);
	REQUIRE(read(pair[0], &byte, 1) == 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_file(path, "0 100000 65536\n");
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_file(path, "0 100000 65536\n");
	REQUIRE(write(pair[0], "g", 1) == 1);
	REQUIRE(message_receive(pair[0], &byte, 1, &listener, &n) == 1 && n == 1);
	broker = fork();
	if (broker == 0) {
		(void)dup2(out[1], 1);
		serve(b, listener, pid);
	}
	(void)close(listener);
	(void)close(out[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	for (n = 0; n + 1 < said_size && (got = read(out[0], said + n, said_size - 1 - n)) > 0; n += (size_t)got)
		;
	if (said_size)
		said[n] = '\0';
	(void)close(out[0]);
	CHECK_INT(waitpid(broker, &served, 0), broker);
	CHECK_INT(served, 0);
	(void)close(pair[0]);
	broker_free(b);
	strv_done(&list);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *at(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int node_is(const char *name, mode_t mode, unsigned major, unsigned minor, uid_t owner)
{
	struct stat st;

	if (lstat(at(name), &st) < 0)
		return 0;
	return st.st_mode == mode && st.st_rdev == makedev(major, minor) && st.st_uid == owner && st.st_gid == owner;
}

static const char *const safe[] = { "mknod:safe", NULL };

/* --- mknod --------------------------------------------------------------------------------------- */

static void *in_thread(void *arg)
{
	int *ret = arg;

	/* A working directory of the thread's own: the leader's is another. */
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
	if (mkdir("root", 0755) < 0 || mkdir("root/dev", 0755) < 0 || symlink("/dev", "root/link") < 0 ||
	    chroot("root") < 0 || chdir("/dev") < 0)
		return 4;
	if (mknod("/link/random", S_IFCHR | 0644, makedev(1, 8)) < 0)
		return 5;
	return mknod("../../../dev/urandom", S_IFCHR | 0644, makedev(1, 9)) < 0 ? 6 : 0;
}

TEST(allowed_nodes_are_made_where_the_calling_thread_stands_and_belong_to_it)
{
	CHECK_INT(run(safe, NULL, make_nodes, NULL, 0), 0);
	CHECK(node_is("null", S_IFCHR | 0644, 1, 3, BASE));
	CHECK(node_is("other/full", S_IFCHR | 0600, 1, 7, BASE));
	CHECK(node_is("below/zero", S_IFCHR | 0600, 1, 5, BASE));
	CHECK(node_is("root/dev/random", S_IFCHR | 0644, 1, 8, BASE));
	CHECK(node_is("root/dev/urandom", S_IFCHR | 0644, 1, 9, BASE));
}

static int try_others(void)
{
	static const struct { mode_t type; unsigned major, minor; } other[] = {
		{ S_IFBLK, 1, 3 }, { S_IFCHR, 1, 1 }, { S_IFCHR, 1, 4 }, { S_IFBLK, 8, 0 }, { S_IFBLK, 7, 0 }, { S_IFCHR, 10, 237 }, { S_IFCHR, 257, 3 },
	};

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (mknod("bad", other[i].type | 0600, makedev(other[i].major, other[i].minor)) == 0 || errno != EPERM)
			return 1;
	/* The kernel reads 32 bits of the number: so must the broker. c 1:1 is memory. */
	if (syscall(SYS_mknod, "bad", S_IFCHR | 0600, 0x100000103L) == 0 && access("bad", F_OK) == 0) {
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

TEST(any_other_device_is_refused_and_whiteouts_are_the_kernels)
{
	CHECK_INT(run(safe, NULL, try_others, NULL, 0), 0);
	CHECK(access(at("bad"), F_OK) < 0);
	CHECK(node_is("whiteout", S_IFCHR, 0, 0, BASE));
}

static int same_errnos(void)
{
	static const char *const paths[] = {
		"", "/", ".", "..", "none/x", "file/x", "file", "dir", "dir/", "new/", "dir/.", "dir/..", "loop/x", "loop", "dangling", "todir/there",
		"/proc/self/nosuch/x", "ro/x", "ro/", "file/", "new//", "dir//", "hosts/x", "hosts/there", "hosts/closed/x",
	};
	char longer[5000];
	int bad = 0;

	if (mkdir("dir", 0755) < 0 || close(open("file", O_CREAT | O_WRONLY, 0600)) < 0 || symlink("loop", "loop") < 0 ||
	    symlink("nowhere", "dangling") < 0 || symlink("dir", "todir") < 0 || mkdir("ro", 0755) < 0 ||
	    mount("ro", "ro", "tmpfs", MS_RDONLY, NULL) < 0)
		return 101;
	memset(longer, 'x', sizeof(longer));
	for (size_t i = 0; i <= sizeof(paths) / sizeof(paths[0]) + 1; i++) {
		const char *path = i < sizeof(paths) / sizeof(paths[0]) ? paths[i] : longer;
		int fifo, node;

		if (path == longer)
			longer[i & 1 ? 4095 : 256] = '\0';
		fifo = mknod(path, S_IFIFO | 0600, 0) == 0 ? 0 : errno;
		if (!fifo)
			(void)unlink(path);
		node = mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0 ? 0 : errno;
		if (!node)
			(void)unlink(path);
		if (fifo != node) {
			fprintf(stderr, "# '%.20s': a FIFO gives %s, a device %s\n", path, strerrorname_np(fifo), strerrorname_np(node));
			bad = 1;
		}
	}
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
	make_dir();
	REQUIRE(mkdir(at("hosts"), 0755) == 0 && mkdir(at("hosts/there"), 0755) == 0 && mkdir(at("hosts/closed"), 0700) == 0);
	CHECK_INT(run(safe, NULL, same_errnos, NULL, 0), 0);
}

/* A directory of the host's root, one of another user of the namespace, and one that is set-gid. */
static int respect_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1U << CAP_MKNOD, .permitted = 1U << CAP_MKNOD } };
	gid_t group = 44;
	struct stat st;

	if (mknod("hosts/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 1; /* its owner has no mapping: no capability here counts there */
	if (mknod("hosts/open/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 2;
	if (mknod("users/null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 3;
	if (mknod("setgid/null", S_IFCHR | 0600, makedev(1, 3)) < 0 || stat("setgid/null", &st) < 0 || st.st_gid != 55)
		return 4;
	/* CAP_MKNOD alone, as uid 1000: the directory's mode counts. */
	if (setgroups(1, &group) < 0 || setresgid(1000, 1000, 1000) < 0 || prctl(PR_SET_KEEPCAPS, 1) < 0 ||
	    setresuid(1000, 1000, 1000) < 0 || syscall(SYS_capset, &head, caps) < 0)
		return 5;
	if (mknod("users/second", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 6;
	if (mknod("groups/null", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EACCES)
		return 7; /* the group is not among its groups */
	if (mknod("mygroups/null", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 8;
	return 0;
}

TEST(a_node_is_made_only_where_the_caller_itself_may_create)
{
	if (geteuid() != 0)
		SKIP("needs root");
	make_dir();
	REQUIRE(mkdir(at("hosts"), 0700) == 0 && mkdir(at("hosts/open"), 0777) == 0 && chmod(at("hosts/open"), 0777) == 0);
	REQUIRE(mkdir(at("users"), 0755) == 0 && chown(at("users"), BASE + 33, BASE + 33) == 0);
	REQUIRE(mkdir(at("groups"), 0770) == 0 && chown(at("groups"), BASE + 33, BASE + 66) == 0);
	REQUIRE(mkdir(at("mygroups"), 0770) == 0 && chown(at("mygroups"), BASE + 33, BASE + 44) == 0 && chmod(at("mygroups"), 0770) == 0);
	REQUIRE(chmod(at("groups"), 0770) == 0);
	REQUIRE(mkdir(at("setgid"), 0755) == 0 && chown(at("setgid"), BASE, BASE + 55) == 0 && chmod(at("setgid"), 02755) == 0);
	CHECK_INT(run(safe, NULL, respect_rights, NULL, 0), 0);
}

static int from_below(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(1);
		_exit(mknod("nested", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EPERM ? 2 : 0);
	}
	return waitpid(pid, &status, 0) != pid ? 3 : status;
}

TEST(a_user_namespace_below_gets_nothing)
{
	CHECK_INT(run(safe, NULL, from_below, NULL, 0), 0);
	CHECK(access(at("nested"), F_OK) < 0);
}

/* --- attacks ---------------------------------------------------------------------------------------- */

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
	for (;;) {
		(void)symlink("mine", "way.new");
		(void)rename("way.new", "way");
		(void)symlink("host", "way.new");
		(void)rename("way.new", "way");
	}
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

TEST(paths_and_links_that_change_meanwhile_lead_nowhere_the_caller_could_not_go)
{
	if (geteuid() != 0)
		SKIP("needs root");
	make_dir();
	REQUIRE(mkdir(at("host"), 0755) == 0);
	CHECK_INT(run(safe, NULL, race_memory, NULL, 0), 0);
	CHECK(access(at("host/x"), F_OK) < 0);
	CHECK_INT(run(safe, NULL, race_links, NULL, 0), 0);
	CHECK(access(at("host/x"), F_OK) < 0);
}

/* Callers that die while they are held: the broker goes on, and serves who comes after. */
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
	CHECK_INT(run(safe, NULL, die_often, NULL, 0), 0);
	CHECK(node_is("after", S_IFCHR | 0600, 1, 3, BASE));
}

static int around(void)
{
	char params[256] = { 0 };

	if (syscall(SYS_io_uring_setup, 8, params) >= 0 || errno != ENOSYS)
		return 1;
	if (syscall(SYS_fsopen, "tmpfs", 0) >= 0 || errno != ENOSYS)
		return 2;
	if (syscall(SYS_open_tree, AT_FDCWD, "/", 0) >= 0 || errno != ENOSYS)
		return 3;
	return syscall(467, AT_FDCWD, "/", 0, NULL, 0) >= 0 || errno != ENOSYS ? 4 : 0;
}

TEST(ways_around_the_held_calls_do_not_exist)
{
	static const char *const rules[] = { "mount:ext4:/dev/null", NULL };

	CHECK_INT(run(rules, NULL, around, NULL, 0), 0);
}

/* --- chown ------------------------------------------------------------------------------------------ */

static int own(void)
{
	char value[64] = "";
	int fd = open("f", O_CREAT | O_RDWR, 0640);

	if (fd < 0 || chown("f", 33, 33) < 0)
		return 1; /* mapped: the kernel's */
	if (fchown(fd, 70000, 70001) < 0 || getxattr("f", "user.containers.override_stat", value, sizeof(value)) < 0)
		return 2;
	if (strcmp(value, "70000:70001:0640"))
		return 3;
	memset(value, 0, sizeof(value));
	if (chown("f", 80000, (gid_t)-1) < 0 || getxattr("f", "user.containers.override_stat", value, sizeof(value)) < 0)
		return 4;
	if (strcmp(value, "80000:70001:0640"))
		return 5;
	if (symlink("f", "s") < 0 || lchown("s", 70000, 70000) < 0)
		return 6; /* skipped: a link carries no record */
	if (fchownat(AT_FDCWD, "none", 70000, 1, 0) == 0 || errno != ENOENT)
		return 7;
	if (chown("unreachable", 70000, 1) == 0 || errno != EACCES)
		return 8;
	return 0;
}

TEST(owners_without_a_mapping_are_recorded_where_the_caller_may_write)
{
	static const char *const rules[] = { "chown:emulate", NULL };
	char said[4096];
	struct stat st;

	if (geteuid() != 0)
		SKIP("needs root");
	make_dir();
	REQUIRE(close(open(at("unreachable"), O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK_INT(run(rules, NULL, own, said, sizeof(said)), 0);
	CHECK_HAS(said, "\"uid\":70000");
	CHECK(stat(at("f"), &st) == 0 && st.st_uid == BASE + 33 && st.st_gid == BASE + 33);
	CHECK(getxattr(at("unreachable"), "user.containers.override_stat", NULL, 0) < 0);
}

static int want(void)
{
	if (close(open("f", O_CREAT | O_RDWR, 0640)) < 0)
		return 1;
	if (chown("f", 70000, 5) == 0 || errno != EINVAL)
		return 2;
	return chown("f", 1, 2) < 0 ? 3 : 0;
}

TEST(a_report_leaves_the_answer_to_the_kernel_and_tells_who_wanted_what)
{
	static const char *const rules[] = { "chown:report", NULL };
	char said[4096], audit[128];

	if (geteuid() != 0)
		SKIP("needs root");
	make_dir();
	(void)snprintf(audit, sizeof(audit), "%s", at("audit"));
	CHECK_INT(run(rules, audit, want, said, sizeof(said)), 0);
	CHECK_HAS(said, "\"uid\":70000");
	CHECK_HAS(said, "\"mapping\":\"none\"");
	CHECK_HAS(said, "\"uids_needed\":70001");
}

/* --- mount and umount ------------------------------------------------------------------------------- */

static int mounts(void)
{
	struct stat st;

	if (mkdir("m", 0755) < 0 || mount("t", "m", "tmpfs", MS_NOSUID, "mode=711") < 0 || stat("m", &st) < 0)
		return 1;
	if ((st.st_mode & 07777) != 0711 || st.st_uid != 0)
		return 2;
	if (chdir("m") < 0 || umount2("../m", MNT_DETACH) < 0 || chdir(dir) < 0 || umount("m") == 0 || errno != EINVAL)
		return 3;
	if (mount("/dev/vda", "m", "ext4", 0, NULL) == 0 || errno != EPERM)
		return 4;
	if (mount("t", "m", NULL, 0, NULL) == 0 || errno != EINVAL)
		return 5;
	if (mount("m", "m", NULL, MS_BIND, NULL) < 0)
		return 6; /* nothing new: passes by */
	/* Of a user of the namespace without rights there. */
	if (setresuid(1000, 1000, 1000) < 0)
		return 7;
	if (umount2("m", 0) == 0 || errno != EPERM)
		return 8;
	return mount("t", "m", "tmpfs", 0, NULL) == 0 || errno != EPERM ? 9 : 0;
}

TEST(what_no_rule_names_is_mounted_with_the_callers_own_rights)
{
	static const char *const rules[] = { "mount:ext4:/dev/null", "umount", NULL };

	CHECK_INT(run(rules, NULL, mounts, NULL, 0), 0);
}

static char image[96];

static int use_image(void)
{
	struct stat st;

	if (mkdir("m", 0755) < 0 || mount(image, "m", "ext4", MS_NOSUID, "commit=1") == 0 || errno != EINVAL)
		return 1; /* options are not the rule's */
	if (mount(image, "m", "xfs", 0, NULL) == 0)
		return 2;
	if (mount(image, "file", "ext4", 0, NULL) == 0 || errno != ENOENT)
		return 3;
	if (mount(image, "m", "ext4", MS_NOSUID, NULL) < 0)
		return 4;
	if (stat("m/root", &st) < 0 || st.st_uid != 0 || stat("m/www", &st) < 0 || st.st_uid != 33 || st.st_gid != 34)
		return 5;
	/* Its device node belongs to root here: nodev must stay, or it would be the host's memory. */
	if (open("m/mem", O_RDONLY) >= 0 || errno != EACCES)
		return 6;
	if (mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL) == 0 || errno != EPERM)
		return 7;
	if (open("m/mem", O_RDONLY) >= 0 || errno != EACCES)
		return 8;
	if (close(open("m/new", O_CREAT | O_WRONLY, 0600)) < 0)
		return 9;
	if (umount("m") < 0 || access("m/root", F_OK) == 0)
		return 10;
	/* Once more, for the namespace's end to clean up. */
	return mount(image, "m", "ext4", MS_RDONLY, NULL) < 0 ? 11 : 0;
}

static int command_output(const char *command, char *ret, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n;

	if (!f)
		return -1;
	n = fread(ret, 1, size - 1, f);
	ret[n] = '\0';
	return pclose(f);
}

TEST(an_image_is_mounted_with_the_namespaces_map_and_cannot_be_loosened)
{
	char command[512], rule[128], said[512];
	const char *rules[] = { rule, NULL };

	if (geteuid() != 0)
		SKIP("needs root");
	if (access("/dev/loop-control", F_OK) < 0)
		SKIP("needs loop devices");
	make_dir();
	(void)snprintf(image, sizeof(image), "/%.80s.img", dir + 1);
	(void)snprintf(rule, sizeof(rule), "mount:ext4:%s", image);
	(void)snprintf(command, sizeof(command), "cd %s && mkdir t && echo x >t/root && echo x >t/www && chown 33:34 t/www && "
		       "mknod -m 600 t/mem c 1 1 && truncate -s 8M %s && mke2fs -q -F -t ext4 -d t %s && rm -r t", dir, image, image);
	REQUIRE(system(command) == 0);
	CHECK_INT(run(rules, NULL, use_image, NULL, 0), 0);
	(void)snprintf(command, sizeof(command), "losetup -j %s", image);
	for (int i = 0; i < 50 && command_output(command, said, sizeof(said)) == 0 && said[0]; i++)
		(void)usleep(100 * 1000); /* the namespace is taken apart after its last process */
	CHECK_STR(said, "");
	(void)snprintf(command, sizeof(command), "debugfs -R 'stat new' %s 2>&1", image);
	CHECK_INT(command_output(command, said, sizeof(said)), 0);
	CHECK_HAS(said, "User:     0   Group:     0");
	(void)unlink(image);
}
