/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* forms_reader: words, numbers and ranges of a map in the form of another tool. */

#include "forms_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"

#define BLANKS " \t\r\n"

int form_wrong(struct form_reader *r, const char *what)
{
	int x = err_usage(r->e, "this is not a valid map in the form of %s: %s", r->tool, what);

	err_try(r->e, "see \"map\" in shift-check(8) for the forms that can be read");
	return x;
}

bool form_next_word(struct form_reader *r)
{
	size_t len;

	r->at += strspn(r->at, BLANKS);
	len = strcspn(r->at, BLANKS);
	(void)snprintf(r->word, sizeof(r->word), "%.*s",
		len < FORM_WORD_MAX ? (int)len : FORM_WORD_MAX - 1,
		r->at); /* cut, as the header says */
	r->at += len;
	return len > 0;
}

int form_add(struct form_reader *r, char kind, const struct idrange *x)
{
	if (kind != 'g' && VEC_ADD(&r->uid, *x) < 0)
		return err_nomem(r->e);
	return kind != 'u' && VEC_ADD(&r->gid, *x) < 0 ? err_nomem(r->e) : 0;
}

int form_three_numbers(struct form_reader *r, char kind, bool first_read)
{
	struct idrange x = { 0 };
	uint32_t *const fields[] = { &x.disk, &x.seen, &x.count };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((!(first_read && !i) && !form_next_word(r)) || num_u32(r->word, fields[i]) < 0)
			return form_wrong(r, "a line has three numbers");
	return form_add(r, kind, &x);
}
