/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc: --help from the tables. optdoc_mdoc.c has the manual, optdoc_shell.c the completions. */

#include "optdoc.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "wrap.h"

/* HELP_COLUMN: where the text about an option begins, on terminals that are wide enough. */
enum { WIDTH = 80, NARROW = 56, HELP_COLUMN = 28, HELP_COLUMN_NARROW = 6 };

/* A page of help. */
struct help_page {
	FILE *f;
	size_t width;
};

/* Print text from column at on; further lines start at indent. */
static void print_wrapped(const struct help_page *p, const char *text, size_t at, size_t indent)
{
	scoped_buf struct buf b = BUF_INIT;

	wrap_text(&b, text, &(struct wrap){ at, indent, p->width });
	(void)fprintf(p->f, "%s\n", buf_get(&b) ? buf_get(&b) : text);
}

static void print_heading(const struct help_page *p, const char *heading)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s:", heading);
	(void)fputc('\n', p->f);
	print_wrapped(p, buf_get(&b) ? buf_get(&b) : heading, 0, 0);
}

static void print_option(const struct opt *o, const struct help_page *p)
{
	int column = p->width < NARROW ? HELP_COLUMN_NARROW : HELP_COLUMN;
	char left[128], help[512];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
		o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->arg ? "=" : "",
		o->arg ? o->arg : "");
	(void)snprintf(help, sizeof(help), "%s%s%s%s%s%s", o->help, o->example ? ", such as " : "",
		o->example ? o->example : "", o->words ? " (" : "",
		o->shown         ? o->shown :
			o->words ? o->words :
				   "",
		o->words ? ")" : "");

	if (n + 2 > column)
		(void)fprintf(p->f, "%s\n%*s", left, column, "");
	else
		(void)fprintf(p->f, "%-*s", column, left);
	print_wrapped(p, help, (size_t)column, (size_t)column);
}

/* Prints the options of a set that the form (-1: any) accepts, in groups with their headings. */
static void print_options(
	const char *title, const struct opt *opts, int form, const struct help_page *p)
{
	const char *heading = title;

	for (const struct opt *o = opts; o->name; o++) {
		if (o->heading && form < 0)
			heading = o->heading;
		if (form >= 0 && !opt_form_accepts((size_t)form, o))
			continue;
		if (heading)
			print_heading(p, heading);
		heading = NULL;
		print_option(o, p);
	}
}

static void print_usage(const struct optdoc_cmd *c, int form, const struct help_page *p)
{
	const char *title = "Usage:";

	for (size_t i = 0; c->forms[i].name; i++) {
		const char *const *lines = c->forms[i].synopsis;

		for (size_t k = 0; lines[k] && (form < 0 || (size_t)form == i); k++) {
			int n = fprintf(p->f, "%s %s ", title, c->name);

			print_wrapped(p, lines[k], n > 0 ? (size_t)n : 0, 10);
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

static void print_subcommands(const struct optdoc_cmd *c, const struct help_page *p)
{
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "Subcommands (`%s SUBCOMMAND --help` lists the options of one):", c->name);
	(void)fputc('\n', p->f);
	print_wrapped(p, buf_get(&b) ? buf_get(&b) : "", 0, 0);
	for (size_t i = 0; c->forms[i].name; i++) {
		int n = fprintf(p->f, "  %-10s ", c->forms[i].word);

		print_wrapped(p, c->forms[i].brief, n > 0 ? (size_t)n : 0, 13);
	}
}

int optdoc_help(const struct optdoc_cmd *c, int form, size_t columns, FILE *f)
{
	const struct help_page p = { f, columns && columns < WIDTH ? columns : WIDTH };
	const char *brief = form >= 0 ? c->forms[form].brief : NULL;
	scoped_buf struct buf text = BUF_INIT;

	print_usage(c, form, &p);
	buf_printf(&text, "%s.", brief ? brief : c->brief);
	(void)fputc('\n', f);
	print_wrapped(&p, buf_get(&text) ? buf_get(&text) : "", 0, 0);
	if (form < 0 && has_subcommands(c))
		print_subcommands(c, &p);
	else
		print_options("Options", c->sets[0].opts, form, &p);
	for (size_t s = 1; s < c->n_sets; s++)
		print_options(s == 1 ? "Common options" : NULL, c->sets[s].opts, -1, &p);
	return ferror(f) ? -EIO : 0;
}
