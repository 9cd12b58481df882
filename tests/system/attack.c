/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attack WHAT [ARGUMENT...]: what a hostile program in the namespace would try against the broker. Exits with 0
 * when every attempt failed as it should, else says which did not and exits with 1.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int make_null(const char *path)
{
	return mknod(path, S_IFCHR | 0666, makedev(1, 3));
}

/* Links of /proc to what a process has open lead past the broker's own view of the namespace. */
static int links(char **argv)
{
	static const char *const roads[] = {
		"/proc/self/root/tmp/n", "/proc/1/root/tmp/n", "/proc/self/cwd/n", "/proc/thread-self/root/tmp/n", "/proc/self/fd/9/n", "/proc/1/cwd/n",
	};

	(void)argv;
	if (dup2(open("/tmp", O_RDONLY | O_DIRECTORY), 9) < 0)
		return failed("open");
	for (size_t i = 0; i < sizeof(roads) / sizeof(*roads); i++)
		if (make_null(roads[i]) == 0 || (errno != ELOOP && errno != ENOENT && errno != EACCES))
			return failed(roads[i]);
	return 0;
}

/* A directory that is not below the root any more: ".." must not lead on from there. */
static int dotdot(char **argv)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)argv;
	if (fd < 0 || mkdir("/tmp/jail", 0755) < 0 || chroot("/tmp/jail") < 0 || chdir("/") < 0)
		return failed("chroot");
	if (make_null("../../../../n") < 0)
		return failed("../n"); /* stays in the jail, as for the kernel */
	if (access("/n", F_OK) < 0)
		return failed("/n");
	/* What the program holds open it may use, as for the kernel; that is outside of its chroot, and inside of the namespace's root. */
	if (mknodat(fd, "../../../tmp/held", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return failed("held");
	return faccessat(fd, "tmp/held", F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? failed("tmp/held") : 0;
}

static char text[64];

static void *alternate(void *both)
{
	const char *const *words = both;

	for (;;) {
		strcpy(text, words[0]);
		strcpy(text, words[1]);
	}
	return NULL;
}

/* The source of a mount changes between the one that is allowed and another, of the same length. */
static int swap_source(char **argv)
{
	const char *words[] = { argv[0], argv[1] };
	int done = 0;
	pthread_t t;

	if (mkdir("/tmp/m", 0755) < 0 || pthread_create(&t, NULL, alternate, words))
		return failed("start");
	for (int i = 0; i < 60; i++) {
		if (mount(text, "/tmp/m", "ext4", 0, NULL) < 0)
			continue;
		done++;
		if (access("/tmp/m/forbidden", F_OK) == 0)
			return failed("the forbidden one is mounted");
		if (access("/tmp/m/allowed", F_OK) < 0 || umount2("/tmp/m", MNT_DETACH) < 0)
			return failed("the allowed one");
	}
	return done ? 0 : failed("nothing was mounted at all");
}

static void *alternate_link(void *both)
{
	const char *const *words = both;

	for (;;) {
		for (int i = 0; i < 2; i++) {
			(void)unlink("/tmp/new");
			if (symlink(words[i], "/tmp/new") == 0)
				(void)rename("/tmp/new", "/tmp/way");
		}
	}
	return NULL;
}

/* argv[0]: a directory where the namespace's root may not create. */
static int swap_link(char **argv)
{
	const char *words[] = { "/tmp/mine", argv[0] };
	char there[256];
	pthread_t t;

	(void)snprintf(there, sizeof(there), "%s/x", argv[0]);
	if (mkdir("/tmp/mine", 0755) < 0 || pthread_create(&t, NULL, alternate_link, words))
		return failed("start");
	for (int i = 0; i < 1500; i++) {
		(void)make_null("/tmp/way/x");
		(void)unlink("/tmp/mine/x");
		if (access(there, F_OK) == 0)
			return failed(there);
	}
	return 0;
}

/* Callers by the dozen, dying in the middle. */
static int flood(char **argv)
{
	struct timeval start, now;

	(void)argv;
	(void)gettimeofday(&start, NULL);
	do {
		pid_t pids[8];

		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (pids[i] == 0)
				for (;;) {
					char name[64];

					(void)snprintf(name, sizeof(name), "/tmp/f%d", getpid());
					(void)make_null(name);
					(void)unlink(name);
					(void)mknod(name, S_IFBLK | 0666, makedev(8, 0));
				}
		}
		(void)usleep(20 * 1000);
		for (int i = 0; i < 8; i++)
			(void)kill(pids[i], SIGKILL);
		while (wait(NULL) > 0)
			;
		(void)gettimeofday(&now, NULL);
	} while (now.tv_sec - start.tv_sec < 3);
	return make_null("/tmp/after") < 0 ? failed("afterwards") : 0;
}

/* The broker's processes are out of sight and out of reach. */
static int others(char **argv)
{
	(void)argv;
	if (kill(-1, 0) == 0 && getpid() != 1 && getppid() != 1)
		return failed("somebody else is here");
	for (pid_t pid = 3; pid < 4000; pid++)
		if (pid != getpid() && kill(pid, 0) == 0 && pid != getppid())
			return failed("a process that is not ours");
	return 0;
}

/* A filter of one's own that takes over the notifications, or answers before the broker's. */
static int filter(char **argv)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { 1, code };

	(void)argv;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog) >= 0 || errno != EBUSY)
		return failed("a second listener");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return failed("a filter that allows all");
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)) == 0 || errno != EPERM ? failed("mknod") : 0;
}

