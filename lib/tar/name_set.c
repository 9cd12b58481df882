/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* name_set: names by their hash. */

#include "name_set.h"

#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

/* FNV-1a, and a last step that mixes the low bits, which choose the slot. */
static uint64_t hash_of(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3;
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15;
	return h ? h : 1;
}

/* The slot that has h, or the free one for it. */
static size_t find(const uint64_t *slots, size_t room, uint64_t h)
{
	size_t i = h >> 32 & (room - 1);

	while (slots[i] && slots[i] != h)
		i = (i + 1) & (room - 1);
	return i;
}

static int grow(struct name_set *s, struct err *e)
{
	const size_t room = s->room ? s->room * 2 : FIRST_ROOM;
	uint64_t *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return err_nomem(e);
	for (size_t i = 0; i < s->room; i++)
		if (s->slots[i])
			slots[find(slots, room, s->slots[i])] = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->room = room;
	return 0;
}

int name_set_add(struct name_set *s, const char *name, size_t n, bool *ret_new, struct err *e)
{
	const uint64_t h = hash_of(name, n);
	size_t i;
	int r = s->n * 2 >= s->room ? grow(s, e) : 0;

	if (r < 0)
		return r;
	i = find(s->slots, s->room, h);
	*ret_new = !s->slots[i];
	s->n += *ret_new;
	s->slots[i] = h;
	return 0;
}

void name_set_done(struct name_set *s)
{
	free(s->slots);
	*s = (struct name_set){ .slots = NULL };
}
