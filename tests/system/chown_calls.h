/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_CHOWN_CALLS_H
#define TESTS_CHOWN_CALLS_H

/*
 * Every way to chown: through libc, by number, and through the other ABIs that an x86-64 kernel
 * offers.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHOWN_CALLS_MAX = 32 };

struct chown_result {
	const char *name;
	int num; /* 0: it worked */
};

#ifdef __x86_64__
/* The i386 ABI. Its pointers have 32 bits. */
static long chown_int80(long nr, long a, long b, long c, long d, long e)
{
	long r;

	__asm__ volatile("int $0x80"
		: "=a"(r)
		: "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		: "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* A kernel without that ABI ends the process with SIGSEGV. */
static bool has_int80(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(chown_int80(20, 0, 0, 0, 0, 0) > 0 ? 0 : 1); /* getpid */
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static size_t chown_other_abis(struct chown_result *ret, int dir)
{
	static const struct {
		const char *name;
		int nr;
		char by;
	} i386[] = {
		{ "i386 lchown16", 16, 'p' },
		{ "i386 fchown16", 95, 'f' },
		{ "i386 chown16", 182, 'p' },
		{ "i386 lchown32", 198, 'p' },
		{ "i386 fchown32", 207, 'f' },
		{ "i386 chown32", 212, 'p' },
		{ "i386 fchownat", 298, 'a' },
	};
	static const struct {
		const char *name;
		int nr;
		char by;
	} x32[] = {
		{ "x32 chown", 92, 'p' },
		{ "x32 fchown", 93, 'f' },
		{ "x32 lchown", 94, 'p' },
		{ "x32 fchownat", 260, 'a' },
	};
	char *path = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	size_t n = 0;

	if (path == MAP_FAILED)
		return 0;
	memcpy(path, ".", 2);
	for (size_t i = 0; has_int80() && i < sizeof(i386) / sizeof(*i386); i++) {
		long r, p = (long)path;

		if (i386[i].by == 'a')
			r = chown_int80(i386[i].nr, dir, p, -1, -1, 0);
		else
			r = chown_int80(i386[i].nr, i386[i].by == 'f' ? dir : p, -1, -1, 0, 0);
		ret[n++] = (struct chown_result){ i386[i].name, (int)-r };
	}
	for (size_t i = 0; i < sizeof(x32) / sizeof(*x32); i++) {
		long r;

		if (x32[i].by == 'a')
			r = syscall(0x40000000 | x32[i].nr, dir, path, -1, -1, 0);
		else if (x32[i].by == 'f')
			r = syscall(0x40000000 | x32[i].nr, dir, -1, -1);
		else
			r = syscall(0x40000000 | x32[i].nr, path, -1, -1);
		ret[n++] = (struct chown_result){ x32[i].name, r < 0 ? errno : 0 };
	}
	(void)munmap(path, 4096);
	return n;
}
#else
static size_t chown_other_abis(struct chown_result *ret, int dir)
{
	(void)ret;
	(void)dir;
	return 0;
}
#endif

/*
 * Try them all on "." (owner and group -1: nothing changes, but the call is made). Returns how
 * many.
 */
static size_t chown_calls(struct chown_result ret[CHOWN_CALLS_MAX])
{
	int dir = (int)syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	uid_t u = (uid_t)-1;
	gid_t g = (gid_t)-1;
	size_t n = 0;

#define TRY(what, call) (ret[n++] = (struct chown_result){ what, (call) < 0 ? errno : 0 })
	TRY("chown", chown(".", u, g));
	TRY("lchown", lchown(".", u, g));
	TRY("fchown", fchown(dir, u, g));
	TRY("fchownat", fchownat(dir, ".", u, g, AT_SYMLINK_NOFOLLOW));
	TRY("fchownat of a descriptor", fchownat(dir, "", u, g, AT_EMPTY_PATH));
#ifdef SYS_chown
	TRY("SYS_chown", syscall(SYS_chown, ".", u, g));
	TRY("SYS_lchown", syscall(SYS_lchown, ".", u, g));
#endif
	TRY("SYS_fchown", syscall(SYS_fchown, dir, u, g));
	TRY("SYS_fchownat", syscall(SYS_fchownat, dir, ".", u, g, 0));
#undef TRY
	n += chown_other_abis(ret + n, dir);
	(void)syscall(SYS_close, dir);
	return n;
}

#endif
