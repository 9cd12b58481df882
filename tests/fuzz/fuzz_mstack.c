/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of a directory NAME.mstack, one a line: each is an entry whole or is refused with a reason;
 * a place never leads out of the stack; and the order of layers is one.
 */

#include "fuzz.h"

#include <sys/stat.h>

#include "../../lib/mount/mstack.h"

enum { IDS = 24 };

static void check_place(const char *place)
{
	FUZZ_CHECK(*place && *place != '/' && place[strlen(place) - 1] != '/');
	for (const char *p = place; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		FUZZ_CHECK(n && !(n == 1 && *p == '.') && !(n == 2 && p[0] == '.' && p[1] == '.'));
		p += n;
		FUZZ_CHECK(strspn(p, "/") <= 1);
	}
}

static void check_entry(const char *name, const struct mstack_entry *x)
{
	FUZZ_CHECK(!strcmp(x->name, name) &&
		!x->word == (x->kind == MSTACK_RW || x->kind == MSTACK_ROOT));
	if (x->kind == MSTACK_BIND || x->kind == MSTACK_ROBIND)
		check_place(x->word);
	else if (x->kind == MSTACK_LAYER)
		FUZZ_CHECK(*x->word && mstack_id_compare(x->word, x->word) == 0);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_order(char *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			FUZZ_CHECK(sign(mstack_id_compare(ids[i], ids[j])) ==
				-sign(mstack_id_compare(ids[j], ids[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const mode_t types[] = { S_IFDIR, S_IFREG, S_IFBLK, S_IFIFO };
	char *text = malloc(size + 1), *line, *rest = text, *ids[IDS];
	size_t n = 0;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		for (size_t i = 0; i < ARRAY_LEN(types) && !strchr(line, '/'); i++) {
			struct mstack_entry x;
			struct err e = ERR_INIT;
			int r = mstack_entry_parse(line, types[i], &x, &e);

			FUZZ_CHECK(r == 0 || (e.set && e.hint[0]));
			if (r < 0)
				continue;
			check_entry(line, &x);
			mstack_entry_done(&x);
		}
		if (n < IDS)
			ids[n++] = line;
	}
	check_order(ids, n);
	free(text);
	return 0;
}
