/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_USERNS_RULES_H
#define SURVEY_USERNS_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

/* A sysctl that can forbid ordinary users to create user namespaces. */
struct userns_rule {
	const char *sysctl;  /* "kernel.unprivileged_userns_clone" */
	const char *meaning; /* what the forbidding value means */
	char value[32];      /* the current value */
	bool forbids;
};

/* Get the i-th of the sysctls that this kernel has; false after the last one. */
bool userns_rules_get(size_t i, struct userns_rule *ret);

/*
 * Append descriptions of the sysctls that forbid user namespaces now, separated by "; ", or
 * nothing.
 */
void userns_rules_print(struct buf *b);

#endif
