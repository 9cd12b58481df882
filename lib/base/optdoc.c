/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc: --help from the tables. optdoc_mdoc.c has the manual, optdoc_shell.c the completions. */

#include "optdoc.h"

#include <errno.h>
#include <string.h>

enum { WIDTH = 80, HELP_COLUMN = 28 };

/* The length of the first word of text. Brackets with all that is in them are one word. */
static size_t word_length(const char *text)
{
	size_t n = 0, depth = 0;

	for (; text[n] && (depth || text[n] != ' '); n++) {
		depth += text[n] == '[';
		depth -= text[n] == ']' && depth;
	}
	return n <= WIDTH - 2 * 10 ? n : strcspn(text, " ");
}

/* Prints text wrapped at WIDTH, from column at on; further lines start at indent. */
static void print_wrapped(FILE *f, const char *text, size_t at, size_t indent)
{
	bool first = true;

	for (const char *w = text; *w;) {
		size_t n = word_length(w);

		if (!first && at + 1 + n > WIDTH) {
			(void)fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			(void)fputc(' ', f);
			at++;
		}
		(void)fprintf(f, "%.*s", (int)n, w);
		at += n;
		first = false;
		w += n;
		w += strspn(w, " ");
	}
	(void)fputc('\n', f);
}

static void print_option(const struct opt *o, FILE *f)
{
	char left[128], help[512];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
		o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->arg ? "=" : "",
		o->arg ? o->arg : "");
	(void)snprintf(help, sizeof(help), "%s%s%s%s", o->help, o->words ? " (" : "",
		o->words ? o->words : "", o->words ? ")" : "");

	if (n + 2 > HELP_COLUMN)
		(void)fprintf(f, "%s\n%*s", left, HELP_COLUMN, "");
	else
		(void)fprintf(f, "%-*s", HELP_COLUMN, left);
	print_wrapped(f, help, HELP_COLUMN, HELP_COLUMN);
}

/* Prints the options of a set that the form (-1: any) accepts, in groups with their headings. */
static void print_options(const char *title, const struct opt *opts, int form, FILE *f)
{
	const char *heading = title;

	for (const struct opt *o = opts; o->name; o++) {
		if (o->heading && form < 0)
			heading = o->heading;
		if (form >= 0 && !opt_form_accepts((size_t)form, o))
			continue;
		if (heading)
			(void)fprintf(f, "\n%s:\n", heading);
		heading = NULL;
		print_option(o, f);
	}
}

static void print_usage(const struct optdoc_cmd *c, int form, FILE *f)
{
	const char *title = "Usage:";

	for (size_t i = 0; c->forms[i].name; i++) {
		const char *const *lines = c->forms[i].synopsis;

		for (size_t k = 0; lines[k] && (form < 0 || (size_t)form == i); k++) {
			int n = fprintf(f, "%s %s ", title, c->name);

			print_wrapped(f, lines[k], n > 0 ? (size_t)n : 0, 10);
			title = "      ";
		}
	}
}

static bool has_subcommands(const struct optdoc_cmd *c)
{
	for (size_t i = 0; c->forms[i].name; i++)
		if (c->forms[i].word)
			return true;
	return false;
}

static void print_subcommands(const struct optdoc_cmd *c, FILE *f)
{
	(void)fprintf(
		f, "\nSubcommands (`%s SUBCOMMAND --help` lists the options of one):\n", c->name);
	for (size_t i = 0; c->forms[i].name; i++) {
		int n = fprintf(f, "  %-10s ", c->forms[i].word);

		print_wrapped(f, c->forms[i].brief, n > 0 ? (size_t)n : 0, 13);
	}
}

int optdoc_help(const struct optdoc_cmd *c, int form, FILE *f)
{
	const char *brief = form >= 0 ? c->forms[form].brief : NULL;

	print_usage(c, form, f);
	(void)fprintf(f, "\n%s.\n", brief ? brief : c->brief);
	if (form < 0 && has_subcommands(c))
		print_subcommands(c, f);
	else
		print_options("Options", c->sets[0].opts, form, f);
	for (size_t s = 1; s < c->n_sets; s++)
		print_options(s == 1 ? "Common options" : NULL, c->sets[s].opts, -1, f);
	return ferror(f) ? -EIO : 0;
}
