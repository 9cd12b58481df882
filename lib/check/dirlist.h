/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_DIRLIST_H
#define CHECK_DIRLIST_H

#include <stddef.h>
#include <stdint.h>

/* The names in a directory, one at a time. buf is the caller's and serves one scan at a time. */
enum { SCAN_BUFFER = 65536 };

struct scan {
	int fd;    /* open for reading; stays the caller's */
	char *buf; /* SCAN_BUFFER bytes, aligned as malloc() does */
	size_t len, at;
};

/* 1 and a name that is neither "." nor ".." (valid until the next call), 0 at the end, -errno. */
int scan_next(struct scan *s, const char **ret);

/* All of them, sorted as strcmp() does. Zero-initialise; free with names_done(). */
struct names {
	char *bytes;
	size_t bytes_len, bytes_cap;
	uint32_t *at; /* where each starts in bytes */
	size_t len, cap;
};

/* Replaces what was there. Returns 0 or -errno (-EFBIG: 4 GiB of names). */
int names_read(struct names *n, int fd, char *buf);
const char *names_get(const struct names *n, size_t i);

/* Give memory back that only a huge directory needed. */
void names_trim(struct names *n);
void names_done(struct names *n);

#endif
