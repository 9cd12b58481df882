/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* toml: TOML documents, with errors as in the rest of the library. */

#include "toml.h"

#include <errno.h>
#include <string.h>

#include "toml_priv.h"

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == '"' || *s == '\\')
			return false;
	return true;
}

int toml_print_str(
	const char *key, const char *value, const char *doc, struct buf *ret, struct err *e)
{
	if (!is_plain(value)) {
		(void)err_say(e, EINVAL, doc,
			"the value of %s would have a quote, a backslash or a control character",
			key);
		err_op(e, "toml");
		return -EINVAL;
	}
	buf_printf(ret, "%s = \"%s\"\n", key, value);
	return buf_get(ret) ? 0 : err_nomem(e);
}

#ifdef WITH_TOML

int toml_parse(const char *text, size_t n, const char *doc, struct toml_doc **ret, struct err *e)
{
	char fault[TOML_CXX_FAULT] = "";
	unsigned line = 0;
	int r;

	if (n > TOML_MAX_BYTES)
		return err_set(e, EFBIG, doc, "is too large for a file of settings");
	r = toml_cxx_parse(text, n, ret, fault, &line);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		(void)err_say(e, EINVAL, doc, "is not valid TOML: line %u: %s", line, fault);
		err_op(e, "toml");
	}
	return r;
}

void toml_free(struct toml_doc *t)
{
	toml_cxx_free(t);
}

int toml_str(const struct toml_doc *t, const char *path, const char *doc, const char **ret,
	struct err *e)
{
	const char *s = NULL;
	int r = toml_cxx_str(t, path, &s);

	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		(void)err_say(e, EINVAL, doc, "the value of %s is not a string", path);
		err_op(e, "toml");
		return r;
	}
	*ret = s;
	return 0;
}

int toml_strs(const struct toml_doc *t, const char *path, const char *doc, struct strv *ret,
	struct err *e)
{
	const char *s;
	int r = 1;

	for (size_t i = 0; r > 0; i++) {
		r = toml_cxx_item(t, path, i, &s);
		if (r > 0 && strv_add(ret, s) < 0)
			r = -ENOMEM;
	}
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		(void)err_say(e, EINVAL, doc, "the value of %s is not a list of strings", path);
		err_op(e, "toml");
	}
	return r;
}

/* Take the new text over from toml_cxx.cc. r: what it has returned. */
static int take_text(int r, const char *text, size_t n, struct buf *ret, struct err *e)
{
	if (r == 0)
		buf_add(ret, text, n);
	return r == -ENOMEM || (r == 0 && !buf_get(ret)) ? err_nomem(e) : r;
}

int toml_add_str(const struct toml_doc *t, const char *path, const char *value, const char *doc,
	struct buf *ret, struct err *e)
{
	scoped_free char *text = NULL;
	size_t n = 0;
	int r = is_plain(value) ? toml_cxx_add(t, path, value, &text, &n) : -EINVAL;

	r = take_text(r, text, n, ret, e);
	if (r == -EINVAL) {
		(void)err_say(e, EINVAL, doc, "\"%s\" cannot be added to %s", value, path);
		err_op(e, "toml");
		err_try(e, "add it in an editor");
	}
	return r;
}

int toml_replace_str(const struct toml_doc *t, const struct toml_replacement *with, const char *doc,
	struct buf *ret, struct err *e)
{
	scoped_free char *text = NULL;
	size_t n = 0;
	int r = is_plain(with->value) ?
		toml_cxx_replace(t, with->path, with->old, with->value, &text, &n) :
		-EINVAL;

	r = take_text(r, text, n, ret, e);
	if (r == -EINVAL) {
		(void)err_say(e, EINVAL, doc, "\"%s\" cannot be replaced by \"%s\" in %s",
			with->old, with->value, with->path);
		err_op(e, "toml");
		err_try(e, "replace it in an editor");
	}
	return r;
}

#else

int toml_parse(const char *text, size_t n, const char *doc, struct toml_doc **ret, struct err *e)
{
	(void)text, (void)n, (void)ret;
	(void)err_say(e, ENOTSUP, doc, "this program was built without a parser of TOML");
	err_try(e, "build it with toml++ installed (make TOML=1), or edit the file");
	return -ENOTSUP;
}

void toml_free(struct toml_doc *t)
{
	(void)t; /* there is none */
}

int toml_str(const struct toml_doc *t, const char *path, const char *doc, const char **ret,
	struct err *e)
{
	(void)t, (void)path, (void)ret;
	return err_say(e, ENOTSUP, doc, "this program was built without a parser of TOML");
}

int toml_strs(const struct toml_doc *t, const char *path, const char *doc, struct strv *ret,
	struct err *e)
{
	(void)t, (void)path, (void)ret;
	return err_say(e, ENOTSUP, doc, "this program was built without a parser of TOML");
}

int toml_add_str(const struct toml_doc *t, const char *path, const char *value, const char *doc,
	struct buf *ret, struct err *e)
{
	(void)t, (void)path, (void)value, (void)ret;
	return err_say(e, ENOTSUP, doc, "this program was built without a parser of TOML");
}

int toml_replace_str(const struct toml_doc *t, const struct toml_replacement *with, const char *doc,
	struct buf *ret, struct err *e)
{
	(void)t, (void)with, (void)ret;
	return err_say(e, ENOTSUP, doc, "this program was built without a parser of TOML");
}

#endif
