/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idset: a set of ids in pages of bits, which are allocated on first use. */

#include "idset.h"

#include <errno.h>
#include <stdlib.h>

enum { PAGE_IDS = 65536, WORD_IDS = 64 };

static uint64_t *find_page(struct idset *s, uint32_t id)
{
	uint64_t **slot = &s->pages[id / PAGE_IDS], *page = __atomic_load_n(slot, __ATOMIC_ACQUIRE),
		 *made;

	if (page)
		return page;
	made = calloc(PAGE_IDS / WORD_IDS, sizeof(*made));
	if (!made)
		return NULL;
	/* If another thread was faster, use its page. */
	if (__atomic_compare_exchange_n(
		    slot, &page, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	free(made);
	return page;
}

int idset_add(struct idset *s, uint32_t id)
{
	uint64_t *page = find_page(s, id), bit = UINT64_C(1) << id % WORD_IDS;
	uint64_t *word;

	if (!page)
		return -ENOMEM;
	word = &page[id % PAGE_IDS / WORD_IDS];
	/* The bit is nearly always set already: reading avoids a write to a shared cache line. */
	if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
		(void)__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	return 0;
}

static int add_id(idrange_vec *v, uint32_t id)
{
	struct idrange *last = v->len ? &v->items[v->len - 1] : NULL;

	if (last && last->disk + last->count == id) {
		last->count++;
		return 0;
	}
	return VEC_ADD(v, ((struct idrange){ id, id, 1 }));
}

static int add_all(const struct idset *s, idrange_vec *v)
{
	for (uint32_t p = 0; p < ARRAY_LEN(s->pages); p++) {
		for (uint32_t w = 0; s->pages[p] && w < PAGE_IDS / WORD_IDS; w++) {
			for (uint64_t bits = s->pages[p][w]; bits; bits &= bits - 1) {
				uint32_t id = p * PAGE_IDS + w * WORD_IDS +
					(uint32_t)__builtin_ctzll(bits);

				if (id != UINT32_MAX &&
					add_id(v, id) < 0) /* 4294967295 is not an id */
					return -ENOMEM;
			}
		}
	}
	return 0;
}

static uint32_t gap_before(const struct idrange *r)
{
	return r->disk - (r[-1].disk + r[-1].count);
}

static int by_size(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* Close the len - max narrowest gaps. */
static int64_t join(idrange_vec *v, size_t max)
{
	size_t gaps = v->len - 1, close = v->len - max, n = 1;
	scoped_free uint32_t *sizes = malloc(gaps * sizeof(*sizes));
	uint32_t widest;
	int64_t added = 0;
	size_t equal = 0;

	if (!sizes)
		return -ENOMEM;
	for (size_t i = 0; i < gaps; i++)
		sizes[i] = gap_before(&v->items[i + 1]);
	qsort(sizes, gaps, sizeof(*sizes), by_size);
	widest = sizes[close - 1];
	for (size_t i = 0; i < close; i++)
		equal += sizes[i] == widest; /* how many gaps of the width widest to close */

	for (size_t i = 1; i < v->len; i++) {
		struct idrange *last = &v->items[n - 1], next = v->items[i];
		uint32_t gap = next.disk - (last->disk + last->count);

		if (gap < widest || (gap == widest && equal)) {
			equal -= gap == widest;
			last->count += gap + next.count;
			added += gap;
		} else {
			v->items[n++] = next;
		}
	}
	v->len = n;
	return added;
}

int64_t idset_ranges(const struct idset *s, size_t max, idrange_vec *ret)
{
	if (add_all(s, ret) < 0)
		return -ENOMEM;
	return ret->len > max ? join(ret, max) : 0;
}

void idset_done(struct idset *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->pages); i++) {
		free(s->pages[i]);
		s->pages[i] = NULL;
	}
}
