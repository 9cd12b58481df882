/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc_fish: the completion script for fish, from the tables. */

#include "optdoc_shell.h"

#include <string.h>

static const char fish_names[] =
	"# The value that is being typed\n"
	"function __shiftbox_value\n"
	"\tcommandline -ct | string replace -r '^--[a-z-]+=' ''\n"
	"end\n\n"
	"# The images of the store that the line names, or the default one, each after $argv[1]\n"
	"function __shiftbox_images\n"
	"\tset -l data $XDG_DATA_HOME\n"
	"\ttest -n \"$data\"; or set data $HOME/.local/share\n"
	"\tset -l store $data/shiftbox\n"
	"\ttest (id -u) -ne 0; or set store /var/lib/shiftbox\n"
	"\tset -l before $argv[1]\n"
	"\tstring match -q 'image:*' -- (__shiftbox_value); and set before image:\n"
	"\tset -l last ''\n"
	"\tfor word in (commandline -opc)\n"
	"\t\tcontains -- $last -s --store; and set store $word\n"
	"\t\tstring match -q -- '--store=*' $word; and set store (string sub -s 9 -- $word)\n"
	"\t\tset last $word\n"
	"\tend\n"
	"\tfor name in $store/images/*\n"
	"\t\tset name (string replace -r '.*/' '' -- $name)\n"
	"\t\tstring match -qr '^[A-Za-z0-9_+:@=~%][A-Za-z0-9._+:@=~%-]*$' -- $name\n"
	"\t\tand echo (string replace -a %2F / -- \"$before$name\")\n"
	"\tend\n"
	"end\n\n"
	"# What may begin the map $argv[2], each after $argv[1]\n"
	"function __shiftbox_maps\n"
	"\tswitch \"$argv[2]\"\n"
	"\t\tcase 'user:*' 'owner:*'\n"
	"\t\t\tset -l word (string replace -r ':.*' ':' -- $argv[2])\n"
	"\t\t\tfor name in (__fish_complete_users | string replace -r '\\t.*' '')\n"
	"\t\t\t\techo \"$argv[1]$word$name\"\n"
	"\t\t\tend\n"
	"\t\tcase 'subid:*'\n"
	"\t\t\ttest -r /etc/subuid; or return\n"
	"\t\t\tfor name in (string match -r '^[A-Za-z0-9_][^:]*' </etc/subuid)\n"
	"\t\t\t\techo \"$argv[1]subid:$name\"\n"
	"\t\t\tend\n"
	"\t\tcase '*'\n"
	"\t\t\tfor word in " SHELL_MAP_WORDS "\n"
	"\t\t\t\techo \"$argv[1]$word\"\n"
	"\t\t\tend\n"
	"\tend\n"
	"end\n\n"
	"# Mount options, of which $argv are all, with commas between them\n"
	"function __shiftbox_list\n"
	"\tset -l value (__shiftbox_value)\n"
	"\tset -l before (string match -r '^.*,' -- $value)\n"
	"\tset -l rest (string replace -r '^.*,' '' -- $value)\n"
	"\tif string match -q 'map=*' -- $rest\n"
	"\t\t__shiftbox_maps \"$before\"map= (string replace 'map=' '' -- $rest)\n"
	"\telse\n"
	"\t\tfor word in $argv\n"
	"\t\t\techo \"$before$word\"\n"
	"\t\tend\n"
	"\tend\n"
	"end\n\n";

static void fish_text(FILE *f, const char *flag, const char *text)
{
	(void)fprintf(f, " %s '", flag);
	shell_put_quoted(f, text, "\\", "\\'");
	(void)fputc('\'', f);
}

/* For a value: -x none but ours, -r with files. For an operand (no value): -f and -F. */
static void fish_values(FILE *f, enum opt_comp comp, const char *words, bool operand)
{
	static const char *const functions[] = {
		[COMP_DIR] = "(__fish_complete_directories)",
		[COMP_USER] = "(__fish_complete_users)",
		[COMP_COMMAND] = "(__fish_complete_command)",
		[COMP_IMAGE] = "(__shiftbox_images)",
		[COMP_MAP] = "(__shiftbox_maps \"\" (__shiftbox_value))",
	};

	if (comp == COMP_SOURCE) {
		(void)fputs(operand ? " -F" : " -r -F", f);
		fish_text(f, "-a", "(__shiftbox_images image:)");
		return;
	}
	if (comp == COMP_OPTIONS) {
		(void)fprintf(f, " -x -a '(__shiftbox_list %s)'", words);
		return;
	}

	if (comp == COMP_FILE) {
		(void)fputs(operand ? " -F" : " -r -F", f);
		return;
	}
	(void)fputs(operand ? " -f" : " -x", f);
	if (comp == COMP_WORDS)
		fish_text(f, "-a", words);
	else if (comp != COMP_NONE)
		fish_text(f, "-a", functions[comp]);
}

/*
 * One `complete` line for the link named after the command (as NULL: for shiftbox and the command).
 */
static void fish_start(FILE *f, const struct optdoc_cmd *c, bool link)
{
	if (link)
		(void)fprintf(f, "complete -c %s", c->name);
	else
		(void)fprintf(f, "complete -c shiftbox -n '__shiftbox_using %s'", c->name);
}

/* The condition that none of the options that change what the operands are is given, up to last. */
static void fish_without(FILE *f, const struct optdoc_cmd *c, const struct opt *last)
{
	bool past = false;

	EACH_OPTION(c, s, o)
	{
		if (o->operands != COMP_NONE && !past)
			(void)fprintf(f, " -n 'not __fish_contains_opt %s'", o->name);
		past = past || o == last;
	}
}

