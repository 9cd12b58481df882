/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth_file: read the content of files of credentials. */

#include "auth_file.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/json.h"
#include "../base/vec.h"

static const char token_user[] = "<token>"; /* docker's word for "the secret is a token" */

bool auth_helper_name_is_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t n = strlen(name);

	return n && n < CREDENTIAL_HELPER && strspn(name, letters) == n;
}

/* The errors of doc_parse() may contain a part of the text, and so of a secret. */
static int parse(const char *text, size_t n, const char *doc, struct json **ret, struct err *e)
{
	int r = doc_parse(text, n, doc, ret, NULL);

	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		r = err_say(e, EINVAL, doc,
			"the file of credentials is not a JSON object, has a key twice, or is too "
			"large");
		err_try(e, "write it again with skopeo login");
	}
	return r;
}

static int take_helper(
	const char *name, const char *doc, char ret[static CREDENTIAL_HELPER], struct err *e)
{
	if (!auth_helper_name_is_valid(name))
		return err_say(e, EINVAL, doc,
			"the name of a credential helper has other characters than letters, "
			"digits, '-', '_' and '.', or is longer than %d characters",
			CREDENTIAL_HELPER - 1);
	memcpy(ret, name, strlen(name) + 1);
	return 1;
}

/* The names under which a registry's entries may be kept; the first is its own. */
static size_t host_names(const char *host, const char *ret[static 3])
{
	ret[0] = host;
	if (strcmp(host, "docker.io") != 0)
		return 1;
	ret[1] = "index.docker.io";
	ret[2] = "registry-1.docker.io";
	return 3;
}

int auth_file_helper(const char *text, size_t n, const char *doc, const struct auth_query *q,
	char ret[static CREDENTIAL_HELPER], struct err *e)
{
	scoped_json struct json *j = NULL;
	const struct json *helpers;
	const char *name = NULL, *names[3];
	size_t n_names = host_names(q->host, names);
	int r = parse(text, n, doc, &j, e);

	if (r < 0 || q->legacy)
		return r;
	r = doc_object(j, "credHelpers", doc, false, &helpers, e);
	for (size_t i = 0; r == 0 && helpers && !name && i < n_names; i++)
		r = doc_str(helpers, names[i], doc, false, &name, e);
	if (r == 0 && !name)
		r = doc_str(j, "credsStore", doc, false, &name, e);
	if (r < 0 || !name || !*name)
		return r;
	return take_helper(name, doc, ret, e);
}

/* Copy a string of the document. Errors do not contain it: it is a secret. */
static int take(const char *s, size_t n, const char *doc, char *to, size_t size, struct err *e)
{
	if (n >= size)
		return err_say(e, EINVAL, doc, "a credential is longer than %zu bytes", size - 1);
	if (memchr(s, '\n', n) || memchr(s, '\r', n) || memchr(s, '\0', n))
		return err_say(e, EINVAL, doc, "a credential contains a line break or a NUL");
	memcpy(to, s, n);
	to[n] = '\0';
	return 0;
}

/* Decode USER:PASSWORD from base64. */
static int take_auth(const char *auth, const char *doc, struct credential *ret, struct err *e)
{
	size_t len = strlen(auth), out = BASE64_DECODE_LENGTH(len);
	char plain[CREDENTIAL_USER + CREDENTIAL_SECRET + 8];
	struct base64_decode_ctx c;
	const char *colon;
	int r;

	base64_decode_init(&c);
	if (out > sizeof(plain) || !base64_decode_update(&c, &out, (uint8_t *)plain, len, auth) ||
		!base64_decode_final(&c))
		return err_say(e, EINVAL, doc, "a value of \"auth\" is not base64, or too long");
	while (out && !plain[out - 1])
		out--; /* docker pads it with NULs */
	colon = memchr(plain, ':', out);
	if (!colon) {
		explicit_bzero(plain, sizeof(plain));
		return err_say(e, EINVAL, doc, "a value of \"auth\" is not USER:PASSWORD");
	}
	r = take(plain, (size_t)(colon - plain), doc, ret->user, sizeof(ret->user), e);
	if (r == 0)
		r = take(colon + 1, out - (size_t)(colon + 1 - plain), doc, ret->secret,
			sizeof(ret->secret), e);
	explicit_bzero(plain, sizeof(plain));
	return r;
}

