/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc_mdoc: the parts of a manual page that are generated from the tables, in mdoc(7). */

#include "optdoc.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "buf.h"

enum { LINE = 78 }; /* mandoc -Tlint complains beyond 80 */

/* Writes one word of text so that it is neither a request nor an escape. */
static void put_word(struct buf *b, const char *w, size_t n)
{
	if (n && strchr(".'", w[0]))
		buf_str(b, "\\&");
	for (size_t i = 0; i < n; i++) {
		if (w[i] == '\\')
			buf_str(b, "\\e");
		else if (w[i] == '"')
			buf_str(b, "\\(dq");
		else if (w[i] == '-' && w[0] == '-')
			buf_str(b, "\\-");
		else if (w[i] == '~')
			buf_str(b, "\\(ti");
		else if (w[i] == '^')
			buf_str(b, "\\(ha");
		else
			buf_char(b, w[i]);
	}
}

/* Writes one word as an argument of a macro, so that it is not a macro or a delimiter either. */
static void put_arg(struct buf *b, const char *w, size_t n)
{
	bool delimiter = n == 1 && strchr(",:;()[]|?!", w[0]);
	bool macro = n >= 2 && n <= 3 && isupper((unsigned char)w[0]) &&
		(islower((unsigned char)w[1]) || isdigit((unsigned char)w[1]));

	if (delimiter || macro || (n && w[0] == '%'))
		buf_str(b, "\\&");
	put_word(b, w, n);
}

/*
 * Writes plain text and then end, wrapped, with a new line for each sentence as mdoc requires. A
 * word that ends in a full stop ends a sentence if a capital or a quote follows.
 */
static void put_text(struct buf *b, const char *text, const char *end)
{
	size_t at = 0;

	for (const char *w = text + strspn(text, " "); *w;) {
		size_t n = strcspn(w, " "), before = b->len;
		const char *next = w + n + strspn(w + n, " ");
		bool sentence = n && strchr(".?!", w[n - 1]) && !islower((unsigned char)*next);

		if (at && at + 1 + n > LINE) {
			buf_char(b, '\n');
			at = 0;
		} else if (at) {
			buf_char(b, ' ');
		}
		put_word(b, w, n);
		at += b->len - before;
		w = next;
		if (sentence && *w) {
			buf_char(b, '\n');
			at = 0;
		}
	}
	buf_printf(b, "%s\n", end);
}

/* ".Ar WHEN is one of auto, always and never." */
static void put_choice(struct buf *b, const struct opt *o)
{
	buf_str(b, ".Ar ");
	put_arg(b, o->arg, strlen(o->arg));
	buf_str(b, strstr(o->words, ": ") ? "\nis or begins with one of\n" : "\nis one of\n");
	for (const char *w = o->words; *w;) {
		size_t n = strcspn(w, " ");
		const char *next = w + n + strspn(w + n, " ");

		buf_str(b, ".Cm ");
		put_arg(b, w, n);
		buf_str(b, !*next ? " .\n" : strchr(next, ' ') ? " ,\n" : "\nor\n");
		w = next;
	}
}

static void put_option(struct buf *b, const struct opt *o)
{
	buf_str(b, ".It ");
	if (o->letter)
		buf_printf(b, "Fl %c , ", o->letter);
	buf_printf(b, "Fl Fl %s", o->name);
	if (o->arg) {
		buf_str(b, " Ns = Ns Ar ");
		put_arg(b, o->arg, strlen(o->arg));
	}
	buf_char(b, '\n');
	put_text(b, o->help, o->example ? "," : ".");
	if (o->example) {
		buf_str(b, "such as\n");
		put_text(b, o->example, ".");
	}
	if (o->words)
		put_choice(b, o);
	if (o->more)
		put_text(b, o->more, "");
}

static int finish(const struct buf *b, FILE *f)
{
	if (!buf_get(b))
		return -ENOMEM;
	return fputs(buf_get(b), f) < 0 ? -EIO : 0;
}

/* Writes the options of a set that the form (-1: any) accepts; a heading starts a new list. */
static void put_options(struct buf *b, const struct opt *opts, int form)
{
	for (const struct opt *o = opts; o->name; o++) {
		if (form >= 0 && !opt_form_accepts((size_t)form, o))
			continue;
		if (o->heading && form < 0)
			buf_printf(b, ".El\n.Ss %s\n.Bl -tag -width Ds\n", o->heading);
		put_option(b, o);
	}
}

