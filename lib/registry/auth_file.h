/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_AUTH_FILE_H
#define REGISTRY_AUTH_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"
#include "credential.h"

/*
 * Read the content of a file of credentials in the form of containers-auth.json(5), which is that
 * of docker's config.json, too.
 */
struct auth_query {
	const char *host; /* of the image, with its port: "docker.io" */
	const char *path; /* its repository */
	bool legacy;      /* the content has the form of ~/.dockercfg: the object "auths" alone */
};

/* Is the name of a helper made of letters, digits, "-", "_" and "."? */
bool auth_helper_name_is_valid(const char *name);

/*
 * Find the name of the helper for the registry in "credHelpers", or that of all registries in
 * "credsStore". Returns 1 and sets ret, 0 if there is none, or -errno with e filled.
 */
MUST_CHECK int auth_file_helper(const char *text, size_t n, const char *doc,
	const struct auth_query *q, char ret[static CREDENTIAL_HELPER], struct err *e);

/*
 * Find the credential in "auths": that of the longest part of HOST/PATH that ends before a slash.
 * Keys may also be the addresses that docker wrote (https://HOST/v1/). An entry without credentials
 * counts as none. Returns 1 and sets *ret, 0 if there is none, or -errno with e filled.
 */
MUST_CHECK int auth_file_find(const char *text, size_t n, const char *doc,
	const struct auth_query *q, struct credential *ret, struct err *e);

/*
 * Read what a helper prints: an object with Username and Secret. Returns 0 or -errno with e filled.
 * doc is the name of the helper, for messages.
 */
MUST_CHECK int auth_helper_answer(
	const char *text, size_t n, const char *doc, struct credential *ret, struct err *e);

#endif
