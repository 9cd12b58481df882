/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtree_text: cut a specification into parts that can be read independently. */

#include "mtree_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

/*
 * libarchive keeps a whole specification in memory, some hundred bytes for each line. It therefore
 * receives the file in parts. Each part begins with the state at that point: the values of "/set",
 * and, since a name without '/' is relative to the current directory, lines that enter that
 * directory. The entries of those lines are dropped.
 */
enum { LINE_LIMIT = 1 << 20, PART_LINES = 2000, DEPTH_LIMIT = 1 << 15 };
#define BLANKS " \t\r\n"

/*
 * The keywords that libarchive is to see (it warns about unknown ones, and only once), and the
 * values that stand for a missing keyword.
 */
static const struct {
	const char *word, *none;
	enum mtree_want want;
} keys[] = {
	{ "type", "unset", MTREE_OWNER },
	{ "mode", "04000000", MTREE_OWNER },
	{ "uid", MTREE_NO_ID, MTREE_OWNER },
	{ "gid", MTREE_NO_ID, MTREE_OWNER },
	{ "device", NULL, MTREE_OWNER },
	{ "size", "9223372036854775807", MTREE_ALL },
	{ "time", NULL, MTREE_ALL },
	{ "link", NULL, MTREE_ALL },
};

enum { TYPE = 0, UID = 2, GID = 3 };
_Static_assert(ARRAY_LEN(keys) == MTREE_KEYS, "the number of keywords");

/* The index of the keyword that starts the word, or MTREE_KEYS. */
static size_t find_key(const char *word)
{
	size_t len = strcspn(word, "= \t\r\n\\"), i = 0;

	while (i < MTREE_KEYS &&
		(len != strlen(keys[i].word) || memcmp(word, keys[i].word, len) != 0))
		i++;
	return i;
}

static bool is_dir(const char *word, size_t len)
{
	static const char dir[] = "type=dir";

	return len == strlen(dir) && !memcmp(word, dir, len);
}

/*
 * --- bytes ---------------------------------------------------------------------------------------
 */

/*
 * Decode what vis(3) writes after a backslash: "M-x", "M^X", "^X" or "#". Returns the length of the
 * sequence, 0 if p is not one of them.
 */
static size_t unvis(const char *p, unsigned char *ret)
{
	size_t n = *p == 'M';
	unsigned char high = n ? 0x80 : 0;

	if (p[n] == '^' && p[n + 1] >= '?' && p[n + 1] <= '_') {
		*ret = high | (unsigned char)(p[n + 1] ^ 0x40);
		return n + 2;
	}
	if (n && p[1] == '-' && p[2] > ' ') {
		*ret = high | (unsigned char)p[2];
		return 3;
	}
	*ret = '#';
	return *p == '#';
}

/* Rewrite the vis(3) sequences of NetBSD's mtree, which libarchive does not know, in octal. */
static bool rewrite(struct mtree_text *t, ssize_t *n)
{
	size_t len = 0;

	buf_reset(&t->plain);
	for (const char *p = t->line; *p; p += len) {
		unsigned char c = 0;

		len = *p == '\\' ? unvis(p + 1, &c) : 0;
		if (len++)
			buf_printf(&t->plain, "\\%03o", c);
		else
			buf_add(&t->plain, p, len = *p == '\\' && p[1] ? 2 : 1);
	}
	if (!buf_get(&t->plain))
		return false;
	if (t->plain.len >= t->cap) {
		char *line = realloc(t->line, t->plain.len + 1);

		if (!line)
			return false;
		t->line = line;
		t->cap = t->plain.len + 1;
	}
	memcpy(t->line, t->plain.data, t->plain.len + 1);
	*n = (ssize_t)t->plain.len;
	return true;
}

/*
 * --- words ---------------------------------------------------------------------------------------
 */

/* The length of the word at p, without a backslash before the newline (a continued line). */
static size_t word_len(const char *p)
{
	size_t len = strcspn(p, BLANKS);

	return len - (len && p[len - 1] == '\\' && p[len] == '\n');
}

