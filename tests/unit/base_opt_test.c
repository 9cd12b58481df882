/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/opt.h"
#include "../../lib/base/opt_form.h"

struct args {
	bool flag, other, first, second;
	const char *str;
	uint32_t num;
	uint64_t size;
	struct strv list;
	int choice, sum;
};

static int add(void *dst, const char *val, struct err *e)
{
	if (strlen(val) > 3)
		return err_say(e, ERANGE, NULL, "'%s' is too long", val);
	*(int *)dst += (int)strlen(val);
	return 0;
}

static const struct opt table[] = { OPT_FLAG(struct args, flag, "flag", 'f', "Set it"),
	OPT_FLAG(struct args, other, "flagship", 0, "Set another one"),
	OPT_FLAG(struct args, first, "first", '1', "Choose the first", .excl = 1),
	OPT_FLAG(struct args, second, "second", '2', "Choose the second", .excl = 1),
	OPT_STR(struct args, str, "string", 's', "TEXT", "Take a text"),
	OPT_STR(struct args, str, "filled", 0, "TEXT", "Take a text", .filled = true),
	OPT_U32(struct args, num, "number", 'n', "N", "Take a number"),
	OPT_SIZE(struct args, size, "size", 0, "BYTES", "Take a size"),
	OPT_LIST(struct args, list, "item", 'i', "ITEM", "Add an item"),
	OPT_CHOICE(struct args, choice, "color", 'c', "WHEN", "auto always never", "Choose a word"),
	OPT_FUNC(struct args, sum, "add", 'a', "WORD", add, "Add a length"), OPT_END };

struct result {
	struct args args;
	struct opt_line line;
	struct err e;
	int r;
};

static struct result parse(bool stop_early, const char *const *words)
{
	struct result res = { .args = { .choice = -1 } };
	struct opt_set set = { .opts = table, .args = &res.args };
	char *argv[32] = { (char *)"cmd" };

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = (char *)words[i];
	res.r = opt_parse(&set, 1, argv, stop_early, &res.line, &res.e);
	return res;
}

static void done(struct result *res)
{
	opt_args_done(table, &res->args);
	opt_line_done(&res->line);
}

#define PARSE(...) parse(false, (const char *const[]){ __VA_ARGS__, NULL })

TEST(opt_every_spelling_of_a_value_means_the_same)
{
	static const char *const spellings[][3] = {
		{ "--number=42" },
		{ "--number", "42" },
		{ "-n42" },
		{ "-n", "42" },
		{ "-fn42" },
		{ "-fn", "42" },
		{ "--num=42" },
	};

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct result r = parse(false, spellings[i]);

		CHECK_INT(r.r, 0);
		CHECK_INT(r.args.num, 42);
		CHECK_INT(r.line.operands.len, 0);
		done(&r);
	}
}

TEST(opt_values_reach_their_members)
{
	struct result r = PARSE("-f", "--str=", "--size=2K", "-i", "a", "-ib", "--color", "never",
		"-a", "x", "-axyz");

	CHECK_INT(r.r, 0);
	CHECK(r.args.flag && !r.args.other);
	CHECK_STR(r.args.str, "");
	CHECK_INT(r.args.size, 2048);
	CHECK_INT(r.args.list.len, 2);
	CHECK_STR(r.args.list.items[1], "b");
	CHECK_INT(r.args.choice, 2);
	CHECK_INT(r.args.sum, 4);
	done(&r);
}

