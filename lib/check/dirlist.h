/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_DIRLIST_H
#define CHECK_DIRLIST_H

#include <stddef.h>
#include <stdint.h>

/* The names in a directory, one at a time. buf is the caller's and serves one scan at a time. */
enum { DIRLIST_BUFFER = 65536 };

struct dirlist_reader {
	int fd;    /* open for reading; stays the caller's */
	char *buf; /* DIRLIST_BUFFER bytes, aligned as malloc() does */
	size_t len, at;
};

/* 1 and a name that is neither "." nor ".." (valid until the next call), 0 at the end, -errno. */
int dirlist_next(struct dirlist_reader *s, const char **ret);

/* All of them, sorted as strcmp() does. Zero-initialise; free with dirlist_done(). */
struct dirlist {
	char *bytes;
	size_t bytes_len, bytes_cap;
	uint32_t *at; /* where each starts in bytes */
	size_t len, cap;
};

/* Replaces what was there. Returns 0 or -errno (-EFBIG: 4 GiB of names). */
int dirlist_read(struct dirlist *n, int fd, char *buf);
const char *dirlist_get(const struct dirlist *n, size_t i);

/* Give memory back that only a huge directory needed. */
void dirlist_trim(struct dirlist *n);
void dirlist_done(struct dirlist *n);

#endif
