/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OPTION_ADVICE_H
#define MOUNT_OPTION_ADVICE_H

#include <stdbool.h>

#include "../base/err.h"

/*
 * Add to an error what another program means by an option of this name. value may be NULL. Returns
 * false if no program is known that has it.
 */
bool mount_option_habit(const char *name, const char *value, struct err *e);

/* Does the word look like a map, so that "map=" or -m is missing before it? */
bool mount_word_is_map(const char *word);

#endif
