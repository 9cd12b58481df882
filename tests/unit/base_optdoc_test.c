/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/optdoc.h"

static const struct opt own[] = {
	{ .name = "map",
		.letter = 'm',
		.type = OPT_TYPE_LIST,
		.arg = "MAP",
		.help = "Don't say `x` or \"y\": \\, [z] $HOME 100%",
		.more = "First sentence. .Sh is no macro here, nor is 'this. A name, \\n and "
			"--long-option-name, that is long enough to be wrapped." },
	{ .name = "a-name-that-is-far-too-long",
		.type = OPT_TYPE_STR,
		.arg = "No",
		.help = "Take it",
		.comp = COMP_DIR },
	{ .name = "when",
		.letter = 'w',
		.type = OPT_TYPE_CHOICE,
		.arg = "WHEN",
		.words = "now later",
		.comp = COMP_WORDS,
		.help = "Choose when it is that this thing has to be done at last" },
	{ .name = "on", .type = OPT_TYPE_FLAG, .help = "Turn it on", .excl = 3 },
	{ .name = "off", .letter = 'o', .type = OPT_TYPE_FLAG, .help = "Turn it off", .excl = 3 },
	OPT_END
};
static const struct opt common[] = {
	{ .name = "help", .letter = 'h', .type = OPT_TYPE_FLAG, .help = "Show this help" }, OPT_END
};
static const struct opt_set sets[] = { { .opts = own, .args = NULL },
	{ .opts = common, .args = NULL } };

static const struct opt_form forms[] = {
	{ .name = "all",
		.synopsis = OPT_SYNOPSIS("[-m MAP]... SOURCE TARGET", "-u TARGET...",
			"[verify] [--source DIR | --spec FILE.mtree | image:NAME] "
			"[--as=UID[:GID[,GID...]]] a | b -- CMD... and some more WORDS to WRAP",
			"A|b") },
	{ .name = NULL },
};

static const struct optdoc_cmd one = { "cmd", "Do a thing", sets, 2, forms, COMP_NONE };

enum { VERIFY, LIST };

static const struct opt form_opts[] = {
	{ .name = "as", .type = OPT_TYPE_STR, .arg = "UID", .help = "Be it", .forms = 1 << VERIFY },
	{ .name = "all",
		.letter = 'a',
		.type = OPT_TYPE_FLAG,
		.help = "List all",
		.forms = 1 << LIST,
		.heading = "Lists" },
	{ .name = "both", .type = OPT_TYPE_FLAG, .help = "Do both" },
	OPT_END,
};
static const struct opt_set form_sets[] = { { .opts = form_opts, .args = NULL },
	{ .opts = common, .args = NULL } };
static const struct opt_form words[] = {
	{ "verify", "verify", NULL, "Check it", OPT_SYNOPSIS("[verify] PATH") },
	{ "list", "list", NULL, "List it", OPT_SYNOPSIS("list [-a]") },
	{ .name = NULL },
};
static const struct opt_form modes[] = {
	{ "a default", NULL, NULL, NULL, OPT_SYNOPSIS("PATH") },
	{ "--all", NULL, "all", "List it", OPT_SYNOPSIS("-a") },
	{ .name = NULL },
};

static const struct optdoc_cmd cmds[] = {
	{ "cmd", "Do 'this': that", sets, 2, forms, COMP_NONE },
	{ "other", "Do that", sets, 2, forms, COMP_DIR },
	{ "sub", "Do more", form_sets, 2, words, COMP_WORDS },
	{ "mode", "Do most", form_sets, 2, modes, COMP_FILE },
};

static char *text;
static size_t size;

/* What a call of optdoc_* wrote. */
#define RENDER(call) \
	({ \
		FILE *f = open_memstream(&text, &size); \
		REQUIRE(f); \
		CHECK_INT(call, 0); \
		REQUIRE(fclose(f) == 0); \
		text; \
	})

static void check_width(const char *s, size_t most)
{
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (n > most)
			test_fail(__FILE__, __LINE__, "%zu columns: %.*s", n, (int)n, s);
		s += n + (s[n] == '\n');
	}
}

