/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_NOT_TAR_H
#define TAR_NOT_TAR_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"

/*
 * Bytes that should begin a tar archive do not: say in e what they seem to be ("it looks like
 * text"), and what is accepted instead. p: the first n bytes. If they have the magic of a tar
 * header, or nothing is known of them, e stays as it is: the archive may be damaged. Returns
 * whether something is known.
 */
bool not_tar_say(const void *p, size_t n, struct err *e);

#endif
