/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * scoped_x variables free what they hold when they go out of scope, and keep errno. Start them as
 * nothing (-1, NULL); hand over with TAKE_FD / TAKE_PTR on the last line of the function.
 */
static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* nothing is lost: writers finish with fd_finish() */
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
		(void)fclose(*f); /* only ever used for reading */
	errno = saved;
}

#define scoped_fd __attribute__((cleanup(cleanup_fd)))
#define scoped_free __attribute__((cleanup(cleanup_free)))
#define scoped_file __attribute__((cleanup(cleanup_file)))

/* The value of the variable, which then holds nothing. */
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
 * Before a prototype: the compiler warns where the result is not used. A cast to void silences the
 * warning; gcc allows that for nodiscard only, and clang 14 knows only the other spelling.
 */
#ifdef __clang__
#define MUST_CHECK __attribute__((warn_unused_result))
#else
#define MUST_CHECK [[nodiscard]]
#endif

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#endif
