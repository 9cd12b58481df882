/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For LD_PRELOAD: code inside the program that wants to chown. When the program opens or writes
 * something, every way to chown is tried, and what came of it is written to the file $CHOWN_REPORT,
 * once for each of the functions below. What the program opens to look at its own file, before any
 * work, does not count.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "chown_calls.h"

static void report(const char *when, int *done)
{
	const char *path = getenv("CHOWN_REPORT");
	struct chown_result results[CHOWN_CALLS_MAX];
	size_t n;
	char line[128];
	int fd;

	if (!path || __atomic_exchange_n(done, 1, __ATOMIC_RELAXED))
		return;
	n = chown_calls(results);
	fd = (int)syscall(
		SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	for (size_t i = 0; fd >= 0 && i < n; i++) {
		int len = snprintf(
			line, sizeof(line), "%s %d %s\n", when, results[i].num, results[i].name);

		(void)!syscall(SYS_write, fd, line, (size_t)len);
	}
	if (fd >= 0)
		(void)syscall(SYS_close, fd);
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(ap, unsigned) : 0;
}

#define OPENAT(name) \
	int name(int dirfd, const char *path, int flags, ...) \
	{ \
		static int done; \
		va_list ap; \
		mode_t mode; \
		va_start(ap, flags); \
		mode = mode_of(flags, ap); \
		va_end(ap); \
		report(#name, &done); \
		return (int)syscall(SYS_openat, dirfd, path, flags, mode); \
	}

#define OPEN(name) \
	int name(const char *path, int flags, ...) \
	{ \
		static int done; \
		va_list ap; \
		mode_t mode; \
		va_start(ap, flags); \
		mode = mode_of(flags, ap); \
		va_end(ap); \
		if (strcmp(path, "/proc/self/exe") != 0) \
			report(#name, &done); \
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *p, size_t n)
{
	static int done;

	report("write", &done);
	return syscall(SYS_write, fd, p, n);
}

int symlinkat(const char *target, int dirfd, const char *path)
{
	static int done;

	report("symlinkat", &done);
	return (int)syscall(SYS_symlinkat, target, dirfd, path);
}
