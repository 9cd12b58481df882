/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "suggest.h"
#include "vec.h"

/*
 * The command line of one command, read by a table. --help, the option list of the manual page and
 * the completions of three shells come from the same table (optdoc.h). Options and operands may be
 * mixed; "--" ends the options.
 */
enum opt_type {
	OPT_TYPE_FLAG,   /* bool, set to true */
	OPT_TYPE_STR,    /* const char *, points into argv */
	OPT_TYPE_U32,    /* uint32_t, decimal */
	OPT_TYPE_SIZE,   /* uint64_t, bytes, with K M G T */
	OPT_TYPE_LIST,   /* struct strv, one item for each time that the option is given */
	OPT_TYPE_CHOICE, /* int, the index of the value in words */
	OPT_TYPE_FUNC,   /* the type that parse() writes */
};

/* What a shell completes as the value of an option, or as an operand. */
enum opt_comp {
	COMP_NONE,
	COMP_FILE,
	COMP_DIR,
	COMP_USER,
	COMP_COMMAND,
	COMP_WORDS,
	COMP_IMAGE,   /* an image in the store, with or without "image:" */
	COMP_SOURCE,  /* a file, or image:NAME */
	COMP_MAP,     /* the beginning of a map */
	COMP_OPTIONS, /* mount options, with commas between them */
};

struct opt {
	const char *name; /* long name; NULL ends a table */
	char letter;      /* 0 if none */
	enum opt_type type;
	size_t off;          /* of the member in the args struct */
	const char *arg;     /* metavar; NULL for flags */
	const char *help;    /* one line of at most 60 columns, starts with a verb, no full stop */
	const char *example; /* values for --help and the manual: "1K or 2M"; or NULL */
	const char *more;    /* further sentences for the manual (plain text), or NULL */
	enum opt_comp comp;
	const char *shown; /* in help, for words that are beginnings: what may follow them, too */
	const char *words; /* for CHOICE and COMP_WORDS: "text json", in the order of the index;
	                      a word that ends in ":" is only the beginning of a value */
	const char *(*values)(void); /* for COMP_OPTIONS: "ro map=", blank-separated; those with
	                                a value end in "=" */
	enum opt_comp operands; /* of a command line with this option; COMP_NONE: as without it */
	unsigned forms;         /* a bit for each form (opt_form.h) that accepts it; 0: all forms */
	unsigned excl;          /* options that share a bit exclude each other */
	bool filled; /* for STR and LIST: an empty value is refused (an unset variable of a script)
	              */
	const char *needs;   /* "rootfs image": requires one of these options; or NULL */
	const char *instead; /* the remedy if forms or needs refuse the option; or NULL */
	const char *heading; /* in --help and the manual, starts a group of options; or NULL */
	int (*parse)(void *dst, const char *val,
		struct err *e); /* for FUNC: 0 or -errno with e filled */
};

/* A member of the wrong C type fails to compile. */
#define OPT_OFF_(s, m, ctype) (offsetof(s, m) + 0 * sizeof(_Generic(((s *)0)->m, ctype: (char)0)))

#define OPT_FLAG(s, m, n, l, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_FLAG, \
		.off = OPT_OFF_(s, m, bool), \
		.help = h, \
		__VA_ARGS__ }
#define OPT_STR(s, m, n, l, a, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_STR, \
		.off = OPT_OFF_(s, m, const char *), \
		.arg = a, \
		.help = h, \
		__VA_ARGS__ }
#define OPT_U32(s, m, n, l, a, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_U32, \
		.off = OPT_OFF_(s, m, uint32_t), \
		.arg = a, \
		.help = h, \
		__VA_ARGS__ }
#define OPT_SIZE(s, m, n, l, a, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_SIZE, \
		.off = OPT_OFF_(s, m, uint64_t), \
		.arg = a, \
		.help = h, \
		__VA_ARGS__ }
#define OPT_LIST(s, m, n, l, a, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_LIST, \
		.off = OPT_OFF_(s, m, struct strv), \
		.arg = a, \
		.help = h, \
		__VA_ARGS__ }
#define OPT_CHOICE(s, m, n, l, a, w, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_CHOICE, \
		.off = OPT_OFF_(s, m, int), \
		.arg = a, \
		.words = w, \
		.help = h, \
		.comp = COMP_WORDS, \
		__VA_ARGS__ }
#define OPT_FUNC(s, m, n, l, a, f, h, ...) \
	{ .name = n, \
		.letter = l, \
		.type = OPT_TYPE_FUNC, \
		.off = offsetof(s, m), \
		.arg = a, \
		.parse = f, \
		.help = h, \
		__VA_ARGS__ }
#define OPT_END { .name = NULL }

/*
 * A table, and the struct that its offsets point into. habits: words of other programs, refused
 * with a remedy (suggest.h); or NULL. A word with two letters or more ("-it") is compared before
 * any option is.
 */
struct opt_set {
	const struct opt *opts;
	void *args;
	const struct habit *habits;
};

/* The words of the command line that are neither options nor their values. */
struct operands {
	char **items; /* NULL-terminated; they point into argv */
	size_t len;
	size_t dashdash; /* the number of operands before "--"; len if there is none */
};

/* A parsed command line. The values of the options are in the args of the sets. */
struct opt_line {
	struct operands operands;
	VEC(const struct opt *)
	given; /* the options that were given, each once, in order; not
	          those whose value is the default */
};

/* Frees the arrays of the line, not what they point to. */
void opt_line_done(struct opt_line *l);

/*
 * Parses argv[1..] (argv[0] is the command's name) into the args of n_sets sets, which contain the
 * defaults. With stop_early the first operand ends the options (for commands that run another
 * command). An option may be shortened as long as it is unambiguous. Returns 0, or -errno with
 * e->usage set for an option that is unknown (with what may have been meant), given twice (except
 * LIST, FUNC and FLAG), without its value, empty though it must not be, or excluded by another one;
 * then *ret is empty.
 */
MUST_CHECK int opt_parse(const struct opt_set *sets, size_t n_sets, char **argv, bool stop_early,
	struct opt_line *ret, struct err *e);

/* Frees the LISTs in args. */
void opt_args_done(const struct opt *opts, void *args);

struct opt_form;

/*
 * Checks the tables of one command for programming errors: a letter or name that occurs twice, a
 * help text that is too long or does not start with a verb, CHOICE without words, a form or a
 * needed option that does not exist. forms is NULL for a command without forms. Returns 0, or
 * -EINVAL with the option and the error in e.
 */
MUST_CHECK int opt_check_tables(
	const struct opt_set *sets, size_t n_sets, const struct opt_form *forms, struct err *e);

/* Returns the option with this name (n bytes), or NULL. */
const struct opt *opt_find(const struct opt_set *sets, size_t n_sets, const char *name, size_t n);

/* Returns the index of word in the blank-separated list, or -1. */
int opt_word_index(const char *words, const char *word);

#endif
