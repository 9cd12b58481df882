/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The causes that no command line leads to: the kernel refuses a map, and the message says which of
 * them it was.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "../../lib/base/sys.h"
#include "../../lib/idmap/userns.h"
#include "../../lib/idmap/userns_self.h"
#include "../../lib/mount/clone.h"
#include "../../lib/mount/mount_attr.h"
#include "../../lib/mount/probe.h"
#include "test.h"

/* A tmpfs on /mnt, in a mount namespace of the test's own. */
static int own_tmpfs(void)
{
	int fd;

	if (geteuid() != 0 || !userns_is_initial())
		SKIP("needs root of the initial user namespace");
	if (!probe_kernel_at_least(6, 3))
		SKIP("needs Linux 6.3");
	REQUIRE(unshare(CLONE_NEWNS) == 0 &&
		sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(sys_mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	fd = open("/mnt", O_PATH | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

/* Let the kernel refuse userns for a clone of fd's mount; e says why. */
static void refuse(int fd, int userns, int num, struct err *e)
{
	scoped_fd int tree = -1;
	int r;

	REQUIRE(clone_plain(fd, "source", false, &tree, e) == 0);
	r = mount_attr_set(tree, &mount_flags_private, userns);
	if (r != -num)
		test_fail(__FILE__, __LINE__, "the kernel says %s, not %s", strerrorname_np(-r),
			strerrorname_np(num));
	(void)err_set(e, -r, "source", "cannot set the ID mapping");
	probe_idmap(fd, userns, &mount_flags_private, e);
}

static void write_file(pid_t pid, const char *name, const char *text)
{
	scoped_fd int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name); /* fits */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		test_fail(__FILE__, __LINE__, "%s: %s", path, strerrordesc_np(errno));
		test_stop();
	}
}

static int userns_of(const char *map, struct err *e)
{
	scoped_idmap struct idmap m = { 0 };
	int fd;

	REQUIRE(idmap_parse(&map, 1, NULL, &m, e) == 0 && userns_get(&m, &fd, e) == 0);
	return fd;
}

TEST(mount_probe_tells_what_is_no_user_namespace)
{
	static const struct {
		const char *path, *why;
		int num;
	} cases[] = {
		{ "/etc/passwd", "is not a user namespace", EINVAL },
		{ "/proc/self/ns/mnt", "is not a user namespace", EINVAL },
		{ "/proc/self/ns/user", "the initial user namespace maps nothing", EPERM },
	};
	int fd = own_tmpfs();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_fd int userns = open(cases[i].path, O_RDONLY | O_CLOEXEC);
		struct err e = ERR_INIT;

		refuse(fd, userns, cases[i].num, &e);
		CHECK_HAS(e.why, cases[i].why);
	}
	{
		struct err e = ERR_INIT;

		refuse(fd, 999, EBADF, &e);
	}
}

TEST(mount_probe_tells_an_empty_half)
{
	static const char *const halves[] = { "uid_map", "gid_map" };
	int fd = own_tmpfs();

	for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
		scoped_fd int userns = -1;
		struct err e = ERR_INIT;
		int ready[2];
		pid_t pid;
		char c;

		REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
		pid = sys_clone(CLONE_NEWUSER);
		if (pid == 0) {
			(void)close(ready[1]);
			(void)!read(ready[0], &c, 1);
			_exit(0);
		}
		(void)close(ready[0]);
		write_file(pid, halves[i], "0 100000 10");
		REQUIRE(userns_open_pid(pid, &userns, &e) == 0);
		refuse(fd, userns, EINVAL, &e);
		CHECK_HAS(e.why, i ? "no user id is mapped" : "no group id is mapped");
		(void)close(ready[1]);
		(void)waitpid(pid, NULL, 0);
	}
}

TEST(mount_probe_tells_a_mount_that_is_attached)
{
	const char *text = "+100000";
	scoped_idmap struct idmap m = { 0 };
	struct err e = ERR_INIT;
	int fd = own_tmpfs();

	REQUIRE(idmap_parse(&text, 1, NULL, &m, &e) == 0);
	CHECK(clone_set_map(fd, fd, "source", &m, &e) == -EINVAL);
	CHECK_HAS(e.why, "attached already");
}

TEST(mount_probe_tells_a_map_that_is_there)
{
	scoped_fd int tree = -1;
	struct err e = ERR_INIT;
	int fd = own_tmpfs(), mapped;

	REQUIRE(clone_plain(fd, "source", false, &tree, &e) == 0 &&
		mount_attr_set(tree, &mount_flags_private, userns_of("+100000", &e)) == 0);
	REQUIRE(sys_move_mount(tree, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH) == 0);
	mapped = open("/mnt", O_PATH | O_CLOEXEC);
	refuse(mapped, userns_of("+200000", &e), EPERM, &e);
	CHECK_HAS(e.why, "ID-mapped already");
}

TEST(mount_probe_tells_a_writer)
{
	scoped_fd int tree = -1, writer = -1;
	struct err e = ERR_INIT;
	int fd = own_tmpfs(), r;

	REQUIRE(clone_plain(fd, "source", false, &tree, &e) == 0);
	writer = openat(tree, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(writer >= 0);
	r = mount_attr_set(tree, &mount_flags_private, userns_of("+100000", &e));
	CHECK(r == -EBUSY);
	(void)err_set(&e, -r, "source", "cannot set the ID mapping");
	probe_idmap(fd, userns_of("+100000", &e), &mount_flags_private, &e);
	CHECK_HAS(e.why, "open for writing");
}

/*
 * In a user namespace with a tmpfs of its own: what that namespace, and one that is a stranger to
 * it, are told as.
 */
static void inside(int stranger)
{
	struct err e = ERR_INIT;
	int fd, own;

	if (sys_mount("none", "/mnt", "tmpfs", 0, NULL) < 0)
		test_fail(__FILE__, __LINE__, "no tmpfs: %s", strerrordesc_np(errno));
	fd = open("/mnt", O_PATH | O_CLOEXEC);
	own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	refuse(fd, own, EINVAL, &e);
	CHECK_HAS(e.why, "that mounted the filesystem");
	e = ERR_INIT;
	refuse(fd, stranger, EPERM, &e);
	CHECK_HAS(e.why, "over the user namespace that carries the map");
}

TEST(mount_probe_tells_namespaces_that_are_not_the_callers)
{
	struct err e = ERR_INIT;
	int fd = own_tmpfs(), stranger = userns_of("+100000", &e), made[2], mapped[2];
	pid_t pid;
	char c;

	(void)close(fd);
	REQUIRE(pipe2(made, O_CLOEXEC) == 0 && pipe2(mapped, O_CLOEXEC) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		/* The parent maps us from outside. */
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || write(made[1], "x", 1) != 1 ||
			read(mapped[0], &c, 1) != 1)
			_exit(1);
		inside(stranger);
		test_stop();
	}
	REQUIRE(read(made[0], &c, 1) == 1);
	write_file(pid, "uid_map", "0 0 1");
	write_file(pid, "gid_map", "0 0 1");
	REQUIRE(write(mapped[1], "x", 1) == 1);
	{
		int status = -1;

		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}
