/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_TAR_H
#define FUZZ_TAR_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

struct err;

enum { TAR_BLOCK = 512 };

/*
 * A header into the 512 bytes at h: GNU's form, owner 0:0, mode 0644, time 7; the name may fill its
 * field.
 */
static inline void tar_header(
	void *h, const char *name, size_t len, char type, const char *link, size_t size)
{
	char *p = h;
	unsigned sum = 0;

	memset(p, 0, TAR_BLOCK);
	memcpy(p, name, len < 100 ? len : 100);
	memcpy(p + 100, "0000644\0000000000\0000000000", 24);
	(void)snprintf(p + 124, 12, "%011zo", size);
	memcpy(p + 136, "00000000007\0        ", 20);
	p[156] = type;
	(void)snprintf(p + 157, 100, "%s", link);
	memcpy(p + 257, "ustar  ", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)p[i];
	(void)snprintf(p + 148, 8, "%06o", sum);
}

/* A stream in memory that tar_give(), a layer_read, returns in one piece. */
struct tar_stream {
	const void *data;
	size_t size;
};

static inline ssize_t tar_give(void *arg, const void **ret, struct err *e)
{
	struct tar_stream *s = arg;
	size_t n = s->size;

	(void)e;
	*ret = s->data;
	s->size = 0;
	return (ssize_t)n;
}

#endif
