/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * views SOURCE DIR FIRST_UID FIRST_ID N: mount SOURCE for N users at DIR/UID, in a loop that makes
 * the calls of mount-idmapped -a and nothing else: a user namespace for the map of each user (0 is
 * the user, and 65,536 ids from FIRST_ID on follow), a clone of the mount, its map and flags, a
 * directory of the user's, and its place.
 *
 * views unshare N: make N mount namespaces, one after the other, and print what one takes.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RANGE = 65536 };

static unsigned number(const char *word)
{
	return (unsigned)strtoul(word, NULL, 10);
}

static int wait_for_signal(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static int new_userns(unsigned uid, unsigned first)
{
	static _Alignas(16) char stack[16384];
	pid_t pid = clone(
		wait_for_signal, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | SIGCHLD, NULL);
	char text[128];
	int fd;

	if (pid < 0)
		err(1, "clone");
	snprintf(text, sizeof(text), "0 %u 1\n1 %u %d\n", uid, first, RANGE);
	write_map(pid, "uid_map", text);
	write_map(pid, "gid_map", text);
	snprintf(text, sizeof(text), "/proc/%d/ns/user", (int)pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

static void mount_view(const char *source, const char *target, unsigned uid, unsigned first)
{
	int userns = new_userns(uid, first);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY |
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = (unsigned)userns };
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		err(1, "%s", source);
	setfsgid(uid);
	setfsuid(uid);
	if (mkdir(target, 0700) < 0)
		err(1, "%s", target);
	setfsuid(0);
	setfsgid(0);
	if (syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		err(1, "%s", target);
	close(fd);
	close(userns);
}

static double milliseconds(const struct timeval *a, const struct timeval *b)
{
	return (double)(b->tv_sec - a->tv_sec) * 1e3 + (double)(b->tv_usec - a->tv_usec) / 1e3;
}

static void time_unshare(unsigned n)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (unsigned i = 0; i < n; i++)
		if (unshare(CLONE_NEWNS) < 0)
			err(1, "unshare");
	getrusage(RUSAGE_SELF, &after);
	printf("%.2f\n",
		(milliseconds(&before.ru_utime, &after.ru_utime) +
			milliseconds(&before.ru_stime, &after.ru_stime)) /
			n);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "unshare")) {
		time_unshare(number(argv[2]));
		return 0;
	}
	if (argc != 6)
		return 2;
	/* Directories are made with the ids of users, and the capabilities of root. */
	if (prctl(PR_SET_SECUREBITS, (unsigned long)SECBIT_NO_SETUID_FIXUP) < 0)
		err(1, "prctl");
	for (unsigned i = 0; i < number(argv[5]); i++) {
		unsigned uid = number(argv[3]) + i;
		char target[4096];

		snprintf(target, sizeof(target), "%s/%u", argv[2], uid);
		mount_view(argv[1], target, uid, number(argv[4]) + i * RANGE);
	}
	return 0;
}
