/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * oom: allocations that fail on demand. The linker's --wrap turns calls of malloc() into
 * __wrap_malloc().
 */

#include "oom.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 10000 };

static long countdown; /* the allocation that fails; 0: none does */
static bool fired;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *fmt, va_list ap);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	fired = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
	return fails() ? -1 : __real_vasprintf(ret, fmt, ap);
}

void oom_check(int (*scenario)(void))
{
	long run;
	int r;

	for (run = 1; run < RUNS_MAX; run++) {
		countdown = run;
		fired = false;
		r = scenario();
		countdown = 0;
		if (!fired) {
			CHECK_INT(r, 0);
			break;
		}
		if (r != -ENOMEM)
			test_fail(__FILE__, __LINE__, "allocation %ld failed, but the result is %d",
				run, r);
	}
	CHECK(run > 1 && run < RUNS_MAX); /* a scenario without allocations proves nothing */
}
