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
static const struct opt_set sets[] = { { own, NULL }, { common, NULL } };

static const char *const synopsis[] = { "[-m MAP]... SOURCE TARGET", "-u TARGET...",
	"[verify] [--source DIR | --spec FILE.mtree | image:NAME] [--as=UID[:GID[,GID...]]] a | b "
	"-- CMD... and some more WORDS to WRAP",
	NULL };

static const struct optdoc_cmd cmds[] = {
	{ "cmd", "Do 'this': that", sets, 2, COMP_WORDS, "verify list" },
	{ "other", "Do that", sets, 2, COMP_DIR, NULL },
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
	const char *s = RENDER(optdoc_help("cmd", "Do a thing", synopsis, sets, 2, f));

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
	struct opt_set two[] = { { none, NULL }, { common, NULL } };
	const char *s = RENDER(optdoc_help("cmd", "Do a thing", synopsis, two, 2, f));

	CHECK(!strstr(s, "\nOptions:"));
	free(text);
}

TEST(optdoc_mdoc_takes_no_text_for_a_macro)
{
	const char *s = RENDER(optdoc_mdoc(sets, 2, f));

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
	const char *s = RENDER(optdoc_mdoc_synopsis("cmd", synopsis, f));

	CHECK_HAS(s,
		".Nm cmd\n.Oo Fl m Ar MAP Oc Ns No ...\n.Ar SOURCE\n.Ar TARGET\n.Nm cmd\n.Fl "
		"u\n.Ar TARGET Ns No ...\n");
	CHECK_HAS(s,
		".Oo Cm verify Oc\n.Oo Fl Fl source Ar DIR | Fl Fl spec Ar FILE.mtree | Cm image: "
		"Ns Ar NAME Oc\n");
	CHECK_HAS(s,
		".Oo Fl Fl as Ns = Ns Ar UID Ns Oo Cm \\&: Ns Ar GID Ns Oo Cm \\&, Ns Ar GID Ns No "
		"... Oc Oc Oc\n");
	CHECK_HAS(s, ".Cm a\n|\n.Cm b\n.Fl \\-\n.Ar CMD Ns No ...\n");
	free(text);
}

/* The syntax of each script, and what the shells make of it: tests/system/completion.bats. */
TEST(optdoc_shell_texts_cannot_leave_their_quotes)
{
	const char *s = RENDER(optdoc_bash(cmds, 2, f));

	CHECK_HAS(s, "cmd:--when | cmd:-w) kind='words' list='now later' ;;");
	CHECK_HAS(s, "cmd:--a-name-that-is-far-too-long) kind='dir' ;;");
	CHECK(!strstr(s, "cmd:--on"));
	free(text);

	s = RENDER(optdoc_zsh(cmds, 2, f));
	CHECK_HAS(s,
		"'*'{-m+,--map=}'[Don'\\''t say `x` or \"y\"\\: \\\\, \\[z\\] $HOME 100%]:MAP: ' "
		"\\\n");
	CHECK_HAS(s, "'(--on -o --off )'--on'[Turn it on]' \\\n");
	CHECK_HAS(s, "'cmd:Do '\\''this'\\''\\: that'\n");
	free(text);

	s = RENDER(optdoc_fish(cmds, 2, f));
	CHECK_HAS(s,
		"complete -c cmd -s m -l map -x -d 'Don\\'t say `x` or \"y\": \\\\, [z] $HOME "
		"100%'\n");
	CHECK_HAS(s,
		"complete -c shiftbox -n '__shiftbox_using other' -f -a "
		"'(__fish_complete_directories)'\n");
	free(text);
}
