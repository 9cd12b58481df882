/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* advice: say what may have been meant by the first word after a command. */

#include "advice.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/opt_form.h"
#include "../lib/source/source_advice.h"
#include "habits.h"

/* Put the file in place of the only FILE, or FILE.tar, of what is advised. */
static void try_file(const char *say, const char *file, struct err *e)
{
	static const char word[] = "FILE";
	const char *at = strstr(say, word), *end = at ? at + strlen(word) : NULL;
	scoped_buf struct buf b = BUF_INIT;

	if (!at || strstr(end, word))
		return;
	if (!strncmp(end, ".tar", strlen(".tar")))
		end += strlen(".tar");
	buf_printf(&b, "%.*s", (int)(at - say), say);
	buf_shell_word(&b, file);
	buf_str(&b, end);
	if (buf_get(&b))
		err_try(e, "%s", b.data);
}

/* next: the operand that belongs to the word of another program, or NULL */
static void try_habit(const char *say, const char *next, struct err *e)
{
	err_try(e, "%s", say);
	if (next && !strcmp(say, HABIT_FETCH))
		source_advise_fetch(next, e);
	else if (next)
		try_file(say, next, e);
}

/* The value of an option that is in no table: "-i x", "-ix", "--input x" or "--input=x"; or NULL */
static const char *value_of(char *const *words, const char *option)
{
	const size_t n = strlen(option);

	for (; *words && strcmp(*words, "--") != 0; words++) {
		const char *rest = *words + n;

		if (strncmp(*words, option, n) != 0 || (n > 2 && *rest && *rest != '='))
			continue;
		return !*rest ? words[1] : rest + (n > 2);
	}
	return NULL;
}

/* What docker load and its like take, as an operand or as a value; or NULL */
static const char *operand_of(char *const *words)
{
	const char *file = value_of(words, "-i");

	if (!file)
		file = value_of(words, "--input");
	return file || !*words || **words == '-' ? file : *words;
}

/*
 * Pages of the web print "-m" with another dash, U+2010 to U+2015 or U+2212, which then begins an
 * operand.
 */
static bool advise_dash(const struct operands *o, struct err *e)
{
	/* Of an error that is not about the words, only the first of them may be the cause. */
	for (size_t i = 0; i < o->len && (e->usage || i == 0); i++) {
		const char *word = o->items[i];
		const unsigned char third = word[0] && word[1] ? (unsigned char)word[2] : 0;
		const bool dash = !strncmp(word, "\xe2\x80", 2) && third >= 0x90 && third <= 0x95;

		if (!dash && strncmp(word, "\xe2\x88\x92", 3) != 0)
			continue;
		err_why(e, "'%s' begins with a dash that is not '-'", word);
		err_try(e, "type the '-' of each option again");
		return true;
	}
	return false;
}

void advise_operand(const struct cmd *cmd, const struct operands *o, struct err *e)
{
	const char *word = o->len ? o->items[0] : "", *say;
	struct suggest near = suggest_for(word, strlen(word));

	if (!o->len || (e->num != ENOENT && !e->usage) || advise_dash(o, e))
		return;
	/* About a command line that is wrong the error itself may say more. */
	say = habit_find(cmd->habits, word, strlen(word));
	if (say && (!e->usage || !e->hint[0])) {
		try_habit(say, o->len > 1 ? o->items[1] : NULL, e);
		return;
	}
	for (const struct opt_form *f = cmd->forms; f->name; f++)
		if (f->word)
			suggest_offer(&near, f->word);
	if (near.best && strcmp(near.best, word) != 0 && !strcmp(e->on, word))
		err_try(e, "did you mean shiftbox %s %s?", cmd->name, near.best);
}

/* The form whose word or option is on the command line, which cannot be parsed; or NULL. */
static const struct opt_form *form_named(const struct cmd *cmd, char *const *argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++)
		for (const struct opt_form *f = cmd->forms; f->name; f++)
			if ((f->word && !strcmp(f->word, *argv)) ||
				(f->options && !strncmp(*argv, "--", 2) &&
					opt_word_index(f->options, *argv + 2) >= 0))
				return f;
	return NULL;
}

/* "--nosuid": is it one of the words of -o? */
static bool advise_item(const struct cmd *cmd, struct err *e)
{
	static const char begins[] = "unknown option '--";
	const char *word = e->what + strlen(begins);
	struct optdoc_item item;
	const bool guessed = !strncmp(e->hint, "did you mean", strlen("did you mean"));

	if (!cmd->item || (e->hint[0] && !guessed) || strncmp(e->what, begins, strlen(begins)) != 0)
		return false;
	for (size_t i = 0; cmd->item(i, &item); i++) {
		const size_t n = strlen(item.name);

		if (strncmp(word, item.name, n) || strcmp(word + n, "'") != 0)
			continue;
		err_try(e, "write -o %s%s", item.name, item.arg);
		return true;
	}
	return false;
}

