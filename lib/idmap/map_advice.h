/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_MAP_ADVICE_H
#define IDMAP_MAP_ADVICE_H

#include <stdbool.h>

#include "../base/err.h"
#include "map_lex.h"

/* Is it the first word of a map of another program, which idmap_parse_form() reads? */
bool map_is_foreign(struct word w);

/*
 * Say what the word, which is not an entry of a map, may have meant: "1000=100033", "alice",
 * "1000:100033". Private to lib/idmap.
 */
void map_advise(struct err *e, struct word w);

/* Say how a map is written. */
void map_advise_form(struct err *e);

#endif
