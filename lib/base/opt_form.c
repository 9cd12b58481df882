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
	return -EINVAL;
}

/* Finds the option with this name (n bytes), or NULL. */
static const struct opt *find(const struct opt_set *sets, size_t n_sets, const char *name, size_t n)
{
	for (size_t s = 0; s < n_sets; s++)
		for (const struct opt *o = sets[s].opts; o->name; o++)
			if (strlen(o->name) == n && !memcmp(o->name, name, n))
				return o;
	return NULL;
}

/* Requirements count only if the form accepts one of the options that are needed. */
static bool lacks_needed(size_t form, const struct opt *o, const struct opt_line *l,
	const struct opt_set *sets, size_t n_sets)
{
	if (!o->needs || is_given(l, o->needs))
		return false;
	for (const char *w = o->needs; *w;) {
		size_t n = strcspn(w, " ");
		const struct opt *needed = find(sets, n_sets, w, n);

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

/* All names of the list must be options, and the form, unless it is -1, must accept them. */
static int check_names(
	const struct opt_set *sets, size_t n_sets, const char *names, int form, struct err *e)
{
	for (const char *w = names; w && *w;) {
		size_t n = strcspn(w, " ");
		const struct opt *o = find(sets, n_sets, w, n);

		if (!o)
			return err_say(e, EINVAL, w, "a list names an option that does not exist");
		if (form >= 0 && !opt_form_accepts((size_t)form, o))
			return err_say(
				e, EINVAL, o->name, "selects a form that does not accept it");
		w += n;
		w += *w == ' ';
	}
	return 0;
}

int opt_form_check_tables(
	const struct opt_set *sets, size_t n_sets, const struct opt_form *forms, struct err *e)
{
	size_t n = opt_form_count(forms);
	int r = 0;

	if (n > OPT_FORMS_MAX)
		return err_say(e, EINVAL, forms[0].name, "the command has too many forms");
	for (size_t s = 0; s < n_sets && r == 0; s++) {
		for (const struct opt *o = sets[s].opts; o->name && r == 0; o++) {
			if (o->forms >> n)
				r = err_say(e, EINVAL, o->name, "has a form that does not exist");
			else if (o->instead && !o->forms && !o->needs)
				r = err_say(e, EINVAL, o->name,
					"has a remedy, but it is never refused");
			else
				r = check_names(sets, n_sets, o->needs, -1, e);
		}
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		r = check_names(sets, n_sets, forms[i].options, (int)i, e);
		if (r == 0 && (!forms[i].synopsis || !forms[i].synopsis[0]))
			r = err_say(e, EINVAL, forms[i].name, "a form has a synopsis");
	}
	return r;
}
