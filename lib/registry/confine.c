/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* confine: give up all privileges. */

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <seccomp.h>

#include "../base/caps.h"
#include "../base/fd.h"

/*
 * Allowed whatever their arguments are. Names that an architecture lacks are skipped. dlopen(3) by
 * name services needs mmap and mprotect. sendto and connect reach local sockets, too: name services
 * are asked through them.
 */
static const char *const allowed[] = {
	/* files that are open, and looking at others */
	"read",
	"readv",
	"pread64",
	"write",
	"writev",
	"close",
	"fstat",
	"fstat64",
	"newfstatat",
	"fstatat64",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"lseek",
	"_llseek",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"getcwd",
	"dup",
	"fcntl",
	"fcntl64",
	/* sockets */
	"socket",
	"socketpair",
	"connect",
	"bind",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"shutdown",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"recvmmsg_time64",
	"send",
	"recv",
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"eventfd2",
	"pipe2",
	/* memory and threads */
	"mmap",
	"mmap2",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	"brk",
	"futex",
	"futex_time64",
	"set_robust_list",
	"rseq",
	"sched_yield",
	"sched_getaffinity",
	"gettid",
	"set_tid_address",
	"membarrier",
	"arch_prctl",
	"set_tls",
	"cacheflush",
	/* time, signals, and questions about the process */
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_getres_time64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"nanosleep",
	"gettimeofday",
	"time",
	"getrandom",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigreturn",
	"sigaltstack",
	"restart_syscall",
	"tgkill",
	"getpid",
	"getppid",
	"getuid",
	"getuid32",
	"geteuid",
	"geteuid32",
	"getgid",
	"getgid32",
	"getegid",
	"getegid32",
	"getresuid",
	"getresuid32",
	"getresgid",
	"getresgid32",
	"uname",
	"sysinfo",
	"getrlimit",
	"ugetrlimit",
	"getrusage",
	"exit",
	"exit_group",
};

#define FOR_WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

/* Calls that are allowed with some arguments: the masked argument must have this value. */
static const struct {
	const char *name;
	unsigned arg;
	scmp_datum_t mask, value;
} conditional[] = {
	{ "open", 1, FOR_WRITING, O_RDONLY }, { "openat", 2, FOR_WRITING, O_RDONLY },
#if defined(__s390x__)
	{ "clone", 1, CLONE_THREAD, CLONE_THREAD },
#else
	{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
#endif
	{ "ioctl", 1, UINT32_MAX, FIONREAD }, { "ioctl", 1, UINT32_MAX, FIONBIO },
	{ "prlimit64", 2, UINT64_MAX, 0 }, /* no new limit */
};

static int add_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++) {
		int nr = seccomp_syscall_resolve_name(allowed[i]);

		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(conditional); i++) {
		int nr = seccomp_syscall_resolve_name(conditional[i].name);
		const struct scmp_arg_cmp cmp = { .arg = conditional[i].arg,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = conditional[i].mask,
			.datum_b = conditional[i].value };

		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, 1, &cmp);
	}
	/* glibc then uses clone(2), whose flags a filter can see. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

static int filter_calls(struct err *e)
{
	/* An error and not the end: libraries try newer calls, and go on with older ones. */
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return err_nomem(e);
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 1);
	if (r == 0)
		r = add_rules(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0) {
		(void)err_set(
			e, -r, NULL, "cannot filter the system calls of the process that fetches");
		err_op(e, "guard");
	}
	return r < 0 ? r : 0;
}

/* Become a user that nothing else is. */
static int leave_root(void)
{
	/* systemd's UIDS-GIDS.md: no user gets an id from 2^31 on. */
	const uid_t ids[] = { 0xf0000000U | ((uid_t)getpid() & 0xffffffU), 65534 };

	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno; /* EPERM: a user namespace that must keep its groups */
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (setresgid(ids[i], ids[i], ids[i]) < 0 || setresuid(ids[i], ids[i], ids[i]) < 0)
			continue;
		return 0;
	}
	/* A user namespace with one id: it is that of an ordinary user. */
	return errno == EINVAL ? 0 : -errno;
}

static int drop(void)
{
	const struct rlimit none = { 0, 0 };
	int r = geteuid() == 0 ? leave_root() : 0;

	if (r < 0)
		return r;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* there are none */
	r = caps_set(&(struct caps){ 0 });
	if (r < 0)
		return r;
	/* A change of ids has taken it back (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int confine(const int *keep, size_t n, struct err *e)
{
	scoped_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r = null < 0 ? -errno : fd_let_go(keep, n, null);

	if (null > STDERR_FILENO)
		null = -1; /* it was closed with the others */
	if (r == 0)
		r = drop();
	if (r < 0)
		return err_set(
			e, -r, NULL, "cannot give up the privileges of the process that fetches");
	return filter_calls(e);
}
