/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* name_set: names by their hash. */

#include "name_set.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

/* An archive cannot contain names that are chosen to take the same slot. */
static uint64_t hash_of(const struct name_set *s, const char *name, size_t n)
{
	const uint64_t h = keyed_hash(&s->key, 0, name, n);

	return h ? h : 1;
}

/* The slot that has h, or the free one for it. */
static size_t find(const uint64_t *slots, size_t room, uint64_t h)
{
	size_t i = h & (room - 1);

	while (slots[i] && slots[i] != h)
		i = (i + 1) & (room - 1);
	return i;
}

static int grow(struct name_set *s, struct err *e)
{
	const size_t room = s->room ? s->room * 2 : FIRST_ROOM;
	uint64_t *slots;

	if (!s->room && hash_key_new(&s->key) < 0)
		return err_set(e, EIO, NULL, "cannot get random bytes");
	slots = calloc(room, sizeof(*slots));
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
	uint64_t h;
	size_t i;
	int r = s->n * 2 >= s->room ? grow(s, e) : 0;

	if (r < 0)
		return r;
	h = hash_of(s, name, n);
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