TEST(optdoc_help_is_aligned_and_fits)
{
	const char *s = RENDER(optdoc_help(&one, -1, 0, f));

	check_width(s, 80);
	CHECK_HAS(s,
		"Usage: cmd [-m MAP]... SOURCE TARGET\n       cmd -u TARGET...\n       cmd "
		"[verify]");
	CHECK_HAS(s, "\n\nDo a thing.\n\nOptions:\n  -m, --map=MAP             Don't say `x`");
	CHECK_HAS(s,
		"\n      --a-name-that-is-far-too-long=No\n                            Take it\n");
	CHECK_HAS(s, "done at\n                            last (now later)\n");
	CHECK_HAS(s, "\n\nCommon options:\n  -h, --help                Show this help\n");
	free(text);
}

TEST(optdoc_help_without_own_options_has_no_empty_part)
{
	static const struct opt none[] = { OPT_END };
	struct opt_set two[] = { { .opts = none, .args = NULL }, { .opts = common, .args = NULL } };
	struct optdoc_cmd c = { "cmd", "Do a thing", two, 2, forms, COMP_NONE };
	const char *s = RENDER(optdoc_help(&c, -1, 0, f));

	CHECK(!strstr(s, "\nOptions:"));
	free(text);
}

TEST(optdoc_mdoc_takes_no_text_for_a_macro)
{
	const char *s = RENDER(optdoc_mdoc(&one, OPTDOC_ALL, f));

	check_width(s, 80);
	CHECK_HAS(s,
		".It Fl m , Fl Fl map Ns = Ns Ar MAP\nDon't say `x` or \\(dqy\\(dq: \\e, [z] $HOME "
		"100%.\n");
	CHECK_HAS(s,
		"First sentence.\n\\&.Sh is no macro here, nor is \\&'this.\nA name, \\en and "
		"\\-\\-long\\-option\\-name,");
	CHECK_HAS(s, "Ar \\&No\nTake it.\n");
	CHECK_HAS(s, ".Ar WHEN\nis one of\n.Cm now\nor\n.Cm later .\n");
	free(text);
}

TEST(optdoc_mdoc_synopsis_marks_what_is_literal)
{
	const char *s = RENDER(optdoc_mdoc_synopsis(&one, f));

	CHECK_HAS(s,
		".Nm cmd\n.Oo Fl m Ar MAP Oc Ns No ...\n.Ar SOURCE\n.Ar TARGET\n.Nm cmd\n.Fl "
		"u\n.Ar TARGET Ns No ...\n");
	CHECK_HAS(s,
		".Oo Cm verify Oc\n.Oo Fl Fl source Ar DIR | Fl Fl spec Ar FILE.mtree | Cm image: "
		"Ns Ar NAME Oc\n");
	CHECK_HAS(s,
		".Oo Fl Fl as Ns = Ns Ar UID Ns Oo Cm \\&: Ns Ar GID Ns Oo Cm \\&, Ns Ar GID Ns No "
		"... Oc Oc Oc\n");
	CHECK_HAS(s, ".Nm cmd\n.Ar A Ns \\&| Ns Cm b\n");
	CHECK_HAS(s, ".Cm a\n|\n.Cm b\n.Fl \\-\n.Ar CMD Ns No ...\n");
	free(text);
}

/* The syntax of each script, and what the shells make of it: tests/system/completion.bats. */
TEST(optdoc_shell_texts_cannot_leave_their_quotes)
{
	const char *s = RENDER(optdoc_bash(cmds, 4, f));

	CHECK_HAS(s, "cmd:--when | cmd:-w) kind='words' list='now later' ;;");
	CHECK_HAS(s, "cmd:--a-name-that-is-far-too-long) kind='dir' ;;");
	CHECK(!strstr(s, "cmd:--on"));
	free(text);

	s = RENDER(optdoc_zsh(cmds, 4, f));
	CHECK_HAS(s,
		"'*'{-m+,--map=}'[Don'\\''t say `x` or \"y\"\\: \\\\, "
		"\\[z\\] $HOME 100%]:MAP: ')\n");
	CHECK_HAS(s, "args+=('(--on -o --off )'--on'[Turn it on]')\n");
	CHECK_HAS(s, "'cmd:Do '\\''this'\\''\\: that'\n");
	free(text);

	s = RENDER(optdoc_fish(cmds, 4, f));
	CHECK_HAS(s,
		"complete -c cmd -s m -l map -x -d 'Don\\'t say `x` or \"y\": \\\\, [z] $HOME "
		"100%'\n");
	CHECK_HAS(s,
		"complete -c shiftbox -n '__shiftbox_using other' -f -a "
		"'(__fish_complete_directories)'\n");
	free(text);
}

