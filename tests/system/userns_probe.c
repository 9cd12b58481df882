/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe [-n] [-p PID] [-s ID] [-h HANDLE]... [-f PATH]...: attempts of root of a container against
 * its host. Prints each attempt that succeeds, and exits with their number (at most 100). Success
 * does no harm, so root of the host can run it to show that the attempts are real. "probe -l
 * PID..." only inspects processes.
 *
 *   -n         repeat it in a descendant user and mount namespace, with the flags of mounts changed
 *              and with the mounts detached
 *   -p PID     inspect this process instead of process 1
 *   -s ID      a SysV shared memory segment of the host that every process may attach
 *   -h HANDLE  a file of the host, as "probe -H PATH" prints it
 *   -f PATH    a path of the host that must not exist here
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int breaches;

static void breach(const char *what, const char *on)
{
	printf("%s %s\n", what, on);
	breaches++;
}

/* --- files of the kernel --- */

/*
 * Files of the namespaces that userns-run creates, or (net) can create: root of the namespace may
 * write to them.
 */
static bool is_namespaced(const char *path)
{
	static const char *const own[] = {
		"/proc/sys/net/",
		"/proc/sys/user/",
		"/proc/sys/fs/mqueue/",
		"/proc/sys/kernel/msg",
		"/proc/sys/kernel/sem",
		"/proc/sys/kernel/shm",
		"/proc/sys/kernel/auto_msgmni",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/domainname",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/kernel/pid_max",
		"/proc/sys/vm/memfd_noexec",
		"/proc/sys/fs/binfmt_misc/",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strncmp(path, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

enum { ENOUGH = 3 };
static int found; /* in this part of the tree; where there are more, nothing holds there */

static int try_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode) || is_namespaced(path))
		return 0;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return 0;
	breach("writable:", path);
	(void)close(fd);
	return ++found == ENOUGH;
}

static void kernel_files(void)
{
	static const char *const roots[] = { "/proc/sys", "/sys/kernel", "/sys/fs", "/sys/module",
		"/sys/power", "/sys/firmware", "/sys/bus", "/sys/class", "/sys/devices/system" };
	static const char *const to_write[] = { "/proc/sysrq-trigger",
		"/proc/irq/default_smp_affinity", "/proc/mtrr", "/proc/1/oom_score_adj",
		"/proc/1/uid_map", "/proc/1/clear_refs" };
	static const char *const to_read[] = { "/proc/kmsg", "/proc/kpageflags",
		"/proc/vmallocinfo", "/sys/kernel/debug/tracing", "/sys/kernel/security/lsm" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++, found = 0)
		(void)nftw(roots[i], try_file, 40, FTW_PHYS);
	for (size_t i = 0; i < sizeof(to_write) / sizeof(*to_write); i++)
		if (open(to_write[i], O_WRONLY | O_NONBLOCK) >= 0)
			breach("writable:", to_write[i]);
	for (size_t i = 0; i < sizeof(to_read) / sizeof(*to_read); i++)
		if (open(to_read[i], O_RDONLY | O_NONBLOCK) >= 0)
			breach("readable:", to_read[i]);
}

/* --- processes --- */

static void look_into(pid_t pid)
{
	static const char *const links[] = { "root", "cwd", "exe", "fd/0", "fd/3", "ns/mnt" };
	static const char *const files[] = { "mem", "environ", "maps", "auxv" };
	char path[64], byte, on[16];
	struct iovec here = { &byte, 1 }, there = { (void *)(uintptr_t)0x400000, 1 };
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	(void)snprintf(on, sizeof(on), "process %d", pid);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
		if (open(path, O_PATH) >= 0 || readlink(path, &byte, 1) >= 0)
			breach("a way in:", path);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		if (open(path, O_RDONLY) >= 0)
			breach("readable:", path);
	}
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT)
		breach("process_vm_readv", on);
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
		breach("ptrace", on);
	for (int n = 0, got = 0; fd >= 0 && n < 32; n++) {
		got += syscall(SYS_pidfd_getfd, fd, n, 0) >= 0 || errno == EBADF;
		if (got == 1)
			breach("pidfd_getfd", on);
	}
	if (fd >= 0 && setns(fd, CLONE_NEWNS) == 0)
		breach("setns", on);
}

