/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_ADVICE_H
#define CMD_ADVICE_H

#include "cmd.h"

/*
 * Add what may have been meant to an error of the command: the first operand may be a word of
 * another program, or nearly a subcommand. Changes only errors about something that does not exist,
 * or about the command line.
 */
void advise_operand(const struct cmd *cmd, const struct operands *o, struct err *e);

/*
 * Add the options of the subcommand or mode to the error about an unknown option, or the value that
 * the option was given.
 */
void advise_option(const struct cmd *cmd, char *const *argv, struct err *e);

/* Add to the error about a file that does not exist that its path cannot be one of a file. */
void advise_missing(struct err *e);

/*
 * Add what may have been meant to the error about an unknown word after `shiftbox`. rest: the words
 * after it, or NULL.
 */
void advise_command(const char *word, char *const *rest, struct err *e);

#endif
