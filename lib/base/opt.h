/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "vec.h"

/*
 * One table per command, from which come parsing, --help, the manual's option block and the
 * completions of three shells (optdoc.h). Options and operands may be mixed; "--" ends the options.
 */
enum opt_type {
	OPT_TYPE_FLAG,   /* bool, set to true */
	OPT_TYPE_STR,    /* const char *, points into argv */
	OPT_TYPE_U32,    /* uint32_t, decimal */
	OPT_TYPE_SIZE,   /* uint64_t, bytes, with K M G T */
	OPT_TYPE_LIST,   /* struct strv, one item each time it is given */
	OPT_TYPE_CHOICE, /* int, the index of the value in words */
	OPT_TYPE_FUNC,   /* whatever parse() makes of it */
};

/* What a shell offers after the option (or as an operand). */
enum opt_comp { COMP_NONE, COMP_FILE, COMP_DIR, COMP_USER, COMP_COMMAND, COMP_WORDS };

struct opt {
	const char *name; /* long name; NULL ends a table */
	char letter;      /* 0 if none */
	enum opt_type type;
	size_t off;       /* where in the args struct */
	const char *arg;  /* metavar; NULL for flags */
	const char *help; /* one line of at most 60 columns, starts with a verb, no full stop */
	const char *more; /* further sentences for the manual (plain text), or NULL */
	enum opt_comp comp;
	const char *words;  /* for CHOICE and COMP_WORDS: "text json", in the order of the index;
	                       more follows after "word:" */
	unsigned char excl; /* members of the same non-zero group exclude each other */
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

/* A table and the struct that its offsets point into. */
struct opt_set {
	const struct opt *opts;
	void *args;
};

/* What is left of the command line. */
struct operands {
	char **items; /* NULL-terminated, point into argv; free items itself with operands_done() */
	size_t len;
	size_t dashdash; /* how many operands stood before "--"; len when there was none */
};

void operands_done(struct operands *o);

/*
 * Parse argv[1..] (argv[0] is the command's name) into the sets, of which there are n_sets. With
 * stop_early the first operand ends the options (for commands that run another command). An option
 * may be shortened as long as it stays unambiguous. Unknown, doubled (but LIST and FUNC),
 * value-less and mutually exclusive options are errors with usage set.
 */
int opt_parse(const struct opt_set *sets, size_t n_sets, char **argv, bool stop_early,
	struct operands *ret, struct err *e);

/* Free the LISTs that parsing filled. */
void opt_args_done(const struct opt *opts, void *args);

/*
 * Programmer's faults in the tables of one command: a letter or name twice, a help text that is too
 * long or starts with no verb, CHOICE without words. Returns 0, or -EINVAL and which.
 */
int opt_check_tables(const struct opt_set *sets, size_t n_sets, struct err *e);

/* The index of word in the blank-separated list, or -1. */
int opt_word_index(const char *words, const char *word);

#endif