TEST(opt_faults_are_usage_errors_that_name_the_option)
{
	static const struct {
		const char *words[4];
		const char *says;
	} cases[] = {
		{ { "--bogus" }, "unknown option '--bogus'" },
		{ { "--bogus=1" }, "unknown option '--bogus'" },
		{ { "--=x" }, "unknown option '--'" },
		{ { "-x" }, "unknown option '-x'" },
		{ { "-fx" }, "unknown option '-x'" },
		{ { "--s=1" }, "'--s' is ambiguous: --second or --size" },
		{ { "--fla" }, "ambiguous" },
		{ { "--flag=1" }, "takes no value" },
		{ { "--number" }, "needs a value: N" },
		{ { "-n" }, "needs a value: N" },
		{ { "-n", "-1" }, "'-1' is not a number" },
		{ { "-n", "4294967296" }, "too large" },
		{ { "--size=1Q" }, "is not a size" },
		{ { "--size=99999999T" }, "too large" },
		{ { "-s1", "-s2" }, "given twice" },
		{ { "-n1", "--number=1" }, "given twice" },
		{ { "-cauto", "-cauto" }, "given twice" },
		{ { "-12" }, "exclude each other" },
		{ { "--second", "--first" }, "exclude each other" },
		{ { "--color=aut" }, "not one of auto, always, never" },
		{ { "--color=auto always" }, "not one of" },
		{ { "--color=" }, "not one of" },
		{ { "-a", "long one" }, "option '--add': 'long one' is too long" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct result r = parse(false, cases[i].words);

		CHECK(r.r < 0);
		CHECK(r.e.usage);
		CHECK_HAS(r.e.what, cases[i].says);
		CHECK(!r.line.operands.items);
		done(&r);
	}
}

TEST(opt_a_full_name_is_never_ambiguous)
{
	struct result r = PARSE("--flag");

	CHECK_INT(r.r, 0);
	CHECK(r.args.flag && !r.args.other);
	done(&r);
}

TEST(opt_flags_may_be_repeated)
{
	struct result r = PARSE("-ff", "--flag", "-11");

	CHECK_INT(r.r, 0);
	CHECK(r.args.flag && r.args.first);
	done(&r);
}

TEST(opt_operands_keep_their_order_and_the_place_of_dashdash)
{
	struct result r = PARSE("a", "-f", "b", "-", "--", "-n", "--", "c");

	CHECK_INT(r.r, 0);
	CHECK_INT(r.line.operands.len, 6);
	CHECK_STR(r.line.operands.items[2], "-");
	CHECK_STR(r.line.operands.items[3], "-n");
	CHECK_STR(r.line.operands.items[4], "--");
	CHECK(!r.line.operands.items[6]);
	CHECK_INT(r.line.operands.dashdash, 3);
	done(&r);

	r = PARSE("a", "b");
	CHECK_INT(r.line.operands.dashdash, 2);
	done(&r);
	r = PARSE("--", "a");
	CHECK_INT(r.line.operands.dashdash, 0);
	done(&r);
}

TEST(opt_a_value_may_look_like_an_option)
{
	struct result r = PARSE("-s", "--flag", "--item", "--");

	CHECK_INT(r.r, 0);
	CHECK_STR(r.args.str, "--flag");
	CHECK_STR(r.args.list.items[0], "--");
	CHECK(!r.args.flag);
	done(&r);
}

TEST(opt_stop_early_leaves_the_rest_alone)
{
	struct result r =
		parse(true, (const char *const[]){ "-f", "run", "-n", "x", "--", "--bogus", NULL });

	CHECK_INT(r.r, 0);
	CHECK(r.args.flag);
	CHECK_INT(r.line.operands.len, 5);
	CHECK_STR(r.line.operands.items[3], "--");
	CHECK_INT(r.line.operands.dashdash, 5);
	done(&r);

	r = parse(true, (const char *const[]){ "-f", "--", "run", "-n", NULL });
	CHECK_INT(r.line.operands.len, 2);
	CHECK_INT(r.line.operands.dashdash, 0);
	done(&r);
}

TEST(opt_many_sets_are_one_command_line)
{
	struct args a = { 0 };
	struct {
		bool help;
		int dummy;
	} b = { 0 };
	const struct opt more[] = {
		{ .name = "help", .letter = 'h', .type = OPT_TYPE_FLAG, .help = "Show help" },
		{ .name = "firm", .type = OPT_TYPE_FLAG, .help = "Be firm", .excl = 1 }, OPT_END
	};
	struct opt_set sets[] = { { .opts = table, .args = &a }, { .opts = more, .args = &b } };
	struct opt_line l = { .operands = { .len = 0 } };
	struct err e;
	char *argv[] = { (char *)"cmd", (char *)"-fh", NULL };
	char *mixed[] = { (char *)"cmd", (char *)"--firm", (char *)"-1", NULL };
	char *abbreviated[] = { (char *)"cmd", (char *)"--fir", NULL };

	CHECK_INT(opt_parse(sets, 2, argv, false, &l, &e), 0);
	CHECK(a.flag && b.help);
	opt_line_done(&l);
	CHECK(opt_parse(sets, 2, mixed, false, &l, &e) < 0);
	CHECK_HAS(e.what, "exclude each other");
	CHECK(opt_parse(sets, 2, abbreviated, false, &l, &e) < 0);
	CHECK_HAS(e.what, "ambiguous: --first or --firm");
}

static const struct habit habits[] = { { "--tag", "use --string" }, { "-x", "omit it" },
	{ "-ff", "write it once" }, { NULL, NULL } };

TEST(opt_says_what_was_probably_meant)
{
	static const struct {
		const char *words[3], *what, *hint;
	} cases[] = {
		{ { "--falg" }, "unknown option '--falg'", "did you mean --flag?" },
		{ { "--strng=x" }, "unknown option '--strng'", "did you mean --string?" },
		{ { "--zebra" }, "unknown option '--zebra'", "" },
		{ { "--tag", "x" }, "unknown option '--tag'", "use --string" },
		{ { "--tag=x" }, "unknown option '--tag'", "use --string" },
		{ { "-x" }, "unknown option '-x'", "omit it" },
		{ { "-fx" }, "unknown option '-x'", "omit it" },
		{ { "-ff" }, "unknown option '-ff'", "write it once" },
		{ { "-F" }, "unknown option '-F'", "did you mean -f (--flag)?" },
		{ { "-string" }, "option '-string' has one dash", "did you mean --string?" },
		{ { "-string=x" }, "option '-string' has one dash", "did you mean --string=x?" },
		{ { "--color", "alwys" }, "'alwys' is not one of", "did you mean always?" },
		{ { "--color", "7" }, "'7' is not one of", "write one of these words" },
		{ { "--size", "1x" }, "'1x' is not a size", "512M" },
		{ { "-s" }, "option '-s' needs a value", "-s TEXT" },
		{ { "-1", "-2" }, "exclude each other", "omit one of them" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct args a = { 0 };
		struct opt_set set = { table, &a, habits };
		struct opt_line l = { .operands = { .len = 0 } };
		char *argv[] = { (char *)"cmd", (char *)cases[i].words[0],
			(char *)cases[i].words[1], NULL };
		struct err e = ERR_INIT;

		CHECK(opt_parse(&set, 1, argv, false, &l, &e) < 0);
		CHECK(e.usage);
		CHECK_HAS(e.what, cases[i].what);
		CHECK_HAS(e.hint, cases[i].hint);
		CHECK(*cases[i].hint || !e.hint[0]);
		opt_line_done(&l);
		opt_args_done(table, &a);
	}
}

static const struct opt_form two_forms[] = {
	{ .name = "one", .synopsis = OPT_SYNOPSIS("ONE") },
	{ .name = "two", .synopsis = OPT_SYNOPSIS("TWO") },
	{ .name = NULL },
};

TEST(opt_check_tables_sees_the_programmers_faults)
{
	static const struct opt bad[][3] = {
		{ { .name = "a", .help = "Set it" }, { .name = "a", .help = "Set it" } },
		{ { .name = "a", .letter = 'x', .help = "Set it" },
			{ .name = "b", .letter = 'x', .help = "Set it" } },
		{ { .name = "a" } },
		{ { .name = "a",
			.help = "Say more than what fits into the sixty columns that a help "
				"has" } },
		{ { .name = "a", .help = "set it" } },
		{ { .name = "a", .help = "Set it." } },
		{ { .name = "a", .help = "Set it", .arg = "X" } },
		{ { .name = "a", .help = "Set it", .type = OPT_TYPE_STR } },
		{ { .name = "a", .help = "Set it", .type = OPT_TYPE_CHOICE, .arg = "X" } },
		{ { .name = "a", .help = "Set it", .words = "x y" } },
		{ { .name = "a", .help = "Set it", .type = OPT_TYPE_FUNC, .arg = "X" } },
		{ { .name = "A b", .help = "Set it" } },
		{ { .name = "a", .letter = '-', .help = "Set it" } },
		{ { .name = "a", .help = "They are set" } },
		{ { .name = "a", .help = "It is set" } },
		{ { .name = "a", .help = "The same as b" } },
		{ { .name = "a", .help = "Set it", .more = "They are set." } },
		{ { .name = "a", .help = "Set it", .forms = 4 } },
		{ { .name = "a", .help = "Set it", .needs = "b" } },
		{ { .name = "a", .help = "Set it", .instead = "set b" } },
	};
	struct opt_set good = { .opts = table, .args = NULL };
	struct err e;

	CHECK_INT(opt_check_tables(&good, 1, NULL, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct opt_set set = { .opts = bad[i], .args = NULL };

		if (opt_check_tables(&set, 1, two_forms, &e) == 0)
			test_fail(__FILE__, __LINE__, "case %zu passes", i);
	}
}

TEST(opt_check_tables_sees_forms_that_no_option_can_select)
{
	const struct opt_form bad[][2] = {
		{ { .name = "a" } },
		{ { .name = "a", .options = "nothing", .synopsis = OPT_SYNOPSIS("A") } },
		{ { .name = "a", .options = "here", .synopsis = OPT_SYNOPSIS("A") } },
	};
	static const struct opt opts[] = { { .name = "there", .help = "Go", .forms = 1 },
		{ .name = "here", .help = "Stay", .forms = 2 }, OPT_END };
	struct opt_set set = { .opts = opts, .args = NULL };
	struct err e;

	CHECK_INT(opt_check_tables(&set, 1, two_forms, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (opt_check_tables(&set, 1, bad[i], &e) == 0)
			test_fail(__FILE__, __LINE__, "case %zu passes", i);
}

/* --- forms ---------------------------------------------------------------------------------- */

enum { STORE, FLAT, LIST, MAP };

static const struct opt_form forms[] = {
	{ .name = "a store", .synopsis = OPT_SYNOPSIS("SOURCE") },
	{ .name = "--flag", .options = "flag", .synopsis = OPT_SYNOPSIS("-f DIR") },
	{ .name = "--first, --second", .options = "first second", .synopsis = OPT_SYNOPSIS("-1") },
	{ .name = "map", .word = "map", .synopsis = OPT_SYNOPSIS("map MAP") },
	{ .name = NULL },
};

static const struct opt form_opts[] = {
	OPT_FLAG(struct args, flag, "flag", 'f', "Set it", .forms = 1 << FLAT),
	OPT_FLAG(struct args, first, "first", '1', "Choose the first", .forms = 1 << LIST),
	OPT_FLAG(struct args, second, "second", '2', "Choose the second", .forms = 1 << LIST),
	OPT_STR(struct args, str, "string", 's', "TEXT", "Take a text",
		.forms = 1 << FLAT | 1 << MAP, .instead = "write no text"),
	OPT_U32(struct args, num, "number", 'n', "N", "Take a number", .forms = 1 << STORE),
	OPT_CHOICE(struct args, choice, "color", 'c', "WHEN", "auto always", "Choose a word",
		.forms = 1 << MAP),
	OPT_FLAG(struct args, other, "other", 'o', "Set another one", .needs = "string number"),
	OPT_END,
};

/* The result of the form check: 0, or -EINVAL with the text in e. */
static int check_forms(const char *const *words, int *ret_form, struct err *e)
{
	struct args a = { .choice = 0 };
	struct opt_set set = { .opts = form_opts, .args = &a };
	struct opt_line l = { .operands = { .len = 0 } };
	char *argv[8] = { (char *)"cmd" };
	int r;

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = (char *)words[i];
	REQUIRE(opt_parse(&set, 1, argv, false, &l, e) == 0);
	*ret_form = opt_form_selected(forms, &l);
	r = opt_form_check(forms, *ret_form < 0 ? 0 : (size_t)*ret_form, &l, &set, 1, e);
	opt_line_done(&l);
	return r;
}

TEST(opt_form_is_what_an_operand_or_an_option_selects)
{
	static const struct {
		const char *words[5];
		int form;
	} cases[] = {
		{ { "x" }, -1 }, { { NULL }, -1 }, { { "-f" }, FLAT },
		{ { "x", "--second" }, LIST }, { { "map", "-o" }, MAP }, { { "-s", "map" }, -1 },
		{ { "x", "map" }, -1 }, { { "-1", "-f" }, FLAT }, /* the first in the table */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;
		int form;

		(void)check_forms(cases[i].words, &form, &e);
		CHECK_INT(form, cases[i].form);
	}
}

TEST(opt_form_refuses_what_it_does_not_accept_and_says_what_would)
{
	static const struct {
		const char *words[5];
		const char *says, *try;
	} cases[] = {
		{ { "-s", "t" }, "option '--string' is not for a store: it is for --flag and map",
			"write no text" },
		{ { "-1", "-s", "t" }, "'--string' is not for --first:", "write no text" },
		{ { "-f", "-n", "5" }, "'--number' is not for --flag: it is for a store",
			"omit --number" },
		{ { "map", "-n", "5" }, "'--number' is not for map:", "omit --number" },
		{ { "x", "-c", "always" }, "'--color' is not for a store: it is for map",
			"omit --color" },
		{ { "x", "-o" }, "option '--other' needs --string or --number",
			"add --string or --number, or omit --other" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int form;

		CHECK(check_forms(cases[i].words, &form, &e) < 0);
		CHECK(e.usage);
		CHECK_HAS(e.what, cases[i].says);
		CHECK_STR(e.hint, cases[i].try);
	}
}

/* A default that is given changes nothing, and a need counts where it can be met. */
TEST(opt_form_accepts_all_else)
{
	static const char *const cases[][5] = {
		{ "map", "-s", "t", "-c", "always" },
		{ "x", "-n", "5", "-o" },
		{ "-f", "-n", "0" },
		{ "x", "-c", "auto" },
		{ "-1", "-o" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *words[6] = { NULL };
		struct err e = ERR_INIT;
		int form;

		for (size_t k = 0; k < 5; k++)
			words[k] = cases[i][k];
		if (check_forms(words, &form, &e) < 0)
			test_fail(__FILE__, __LINE__, "case %zu: %s", i, e.what);
	}
}

TEST(opt_refuses_an_empty_value_where_one_must_be_filled)
{
	struct result some = parse(false, (const char *const[]){ "--filled=x", NULL });
	struct result none = parse(false, (const char *const[]){ "--filled=", NULL });
	struct result other = parse(false, (const char *const[]){ "--string=", NULL });

	CHECK_INT(some.r, 0);
	CHECK_STR(some.args.str, "x");
	CHECK_INT(none.r, -EINVAL);
	CHECK(none.e.usage);
	CHECK_INT(other.r, 0);
	done(&some);
	done(&none);
	done(&other);
}
