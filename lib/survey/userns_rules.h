/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_USERNS_RULES_H
#define SURVEY_USERNS_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

/* A setting of the kernel that can forbid ordinary users to make user namespaces. */
struct userns_rule {
	const char *sysctl;  /* "kernel.unprivileged_userns_clone" */
	const char *meaning; /* of the value that forbids */
	char value[32];      /* as it is */
	bool forbids;
};

/* The i-th of those that this kernel has; false after the last. */
bool userns_rules_get(size_t i, struct userns_rule *ret);

/* Those that forbid it, in words, "; " between them; nothing when none does. */
void userns_rules_print(struct buf *b);

#endif