static void note_unset(struct mtree_text *t, size_t key, const char *word, size_t len)
{
	static const char all[] = "all";

	for (size_t i = 0; i < MTREE_KEYS; i++)
		if (i == key || (len == strlen(all) && !memcmp(word, all, len)))
			buf_reset(&t->sets[i]);
}

/*
 * An owner is given by name. Its id on the system that wrote the file is unknown, and an earlier
 * "/set" with a number does not apply to it.
 */
static void note_name(struct mtree_text *t, const char *word)
{
	t->named |= !strncmp(word, "uname=", 6) ? 1U << UID :
		!strncmp(word, "gname=", 6)     ? 1U << GID :
						  0;
}

/* Record the effect of a word on later lines. Returns whether libarchive is to see the word. */
static bool take_word(struct mtree_text *t, const char *word, size_t len)
{
	size_t key = find_key(word);

	if (t->kind == LINE_UNSET)
		note_unset(t, key, word, len);
	if (t->kind == LINE_UNSET || t->kind == LINE_OTHER)
		return true;
	if (key == MTREE_KEYS)
		note_name(t, word);
	if (t->kind == LINE_COMMENT || key == MTREE_KEYS || keys[key].want < t->want)
		return false;
	t->given |= 1U << key;
	if (t->kind == LINE_SET) {
		buf_reset(&t->sets[key]);
		buf_add(&t->sets[key], word, len);
		return true;
	}
	if (key == TYPE)
		t->entry_is_dir = is_dir(word, len);
	return true;
}

static void take_words(struct mtree_text *t, const char *p, struct buf *ret)
{
	static const char tar_time[] = "tar_time=";

	for (p += strspn(p, BLANKS); *p; p += strspn(p, BLANKS)) {
		const char *word = p;
		size_t len = word_len(p);

		p += len + (p[len] == '\\');
		/* go-mtree writes "tar_time" for a time in whole seconds. */
		if (!strncmp(word, tar_time, strlen(tar_time))) {
			word += strlen("tar_");
			len -= strlen("tar_");
		}
		if (take_word(t, word, len)) {
			buf_char(ret, ' ');
			buf_add(ret, word, len);
		}
	}
}

/* Determine the kind of a line by its first word. Returns false when out of memory. */
static bool begin_line(struct mtree_text *t, const char *p, size_t len, struct buf *ret)
{
	static const char set[] = "/set", unset[] = "/unset";

	t->kind = LINE_OTHER;
	t->given = t->named = 0;
	if (len == strlen(set) && !memcmp(p, set, len)) {
		t->kind = LINE_SET;
	} else if (!strncmp(p, unset, strlen(unset))) {
		t->kind = LINE_UNSET;
	} else if (!len || *p == '#') {
		t->kind = LINE_COMMENT;
		return true;
	} else if (*p != '/') {
		t->kind = LINE_ENTRY;
		t->entry_is_dir =
			t->sets[TYPE].len && is_dir(buf_get(&t->sets[TYPE]), t->sets[TYPE].len);
		if (!memchr(p, '/', len) && !(len == 1 && *p == '.')) {
			t->entry = strndup(p, len);
			if (!t->entry)
				return false;
		}
	}
	buf_add(ret, p, len);
	return true;
}

/*
 * --- lines ---------------------------------------------------------------------------------------
 */

/* After the last line of an entry: enter or leave a directory. */
static int end_entry(struct mtree_text *t)
{
	int r = 0;

	if (t->entry && !strcmp(t->entry, "..")) {
		if (t->dirs.len)
			free(t->dirs.items[--t->dirs.len]);
	} else if (t->entry && t->entry_is_dir) {
		if (t->dirs.len >= DEPTH_LIMIT)
			return err_say(&t->err, EFBIG, t->name,
				"the specification nests directories too deeply");
		r = strv_add(&t->dirs, t->entry) == 0 ? 0 : err_nomem(&t->err);
	}
	free(t->entry);
	t->entry = NULL;
	return r;
}

/* Add the values that stand for keywords missing on the entry's line and in "/set". */
static void put_none(struct mtree_text *t, struct buf *ret)
{
	for (size_t i = 0; i < MTREE_KEYS; i++)
		if (keys[i].none && keys[i].want >= t->want && !(t->given & 1U << i) &&
			(!t->sets[i].len || t->named & 1U << i))
			buf_printf(ret, " %s=%s", keys[i].word, keys[i].none);
}