/* A node of a device that is allowed cannot become another one. */
static int reuse(char **argv)
{
	(void)argv;
	if (make_null("/tmp/n") < 0)
		return failed("mknod");
	if (make_null("/tmp/n") == 0 || errno != EEXIST)
		return failed("twice");
	if (syscall(SYS_mknod, "/tmp/high", S_IFCHR | 0666, 0xffffffff00000801UL) == 0 || errno != EPERM)
		return failed("a device number of 64 bits");
	if (syscall(SYS_mknod, "/tmp/type", 0xffff0000UL | S_IFBLK | 0666, 0x103UL) == 0 || errno != EPERM)
		return failed("a mode of 32 bits");
	return 0;
}

/* A user with nothing but CAP_MKNOD. */
static bool become_weak(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1U << CAP_MKNOD, .permitted = 1U << CAP_MKNOD } };

	return prctl(PR_SET_KEEPCAPS, 1) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0 &&
	       syscall(SYS_capset, &head, caps) == 0;
}

/* Whether a process is there that /proc hides from the caller. */
static int hidden(char **argv)
{
	struct stat st;

	(void)argv;
	if (mkdir("/tmp/proc", 0755) < 0 || mkdir("/tmp/mine", 0777) < 0 || chmod("/tmp/mine", 0777) < 0 ||
	    mount("proc", "/tmp/proc", "proc", 0, "hidepid=2") < 0)
		return failed("start");
	(void)stat("/tmp/proc/1/fd", &st); /* so that the kernel has it at hand */
	if (!become_weak())
		return failed("capset");
	if (make_null("/tmp/proc/sys/../../mine/a") < 0)
		return failed("a way that is open");
	if (make_null("/tmp/proc/1/../../mine/b") == 0 || errno != ENOENT)
		return failed("a process that is hidden");
	return 0;
}

/* A user's own call. */
static _Noreturn void weak(void)
{
	if (chdir("/tmp/weak") == 0 && become_weak())
		(void)mknod("stolen", S_IFCHR | 0666, makedev(1, 3));
	_exit(0);
}

/*
 * A caller that dies while the broker, which somebody slows down, has only its number; then every number there is belongs to root
 * of the namespace, in a directory where the caller may not create.
 */
static int numbers(char **argv)
{
	static pid_t all[1000];
	int n = 0;

	(void)argv;
	if (mkdir("/tmp/strong", 0755) < 0 || mkdir("/tmp/weak", 0777) < 0 || chmod("/tmp/weak", 0777) < 0 || chdir("/tmp/strong") < 0)
		return failed("directories");
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();

		if (pid == 0)
			weak();
		(void)usleep(50 * 1000);
		if (kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid)
			return failed("a caller that is to die");
		for (n = 0; n < 1000 && (all[n] = fork()) >= 0; n++)
			if (all[n] == 0)
				for (;;)
					(void)pause();
		(void)usleep(1000 * 1000);
		for (int i = 0; i < n; i++)
			(void)kill(all[i], SIGKILL);
		while (wait(NULL) > 0)
			;
		if (n == 1000 || n == 0)
			return failed("numbers do not run out");
		if (access("stolen", F_OK) == 0 || access("../weak/stolen", F_OK) == 0)
			return failed("a node for somebody else");
	}
	return make_null("/tmp/after") < 0 ? failed("afterwards") : 0;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*run)(char **argv); } all[] = {
		{ "links", links }, { "dotdot", dotdot }, { "swap-source", swap_source }, { "swap-link", swap_link }, { "flood", flood },
		{ "others", others }, { "filter", filter }, { "reuse", reuse }, { "numbers", numbers }, { "hidden", hidden },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(argv[1], all[i].name) == 0)
			return all[i].run(argv + 2);
	printf("no such attack\n");
	return 2;
}
