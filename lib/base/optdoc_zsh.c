/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optdoc_zsh: the completion script for zsh, from the tables. */

#include "optdoc_shell.h"

#include <string.h>

#define ZSH_QUOTE "'\\''"

static const char zsh_names[] =
	"# The images of the store that the line names, or of the default one. Runs no program.\n"
	"_shiftbox_images()\n"
	"{\n"
	"\tlocal store=${XDG_DATA_HOME:-$HOME/.local/share}/shiftbox name\n"
	"\tlocal -a names\n"
	"\tlocal -i i\n\n"
	"\t(( EUID )) || store=/var/lib/shiftbox\n"
	"\tfor (( i = 2; i < CURRENT; i++ )); do\n"
	"\t\tcase $words[i] in\n"
	"\t\t-s|--store) store=${(Q)words[i+1]} ;;\n"
	"\t\t--store=*) store=${(Q)words[i]#--store=} ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tfor name in $store/images/*(N:t); do\n"
	"\t\t[[ $name == (-|.)* || $name == *[^A-Za-z0-9._+:@=~%-]* ]] ||\n"
	"\t\t\tnames+=(${name//'%2F'/\\/})\n"
	"\tdone\n"
	"\tcompset -P 'image:'\n"
	"\tcompadd -a names\n"
	"}\n\n"
	"_shiftbox_sources()\n"
	"{\n"
	"\tif [[ $PREFIX == image:* ]]; then\n"
	"\t\t_shiftbox_images\n"
	"\telse\n"
	"\t\tcompadd -S '' image:\n"
	"\t\t_files\n"
	"\tfi\n"
	"}\n\n"
	"# The beginning of a map.\n"
	"_shiftbox_map()\n"
	"{\n"
	"\tlocal line\n"
	"\tlocal -a names=(" SHELL_MAP_WORDS ")\n\n"
	"\tif compset -P '(user|owner):'; then\n"
	"\t\t_users\n"
	"\telif compset -P 'subid:'; then\n"
	"\t\tnames=()\n"
	"\t\t[[ ! -r /etc/subuid ]] || while IFS= read -r line; do\n"
	"\t\t\t[[ $line == [^A-Za-z0-9_]* ]] || names+=(${line%%:*})\n"
	"\t\tdone </etc/subuid\n"
	"\t\tcompadd -a names\n"
	"\telse\n"
	"\t\tcompadd -S '' -- ${(M)names:#*[:+]}\n"
	"\t\tcompadd -- ${names:#*[:+]}\n"
	"\tfi\n"
	"}\n\n"
	"# Mount options, of which $@ are all, with commas between them.\n"
	"_shiftbox_list()\n"
	"{\n"
	"\tcompset -P '*,'\n"
	"\tif compset -P 'map='; then\n"
	"\t\t_shiftbox_map\n"
	"\telse\n"
	"\t\tcompadd -S '' -- ${(M)@:#*=}\n"
	"\t\tcompadd -- ${@:#*=}\n"
	"\tfi\n"
	"}\n\n";

/* Words of which some end in a colon: more is to be typed behind those, without a blank. */
static void zsh_beginnings(FILE *f, const char *words)
{
	(void)fputs("{compadd -S \"\" --", f);
	for (int open = 1; open >= 0; open--) {
		for (const char *p = words; *p; p += strspn(p, " ")) {
			size_t n = strcspn(p, " ");

			if ((p[n - 1] == ':') == open) {
				(void)fputc(' ', f);
				for (size_t i = 0; i < n; i++)
					(void)fprintf(f, p[i] == ':' ? "\\%c" : "%c", p[i]);
			}
			p += n;
		}
		(void)fputs(open ? "; compadd --" : "}", f);
	}
}

/* The action of _arguments for a value, after its message and colon. */
static void zsh_action(FILE *f, enum opt_comp comp, const char *words)
{
	static const char *const actions[] = {
		[COMP_NONE] = " ",
		[COMP_FILE] = "_files",
		[COMP_DIR] = "_files -/",
		[COMP_USER] = "_users",
		[COMP_COMMAND] = "_command_names -e",
		[COMP_IMAGE] = "_shiftbox_images",
		[COMP_SOURCE] = "_shiftbox_sources",
		[COMP_MAP] = "_shiftbox_map",
	};

	if (comp == COMP_OPTIONS) {
		(void)fprintf(f, "{_shiftbox_list %s}", words);
		return;
	}

	if (comp != COMP_WORDS) {
		(void)fputs(actions[comp], f);
		return;
	}
	if (strstr(words, ": ")) {
		zsh_beginnings(f, words);
		return;
	}
	(void)fputc('(', f);
	shell_put_quoted(f, words, "\\():", ZSH_QUOTE);
	(void)fputc(')', f);
}

/*
 * '(-q --quiet -v)'{-q,--quiet}'[Help]': the excluded options, the spellings, the text, the value.
 * The line starts with the condition that the form accepts the option.
 */