/* Read the next line into t->line. Returns its length, 0 at the end of the file, or -errno. */
static ssize_t read_line(struct mtree_text *t)
{
	ssize_t n;

	errno = 0;
	n = getline(&t->line, &t->cap, t->f);
	if (n < 0 && ferror(t->f))
		return err_set(
			&t->err, errno ? errno : EIO, t->name, "cannot read the specification");
	if (n < 0) {
		t->ended = true;
		return errno == ENOMEM ? err_nomem(&t->err) : 0;
	}
	if (t->size == 0)
		t->comment_first = t->line[0] == '#';
	t->size += (uint64_t)n;
	if (n > LINE_LIMIT || t->size > MTREE_SIZE_MAX)
		return err_say(&t->err, EFBIG, t->name,
			"the specification is too large, or one of its lines is too long");
	if (memchr(t->line, '\0', (size_t)n))
		return err_say(&t->err, EBADMSG, t->name, "the specification contains a NUL");
	if (strchr(t->line, '\\') &&
		(strstr(t->line, "\\M") || strstr(t->line, "\\^") || strstr(t->line, "\\#")) &&
		!rewrite(t, &n))
		return err_nomem(&t->err);
	return n;
}

static int end_line(struct mtree_text *t, struct buf *ret)
{
	t->continued = false;
	if (t->kind == LINE_ENTRY)
		put_none(t, ret);
	for (size_t i = 0; t->kind == LINE_SET && i < MTREE_KEYS; i++)
		if (t->named & ~t->given & 1U << i)
			buf_reset(&t->sets[i]);
	if (t->kind == LINE_SET)
		buf_char(ret, ' '); /* libarchive recognises "/set" only with a blank behind it */
	if (t->kind != LINE_COMMENT)
		buf_char(ret, '\n');
	return end_entry(t) < 0 ? -t->err.num : 1;
}

/* Append the next line of the file to ret. Returns 1, 0 at the end of the file, or -errno. */
static int add_line(struct mtree_text *t, struct buf *ret)
{
	ssize_t n = read_line(t);
	const char *p = t->line;

	if (n <= 0)
		return n < 0 ? (int)n : t->continued ? end_line(t, ret) : 0;
	p += strspn(p, " \t");
	if (!t->continued) {
		size_t len = word_len(p);

		if (!begin_line(t, p, len, ret))
			return err_nomem(&t->err);
		p += len + (p[len] == '\\');
	}
	take_words(t, p, ret);
	t->continued = n >= 2 && t->line[n - 1] == '\n' && t->line[n - 2] == '\\';
	return t->continued ? 1 : end_line(t, ret);
}

int mtree_text_part(struct mtree_text *t, struct buf *ret, size_t *ret_drop)
{
	size_t start;
	int r = 1;

	/* libarchive recognises mtree by this signature. */
	buf_reset(ret);
	buf_str(ret, "#mtree\n");
	for (size_t i = 0; i < t->dirs.len; i++)
		buf_printf(ret, "%s type=dir\n", t->dirs.items[i]);
	for (size_t i = 0; i < MTREE_KEYS; i++)
		if (t->sets[i].len)
			buf_printf(ret, "/set %s \n",
				buf_get(&t->sets[i])); /* a value may end in a backslash */
	*ret_drop = t->dirs.len;

	start = ret->len;
	for (size_t lines = 0; r > 0 &&
		(t->continued || (lines < PART_LINES && ret->len - start < MTREE_PART_SIZE));
		lines++)
		r = add_line(t, ret);
	for (size_t i = 0; i < MTREE_KEYS; i++)
		ret->oom |= t->sets[i].oom;
	if (r < 0)
		return r;
	return ret->oom ? err_nomem(&t->err) : ret->len > start;
}

void mtree_text_done(struct mtree_text *t)
{
	free(t->line);
	free(t->entry);
	strv_done(&t->dirs);
	for (size_t i = 0; i < MTREE_KEYS; i++)
		buf_done(&t->sets[i]);
	buf_done(&t->plain);
}
