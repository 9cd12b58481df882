/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dirlist: read the names in a directory with getdents64(2). */

#include "dirlist.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The size in bytes up to which dirlist_trim() keeps the memory: a few thousand names. */
enum { KEEP = 1 << 18 };

int dirlist_next(struct dirlist_reader *s, const char **ret)
{
	for (;;) {
		const struct dirent64 *d;

		if (s->at == s->len) {
			ssize_t n = getdents64(s->fd, (void *)s->buf, DIRLIST_BUFFER);

			if (n <= 0)
				return n < 0 ? -errno : 0;
			s->len = (size_t)n;
			s->at = 0;
		}
		/* The kernel aligns each entry. */
		d = (const struct dirent64 *)(const void *)(s->buf + s->at);
		s->at += d->d_reclen;
		if (d->d_name[0] == '.' &&
			(!d->d_name[1] || (d->d_name[1] == '.' && !d->d_name[2])))
			continue;
		*ret = d->d_name;
		return 1;
	}
}

static int grow(void *items, size_t *cap, size_t need, size_t item)
{
	size_t want = *cap ? *cap : 256;
	void *p;

	while (want < need)
		want *= 2;
	if (want == *cap)
		return 0;
	p = realloc(*(void **)items, want * item);
	if (!p)
		return -ENOMEM;
	*(void **)items = p;
	*cap = want;
	return 0;
}

static int add(struct dirlist *n, const char *name)
{
	size_t len = strlen(name) + 1;
	int r;

	if (n->bytes_len + len > UINT32_MAX)
		return -EFBIG;
	r = grow(&n->bytes, &n->bytes_cap, n->bytes_len + len, 1);
	if (r == 0)
		r = grow(&n->at, &n->cap, n->len + 1, sizeof(*n->at));
	if (r < 0)
		return r;
	memcpy(n->bytes + n->bytes_len, name, len);
	n->at[n->len++] = (uint32_t)n->bytes_len;
	n->bytes_len += len;
	return 0;
}

static int order(const void *a, const void *b, void *bytes)
{
	return strcmp((const char *)bytes + *(const uint32_t *)a,
		(const char *)bytes + *(const uint32_t *)b);
}

int dirlist_read(struct dirlist *n, int fd, char *buf)
{
	struct dirlist_reader s = { .fd = fd, .buf = buf };
	const char *name;
	int r;

	n->len = n->bytes_len = 0;
	while ((r = dirlist_next(&s, &name)) > 0) {
		r = add(n, name);
		if (r < 0)
			return r;
	}
	if (r == 0 && n->len)
		qsort_r(n->at, n->len, sizeof(*n->at), order, n->bytes);
	return r;
}

const char *dirlist_get(const struct dirlist *n, size_t i)
{
	return n->bytes + n->at[i];
}

void dirlist_trim(struct dirlist *n)
{
	if (n->bytes_cap > KEEP)
		dirlist_done(n);
}

void dirlist_done(struct dirlist *n)
{
	free(n->bytes);
	free(n->at);
	*n = (struct dirlist){ .bytes = NULL };
}