/* --- calls --- */

static long run_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void refused_bpf(void)
{
	struct bpf_insn end[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insn_cnt = 2,
		.insns = (uintptr_t)end,
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr next = { .start_id = 0 };

	if (run_bpf(BPF_PROG_LOAD, &load) >= 0 || errno != EPERM)
		breach("bpf:", "a program in the kernel");
	if (run_bpf(BPF_PROG_GET_NEXT_ID, &next) == 0 || errno != EPERM)
		breach("bpf:", "programs of others");
}

/* The kernel refuses each before it reads the arguments, which are not valid. */
static void refused_calls(void)
{
	struct perf_event_attr perf = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(perf), .config = PERF_COUNT_SW_CPU_CLOCK
	};
	struct sched_param fifo = { .sched_priority = 1 };
	struct rlimit limit;

	if (syscall(SYS_init_module, NULL, 0, "") == 0 || (errno != EPERM && errno != ENOSYS))
		breach("call:", "init_module");
	if (syscall(SYS_kexec_load, 0, 0, NULL, ~0UL) == 0 || (errno != EPERM && errno != ENOSYS))
		breach("call:", "kexec_load");
	if (syscall(SYS_acct, NULL) == 0 || (errno != EPERM && errno != ENOSYS))
		breach("call:", "acct");
	if (syscall(SYS_swapon, "", 0) == 0 || (errno != EPERM && errno != ENOSYS))
		breach("call:", "swapon");
	if (syscall(SYS_perf_event_open, &perf, -1, 0, -1, 0) >= 0 ||
		(errno != EACCES && errno != EPERM))
		breach("call:", "perf_event_open of a processor");
	if (fanotify_init(FAN_CLASS_CONTENT, O_RDONLY) >= 0 || errno != EPERM)
		breach("call:", "fanotify_init");
	if (sched_setscheduler(0, SCHED_FIFO, &fifo) == 0)
		breach("call:", "sched_setscheduler");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && ++limit.rlim_max &&
		setrlimit(RLIMIT_NOFILE, &limit) == 0)
		breach("call:", "setrlimit");
#if defined(__x86_64__)
	if (iopl(3) == 0)
		breach("call:", "iopl");
	if (ioperm(0x80, 1, 1) == 0)
		breach("call:", "ioperm");
#endif
	refused_bpf();
}

/* --- filesystems --- */

