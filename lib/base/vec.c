/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vec: lists of strings. */

#include "vec.h"

#include <string.h>

#include "cleanup.h"

int strv_add(struct strv *v, const char *s)
{
	scoped_free char *copy = strdup(s);
	int r;

	if (!copy)
		return -ENOMEM;

	r = VEC_ADD(v, copy);
	if (r == 0)
		copy = NULL;
	return r;
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->items[i], s))
			return true;
	return false;
}

void strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	VEC_DONE(v);
}
