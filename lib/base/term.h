/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_TERM_H
#define BASE_TERM_H

#include <stdbool.h>

/*
 * The number of columns of the terminal that fd is open on: COLUMNS of the environment if that is a
 * number from 1 to 9999, else what the terminal says, else 80. Returns 0 if fd is not a terminal.
 */
unsigned term_columns(int fd);

/* Can the terminal that fd is open on move its cursor? Not if TERM is "dumb", empty or not set. */
bool term_moves(int fd);

#endif