static void zsh_option(const struct optdoc_cmd *c, const struct opt *o, FILE *f)
{
	bool many = o->type == OPT_TYPE_LIST || o->type == OPT_TYPE_FUNC;

	(void)fputc('\t', f);
	if (shell_depends_on_form(c, o)) {
		(void)fputs("[[ $form != (|", f);
		shell_put_forms(f, c, o, "|");
		(void)fputs(") ]] || ", f);
	}
	(void)fputs("args+=(", f);
	if (many) {
		(void)fputs("'*'", f);
	} else {
		(void)fputs("'(", f);
		EACH_OPTION(c, s, x)
		{
			if (x != o && !(x->excl & o->excl))
				continue;
			if (x->letter)
				(void)fprintf(f, "-%c ", x->letter);
			(void)fprintf(f, "--%s ", x->name);
		}
		(void)fputs(")'", f);
	}
	if (o->letter)
		(void)fprintf(f, "{-%c%s,--%s%s}", o->letter, o->arg ? "+" : "", o->name,
			o->arg ? "=" : "");
	else
		(void)fprintf(f, "--%s%s", o->name, o->arg ? "=" : "");
	(void)fputs("'[", f);
	shell_put_quoted(f, o->help, "[]\\:", ZSH_QUOTE);
	(void)fputc(']', f);
	if (o->arg) {
		(void)fputc(':', f);
		shell_put_quoted(f, o->arg, "\\:", ZSH_QUOTE);
		(void)fputc(':', f);
		zsh_action(f, o->comp, o->values ? o->values() : o->words);
	}
	(void)fputs("')\n", f);
}

/* Sets form as bash_forms does. */
static void zsh_forms(const struct optdoc_cmd *c, FILE *f)
{
	(void)fputs("\tfor word in $words[2,CURRENT-1]; do\n\t\tcase $word in\n", f);
	for (size_t i = 0; c->forms[i].name; i++) {
		if (c->forms[i].word)
			(void)fprintf(f, "\t\t%s) form=${form:-%zu} ;;\n", c->forms[i].word, i);
		EACH_OPTION(c, s, o)
		{
			if (!opt_form_selected_by(&c->forms[i], o))
				continue;
			(void)fprintf(f, "\t\t--%s%s", o->name, o->arg ? "|--" : "");
			if (o->arg)
				(void)fprintf(f, "%s=*", o->name);
			if (o->letter)
				(void)fprintf(f, "|-%c", o->letter);
			(void)fprintf(
				f, ") [[ -n $form && $form -lt %zu ]] || form=%zu ;;\n", i, i);
		}
	}
	(void)fputs("\t\tesac\n\tdone\n", f);
}

/* An option may change what the operands are. */
static void zsh_operands_of_options(const struct optdoc_cmd *c, FILE *f)
{
	EACH_OPTION(c, s, o)
	{
		if (o->operands == COMP_NONE)
			continue;
		(void)fprintf(f,
			"\tif [[ -n ${(M)words:#--%s(|=*)} ]]; then\n"
			"\t\t_arguments -s -S $args '*:operand:",
			o->name);
		zsh_action(f, o->operands, NULL);
		(void)fputs("'\n\t\treturn\n\tfi\n", f);
	}
}

static void zsh_command(const struct optdoc_cmd *c, FILE *f)
{
	char buf[SHELL_WORDS_MAX];

	(void)fprintf(f, "_shiftbox_%s()\n{\n\tlocal form word\n\tlocal -a args\n\n", c->name);
	zsh_forms(c, f);
	EACH_OPTION(c, s, o)
	zsh_option(c, o, f);
	zsh_operands_of_options(c, f);
	(void)fputs("\t_arguments -s -S $args \\\n", f);
	if (c->operand_comp == COMP_WORDS) {
		(void)fputs("\t\t'1: :_alternative \"words:word:(", f);
		shell_put_quoted(f, shell_operand_words(c, buf), "\\():", ZSH_QUOTE);
		(void)fputs(")\" \"files:file:_files\"' \\\n\t\t'*:file:_files'\n}\n\n", f);
		return;
	}
	/*
	 * A message in the place of an operand would keep zsh from inserting the only option that
	 * fits.
	 */
	(void)fputs("\t\t'*:operand:", f);
	if (c->operand_comp == COMP_NONE)
		(void)fputs("()", f);
	else
		zsh_action(f, c->operand_comp, NULL);
	(void)fputs("'\n}\n\n", f);
}

int optdoc_zsh(const struct optdoc_cmd *cmds, size_t n, FILE *f)
{
	(void)fputs("#compdef shiftbox", f);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, " %s", cmds[i].name);
	(void)fputs("\n# SPDX-License-Identifier: LGPL-2.1-or-later\n# shiftbox(8) completion for "
		    "zsh, generated by `make gen`\n\n",
		f);
	(void)fputs(zsh_names, f);
	for (size_t i = 0; i < n; i++)
		zsh_command(&cmds[i], f);

	(void)fputs("_shiftbox()\n{\n\tlocal command=$service\n\tlocal -a commands "
		    "options\n\n\tcommands=(\n",
		f);
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(f, "\t\t'%s:", cmds[i].name);
		shell_put_quoted(f, cmds[i].brief, "\\:", ZSH_QUOTE);
		(void)fputs("'\n", f);
	}
	(void)fputs("\t)\n\toptions=(--list --install --help --version)\n"
		    "\tif [[ $command == shiftbox ]]; then\n"
		    "\t\tif (( CURRENT == 2 )); then\n"
		    "\t\t\t_describe -t commands command commands\n"
		    "\t\t\tcompadd -a options\n"
		    "\t\t\treturn\n"
		    "\t\tfi\n"
		    "\t\tcommand=$words[2]\n"
		    "\t\tif [[ $command == --install ]]; then\n"
		    "\t\t\t_files -/\n"
		    "\t\t\treturn\n"
		    "\t\tfi\n"
		    "\t\tshift words\n"
		    "\t\t(( CURRENT-- ))\n"
		    "\tfi\n"
		    "\t(( $+functions[_shiftbox_$command] )) && _shiftbox_$command\n"
		    "}\n\n_shiftbox \"$@\"\n",
		f);
	return shell_finish(f);
}
