/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_HOST_H
#define CMD_SHIFT_CHECK_HOST_H

#include "../lib/base/buf.h"
#include "../lib/base/vec.h"
#include "../lib/survey/host.h"

/* The rows of a survey; their strings are allocated. */
struct host_rows {
	struct host_row *items;
	size_t len, cap;
};

/*
 * Call fn with three rows of the section "summary": what works for root ("root"), what works for
 * ordinary users ("users"), and what is missing with a remedy for each ("missing"). Returns 0, the
 * first non-zero result of fn, or -ENOMEM.
 */
MUST_CHECK int check_host_summary(
	const struct host_rows *rows, int (*fn)(const struct host_row *r, void *arg), void *arg);

#endif
