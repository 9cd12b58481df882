/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "../base/cleanup.h"

/*
 * What a registry asks for with WWW-Authenticate (RFC 9110, 11.6.1; distribution's auth/token.md).
 * Other schemes than Bearer and Basic, and other parameters, are skipped.
 */
struct challenge {
	bool basic, bearer;
	char realm[1024]; /* of Bearer: the address of the token server; the rest may be empty */
	char service[256];
	char scope[1024]; /* several scopes have blanks between them */
};

/*
 * Add what one header says to *c, which is zero before the first header. Of several Bearer
 * challenges, the first counts. Returns 0, or -EINVAL if the header is not well-formed or a value
 * is too long; then *c is as before.
 */
MUST_CHECK int challenge_add(struct challenge *c, const char *header);

#endif
