/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_FETCH_FAILURE_H
#define REGISTRY_FETCH_FAILURE_H

#include "../base/err.h"

struct fetch_report;

/*
 * Describe what a report says: 0 if it reports success, else -errno with e filled. kind: that of
 * the request. from: the file that the credential is from, or "".
 */
MUST_CHECK int fetch_failure(
	const struct fetch_report *r, unsigned kind, const char *from, struct err *e);

#endif
