/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_CREDENTIAL_H
#define REGISTRY_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"

enum {
	CREDENTIAL_USER = 256,
	CREDENTIAL_SECRET = 16 << 10, /* tokens of clouds have some thousands of characters */
	CREDENTIAL_HELPER = 128,
};

enum credential_kind {
	CREDENTIAL_NONE,
	CREDENTIAL_PASSWORD, /* user and secret */
	CREDENTIAL_TOKEN,    /* secret is an identity token (distribution's auth/oauth.md) */
};

/*
 * What proves to a registry who the caller is. It is one object without pointers, so that
 * credential_wipe() leaves no copy behind; it is never part of a message.
 */
struct credential {
	enum credential_kind kind;
	char user[CREDENTIAL_USER], secret[CREDENTIAL_SECRET];
};

/* Overwrite the credential. */
void credential_wipe(struct credential *c);

#define scoped_credential __attribute__((cleanup(credential_wipe)))

/* Where a credential is looked for. */
struct credential_query {
	const char *host, *path; /* as in struct auth_query */
	const char *authfile; /* the only file to read, or NULL: those of containers-auth.json(5) */
};

/*
 * Find the credential for a repository: in authfile, or else in the file that REGISTRY_AUTH_FILE
 * names, or else in $XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME/containers/auth.json,
 * $HOME/.docker/config.json and $HOME/.dockercfg, of which the first with a credential counts. A
 * file is read only if it belongs to root or to the caller and no other user can write to it. A
 * helper that a file names is executed, for at most 10 seconds; it is found only in a directory
 * that root alone can write to.
 *
 * ret->kind is CREDENTIAL_NONE if there is no credential. from (size bytes) receives the file that
 * it is from, for messages. Returns 0 or -errno with e filled, without a part of any secret.
 *
 * This reads secrets into memory that is not wiped (JSON): call it in a process that ends then.
 */
MUST_CHECK int credential_find(const struct credential_query *q, struct credential *ret, char *from,
	size_t size, struct err *e);

#endif