/* "-i x.tar": name the file in the advice on the option. */
static void advise_value(char *const *argv, struct err *e)
{
	static const char begins[] = "unknown option '";
	const char *name = e->what + strlen(begins), *value;
	scoped_free char *option = NULL, *say = strdup(e->hint);

	if (!say || strncmp(e->what, begins, strlen(begins)) != 0)
		return;
	option = strndup(name, strcspn(name, "'"));
	value = option ? value_of(argv + 1, option) : NULL;
	if (value)
		try_file(say, value, e);
}

void advise_option(const struct cmd *cmd, char *const *argv, struct err *e)
{
	const struct opt_form *form;
	scoped_buf struct buf b = BUF_INIT;

	advise_value(argv, e);
	if (advise_item(cmd, e) || e->hint[0] ||
		strncmp(e->what, "unknown option", strlen("unknown option")) != 0)
		return;
	form = form_named(cmd, argv + 1);
	for (const struct opt *o = cmd->opts; form && o->name; o++)
		if (o->forms && opt_form_accepts((size_t)(form - cmd->forms), o) &&
			!opt_form_selected_by(form, o))
			buf_printf(&b, "%s--%s", b.len ? ", " : "", o->name);
	if (b.len && buf_get(&b) && form->options && !strcmp(form->options, "bundle"))
		err_try(e,
			"write -- before an option of the command: --bundle DIR NAME -- CMD...; "
			"options of --bundle itself: %s",
			b.data);
	else if (b.len && buf_get(&b))
		err_try(e, "options of %s: %s; see shiftbox %s --help", form->name, buf_get(&b),
			cmd->name);
	else if (form)
		err_try(e, "%s has no options of its own; see shiftbox %s --help", form->name,
			cmd->name);
}

/* A removed directory may have another of the same name in its place. */
static bool in_removed_directory(const char *path)
{
	struct stat st;

	return *path && *path != '/' && stat(".", &st) == 0 && st.st_nlink == 0;
}

static bool is_url(const char *path)
{
	static const char *const begins[] = { "http://", "https://", "ftp://", "file://" };

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (!strncmp(path, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* Does the name exist, as a symbolic link to what does not? */
static bool advise_link(struct err *e)
{
	char to[512];
	ssize_t n = readlink(e->on, to, sizeof(to) - 1);

	if (n < 0)
		return false;
	to[n] = '\0';
	err_why(e, "it is a symbolic link to '%s', where nothing is", to);
	err_try(e, "mend the link, or name what it should lead to");
	return true;
}

void advise_missing(struct err *e)
{
	if (e->num != ENOENT || (strcmp(e->op, "open") != 0 && strcmp(e->op, "mkdir") != 0))
		return;
	if (!*e->on) {
		err_why(e, "the path is empty");
		err_try(e, "write a path (is a variable of the script unset?)");
	} else if (!e->why[0] && advise_link(e)) {
		return;
	} else if (in_removed_directory(e->on)) {
		err_why(e, "the working directory has been removed");
		err_try(e,
			"change to a directory that exists: cd /, or cd \"$PWD\" if it was made "
			"again");
	} else if (!strncmp(e->on, "file://", 7)) {
		err_try(e, "write the path alone: %s", e->on + 7);
	} else if (is_url(e->on)) {
		err_why(e, "it is a URL, and only files of this machine are read");
		err_try(e, "download it first (curl -O URL), and name the file");
	}
}

void advise_command(const char *word, char *const *rest, struct err *e)
{
	struct suggest near = suggest_for(word, strlen(word));
	const char *say = habit_find(shiftbox_habits, word, strlen(word));

	if (say) {
		try_habit(say, rest ? operand_of(rest) : NULL, e);
		return;
	}
	if (word[0] == '-') {
		static const char *const own[] = { "--list", "--install", "--help", "--version" };

		for (size_t i = 0; i < ARRAY_LEN(own); i++)
			suggest_offer(&near, own[i]);
	}
	for (size_t i = 0; commands[i] && word[0] != '-'; i++)
		suggest_offer(&near, commands[i]->name);
	if (near.best)
		err_try(e, "did you mean shiftbox %s?", near.best);
	else
		err_try(e,
			word[0] == '-' ? "shiftbox --help" : "shiftbox --list lists the commands");
}