/* An option may change what the operands are; goes on with the line for the others. */
static void fish_operands_of_options(FILE *f, const struct optdoc_cmd *c, bool link)
{
	EACH_OPTION(c, s, o)
	{
		if (o->operands == COMP_NONE)
			continue;
		(void)fprintf(f, " -n '__fish_contains_opt %s'", o->name);
		fish_values(f, o->operands, NULL, true);
		(void)fputc('\n', f);
		fish_start(f, c, link);
		fish_without(f, c, o);
	}
}

static void fish_command(FILE *f, const struct optdoc_cmd *c, bool link)
{
	char words[SHELL_WORDS_MAX];

	EACH_OPTION(c, s, o)
	{
		fish_start(f, c, link);
		if (shell_depends_on_form(c, o)) {
			(void)fprintf(f, " -n '__shiftbox_form %s ", c->name);
			shell_put_forms(f, c, o, " ");
			(void)fputc('\'', f);
		}
		if (o->letter)
			(void)fprintf(f, " -s %c", o->letter);
		(void)fprintf(f, " -l %s", o->name);
		if (o->arg)
			fish_values(f, o->comp, o->values ? o->values() : o->words, false);
		fish_text(f, "-d", o->help);
		(void)fputc('\n', f);
	}
	fish_start(f, c, link);
	fish_operands_of_options(f, c, link);
	if (c->operand_comp == COMP_WORDS) {
		(void)fputs(" -F\n", f);
		fish_start(f, c, link);
		(void)shell_operand_words(c, words);
		(void)fprintf(f, " -n 'not __fish_seen_subcommand_from %s'", words);
		fish_text(f, "-a", words);
	} else {
		fish_values(f, c->operand_comp, NULL, true);
	}
	(void)fputs("\n\n", f);
}

/* __shiftbox_form, which is true if the words select no form, or one of the forms given. */
static void fish_forms(FILE *f, const struct optdoc_cmd *cmds, size_t n)
{
	(void)fputs("# Do the words of command $argv[1] select no form, or one of $argv[2..]?\n"
		    "function __shiftbox_form\n"
		    "\tset -l form ''\n"
		    "\tfor word in (commandline -opc)\n"
		    "\t\tset -l new ''\n"
		    "\t\tswitch $argv[1]:$word\n",
		f);
	for (size_t c = 0; c < n; c++) {
		const struct opt_form *forms = cmds[c].forms;

		for (size_t i = 0; forms[i].name; i++) {
			if (forms[i].word)
				(void)fprintf(f,
					"\t\tcase %s:%s\n"
					"\t\t\ttest -n \"$form\"; or set form %zu\n",
					cmds[c].name, forms[i].word, i);
			EACH_OPTION(&cmds[c], s, o)
			{
				if (!opt_form_selected_by(&forms[i], o))
					continue;
				(void)fprintf(f, "\t\tcase %s:--%s", cmds[c].name, o->name);
				if (o->arg)
					(void)fprintf(f, " '%s:--%s=*'", cmds[c].name, o->name);
				if (o->letter)
					(void)fprintf(f, " %s:-%c", cmds[c].name, o->letter);
				(void)fprintf(f, "\n\t\t\tset new %zu\n", i);
			}
		}
	}
	(void)fputs("\t\tend\n"
		    "\t\tif test -n \"$new\"\n"
		    "\t\t\ttest -n \"$form\"; and test $form -lt $new; or set form $new\n"
		    "\t\tend\n"
		    "\tend\n"
		    "\ttest -z \"$form\"; or contains -- $form $argv[2..]\n"
		    "end\n\n",
		f);
}

int optdoc_fish(const struct optdoc_cmd *cmds, size_t n, FILE *f)
{
	(void)fputs("# SPDX-License-Identifier: LGPL-2.1-or-later\n"
		    "# shiftbox(8) completion for fish, generated by `make gen`\n\n"
		    "# Is the command line `shiftbox COMMAND ...`, or still without one?\n"
		    "function __shiftbox_using\n"
		    "\tset -l words (commandline -opc)\n"
		    "\ttest (count $words) -ge 2; and test \"$words[2]\" = \"$argv[1]\"\n"
		    "end\n\n"
		    "function __shiftbox_bare\n"
		    "\ttest (count (commandline -opc)) -eq 1\n"
		    "end\n\n",
		f);
	fish_forms(f, cmds, n);
	(void)fputs(fish_names, f);
	(void)fputs("complete -c shiftbox -n __shiftbox_bare -f\n"
		    "complete -c shiftbox -n __shiftbox_bare -l list -d 'List the commands'\n"
		    "complete -c shiftbox -n __shiftbox_bare -l install -x -a "
		    "'(__fish_complete_directories)' -d 'Make a link for each command'\n"
		    "complete -c shiftbox -n __shiftbox_bare -l help -d 'Show help and exit'\n"
		    "complete -c shiftbox -n __shiftbox_bare -l version -d 'Show the version and "
		    "exit'\n",
		f);
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(f, "complete -c shiftbox -n __shiftbox_bare -a %s", cmds[i].name);
		fish_text(f, "-d", cmds[i].brief);
		(void)fputc('\n', f);
	}
	(void)fputc('\n', f);
	for (size_t i = 0; i < n; i++) {
		fish_command(f, &cmds[i], false);
		fish_command(f, &cmds[i], true);
	}
	return shell_finish(f);
}
