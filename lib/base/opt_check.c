/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* opt_check: check option tables for programming errors; a unit test calls it. */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "opt.h"
#include "opt_form.h"

/* Texts for readers who see this option alone, as after a search in a pager. */
static bool stands_alone(const char *text)
{
	static const char *const bad[] = { "They ", "It ", "The same" };

	for (size_t i = 0; text && i < ARRAY_LEN(bad); i++)
		if (!strncmp(text, bad[i], strlen(bad[i])))
			return false;
	return true;
}

static int check_text(const struct opt *o, struct err *e)
{
	if (!o->help || strlen(o->help) > 60)
		return err_say(e, EINVAL, o->name, "help is missing or longer than 60 columns");
	if (!isupper((unsigned char)o->help[0]) || o->help[strlen(o->help) - 1] == '.')
		return err_say(e, EINVAL, o->name,
			"help must start with a capital verb and end without a full stop");
	if (!stands_alone(o->help) || !stands_alone(o->more))
		return err_say(
			e, EINVAL, o->name, "a text must not begin with They, It or The same");
	return 0;
}

static int check_one(const struct opt *o, struct err *e)
{
	bool choice = o->type == OPT_TYPE_CHOICE;

	if (strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(o->name) ||
		!isalnum((unsigned char)o->name[0]))
		return err_say(
			e, EINVAL, o->name, "a name has only small letters, digits and hyphens");
	if (o->letter && !isalnum((unsigned char)o->letter))
		return err_say(e, EINVAL, o->name, "the letter is not a letter or digit");
	if ((o->type == OPT_TYPE_FLAG) != !o->arg)
		return err_say(
			e, EINVAL, o->name, "a flag has no metavar; every other option has one");
	if ((choice || o->comp == COMP_WORDS) != !!o->words)
		return err_say(e, EINVAL, o->name,
			"words belong to CHOICE and COMP_WORDS, and only there");
	if ((o->comp == COMP_OPTIONS) != !!o->values)
		return err_say(e, EINVAL, o->name, "values belong to COMP_OPTIONS, and only there");
	if (o->filled && o->type != OPT_TYPE_STR && o->type != OPT_TYPE_LIST)
		return err_say(
			e, EINVAL, o->name, "only a STR or LIST can be required not to be empty");
	if ((o->type == OPT_TYPE_FUNC) != !!o->parse)
		return err_say(
			e, EINVAL, o->name, "a parse function belongs to FUNC, and only there");
	return check_text(o, e);
}

/* All names of the list must be options, and the form, unless it is -1, must accept them. */
static int check_names(
	const struct opt_set *sets, size_t n_sets, const char *names, int form, struct err *e)
{
	for (const char *w = names; w && *w;) {
		size_t n = strcspn(w, " ");
		const struct opt *o = opt_find(sets, n_sets, w, n);

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

static int check_forms(
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

int opt_check_tables(
	const struct opt_set *sets, size_t n_sets, const struct opt_form *forms, struct err *e)
{
	VEC(const struct opt *) all = { 0 };
	int r = 0;

	for (size_t s = 0; s < n_sets && r == 0; s++) {
		for (const struct opt *o = sets[s].opts; o->name && r == 0; o++) {
			r = check_one(o, e);
			for (size_t i = 0; i < all.len && r == 0; i++) {
				if (!strcmp(all.items[i]->name, o->name))
					r = err_say(e, EINVAL, o->name, "two options of this name");
				else if (o->letter && all.items[i]->letter == o->letter)
					r = err_say(e, EINVAL, o->name,
						"shares its letter with --%s", all.items[i]->name);
			}
			if (r == 0 && VEC_ADD(&all, o) < 0)
				r = err_nomem(e);
		}
	}
	VEC_DONE(&all);
	return r == 0 ? check_forms(sets, n_sets, forms, e) : r;
}
