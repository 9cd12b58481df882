/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* id_spans: which ids a tree uses, in bounded memory. */

#include "id_spans.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/num.h"

/* The first span that ends at or after the id; len if there is none. */
static size_t find(const struct id_spans *s, uint32_t id)
{
	size_t lo = 0, hi = s->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->items[mid].last < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void remove_at(struct id_spans *s, size_t i)
{
	memmove(&s->items[i], &s->items[i + 1], (--s->len - i) * sizeof(s->items[0]));
}

/* Make one of the spans i and i + 1. */
static void join(struct id_spans *s, size_t i)
{
	struct id_span *a = &s->items[i], *b = a + 1;

	a->holes = a->holes || b->holes || b->first - a->last > 1;
	a->last = b->last;
	remove_at(s, i + 1);
}

static void join_narrowest(struct id_spans *s)
{
	size_t best = 0;

	for (size_t i = 1; i + 1 < s->len; i++)
		if (s->items[i + 1].first - s->items[i].last <
			s->items[best + 1].first - s->items[best].last)
			best = i;
	join(s, best);
}

/* Insert a span at i, where it overlaps with no other. */
static void insert(struct id_spans *s, size_t i, struct id_span x)
{
	memmove(&s->items[i + 1], &s->items[i], (s->len++ - i) * sizeof(s->items[0]));
	s->items[i] = x;
	if (i + 1 < s->len && s->items[i + 1].first - x.last == 1)
		join(s, i);
	if (i > 0 && x.first - s->items[i - 1].last == 1)
		join(s, i - 1);
	if (s->len > ID_SPANS_MAX)
		join_narrowest(s);
}

void id_spans_add(struct id_spans *s, uint32_t id)
{
	size_t i = s->hit;

	/* The owner of an entry is nearly always that of the entry before. */
	if (i < s->len && id >= s->items[i].first && id <= s->items[i].last)
		return;
	i = find(s, id);
	s->hit = i;
	if (i == s->len || id < s->items[i].first)
		insert(s, i, (struct id_span){ .first = id, .last = id });
}

void id_spans_merge(struct id_spans *s, const struct id_spans *other)
{
	for (size_t k = 0; k < other->len; k++) {
		struct id_span x = other->items[k];
		size_t i = find(s, x.first);

		while (i < s->len && s->items[i].first <= x.last) {
			const struct id_span *y = &s->items[i];

			x.first = y->first < x.first ? y->first : x.first;
			x.last = y->last > x.last ? y->last : x.last;
			x.holes = x.holes || y->holes;
			remove_at(s, i);
		}
		insert(s, i, x);
	}
}

void id_spans_print(const struct id_spans *s, struct buf *b)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct id_span *x = &s->items[i];

		buf_printf(b, "%s%" PRIu32, i ? " " : "", x->first);
		if (x->last != x->first)
			buf_printf(b, "%c%" PRIu32, x->holes ? '~' : '-', x->last);
	}
}

static int parse_span(const char *text, size_t n, struct id_span *ret)
{
	char word[32], *sep;
	int r;

	if (n >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, n);
	word[n] = '\0';
	sep = strpbrk(word, "-~");
	ret->holes = sep && *sep == '~';
	if (sep)
		*sep++ = '\0';
	r = num_u32(word, &ret->first);
	ret->last = ret->first;
	if (r == 0 && sep)
		r = num_u32(sep, &ret->last);
	return r < 0 || ret->last < ret->first ? -EINVAL : 0;
}

int id_spans_parse(const char *text, struct id_spans *ret)
{
	struct id_spans s = { .len = 0 };

	while (*text) {
		size_t n = strcspn(text, " ");
		struct id_span *x = &s.items[s.len];

		if (s.len == ID_SPANS_MAX || parse_span(text, n, x) < 0 ||
			(s.len && x->first <= x[-1].last))
			return -EINVAL;
		s.len++;
		text += n + (text[n] == ' ');
	}
	*ret = s;
	return 0;
}

/* How many ids from id on are not on the disk side, up to last? */
static uint64_t gap_at(const struct idranges *disk, uint32_t id, uint32_t last)
{
	for (size_t i = 0; i < disk->len; i++) {
		const struct idrange *x = &disk->items[i];

		if (id >= x->disk && id - x->disk < x->count)
			return 0;
		if (x->disk > id)
			return x->disk <= last ? x->disk - id : (uint64_t)last - id + 1;
	}
	return (uint64_t)last - id + 1;
}

/* The id behind the range that covers id. */
static uint64_t end_of_cover(const struct idranges *disk, uint32_t id)
{
	for (size_t i = 0; i < disk->len; i++)
		if (id >= disk->items[i].disk && id - disk->items[i].disk < disk->items[i].count)
			return (uint64_t)disk->items[i].disk + disk->items[i].count;
	return id;
}

size_t id_spans_outside(
	const struct id_spans *s, const struct idranges *disk, struct id_span *ret, size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < s->len; i++) {
		const struct id_span *x = &s->items[i];
		uint64_t id = x->first;

		while (id <= x->last) {
			uint64_t n = gap_at(disk, (uint32_t)id, x->last);

			if (n && x->holes)
				n = 1;
			if (n && found++ < max)
				ret[found - 1] = (struct id_span){ .first = (uint32_t)id,
					.last = (uint32_t)(id + n - 1) };
			if (x->holes && id == x->last)
				break;
			id = x->holes ? x->last : n ? id + n : end_of_cover(disk, (uint32_t)id);
		}
	}
	return found;
}
