/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* opt: parse a command line by a table of options. */

#include "opt.h"

#include <string.h>

#include "buf.h"
#include "num.h"

struct parser {
	const struct opt_set *sets;
	size_t n_sets;
	VEC(const struct opt *) seen;
	struct opt_line *line;
};

/* An option, and the member that gets its value. */
struct match {
	const struct opt *opt;
	void *dst;
};

int opt_word_index(const char *words, const char *word)
{
	size_t n = strlen(word);
	int i = 0;

	if (!n || strchr(word, ' '))
		return -1;

	for (const char *w = words; w && *w; i++) {
		size_t len = strcspn(w, " ");

		if (len == n && !memcmp(w, word, n))
			return i;
		w += len;
		w += *w == ' ';
	}
	return -1;
}

static struct match by_letter(const struct parser *p, char letter)
{
	for (size_t s = 0; s < p->n_sets; s++)
		for (const struct opt *o = p->sets[s].opts; o->name; o++)
			if (o->letter == letter)
				return (struct match){ o, (char *)p->sets[s].args + o->off };
	return (struct match){ NULL, NULL };
}

/* Say what to write in place of the word (n bytes) of another program. Returns true if known. */
static bool is_habit(const struct parser *p, const char *word, size_t n, struct err *e)
{
	for (size_t s = 0; s < p->n_sets; s++) {
		const char *say = habit_find(p->sets[s].habits, word, n);

		if (!say)
			continue;
		(void)err_usage(e, "unknown option '%.*s'", (int)n, word);
		err_try(e, "%s", say);
		return true;
	}
	return false;
}

/* word: with its dashes, n bytes */
static int unknown_option(const struct parser *p, const char *word, size_t n, struct err *e)
{
	struct suggest near = suggest_for(word + 2, n - 2);

	if (is_habit(p, word, n, e))
		return -EINVAL;
	(void)err_usage(e, "unknown option '%.*s'", (int)n, word);
	for (size_t s = 0; s < p->n_sets; s++)
		for (const struct opt *o = p->sets[s].opts; o->name; o++)
			suggest_offer(&near, o->name);
	if (near.best)
		err_try(e, "did you mean --%s?", near.best);
	return -EINVAL;
}

/*
 * Finds the option with that name (n bytes after two dashes), or the only one whose name begins
 * with it.
 */
static int by_name(
	const struct parser *p, const char *name, size_t n, struct match *ret, struct err *e)
{
	struct match found = { NULL, NULL };
	const struct opt *other = NULL;

	for (size_t s = 0; s < p->n_sets; s++) {
		for (const struct opt *o = p->sets[s].opts; o->name; o++) {
			struct match m = { o, (char *)p->sets[s].args + o->off };

			if (strncmp(o->name, name, n))
				continue;
			if (!o->name[n]) {
				*ret = m;
				return 0;
			}
			if (found.opt)
				other = o;
			else
				found = m;
		}
	}
	if (!found.opt || !n)
		return unknown_option(p, name - 2, n + 2, e);
	if (other)
		return err_usage_try(e, "write one of them in full",
			"option '--%.*s' is ambiguous: --%s or --%s", (int)n, name, found.opt->name,
			other->name);
	/* The word of another program means what it means there, whatever is abbreviated so. */
	if (is_habit(p, name - 2, n + 2, e))
		return -EINVAL;

	*ret = found;
	return 0;
}

static int check_repeat(struct parser *p, const struct opt *o, struct err *e)
{
	bool again = false;

	for (size_t i = 0; i < p->seen.len; i++) {
		const struct opt *s = p->seen.items[i];

		if (s == o &&
			(o->type != OPT_TYPE_LIST && o->type != OPT_TYPE_FUNC &&
				o->type != OPT_TYPE_FLAG))
			return err_usage_try(
				e, "omit one of them", "option '--%s' is given twice", o->name);
		if (s != o && s->excl & o->excl)
			return err_usage_try(e, "omit one of them",
				"options '--%s' and '--%s' exclude each other", s->name, o->name);
		again = again || s == o;
	}
	if (!again && VEC_ADD(&p->seen, o) < 0)
		return err_nomem(e);
	return 0;
}

static int number_fault(const struct opt *o, const char *val, int r, struct err *e)
{
	bool size = o->type == OPT_TYPE_SIZE;

	if (r == -ERANGE)
		return err_usage_try(e,
			size ? "the largest number is 18446744073709551615" :
			       "the largest number is 4294967295",
			"option '--%s': '%s' is too large", o->name, val);
	return err_usage_try(e,
		size ? "write a size such as 512M or 10G" : "write decimal digits only, such as 8",
		"option '--%s': '%s' is not a %s", o->name, val,
		size ? "size: digits, optionally followed by K, M, G or T" : "number");
}

