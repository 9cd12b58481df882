/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Variables marked scoped_x free what they hold when they go out of scope, and keep errno.
 * Initialise them as empty (-1, NULL), and hand over the value with TAKE_FD or TAKE_PTR at the end.
 */
static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* no data is lost: writers use fd_finish() */
	errno = saved;
}

static inline void cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void cleanup_file(FILE **f)
{
	int saved = errno;

	if (*f)
		(void)fclose(*f); /* only for files that are read */
	errno = saved;
}

#define scoped_fd __attribute__((cleanup(cleanup_fd)))
#define scoped_free __attribute__((cleanup(cleanup_free)))
#define scoped_file __attribute__((cleanup(cleanup_file)))

/* Return the value of the variable, and leave it empty. */
#define TAKE_FD(fd) \
	({ \
		int take_ = (fd); \
		(fd) = -1; \
		take_; \
	})
#define TAKE_PTR(p) \
	({ \
		__typeof__(p) take_ = (p); \
		(p) = NULL; \
		take_; \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * For prototypes: the compiler warns if the result is not used, unless it is cast to void. gcc
 * accepts that cast for nodiscard alone; clang 14, and cppcheck 2.17 in C11, know the attribute
 * only by its other name.
 */
#if defined(__clang__) || defined(__cppcheck__)
#define MUST_CHECK __attribute__((warn_unused_result))
#else
#define MUST_CHECK [[nodiscard]]
#endif

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#endif
