/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subid_index: read a file of grants once, for many users. */

#include "subid_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/vec.h"
#include "subid_priv.h"

struct subid_index {
	char *file, *text;
	VEC(struct subid_line) lines; /* by user, then by number */
};

const char *subid_index_file(const struct subid_index *x)
{
	return x->file;
}

const struct subid_line *subid_index_lines(const struct subid_index *x, size_t *ret_n)
{
	*ret_n = x->lines.len;
	return x->lines.items;
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int r = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return r ? r : a_len < b_len ? -1 : a_len > b_len;
}

static int by_user(const void *pa, const void *pb)
{
	const struct subid_line *a = pa, *b = pb;
	int r = compare(a->user, a->user_len, b->user, b->user_len);

	return r ? r : a->grant.line < b->grant.line ? -1 : a->grant.line > b->grant.line;
}

static int take_line(const struct subid_line *l, void *arg)
{
	struct subid_index *x = arg;

	return VEC_ADD(&x->lines, *l);
}

static int fill(struct subid_index *x)
{
	int r = subid_each(x->text, take_line, x);

	if (r == 0 && x->lines.len > 1)
		qsort(x->lines.items, x->lines.len, sizeof(*x->lines.items), by_user);
	return r;
}

int subid_index_read(const char *file, struct subid_index **ret, struct err *e)
{
	scoped_subid_index struct subid_index *x = calloc(1, sizeof(*x));
	scoped_buf struct buf text = BUF_INIT;
	int r = subid_text(file, &text, e);

	if (r < 0)
		return r;
	if (!x)
		return err_nomem(e);
	x->file = strdup(file);
	x->text = strdup(buf_get(&text)); /* without a NUL: checked */
	if (!x->file || !x->text || fill(x) < 0)
		return err_nomem(e);
	*ret = TAKE_PTR(x);
	return 0;
}

/* Take the lines with this text as their user. */
static int take_named(const struct subid_index *x, const char *name, struct subid_reading *reading)
{
	size_t low = 0, high = x->lines.len, n = strlen(name);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct subid_line *l = &x->lines.items[mid];

		if (compare(l->user, l->user_len, name, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < x->lines.len; low++) {
		const struct subid_line *l = &x->lines.items[low];
		int r;

		if (compare(l->user, l->user_len, name, n))
			return 0;
		r = subid_take_line(l, reading);
		if (r < 0)
			return r;
	}
	return 0;
}

int subid_index_get(
	const struct subid_index *x, const struct user *user, struct grants *ret, struct err *e)
{
	struct subid_reading reading = { .file = x->file, .user = user, .ret = ret, .e = e };
	char number[16] = "";
	int r = 0;

	if (user->uid != SUBID_NO_ACCOUNT)
		(void)snprintf(number, sizeof(number), "%u", user->uid); /* fits: 10 digits */
	if (user->name[0])
		r = take_named(x, user->name, &reading);
	if (r == 0 && *number && strcmp(number, user->name) != 0)
		r = take_named(x, number, &reading);
	return subid_finish(&reading, r);
}

void subid_index_free(struct subid_index *x)
{
	if (!x)
		return;
	VEC_DONE(&x->lines);
	free(x->file);
	free(x->text);
	free(x);
}
