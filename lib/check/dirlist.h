/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_DIRLIST_H
#define CHECK_DIRLIST_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

enum { DIRLIST_BUFFER = 65536 };

/* Reads the names in a directory one by one. buf may be reused for another directory afterwards. */
struct dirlist_reader {
	int fd;    /* open for reading; not owned */
	char *buf; /* DIRLIST_BUFFER bytes, aligned as by malloc(); not owned */
	size_t len, at;
};

/*
 * Read the next name other than "." and "..", which is valid until the next call. Returns 1, 0 at
 * the end, or -errno.
 */
MUST_CHECK int dirlist_next(struct dirlist_reader *s, const char **ret);

/* The names in a directory, in the order of strcmp(). Zero-initialise. */
struct dirlist {
	char *bytes;
	size_t bytes_len, bytes_cap;
	uint32_t *at; /* the offset of each name in bytes */
	size_t len, cap;
};

/*
 * Replace the list by the names in the directory fd, which is at its start. buf has DIRLIST_BUFFER
 * bytes. Returns 0 or -errno (-EFBIG: more than 4 GiB of names).
 */
MUST_CHECK int dirlist_read(struct dirlist *n, int fd, char *buf);
const char *dirlist_get(const struct dirlist *n, size_t i);

/* Free the memory if it is large, so that one huge directory does not keep it. */
void dirlist_trim(struct dirlist *n);
void dirlist_done(struct dirlist *n);

#endif