static int no_such_word(const struct opt *o, const char *val, struct err *e)
{
	struct suggest near = suggest_for(val, strlen(val));
	size_t n = suggest_offer_list(&near, o->words);
	scoped_buf struct buf words = BUF_INIT;

	for (const char *c = o->words; *c; c++)
		buf_str(&words, *c == ' ' ? ", " : (const char[]){ *c, '\0' });
	(void)err_usage_try(e, "write one of these words", "option '--%s': '%s' is not one of %s",
		o->name, val, buf_get(&words) ? words.data : o->words);
	if (n)
		err_try(e, "did you mean %.*s?", (int)n, near.best);
	return -EINVAL;
}

static int store(const struct match *m, const char *val, struct err *e)
{
	const struct opt *o = m->opt;
	int r;

	if (o->filled && !*val)
		return err_usage_try(e,
			"give it a value, or omit the option (is a variable of the script unset?)",
			"the value of option '--%s' is empty", o->name);
	switch (o->type) {
	case OPT_TYPE_FLAG:
		*(bool *)m->dst = true;
		return 0;
	case OPT_TYPE_STR:
		*(const char **)m->dst = val;
		return 0;
	case OPT_TYPE_U32:
		r = num_u32(val, m->dst);
		return r < 0 ? number_fault(o, val, r, e) : 0;
	case OPT_TYPE_SIZE:
		r = num_size(val, m->dst);
		return r < 0 ? number_fault(o, val, r, e) : 0;
	case OPT_TYPE_LIST:
		return strv_add(m->dst, val) < 0 ? err_nomem(e) : 0;
	case OPT_TYPE_CHOICE:
		r = opt_word_index(o->words, val);
		if (r < 0)
			return no_such_word(o, val, e);
		*(int *)m->dst = r;
		return 0;
	case OPT_TYPE_FUNC:
		r = o->parse(m->dst, val, e);
		if (r < 0 && e) {
			err_prefix(e, "option '--%s'", o->name);
			e->usage = true;
		}
		return r;
	}
	return -EINVAL;
}

/* The size of a member whose default can be compared with a value; 0: any value counts as given. */
static size_t comparable_size(enum opt_type type)
{
	return type == OPT_TYPE_U32     ? sizeof(uint32_t) :
		type == OPT_TYPE_SIZE   ? sizeof(uint64_t) :
		type == OPT_TYPE_CHOICE ? sizeof(int) :
					  0;
}

static int note_given(struct opt_line *l, const struct opt *o, struct err *e)
{
	for (size_t i = 0; i < l->given.len; i++)
		if (l->given.items[i] == o)
			return 0;
	return VEC_ADD(&l->given, o) < 0 ? err_nomem(e) : 0;
}

static int accept(struct parser *p, const struct match *m, const char *val, struct err *e)
{
	size_t n = comparable_size(m->opt->type);
	char before[sizeof(uint64_t)] = { 0 };
	int r = check_repeat(p, m->opt, e);

	memcpy(before, m->dst, n);
	if (r == 0)
		r = store(m, val, e);
	if (r < 0)
		return r;
	return n && !memcmp(before, m->dst, n) ? 0 : note_given(p->line, m->opt, e);
}

/* word: the option as it was written */
static int value_missing(const struct opt *o, const char *word, struct err *e)
{
	(void)err_usage(e, "option '%s' needs a value: %s", word, o->arg);
	err_try(e, "write it after the option: %s %s", word, o->arg);
	return -EINVAL;
}

/* Is the word after an option, which would be its value, another option of the command? */
static bool is_option(const struct parser *p, const char *word)
{
	if (word[0] != '-' || !word[1])
		return false;
	if (word[1] != '-')
		return !word[2] && by_letter(p, word[1]).opt;
	return word[2] && opt_find(p->sets, p->n_sets, word + 2, strlen(word + 2));
}

/* The value of an option, which is the next word. */
static int next_value(const struct parser *p, const struct opt *o, const char *word,
	const char *next, struct err *e)
{
	if (!next)
		return value_missing(o, word, e);
	if ((o->comp != COMP_MAP && o->comp != COMP_OPTIONS) || !is_option(p, next))
		return 0; /* other values may begin with a dash */
	(void)err_usage(e, "option '%s' needs a value, %s, before '%s'", word, o->arg, next);
	err_try(e, "write it after the option: %s %s %s", word, o->arg, next);
	return -EINVAL;
}

