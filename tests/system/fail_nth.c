/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded: the FAIL_NTH-th call of a kind fails with the number FAIL_ERRNO, and the file
 * FAIL_MARK says that it was reached. FAIL_CALL: "syscall:NR" (what glibc has no wrapper for),
 * "ioctl:REQUEST", "write:NAME" (to a file of that name), or "clone:" (by glibc's function, for a
 * child with a stack of its own). For what strace cannot tell apart, or is too old to know.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(const char *kind, const char *what)
{
	const char *call = getenv("FAIL_CALL"), *nth = getenv("FAIL_NTH"),
		   *mark = getenv("FAIL_MARK");
	static int count;
	size_t n = strlen(kind);
	int fd;

	if (!call || !nth || strncmp(call, kind, n) || call[n] != ':' || strcmp(call + n + 1, what))
		return 0;
	if (__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) != atoi(nth))
		return 0;
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	errno = atoi(getenv("FAIL_ERRNO"));
	return 1;
}

long syscall(long nr, ...)
{
	static long (*real)(long, ...);
	char what[32];
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	snprintf(what, sizeof(what), "%ld", nr);
	if (fails("syscall", what))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	static int (*real)(int (*)(void *), void *, int, void *, ...);

	if (fails("clone", ""))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clone");
	return real(fn, stack, flags, arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	char what[32];
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	snprintf(what, sizeof(what), "0x%lx", request);
	if (fails("ioctl", what))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}

ssize_t write(int fd, const void *p, size_t size)
{
	static ssize_t (*real)(int, const void *, size_t);
	char path[64], name[4096];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n > 0) {
		name[n] = 0;
		slash = strrchr(name, '/');
		if (fails("write", slash ? slash + 1 : name))
			return -1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	return real(fd, p, size);
}
