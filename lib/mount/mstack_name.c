/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mstack_name: the names of the entries of a directory NAME.mstack, and the order of layers. */

#include "mstack.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"

bool mstack_is_name(const char *path)
{
	const size_t suffix = strlen(MSTACK_SUFFIX);
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n > suffix && !memcmp(path + n - suffix, MSTACK_SUFFIX, suffix) &&
		path[n - suffix - 1] != '/';
}

/*
 * --- names -------------------------------------------------------------------------------------
 */

static const struct {
	const char *prefix;
	enum mstack_kind kind;
	bool word;  /* the prefix is followed by a word */
	bool image; /* it may be an image */
} names[] = {
	{ "layer@", MSTACK_LAYER, true, true },
	{ "rw", MSTACK_RW, false, false },
	{ "root", MSTACK_ROOT, false, false },
	{ "bind@", MSTACK_BIND, true, true },
	{ "robind@", MSTACK_ROBIND, true, true },
};

static bool ends_in(const char *s, size_t n, const char *suffix)
{
	size_t len = strlen(suffix);

	return n > len && !memcmp(s + n - len, suffix, len);
}

static int refuse_name(const char *path, struct err *e)
{
	(void)err_say(e, EINVAL, path, "is not the name of a part of a stack");
	err_op(e, "mstack");
	err_try(e,
		"remove it: the names are layer@ID, rw, root, bind@PLACE and robind@PLACE, with "
		".raw after those of image files (systemd.mstack(7))");
	return -EINVAL;
}

/*
 * A file without ".raw", a directory with versions in it, and the types that cannot be mounted. n:
 * the length of the name without ".raw".
 */
static int check_type(const char *path, const char *name, mode_t type, size_t *n, struct err *e)
{
	if (S_ISDIR(type) && !ends_in(name, *n, ".v"))
		return 0;
	if (S_ISREG(type) && ends_in(name, *n, ".raw")) {
		*n -= strlen(".raw");
		return 0;
	}
	if (S_ISBLK(type))
		return 0;
	if (S_ISDIR(type)) {
		(void)err_say(e, EINVAL, path, "holds versions, of which none is chosen here");
		err_try(e, "replace it with a symbolic link to the version that is meant");
	} else if (S_ISREG(type)) {
		(void)err_say(e, EINVAL, path, "is a file whose name does not end in .raw");
		err_try(e, "rename it if it is an image of a filesystem, else remove it");
	} else {
		(void)err_say(e, EINVAL, path,
			"is neither a directory, nor an image, nor a block device");
		err_try(e, "remove it");
	}
	err_op(e, "mstack");
	return -EINVAL;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/*
 * Undo the escapes of systemd.unit(5): "-" is a slash, "\x2d" the byte of that number. Returns
 * false for an escape that is none.
 */
static bool unescape_place(const char *s, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (s[i] != '\\') {
			buf_char(ret, s[i] == '-' ? '/' : s[i]);
			continue;
		}
		if (n - i < 4 || s[i + 1] != 'x')
			return false;
		high = hex_value(s[i + 2]);
		low = hex_value(s[i + 3]);
		if (high < 0 || low < 0 || (high | low) == 0)
			return false;
		buf_char(ret, (char)(high << 4 | low));
		i += 3;
	}
	return true;
}

