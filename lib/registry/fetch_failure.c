/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fetch_failure: say why something could not be fetched, and what to do. */

#include "fetch_failure.h"

#include <errno.h>
#include <string.h>

#include "../base/plural.h"
#include "fetch_priv.h"

static void say_why(const struct fetch_report *r, struct err *e)
{
	if (r->words[0])
		err_why(e, "%s", r->words);
}

static int network(const struct fetch_report *r, struct err *e)
{
	static const struct {
		int num;
		const char *what, *remedy;
	} table[] = {
		[HTTP_CUT] = { ECONNRESET, "the connection breaks again and again",
			"run the command again later" },
		[HTTP_UNREACHED] = { EHOSTUNREACH, "cannot connect to the server",
			"check the name, the port, and the environment's https_proxy" },
		[HTTP_NO_HOST] = { EHOSTUNREACH, "there is no host of this name",
			"check the name, and that this machine can find others: getent hosts "
			"NAME" },
		[HTTP_NO_PROXY] = { EHOSTUNREACH, "cannot be reached: the proxy is not found",
			"check https_proxy in the environment" },
		[HTTP_TLS] = { EPROTO, "does not speak TLS",
			"for a registry with http:, on a network that you trust: --insecure" },
		[HTTP_UNTRUSTED] = { EACCES, "its certificate is not trusted",
			"name a directory that has the certificate of its CA as a file .crt: "
			"--cert-dir DIR" },
		[HTTP_ENDED] = { EIO, "the transfer was ended", NULL },
		[HTTP_FAILED] = { EIO, "the transfer failed", NULL },
	};
	size_t i = r->failure < ARRAY_LEN(table) ? r->failure : HTTP_FAILED;

	(void)err_say(e, table[i].num, r->host, "%s", table[i].what);
	say_why(r, e);
	if (i == HTTP_TLS)
		err_try(e, "%s %s", table[i].remedy, r->host);
	else if (table[i].remedy)
		err_try(e, "%s", table[i].remedy);
	return -table[i].num;
}

static int busy(const struct fetch_report *r, struct err *e)
{
	(void)err_say(e, EBUSY, r->host, "the registry refuses more requests for now: status 429");
	say_why(r, e);
	if (r->retry_after)
		err_try(e, "run the command again in %u %s, or log in: skopeo login",
			r->retry_after, plural(r->retry_after, "second", "seconds"));
	else
		err_try(e, "run the command again later, or log in: skopeo login");
	return -EBUSY;
}

static int status(const struct fetch_report *r, unsigned kind, struct err *e)
{
	static const char *const missing[] = {
		[FETCH_MANIFEST] = "the registry has no image of this name",
		[FETCH_DOCUMENT] = "the registry does not have a document that the image consists "
				   "of",
		[FETCH_BLOB] = "the registry does not have a layer of the image",
		[FETCH_LIST] = "the registry has no repository of this name",
	};

	switch (r->status) {
	case 404:
		(void)err_say(e, ENOENT, r->host, "%s", missing[kind]);
		say_why(r, e);
		err_try(e,
			kind == FETCH_MANIFEST ? "list what there is: shiftbox image-unpack --tags "
						 "docker://HOST/PATH" :
						 "check the name, or push the image again");
		return -ENOENT;
	case 403:
		(void)err_say(e, EACCES, r->host, "the server refuses access: status 403");
		say_why(r, e);
		err_try(e, "log in as a user who may read it: skopeo login %s", r->host);
		return -EACCES;
	case 429:
		return busy(r, e);
	default:
		(void)err_say(e, EIO, r->host, "the server answers with status %u", r->status);
		say_why(r, e);
		if (r->status >= 500)
			err_try(e, "run the command again later");
		return -EIO;
	}
}

static int denied(const struct fetch_report *r, const char *from, struct err *e)
{
	(void)err_say(e, EACCES, r->host, "the server does not accept the credential");
	if (*from)
		err_why(e, "it is the one in '%s'", from);
	err_try(e, "log in again: skopeo login %s", r->host);
	return -EACCES;
}

static int token(const struct fetch_report *r, struct err *e)
{
	if (!r->status || r->failure != HTTP_CUT)
		return network(r, e);
	(void)err_say(e, EIO, r->host, "the token server answers with status %u", r->status);
	err_why(e, "the registry requires a token of this server");
	return -EIO;
}

int fetch_failure(const struct fetch_report *r, unsigned kind, const char *from, struct err *e)
{
	/* Failures that are described by one text. */
	static const struct {
		int num;
		const char *what, *why;
	} table[FETCH_ENDS] = {
		[FETCH_STOPPED] = { EPIPE, "the transfer was ended", NULL },
		[FETCH_CHALLENGE] = { EPROTO, "the registry requires a login of an unknown kind",
			"it offers neither Basic nor Bearer in WWW-Authenticate" },
		[FETCH_TOKEN_PLAIN] = { EPROTO, "the address of the token server is not https:",
			"a credential or token would be readable on the network" },
		[FETCH_TOKEN_TEXT] = { EPROTO, "the token server sends no token",
			"its answer has no \"token\" and no \"access_token\"" },
		[FETCH_PLAIN] = { EPROTO, "the server redirects from https: to http:",
			"what is sent there would be readable on the network" },
		[FETCH_REDIRECTS] = { ELOOP, "the server redirects again and again", NULL },
		[FETCH_TOO_LONG] = { EFBIG, "the document is larger than 4 MiB",
			"registries do not accept manifests of that size" },
		[FETCH_RANGE] = { ERANGE, "the registry cannot continue the transfer", NULL },
		[FETCH_MEMORY] = { ENOMEM, "the process that fetches has no memory left", NULL },
	};

	switch (r->end) {
	case FETCH_DONE:
		return 0;
	case FETCH_NETWORK:
		return network(r, e);
	case FETCH_STATUS:
		return status(r, kind, e);
	case FETCH_TOKEN:
		return token(r, e);
	case FETCH_DENIED:
		return denied(r, from, e);
	case FETCH_LOGIN:
		(void)err_say(e, EACCES, r->host,
			"the registry requires a login, or has no repository of this name");
		err_try(e,
			"check the name, or log in: skopeo login HOST; --authfile FILE names "
			"another file of credentials");
		return -EACCES;
	case FETCH_LENGTH:
		(void)err_say(e, EBADMSG, r->host, "the server sends a blob of another length");
		err_why(e, "it has %llu %s, which is not what the manifest says",
			(unsigned long long)r->length, plural(r->length, "byte", "bytes"));
		return -EBADMSG;
	default:
		break;
	}
	if (r->end >= FETCH_ENDS || !table[r->end].what)
		return err_say(e, EPROTO, NULL, "the process that fetches sent no valid report");
	(void)err_say(e, table[r->end].num, r->host, "%s", table[r->end].what);
	if (table[r->end].why)
		err_why(e, "%s", table[r->end].why);
	return -table[r->end].num;
}
