/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse binds: SRC:DST[:WORD]... */

#include "run_priv.h"

#include <errno.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/suggest.h"
#include "../idmap/userns.h"

/*
 * The next field, without its backslashes; NULL if there is no memory. Sets *p to the text after
 * the colon that ends the field, or to NULL at the end.
 */
static char *next_field(const char **p)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *s = *p;

	for (; *s && *s != ':'; s++) {
		if (*s == '\\' && s[1])
			s++;
		buf_char(&b, *s);
	}
	*p = *s ? s + 1 : NULL;
	return buf_take(&b);
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* A map contains colons, so it extends to the end of the text. */
static int parse_map(const char *text, struct run_bind *b, struct err *e)
{
	scoped_idmap struct idmap m = { 0 };
	int r;

	if (!strcmp(text, "none")) {
		b->map.wish = MAP_NONE;
		return 0;
	}
	r = idmap_parse(&text, 1, &(struct idmap_context){ .source = b->source }, &m, e);
	if (r < 0 && (ends_in(text, ":ro") || ends_in(text, ":dev") || ends_in(text, ":public")))
		err_try(e,
			"put ro, dev and public before map=MAP, which extends to the end of the "
			"text");
	if (r == 0)
		r = userns_fit(&m, &b->map.map, e);
	if (r == 0)
		b->map.wish = MAP_SET;
	return r;
}

/* Words that follow SRC:DST in podman and docker. */
static const struct habit habits[] = {
	{ "z", "omit :z: security labels are not changed" },
	{ "Z", "omit :Z: security labels are not changed" },
	{ "U", "omit :U: nothing is chowned; map shows other owners: SRC:DST:map" },
	{ "idmap", "did you mean map (the map of the command) or map=MAP?" },
	{ "readonly", "did you mean ro?" },
	{ "O", "omit :O: for changes in memory, use an image (-i) or -o ephemeral as the root" },
	{ "rbind", "omit it: what is mounted below SRC is shown, too" },
	{ NULL, NULL },
};

static int unknown_word(const char *word, struct err *e)
{
	static const char words[] = "ro rw dev public map";
	struct suggest near = suggest_for(word, strlen(word));
	const char *say = habit_find(habits, word, strlen(word));
	size_t n = suggest_offer_list(&near, words);

	(void)err_usage_try(e, "write SRC:DST:ro, or omit the word",
		"'%s' is not one of ro, rw, "
		"dev, public, map and map=MAP",
		word);
	if (say)
		err_try(e, "%s", say);
	else if (n)
		err_try(e, "did you mean %.*s?", (int)n, near.best);
	return -EINVAL;
}

static int parse_word(const char *word, struct run_bind *b, struct err *e)
{
	if (!strcmp(word, "ro"))
		b->read_only = true;
	else if (!strcmp(word, "dev"))
		b->dev = true;
	else if (!strcmp(word, "public"))
		b->public_ = true;
	else if (!strcmp(word, "map"))
		b->own_map = true;
	else if (!strcmp(word, "rw")) /* the default */
		b->read_write = true;
	else
		return unknown_word(word, e);
	if (b->read_only && b->read_write)
		return err_usage_try(e, "omit one of them", "'ro' and 'rw' exclude each other");
	return 0;
}

static int parse_words(const char *p, struct run_bind *b, struct err *e)
{
	int r = 0;

	while (p && r == 0) {
		scoped_free char *word = NULL;

		if (!strncmp(p, "map=", 4))
			return b->own_map ? err_usage_try(e, "omit one of them",
						    "'map' and 'map=' exclude each other") :
					    parse_map(p + 4, b, e);
		word = next_field(&p);
		r = word ? parse_word(word, b, e) : err_nomem(e);
	}
	return r;
}

static void bind_done(struct run_bind *b)
{
	free(b->source);
	free(b->target);
	if (b->map.wish == MAP_SET)
		idmap_done(&b->map.map);
}

static int not_a_bind(const char *text, const struct run_bind *b, struct err *e)
{
	(void)err_usage(e,
		"'%s' is not a bind: SRC:DST[:ro][:dev][:public][:map[=MAP]], with an absolute DST",
		text);
	if (!*text)
		(void)err_usage_try(e,
			"give it a value, or omit the option (is a variable of the script unset?)",
			"the value of option '--bind' is empty");
	else if (!*b->source)
		err_try(e, "SRC is missing before ':'");
	else if (!b->target || !*b->target)
		err_try(e, "DST is missing: -b %s:/DST", b->source);
	else
		err_try(e, "DST must begin with /: -b %s:/%s", b->source, b->target);
	return -EINVAL;
}

bool run_bind_has_word(const char *word)
{
	static const char *const words[] = { "ro", "rw", "dev", "public", "map" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* "/dst,ro" would be a path, and writable: a comma was written where a colon is meant. */
static int refuse_comma(const char *target, struct err *e)
{
	const char *comma = strrchr(target, ',');

	if (!comma || !run_bind_has_word(comma + 1))
		return 0;
	(void)err_usage(e, "'%s': a word follows a colon, not a comma", target);
	err_try(e, "write SRC:%.*s:%s (if the path ends so: %s/)", (int)(comma - target), target,
		comma + 1, target);
	return -EINVAL;
}

static size_t length_without_slashes(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

/* The later bind would cover the one before. */
static int refuse_second(const struct run_bind *b, const struct run_binds *before, struct err *e)
{
	size_t n = length_without_slashes(b->target);

	for (size_t i = 0; i < before->len; i++) {
		const struct run_bind *x = &before->items[i];

		if (length_without_slashes(x->target) == n && !strncmp(x->target, b->target, n))
			return err_usage_try(e, "omit one of them, or choose another DST",
				"two binds have the DST %.*s: of %s and of %s", (int)n, b->target,
				x->source, b->source);
	}
	return 0;
}

int run_bind_parse(const char *text, struct run_binds *ret, struct err *e)
{
	struct run_bind b = { .source = NULL };
	const char *p = text;
	int r = 0;

	b.source = next_field(&p);
	b.target = p ? next_field(&p) : NULL;
	if (!b.source || (p && !b.target))
		r = err_nomem(e);
	else if (!*b.source || !b.target || *b.target != '/')
		r = not_a_bind(text, &b, e);
	if (r == 0)
		r = refuse_comma(b.target, e);
	if (r == 0)
		r = parse_words(p, &b, e);
	if (r < 0 && e && !e->on[0] && *text)
		err_prefix(e, "the bind '%s'", text);
	if (r == 0)
		r = refuse_second(&b, ret, e);
	if (r == 0 && VEC_ADD(ret, b) < 0)
		r = err_nomem(e);
	if (r < 0)
		bind_done(&b);
	return r;
}

void run_binds_done(struct run_binds *b)
{
	for (size_t i = 0; i < b->len; i++)
		bind_done(&b->items[i]);
	VEC_DONE(b);
}