/* --name, --name=value, --name value. *i is the index in argv, and is moved past a value. */
static int parse_long(struct parser *p, char **argv, size_t *i, struct err *e)
{
	const char *name = argv[*i] + 2;
	size_t n = strcspn(name, "=");
	const char *val = name[n] == '=' ? name + n + 1 : NULL;
	struct match m = { NULL, NULL };
	int r;

	r = by_name(p, name, n, &m, e);
	if (r < 0)
		return r;
	if (!m.opt->arg && val) {
		(void)err_usage(e, "option '--%s' takes no value", m.opt->name);
		err_try(e, "write --%s alone, or omit it", m.opt->name);
		return -EINVAL;
	}
	if (m.opt->arg && !val) {
		val = argv[*i + 1];
		r = next_value(p, m.opt, argv[*i], val, e);
		if (r < 0)
			return r;
		(*i)++;
	}
	return accept(p, &m, val, e);
}

static int unknown_letter(const struct parser *p, char letter, struct err *e)
{
	const char word[] = { '-', letter, '\0' };
	char other = (char)(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' :
			letter >= 'A' && letter <= 'Z'     ? letter - 'A' + 'a' :
							     letter);
	const struct opt *o = by_letter(p, other).opt;

	if (is_habit(p, word, 2, e))
		return -EINVAL;
	(void)err_usage(e, "unknown option '-%c'", letter);
	if (o)
		err_try(e, "did you mean -%c (--%s)?", other, o->name);
	else if (letter >= '0' && letter <= '9')
		err_try(e, "a number here has no sign; write -- before a name that begins with -");
	return -EINVAL;
}

/* "-name" would be read as letters and values, which is never meant. */
static int refuse_single_dash(const struct parser *p, const char *word, struct err *e)
{
	size_t n = strcspn(word + 1, "=");

	if (is_habit(p, word, n + 1, e))
		return -EINVAL;
	if (n < 3 || !opt_find(p->sets, p->n_sets, word + 1, n))
		return 0;
	(void)err_usage(e, "option '%.*s' has one dash, and needs two", (int)n + 1, word);
	err_try(e, "did you mean -%s?", word);
	return -EINVAL;
}

/* -a, -abc, -avalue, -a value */
static int parse_letters(struct parser *p, char **argv, size_t *i, struct err *e)
{
	int r = argv[*i][2] ? refuse_single_dash(p, argv[*i], e) : 0;

	for (const char *c = argv[*i] + 1; *c && r == 0; c++) {
		struct match m = by_letter(p, *c);

		if (!m.opt)
			return unknown_letter(p, *c, e);
		if (m.opt->arg) {
			const char *val = c[1] ? c + 1 : argv[*i + 1];

			if (!c[1])
				r = next_value(p, m.opt, (const char[]){ '-', *c, '\0' }, val, e);
			if (r == 0 && !c[1])
				(*i)++;
			return r < 0 ? r : accept(p, &m, val, e);
		}
		r = accept(p, &m, NULL, e);
	}
	return r;
}

static int parse_words(
	struct parser *p, char **argv, bool stop_early, struct operands *o, struct err *e)
{
	bool only_operands = false, dashed = false;
	int r;

	for (size_t i = 1; argv[i]; i++) {
		const char *w = argv[i];

		if (only_operands || w[0] != '-' || !w[1]) {
			o->items[o->len++] = argv[i];
			only_operands = only_operands || stop_early;
			continue;
		}
		if (!strcmp(w, "--")) {
			o->dashdash = o->len;
			only_operands = dashed = true;
			continue;
		}
		r = w[1] == '-' ? parse_long(p, argv, &i, e) : parse_letters(p, argv, &i, e);
		if (r < 0)
			return r;
	}
	if (!dashed)
		o->dashdash = o->len;
	return 0;
}

int opt_parse(const struct opt_set *sets, size_t n_sets, char **argv, bool stop_early,
	struct opt_line *ret, struct err *e)
{
	struct opt_line l = { .operands = { .len = 0 } };
	struct parser p = { .sets = sets, .n_sets = n_sets, .line = &l };
	size_t n = 0;
	int r;

	while (argv[n])
		n++;
	l.operands.items = calloc(n + 1, sizeof(*l.operands.items));
	if (!l.operands.items)
		return err_nomem(e);

	r = parse_words(&p, argv, stop_early, &l.operands, e);
	VEC_DONE(&p.seen);
	if (r < 0) {
		opt_line_done(&l);
		return r;
	}

	*ret = l;
	return 0;
}

void opt_line_done(struct opt_line *l)
{
	free(l->operands.items);
	l->operands = (struct operands){ 0 };
	VEC_DONE(&l->given);
}

void opt_args_done(const struct opt *opts, void *args)
{
	for (const struct opt *o = opts; o->name; o++)
		if (o->type == OPT_TYPE_LIST)
			strv_done((struct strv *)((char *)args + o->off));
}

const struct opt *opt_find(const struct opt_set *sets, size_t n_sets, const char *name, size_t n)
{
	for (size_t s = 0; s < n_sets; s++)
		for (const struct opt *o = sets[s].opts; o->name; o++)
			if (strlen(o->name) == n && !memcmp(o->name, name, n))
				return o;
	return NULL;
}
