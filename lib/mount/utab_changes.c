/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* utab_changes: what changes in libmount's table of user options. */

#include "utab_changes.h"

#include <stdlib.h>
#include <string.h>

/* As libmount's mangle() (lib/mangle.c): blanks and backslashes are written in octal. */
static char *mangle(const char *text)
{
	scoped_buf struct buf b = BUF_INIT;

	for (; *text; text++) {
		if (strchr(" \t\n\\", *text))
			buf_printf(&b, "\\%03o", (unsigned)(unsigned char)*text);
		else
			buf_char(&b, *text);
	}
	return buf_get(&b) ? strdup(buf_get(&b)) : NULL;
}

static void free_change(struct utab_change *c)
{
	free(c->target);
	free(c->source);
	free(c->root);
	free(c->options);
}

static void note(struct utab_changes *s, struct utab_change c, bool with_source)
{
	if (!c.target || (with_source && (!c.source || !c.root)) || VEC_ADD(&s->list, c) < 0) {
		s->oom = true;
		free_change(&c);
	}
}

void utab_changes_mount(struct utab_changes *s, const struct mount_info *i, const char *options)
{
	struct utab_change c = {
		.target = i->target ? mangle(i->target) : NULL,
		.source = mangle(*i->source ? i->source : "none"),
		.root = mangle(i->root),
		.options = mangle(options),
	};

	if (!c.options) {
		s->oom = true;
		free_change(&c);
		return;
	}
	s->adds = true;
	note(s, c, true);
}

void utab_changes_umount(
	struct utab_changes *s, const char *path, const struct mount_info *i, bool below)
{
	bool known = i->source && *i->source && i->root && !below;
	struct utab_change c = {
		.target = mangle(path),
		.source = known ? mangle(i->source) : NULL,
		.root = known ? mangle(i->root) : NULL,
		.below = below,
	};

	s->below = s->below || below;
	note(s, c, known);
}

void utab_changes_done(struct utab_changes *s)
{
	for (size_t i = 0; i < s->list.len; i++)
		free_change(&s->list.items[i]);
	VEC_DONE(&s->list);
	s->adds = s->below = s->oom = false;
}

/*
 * --- the new table -------------------------------------------------------------------------------
 */

/* A field of a line, "KEY=value" between blanks. */
struct utab_field {
	const char *s;
	size_t n;
};

static bool find_field(const char *line, size_t n, const char *key, struct utab_field *ret)
{
	size_t len = strlen(key);

	for (size_t at = 0; at < n;) {
		size_t end = at;

		while (end < n && line[end] != ' ')
			end++;
		if (end - at >= len && !memcmp(line + at, key, len)) {
			*ret = (struct utab_field){ line + at + len, end - at - len };
			return true;
		}
		at = end + 1;
	}
	return false;
}

static bool is_text(const char *line, size_t n, const char *key, const char *want)
{
	struct utab_field f;

	return find_field(line, n, key, &f) && strlen(want) == f.n && !memcmp(f.s, want, f.n);
}

static int by_target(const void *pa, const void *pb)
{
	const struct utab_change *const *a = pa, *const *b = pb;

	return strcmp((*a)->target, (*b)->target);
}

static int compare_field(const void *key, const void *item)
{
	const struct utab_field *f = key;
	const struct utab_change *const *c = item;
	int r = strncmp(f->s, (*c)->target, f->n);

	return r ? r : (*c)->target[f->n] ? -1 : 0;
}

static bool replaces(const struct utab_change *c, const char *line, size_t n)
{
	return !c->source ||
		(is_text(line, n, "SRC=", c->source) && is_text(line, n, "ROOT=", c->root));
}

/* Is the target of a line dir, or below it? */
static bool is_below(struct utab_field f, const char *dir)
{
	size_t len = strlen(dir);

	return f.n >= len && !memcmp(f.s, dir, len) && (f.n == len || f.s[len] == '/');
}

/* Does a change make the line void? sorted: all changes, by target. */
static bool is_void(const struct utab_changes *s, const struct utab_change **sorted,
	const char *line, size_t line_len)
{
	size_t n = s->list.len;
	const struct utab_change **at;
	struct utab_field target;
	size_t i;

	if (!find_field(line, line_len, "TARGET=", &target))
		return false;
	for (i = 0; s->below && i < n; i++)
		if (s->list.items[i].below && is_below(target, s->list.items[i].target))
			return true;
	at = bsearch(&target, sorted, n, sizeof(*sorted), compare_field);
	if (!at)
		return false;
	for (i = (size_t)(at - sorted); i > 0 && !compare_field(&target, &sorted[i - 1]); i--)
		;
	for (; i < n && !compare_field(&target, &sorted[i]); i++)
		if (replaces(sorted[i], line, line_len))
			return true;
	return false;
}

/* Was the mount of change i unmounted again? */
static bool is_undone(const struct utab_changes *s, size_t i)
{
	const struct utab_change *c = &s->list.items[i];

	for (size_t k = i + 1; k < s->list.len; k++) {
		const struct utab_change *o = &s->list.items[k];

		if (!o->options && !strcmp(o->target, c->target) &&
			(!o->source ||
				(!strcmp(o->source, c->source) && !strcmp(o->root, c->root))))
			return true;
	}
	return false;
}

void utab_changes_merge(const struct utab_changes *s, const char *old, size_t n, struct buf *ret)
{
	scoped_free const struct utab_change **sorted = calloc(s->list.len + 1, sizeof(*sorted));
	bool gone = false;

	if (!sorted) {
		ret->oom = true;
		return;
	}
	for (size_t i = 0; i < s->list.len; i++) {
		sorted[i] = &s->list.items[i];
		gone = gone || !sorted[i]->options;
	}
	qsort(sorted, s->list.len, sizeof(*sorted), by_target);
	for (size_t at = 0; at < n;) {
		const char *end = memchr(old + at, '\n', n - at);
		size_t len = end ? (size_t)(end - old) - at : n - at;

		if (len && !is_void(s, sorted, old + at, len)) {
			buf_add(ret, old + at, len);
			buf_char(ret, '\n');
		}
		at += len + 1;
	}
	for (size_t i = 0; i < s->list.len; i++) {
		const struct utab_change *c = &s->list.items[i];

		if (c->options && !(gone && is_undone(s, i)))
			buf_printf(ret, "SRC=%s TARGET=%s ROOT=%s OPTS=%s\n", c->source, c->target,
				c->root, c->options);
	}
}