/* Returns 1, 0 if the entry has no credential, or -errno. */
static int take_entry(
	const struct json *entry, const char *doc, struct credential *ret, struct err *e)
{
	const char *auth = NULL, *token = NULL, *user = NULL, *password = NULL;
	int r;

	r = doc_str(entry, "auth", doc, false, &auth, e);
	if (r == 0)
		r = doc_str(entry, "identitytoken", doc, false, &token, e);
	if (r == 0)
		r = doc_str(entry, "username", doc, false, &user, e);
	if (r == 0)
		r = doc_str(entry, "password", doc, false, &password, e);
	if (r < 0)
		return r;
	if (token && *token) {
		ret->kind = CREDENTIAL_TOKEN;
		r = take(token, strlen(token), doc, ret->secret, sizeof(ret->secret), e);
	} else if (auth && *auth) {
		ret->kind = CREDENTIAL_PASSWORD;
		r = take_auth(auth, doc, ret, e);
	} else if (user && *user && password) {
		ret->kind = CREDENTIAL_PASSWORD;
		r = take(user, strlen(user), doc, ret->user, sizeof(ret->user), e);
		if (r == 0)
			r = take(password, strlen(password), doc, ret->secret, sizeof(ret->secret),
				e);
	} else {
		return 0;
	}
	return r < 0 ? r : 1;
}

/* Take the entry with this key, if there is one. */
static int take_key(const struct json *auths, const char *key, const char *doc,
	struct credential *ret, struct err *e)
{
	const struct json *entry;
	int r = doc_object(auths, key, doc, false, &entry, e);

	return r < 0 || !entry ? r : take_entry(entry, doc, ret, e);
}

/* Is the key the address of the registry, "https://HOST/v1/", as docker writes it? */
static bool is_address_of(const char *key, const char *host, bool legacy)
{
	const char *scheme = strstr(key, "://"), *s = scheme ? scheme + 3 : key;
	size_t n = strcspn(s, "/");

	return (scheme || legacy) && n == strlen(host) && !strncmp(s, host, n);
}

static int find_address(const struct json *auths, const struct auth_query *q, const char *doc,
	struct credential *ret, struct err *e)
{
	scoped_strv struct strv keys = { 0 };
	const char *names[3];
	size_t n = host_names(q->host, names);
	int r = doc_keys(auths, &keys, e);

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; r == 0 && i < keys.len; i++)
			if (is_address_of(keys.items[i], names[k], q->legacy))
				r = take_key(auths, keys.items[i], doc, ret, e);
	return r;
}

int auth_file_find(const char *text, size_t n, const char *doc, const struct auth_query *q,
	struct credential *ret, struct err *e)
{
	scoped_json struct json *j = NULL;
	scoped_buf struct buf key = BUF_INIT;
	const struct json *auths = NULL;
	const char *names[3];
	size_t n_names = host_names(q->host, names);
	char *slash;
	int r = parse(text, n, doc, &j, e);

	if (r < 0)
		return r;
	if (q->legacy)
		auths = j;
	else
		r = doc_object(j, "auths", doc, false, &auths, e);
	if (r < 0 || !auths)
		return r;
	buf_printf(&key, "%s/%s", q->host, q->path);
	if (!buf_get(&key))
		return err_nomem(e);
	/* The host alone is tried below, with its other names. */
	while (r == 0 && (slash = strrchr(key.data, '/'))) {
		r = take_key(auths, key.data, doc, ret, e);
		*slash = '\0';
	}
	for (size_t i = 0; r == 0 && i < n_names; i++)
		r = take_key(auths, names[i], doc, ret, e);
	return r == 0 ? find_address(auths, q, doc, ret, e) : r;
}

int auth_helper_answer(
	const char *text, size_t n, const char *doc, struct credential *ret, struct err *e)
{
	scoped_json struct json *j = NULL;
	const char *user, *secret;
	int r = doc_parse(text, n, doc, &j, NULL); /* its errors may contain a part of the text */

	if (r < 0)
		return err_say(e, EINVAL, doc, "the credential helper did not print JSON");
	r = doc_str(j, "Username", doc, true, &user, e);
	if (r == 0)
		r = doc_str(j, "Secret", doc, true, &secret, e);
	if (r == 0)
		r = take(user, strlen(user), doc, ret->user, sizeof(ret->user), e);
	if (r == 0)
		r = take(secret, strlen(secret), doc, ret->secret, sizeof(ret->secret), e);
	if (r < 0)
		return r;
	ret->kind = strcmp(user, token_user) ? CREDENTIAL_PASSWORD : CREDENTIAL_TOKEN;
	return 0;
}
