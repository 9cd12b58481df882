/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_HINT_H
#define BASE_HINT_H

#include "err.h"

/*
 * Set e->hint from a table keyed by (e->op, e->num), unless e has one already. The cause (e->why)
 * is never guessed here: it comes from a probe.
 */
void hint_fill(struct err *e);

/*
 * As err_try(), with what the step failed on, as a word for a shell, in place of the "%s" in text;
 * or with PATH if that is not known.
 */
void hint_try(struct err *e, const char *text);

#endif