static void refused_mounts(void)
{
	static const struct {
		const char *type, *options;
	} kernels[] = {
		{ "devtmpfs", NULL },
		{ "debugfs", NULL },
		{ "tracefs", NULL },
		{ "securityfs", NULL },
		{ "pstore", NULL },
		{ "cgroup", "none,name=probe" },
		{ "cgroup", "memory" },
		{ "cgroup", "rdma" },
		{ "ext4", NULL },
		{ "squashfs", NULL },
	};
	static const struct {
		const char *name;
		mode_t type;
		unsigned major, minor;
	} nodes[] = {
		{ "mem", S_IFCHR, 1, 1 },
		{ "kmsg", S_IFCHR, 1, 11 },
		{ "loop", S_IFBLK, 7, 0 },
		{ "disk", S_IFBLK, 8, 0 },
		{ "console", S_IFCHR, 5, 1 },
	};

	(void)mkdir("/tmp/place", 0755); /* it may exist */
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
		if (mount("/dev/loop0", "/tmp/place", kernels[i].type, MS_RDONLY,
			    kernels[i].options) == 0) {
			breach("mounted:", kernels[i].type);
			(void)umount2("/tmp/place", MNT_DETACH);
		}
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		if (mknod("/tmp/node", nodes[i].type | 0600,
			    makedev(nodes[i].major, nodes[i].minor)) == 0) {
			breach("made:", nodes[i].name);
			(void)unlink("/tmp/node");
		}
	}
	(void)rmdir("/tmp/place");
}

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static int print_handle(const char *path)
{
	struct handle h = { .head.handle_bytes = MAX_HANDLE_SZ };
	int id;

	if (name_to_handle_at(AT_FDCWD, path, &h.head, &id, 0) < 0)
		return 1;
	printf("%d:", h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		printf("%02x", h.head.f_handle[i]);
	printf("\n");
	return 0;
}

static void open_handle(const char *text)
{
	struct handle h = { .head.handle_bytes = 0 };
	char *hex;
	int mounts[] = { open("/", O_RDONLY | O_DIRECTORY), open(".", O_RDONLY | O_DIRECTORY) };

	h.head.handle_type = (int)strtol(text, &hex, 10);
	for (hex++; hex[0] && hex[1]; hex += 2) {
		char two[3] = { hex[0], hex[1], '\0' };

		h.head.f_handle[h.head.handle_bytes++] = (unsigned char)strtoul(two, NULL, 16);
	}
	for (size_t i = 0; i < 2; i++)
		if (open_by_handle_at(mounts[i], &h.head, O_PATH) >= 0 ||
			open_by_handle_at(mounts[i], &h.head, O_RDONLY) >= 0)
			breach("open_by_handle_at", text);
}

/* --- all of it --- */

static void attempt(int argc, char **argv)
{
	pid_t looked_into = 1;
	char above[4096];

	kernel_files();
	refused_calls();
	refused_mounts();
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "-p") == 0)
			looked_into = atoi(argv[i + 1]);
		if (strcmp(argv[i], "-s") == 0 &&
			shmat(atoi(argv[i + 1]), NULL, SHM_RDONLY) != (void *)-1)
			breach("SysV memory of the host's:", argv[i + 1]);
		if (strcmp(argv[i], "-h") == 0)
			open_handle(argv[i + 1]);
		(void)snprintf(above, sizeof(above), "/..%s",
			argv[i + 1]); /* through what is mounted on the root */
		if (strcmp(argv[i], "-f") == 0 &&
			(access(argv[i + 1], F_OK) == 0 || access(above, F_OK) == 0))
			breach("a file of the host's:", argv[i + 1]);
	}
	look_into(looked_into);
}

static const char *const places[] = { "/sys/fs/cgroup", "/sys", "/dev/pts", "/dev/mqueue",
	"/dev/shm", "/dev", "/run", "/tmp", "/" };

static void loosen(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		(void)mount(NULL, places[i], NULL, MS_REMOUNT | MS_BIND, NULL);
}

/* Look below the mounts, and mount new filesystems in their place. */
static void uncover(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		(void)umount2(places[i], MNT_DETACH);
	(void)umount2("/proc", MNT_DETACH);
	(void)mkdir("/proc", 0755);
	(void)mkdir("/sys", 0755);
	(void)mkdir("/tmp", 01777);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sysfs", "/sys", "sysfs", 0, NULL);
	(void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	(void)mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

static void below(int argc, char **argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(0);
		attempt(argc, argv);
		(void)fflush(stdout);
		_exit(breaches > 100 ? 100 : breaches);
	}
	if (waitpid(pid, &status, 0) == pid)
		breaches += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

int main(int argc, char **argv)
{
	bool nested = argc > 1 && strcmp(argv[1], "-n") == 0;

	if (argc == 3 && strcmp(argv[1], "-H") == 0)
		return print_handle(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-l") == 0) {
		for (int i = 2; i < argc; i++)
			look_into(atoi(argv[i]));
		return breaches > 100 ? 100 : breaches;
	}
	attempt(argc, argv);
	if (nested) {
		below(argc, argv);
		loosen();
		attempt(argc, argv);
		uncover();
		attempt(argc, argv);
	}
	return breaches > 100 ? 100 : breaches;
}
