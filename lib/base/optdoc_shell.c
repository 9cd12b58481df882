/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc_shell: what the completion scripts of all shells have in common. */

#include "optdoc_shell.h"

#include <errno.h>
#include <string.h>

void shell_put_quoted(FILE *f, const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs(quote, f);
		else if (strchr(special, *text))
			(void)fprintf(f, "\\%c", *text);
		else
			(void)fputc(*text, f);
	}
}

int shell_finish(FILE *f)
{
	return ferror(f) ? -EIO : 0;
}

const char *shell_operand_words(const struct optdoc_cmd *c, char buf[static SHELL_WORDS_MAX])
{
	size_t at = 0;

	for (size_t i = 0; c->forms[i].name && at < SHELL_WORDS_MAX; i++)
		if (c->forms[i].word)
			at += (size_t)snprintf(buf + at, SHELL_WORDS_MAX - at, "%s%s",
				at ? " " : "", c->forms[i].word);
	return at ? buf : NULL;
}

bool shell_can_select(const struct optdoc_cmd *c, const struct opt_form *form)
{
	if (form->word)
		return true;
	EACH_OPTION(c, s, o)
	{
		if (opt_form_selected_by(form, o))
			return true;
	}
	return false;
}

bool shell_depends_on_form(const struct optdoc_cmd *c, const struct opt *o)
{
	for (size_t i = 0; c->forms[i].name; i++)
		if (shell_can_select(c, &c->forms[i]) && !opt_form_accepts(i, o))
			return true;
	return false;
}

void shell_put_forms(FILE *f, const struct optdoc_cmd *c, const struct opt *o, const char *sep)
{
	const char *before = "";

	for (size_t i = 0; c->forms[i].name; i++) {
		if (!shell_can_select(c, &c->forms[i]) || !opt_form_accepts(i, o))
			continue;
		(void)fprintf(f, "%s%zu", before, i);
		before = sep;
	}
}