/* Is it a path below the root: no component empty, "." or "..", none too long? */
static bool is_place(const char *path)
{
	if (strlen(path) >= PATH_MAX)
		return false;
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (!n || n > NAME_MAX || (n == 1 && *p == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

static int parse_place(const char *path, const char *s, size_t n, char **ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	bool ok = unescape_place(s, n, &b);

	if (!buf_get(&b))
		return err_nomem(e);
	if (n == 1 && *s == '-') {
		(void)err_say(e, EINVAL, path, "would cover the whole stack");
		err_op(e, "mstack");
		err_try(e, "mount what it leads to by itself, without the stack");
		return -EINVAL;
	}
	if (!ok || !is_place(b.data)) {
		(void)err_say(e, EINVAL, path, "does not name a place in the stack after '@'");
		err_op(e, "mstack");
		err_try(e, "write the path as systemd-escape -p prints it: bind@var-lib");
		return -EINVAL;
	}
	*ret = buf_take(&b);
	return *ret ? 0 : err_nomem(e);
}

static int image_not_here(const char *path, const char *name, struct err *e)
{
	(void)err_say(e, EINVAL, path, "is an image, and has to be a directory here");
	err_op(e, "mstack");
	err_try(e,
		"mount the image, and replace it with a symbolic link '%s' to the directory that "
		"it is mounted on",
		name);
	return -EINVAL;
}

int mstack_entry_parse(const char *path, mode_t type, struct mstack_entry *ret, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct mstack_entry x = { .image = !S_ISDIR(type) };
	size_t n = strlen(name), at = 0, used = 0;
	int r = 0;

	for (; at < ARRAY_LEN(names); at++) {
		used = strlen(names[at].prefix);
		if (!strncmp(name, names[at].prefix, used) &&
			(names[at].word || !name[used] || name[used] == '.'))
			break;
	}
	if (at == ARRAY_LEN(names))
		return refuse_name(path, e);
	r = check_type(path, name, type, &n, e);
	if (r < 0)
		return r;
	if (names[at].word ? n <= used : n != used)
		return refuse_name(path, e);
	if (x.image && !names[at].image)
		return image_not_here(path, names[at].prefix, e);
	x.kind = names[at].kind;
	x.name = strdup(name);
	if (x.kind == MSTACK_LAYER)
		x.word = strndup(name + used, n - used);
	else if (names[at].word)
		r = parse_place(path, name + used, n - used, &x.word, e);
	if (r == 0 && (!x.name || (names[at].word && !x.word)))
		r = err_nomem(e);
	if (r < 0) {
		mstack_entry_done(&x);
		return r;
	}
	*ret = x;
	return 0;
}

void mstack_entry_done(struct mstack_entry *x)
{
	free(x->name);
	free(x->word);
	*x = (struct mstack_entry){ .kind = MSTACK_LAYER };
}

/*
 * --- order -------------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Skip what no version is made of. */
static const char *skip_others(const char *s)
{
	while (*s && !is_digit(*s) && !is_letter(*s) && !strchr("~-^.", *s))
		s++;
	return s;
}

static int compare(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

/* If both begin with the mark, step over it; if one does, that is the lower one. */
static int compare_mark(const char **a, const char **b, char mark)
{
	bool in_a = **a == mark, in_b = **b == mark;

	*a += in_a && in_b;
	*b += in_a && in_b;
	return (int)in_b - (int)in_a;
}

/* Numbers of any length. A text without a number is lower. */
static int compare_numbers(const char **a, const char **b)
{
	size_t n = strspn(*a, "0123456789"), m = strspn(*b, "0123456789"), zeros;
	int r = compare(n != 0, m != 0);

	zeros = strspn(*a, "0");
	*a += zeros;
	n -= zeros;
	zeros = strspn(*b, "0");
	*b += zeros;
	m -= zeros;
	if (r == 0)
		r = compare(n, m);
	if (r == 0)
		r = memcmp(*a, *b, n);
	*a += n;
	*b += m;
	return r;
}

static int compare_letters(const char **a, const char **b)
{
	int r = 0;

	while (r == 0 && (is_letter(**a) || is_letter(**b))) {
		r = is_letter(**a) && is_letter(**b) ? **a - **b :
						       compare(is_letter(**a), is_letter(**b));
		*a += is_letter(**a);
		*b += is_letter(**b);
	}
	return r;
}

int mstack_id_compare(const char *a, const char *b)
{
	for (;;) {
		int r;

		a = skip_others(a);
		b = skip_others(b);
		r = compare_mark(&a, &b, '~');
		if (r)
			return r;
		if (!*a || !*b)
			return compare(*a != '\0', *b != '\0');
		for (const char *mark = "-^."; *mark && r == 0; mark++)
			r = compare_mark(&a, &b, *mark);
		if (r == 0)
			r = is_digit(*a) || is_digit(*b) ? compare_numbers(&a, &b) :
							   compare_letters(&a, &b);
		if (r)
			return r;
	}
}
