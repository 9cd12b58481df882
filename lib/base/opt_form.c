/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* opt_form: which options belong to which subcommand or mode of a command. */

#include "opt_form.h"

#include <errno.h>
#include <string.h>

#include "buf.h"

size_t opt_form_count(const struct opt_form *forms)
{
	size_t n = 0;

	while (forms && forms[n].name)
		n++;
	return n;
}

bool opt_form_accepts(size_t form, const struct opt *o)
{
	return !o->forms || o->forms >> form & 1;
}

bool opt_form_selected_by(const struct opt_form *form, const struct opt *o)
{
	return form->options && opt_word_index(form->options, o->name) >= 0;
}

/* Returns the first given option that selects the form, or NULL. */
static const struct opt *selector(const struct opt_form *form, const struct opt_line *l)
{
	for (size_t i = 0; i < l->given.len; i++)
		if (opt_form_selected_by(form, l->given.items[i]))
			return l->given.items[i];
	return NULL;
}

int opt_form_selected(const struct opt_form *forms, const struct opt_line *l)
{
	for (size_t i = 0; forms[i].name; i++)
		if (forms[i].word && l->operands.len &&
			!strcmp(forms[i].word, l->operands.items[0]))
			return (int)i;
	for (size_t i = 0; forms[i].name; i++)
		if (selector(&forms[i], l))
			return (int)i;
	return -1;
}

/* "a", "a and b", "a, b and c": what stands before item i of n. */
static const char *separator(size_t i, size_t n, const char *last)
{
	return i == 0 ? "" : i + 1 < n ? ", " : last;
}

static int refuse(const struct opt_form *forms, size_t form, const struct opt_line *l,
	const struct opt *o, struct err *e)
{
	const struct opt *by = selector(&forms[form], l);
	scoped_buf struct buf b = BUF_INIT;
	size_t n = 0, k = 0;

	for (size_t i = 0; forms[i].name; i++)
		n += opt_form_accepts(i, o);
	for (size_t i = 0; forms[i].name; i++) {
		if (!opt_form_accepts(i, o))
			continue;
		buf_printf(&b, "%s%s", separator(k, n, " and "), forms[i].name);
		k++;
	}
	(void)err_usage(e, "option '--%s' is not for %s%s: it is for %s", o->name, by ? "--" : "",
		by ? by->name : forms[form].name, buf_get(&b) ? buf_get(&b) : "other forms");
	if (o->instead)
		err_try(e, "%s", o->instead);
	else
		err_try(e, "omit --%s", o->name);
	return -EINVAL;
}

static bool is_given(const struct opt_line *l, const char *words)
{
	for (size_t i = 0; i < l->given.len; i++)
		if (opt_word_index(words, l->given.items[i]->name) >= 0)
			return true;
	return false;
}

static int refuse_alone(const struct opt *o, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t n = 1, k = 0;

	for (const char *w = o->needs; *w; w++)
		n += *w == ' ';
	for (const char *w = o->needs; *w; k++) {
		size_t len = strcspn(w, " ");

		buf_printf(&b, "%s--%.*s", separator(k, n, " or "), (int)len, w);
		w += len;
		w += *w == ' ';
	}
	(void)err_usage(
		e, "option '--%s' needs %s", o->name, buf_get(&b) ? buf_get(&b) : "another option");
	if (o->instead)
		err_try(e, "%s", o->instead);
	else if (buf_get(&b))
		err_try(e, "add %s, or omit --%s", buf_get(&b), o->name);
	return -EINVAL;
}

/* Requirements count only if the form accepts one of the options that are needed. */
static bool lacks_needed(size_t form, const struct opt *o, const struct opt_line *l,
	const struct opt_set *sets, size_t n_sets)
{
	if (!o->needs || is_given(l, o->needs))
		return false;
	for (const char *w = o->needs; *w;) {
		size_t n = strcspn(w, " ");
		const struct opt *needed = opt_find(sets, n_sets, w, n);

		if (needed && opt_form_accepts(form, needed))
			return true;
		w += n;
		w += *w == ' ';
	}
	return false;
}

int opt_form_check(const struct opt_form *forms, size_t form, const struct opt_line *l,
	const struct opt_set *sets, size_t n_sets, struct err *e)
{
	for (size_t i = 0; i < l->given.len; i++)
		if (!opt_form_accepts(form, l->given.items[i]))
			return refuse(forms, form, l, l->given.items[i], e);
	for (size_t i = 0; i < l->given.len; i++)
		if (lacks_needed(form, l->given.items[i], l, sets, n_sets))
			return refuse_alone(l->given.items[i], e);
	return 0;
}
