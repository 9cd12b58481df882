/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* term: what the terminal can show. */

#include "term.h"

#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "env.h"
#include "num.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MAX = 9999 };

unsigned term_columns(int fd)
{
	const char *given = env_get("COLUMNS");
	struct winsize size = { .ws_col = 0 };
	uint32_t n;

	if (!isatty(fd))
		return 0;
	if (given && num_u32(given, &n) == 0 && n && n <= COLUMNS_MAX)
		return n;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

bool term_moves(int fd)
{
	const char *term = env_get("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}