int optdoc_mdoc(const struct optdoc_cmd *c, int part, FILE *f)
{
	static const char empty[] = ".Bl -tag -width Ds\n.El\n";
	scoped_buf struct buf b = BUF_INIT;
	const char *text;

	buf_str(&b, ".Bl -tag -width Ds\n");
	if (part != OPTDOC_COMMON)
		put_options(&b, c->sets[0].opts, part);
	if (part == OPTDOC_ALL && c->sets[0].opts->heading)
		buf_str(&b, ".El\n.Ss Common options\n.Bl -tag -width Ds\n");
	for (size_t s = 1; s < c->n_sets && part < 0; s++)
		put_options(&b, c->sets[s].opts, part);
	buf_str(&b, ".El\n");
	text = buf_get(&b);
	if (!text)
		return -ENOMEM;
	if (!strncmp(text, empty, strlen(empty)))
		text += strlen(empty);
	return fputs(text, f) < 0 ? -EIO : 0;
}

/* --- SYNOPSIS ------------------------------------------------------------------------------- */

/*
 * One word of a synopsis: -x and --name are flags, capitals stand for something, the rest is
 * literal.
 */
static void put_synopsis_word(struct buf *b, const char *w, size_t n)
{
	size_t lower = 0;

	if (n > 1 && w[0] == '-') {
		bool name = w[1] == '-';

		buf_str(b, n == 2 && name ? "Fl \\-" : name ? "Fl Fl " : "Fl ");
		buf_add(b, w + 1 + name, n - 1 - name);
		return;
	}
	while (lower < n && !isupper((unsigned char)w[lower]))
		lower++;
	if (lower && lower < n) {
		buf_str(b, "Cm ");
		put_arg(b, w, lower);
		buf_str(b, " Ns Ar ");
		put_arg(b, w + lower, n - lower);
		return;
	}
	buf_str(b, lower ? "Cm " : "Ar ");
	put_arg(b, w, n);
}

/*
 * One synopsis: an optional part becomes Oo ... Oc, what touches its neighbour Ns, and each part
 * that stands outside of brackets a line of its own.
 */
static void put_synopsis(struct buf *b, const char *s)
{
	unsigned depth = 0;
	bool glued = false, fresh = true; /* no blank before; nothing on this line yet */

	while (*s) {
		size_t n = strcspn(s, " []|=");

		if (n > 3 && s[0] != '.' && !memcmp(s + n - 3, "...", 3))
			n -= 3;
		if (*s == ' ') {
			if (depth == 0 && !fresh) {
				buf_char(b, '\n');
				fresh = true;
			}
			glued = false;
			s++;
			continue;
		}
		if (*s == '|' && depth == 0) {
			buf_str(b, fresh ? "|" : glued ? " Ns \\&|" : " |");
			fresh = false;
			s++;
			continue;
		}
		buf_str(b, fresh ? "." : " ");
		if (glued && *s != ']')
			buf_str(b, "Ns ");
		fresh = false;
		glued = *s != '[';
		if (n == 0) {
			depth += *s == '[';
			depth -= *s == ']' && depth;
			buf_str(b, *s == '[' ? "Oo" : *s == ']' ? "Oc" : *s == '|' ? "|" : "=");
			s++;
			continue;
		}
		if (!strncmp(s, "...", 3))
			buf_str(b, "No ...");
		else
			put_synopsis_word(b, s, n);
		s += n;
	}
	if (!fresh)
		buf_char(b, '\n');
}

int optdoc_mdoc_synopsis(const struct optdoc_cmd *c, FILE *f)
{
	scoped_buf struct buf b = BUF_INIT;

	for (size_t i = 0; c->forms[i].name; i++) {
		for (size_t k = 0; c->forms[i].synopsis[k]; k++) {
			buf_printf(&b, ".Nm %s\n", c->name);
			put_synopsis(&b, c->forms[i].synopsis[k]);
		}
	}
	return finish(&b, f);
}

int optdoc_mdoc_items(bool (*item)(size_t i, struct optdoc_item *ret), FILE *f)
{
	scoped_buf struct buf b = BUF_INIT;
	struct optdoc_item it;

	buf_str(&b, ".Bl -tag -width Ds\n");
	for (size_t i = 0; item(i, &it); i++) {
		buf_str(&b, ".It Cm ");
		put_arg(&b, it.name, strlen(it.name));
		put_word(&b, it.arg, strlen(it.arg));
		buf_char(&b, '\n');
		put_text(&b, it.help, ".");
	}
	buf_str(&b, ".El\n");
	return finish(&b, f);
}
