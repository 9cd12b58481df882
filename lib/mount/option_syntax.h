/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OPTION_SYNTAX_H
#define MOUNT_OPTION_SYNTAX_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/err.h"

/* The syntax of a string of options; mount_options_parse() of options.h describes it. */

/*
 * The length in bytes of the option at s, up to the next comma that separates options; *ret_name is
 * the length of its name. Returns -EINVAL if a double quote is open.
 */
MUST_CHECK ssize_t option_length(const char *s, size_t *ret_name);

/*
 * Remove quotes and backslashes from the n bytes at raw, up to an unprotected `stop` (0: to the
 * end). ret_used, which may be NULL: how many bytes of raw that was. The caller frees *ret. Returns
 * 0, or -errno with e filled (a usage error, or -ENOMEM).
 */
MUST_CHECK int option_unescape(
	const char *raw, size_t n, char stop, char **ret, size_t *ret_used, struct err *e);

#endif
