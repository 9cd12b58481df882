/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* advice: say what may have been meant by the first word after a command. */

#include "advice.h"

#include <errno.h>
#include <string.h>

#include "habits.h"

void advise_operand(const struct cmd *cmd, const struct operands *o, struct err *e)
{
	const char *word = o->len ? o->items[0] : "", *say;
	struct suggest near = suggest_for(word, strlen(word));

	if (!o->len || (e->num != ENOENT && !e->usage))
		return;
	/* About a command line that is wrong the error itself may say more. */
	say = habit_find(cmd->habits, word, strlen(word));
	if (say && (!e->usage || !e->hint[0])) {
		err_try(e, "%s", say);
		return;
	}
	for (const struct opt_form *f = cmd->forms; f->name; f++)
		if (f->word)
			suggest_offer(&near, f->word);
	if (near.best && strcmp(near.best, word) != 0 && !strcmp(e->on, word))
		err_try(e, "did you mean shiftbox %s %s?", cmd->name, near.best);
}

void advise_command(const char *word, struct err *e)
{
	struct suggest near = suggest_for(word, strlen(word));
	const char *say = habit_find(shiftbox_habits, word, strlen(word));

	if (say) {
		err_try(e, "%s", say);
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
