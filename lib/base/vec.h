/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/*
 * Arrays that grow. VEC(struct foo) declares { items, len, cap }. VEC_ADD appends a value and
 * returns 0, or -ENOMEM without a change. Zero-initialise an array, and free it with VEC_DONE.
 */
#define VEC(type) \
	struct { \
		type *items; \
		size_t len, cap; \
	}

static inline int vec_grow(void *items_ptr, size_t len, size_t *cap, size_t item)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *p, *old;

	if (len < *cap)
		return 0;
	if (want > SIZE_MAX / item)
		return -ENOMEM;

	memcpy(&old, items_ptr, sizeof(old)); /* it points to a pointer of another type */
	p = realloc(old, want * item);
	if (!p)
		return -ENOMEM;

	memcpy(items_ptr, &p, sizeof(p));
	*cap = want;
	return 0;
}

#define VEC_ADD(v, ...) \
	({ \
		int vec_r_ = vec_grow(&(v)->items, (v)->len, &(v)->cap, sizeof(*(v)->items)); \
		if (vec_r_ == 0) \
			(v)->items[(v)->len++] = (__VA_ARGS__); \
		vec_r_; \
	})

#define VEC_DONE(v) \
	do { \
		free((v)->items); \
		(v)->items = NULL; \
		(v)->len = (v)->cap = 0; \
	} while (0)

/* A list of strings, which it owns. */
struct strv {
	char **items;
	size_t len, cap;
};

/* Append a copy of s. Returns 0 or -ENOMEM. */
MUST_CHECK int strv_add(struct strv *v, const char *s);
bool strv_has(const struct strv *v, const char *s);
void strv_done(struct strv *v);

static inline void cleanup_strv(struct strv *v)
{
	strv_done(v);
}

#define scoped_strv __attribute__((cleanup(cleanup_strv)))

#endif