TEST(optdoc_help_shows_the_overview_or_one_form)
{
	const char *s = RENDER(optdoc_help(&cmds[2], -1, 0, f));

	CHECK_HAS(s, "Usage: sub [verify] PATH\n       sub list [-a]\n\nDo more.\n");
	CHECK_HAS(s, "\n  verify     Check it\n  list       List it\n");
	CHECK(!strstr(s, "--as") && strstr(s, "--help"));
	free(text);

	s = RENDER(optdoc_help(&cmds[2], LIST, 0, f));
	CHECK_HAS(s, "Usage: sub list [-a]\n\nList it.\n\nOptions:\n  -a, --all");
	CHECK(strstr(s, "--both") && strstr(s, "--help"));
	CHECK(!strstr(s, "--as") && !strstr(s, "verify"));
	free(text);
}

TEST(optdoc_mdoc_lists_options_by_form_and_by_heading)
{
	const char *s = RENDER(optdoc_mdoc(&cmds[2], VERIFY, f));

	CHECK(strstr(s, "Fl as ") && strstr(s, "Fl both"));
	CHECK(!strstr(s, "Fl all") && !strstr(s, "Fl help") && !strstr(s, ".Ss"));
	free(text);

	s = RENDER(optdoc_mdoc(&cmds[2], OPTDOC_COMMON, f));
	CHECK(strstr(s, "Fl help") && !strstr(s, "Fl both"));
	free(text);

	s = RENDER(optdoc_mdoc(&cmds[3], OPTDOC_ALL, f));
	CHECK_HAS(s, ".El\n.Ss Lists\n.Bl -tag -width Ds\n.It Fl a , Fl Fl all\n");
	free(text);
}

TEST(optdoc_mdoc_ends_a_sentence_only_before_a_new_one)
{
	static const struct opt opts[] = { { .name = "x",
						   .help = "Use user.overlay. attributes",
						   .more = "See it. (Or not.) Then go." },
		OPT_END };
	struct opt_set set = { .opts = opts, .args = NULL };
	struct optdoc_cmd c = { "cmd", "Do it", &set, 1, forms, COMP_NONE };
	const char *s = RENDER(optdoc_mdoc(&c, OPTDOC_ALL, f));

	CHECK_HAS(s, "Use user.overlay. attributes.\nSee it.\n(Or not.) Then go.\n");
	free(text);
}

/* What the shells make of these: tests/system/completion.bats. */
TEST(optdoc_shells_know_the_forms)
{
	const char *s = RENDER(optdoc_bash(cmds, 4, f));

	CHECK_HAS(s, "\tsub:) echo '--as -a --all --both -h --help ' ;;\n");
	CHECK_HAS(s, "\tsub:1) echo '-a --all --both -h --help ' ;;\n");
	CHECK_HAS(s, "\t\tsub:verify) form=${form:-0} ;;\n");
	CHECK_HAS(s, "\t\tmode:--all | mode:-a) [[ $form && $form -lt 1 ]] || form=1 ;;\n");
	CHECK(!strstr(s, "mode:0)"));
	free(text);

	s = RENDER(optdoc_zsh(cmds, 4, f));
	CHECK_HAS(s, "\t[[ $form != (|0) ]] || args+=('(--as )'--as='[Be it]:UID: ')\n");
	free(text);

	s = RENDER(optdoc_fish(cmds, 4, f));
	CHECK_HAS(s, "complete -c sub -n '__shiftbox_form sub 1' -s a -l all");
	CHECK_HAS(s, "complete -c mode -n '__shiftbox_form mode ' -l as");
	free(text);
}
