/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* newidmap: write maps with the set-uid programs of shadow. */

#include "newidmap.h"

#include <stdio.h>
#include <unistd.h>

#include "../base/subprocess.h"
#include "../base/vec.h"

size_t newidmap_ranges(uint32_t own, const struct grants *g, struct idrange *ret)
{
	uint32_t at = 1;
	size_t n = 0;

	ret[n++] = (struct idrange){ 0, own, 1 };
	for (size_t i = 0; i < g->len && n < IDMAP_EXTENTS_MAX; i++) {
		ret[n++] = (struct idrange){ at, g->items[i].start, g->items[i].count };
		at += g->items[i].count;
	}
	return n;
}

static int add_numbers(struct strv *words, uint32_t disk, uint32_t seen, uint32_t count)
{
	const uint32_t n[] = { disk, seen, count };

	for (size_t i = 0; count && i < ARRAY_LEN(n); i++) {
		char word[16];

		(void)snprintf(word, sizeof(word), "%u", n[i]); /* fits: 10 digits */
		if (strv_add(words, word) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The own id may be missing from the grants, so a range that contains it is split in three. */
static int add_range(struct strv *words, const struct idrange *r, uint32_t own)
{
	uint32_t before = own - r->seen;

	if (own < r->seen || before >= r->count)
		return add_numbers(words, r->disk, r->seen, r->count);
	return add_numbers(words, r->disk, r->seen, before) |
		add_numbers(words, r->disk + before, own, 1) |
		add_numbers(words, r->disk + before + 1, own + 1, r->count - before - 1);
}

static int add_words(struct strv *words, const char *name, pid_t pid, const struct idrange *r,
	size_t n, uint32_t own)
{
	char word[16];

	(void)snprintf(word, sizeof(word), "%d", (int)pid); /* fits */
	if (strv_add(words, name) < 0 || strv_add(words, word) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (add_range(words, &r[i], own) < 0)
			return -ENOMEM;
	return VEC_ADD(words, NULL); /* terminates the argv; strv_done() ignores it */
}

int newidmap(bool group, pid_t pid, const struct idrange *r, size_t n, struct err *e)
{
	const char *name = group ? "newgidmap" : "newuidmap";
	scoped_buf struct buf path = BUF_INIT, said = BUF_INIT;
	scoped_strv struct strv words = { .len = 0 };
	int status = subprocess_find(name, &path);

	if (status == -ENOMEM ||
		add_words(&words, name, pid, r, n, group ? getgid() : getuid()) < 0)
		return err_nomem(e);
	if (status < 0) {
		(void)err_say(e, ENOENT, NULL, "there is no %s", name);
		err_op(e, "newidmap");
		return -ENOENT;
	}
	status = subprocess_capture(buf_get(&path), words.items, &said);
	if (status == 0)
		return 0;
	if (status < 0) {
		(void)err_set(e, -status, buf_get(&path), "cannot run the program");
		err_op(e, "fork");
		return status;
	}

	while (said.len && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	(void)err_say(e, EPERM, NULL, "%s failed (exit status %d): %s", name, status,
		said.len && buf_get(&said) ? buf_get(&said) : "there was no output");
	err_op(e, "newidmap");
	return -EPERM;
}
