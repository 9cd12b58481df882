/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_HTTP_H
#define REGISTRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "challenge.h"

/*
 * HTTP through libcurl, which is loaded on first use, since it brings some thirty other libraries:
 * no command that needs no registry pays for it. This is the only file that uses libcurl.
 *
 * A call is one exchange: redirects are not followed, and nothing is tried again. Proxies are those
 * of the environment (http_proxy, https_proxy, all_proxy, no_proxy).
 */
struct http;

enum { HTTP_URL = 8192, HTTP_WORDS = 256 };

/* What is the same for all calls. Its members must live as long as each struct http. */
struct http_options {
	const struct buf *ca; /* certificates to trust beside the system's, as PEM; or NULL */
	const struct buf *cert, *key; /* of the client, as PEM; or NULL */
	long stall_seconds;           /* break off a transfer that is silent for so long */
};

/* Load libcurl, once. Returns 0, or -ELIBACC with e filled. Call it before threads are started. */
MUST_CHECK int http_load(struct err *e);

MUST_CHECK int http_new(const struct http_options *o, struct http **ret, struct err *e);
void http_free(struct http *h);

/* Whom the call is made as. */
enum http_auth { HTTP_ANONYMOUS, HTTP_BEARER, HTTP_BASIC };

struct http_answer {
	bool connected; /* the server, or a proxy, was reached */
	int curl;       /* CURLcode; 0: the answer is complete */
	long status;    /* 0: none arrived */
	bool has_length;
	uint64_t length;            /* of the body, as the header says */
	uint64_t range_start;       /* of status 206 */
	uint32_t retry_after;       /* seconds; 0: not given */
	char location[HTTP_URL];    /* of a redirect, absolute; or "" */
	char next[HTTP_URL];        /* the header Link with rel="next", as it is; or "" */
	struct challenge challenge; /* of status 401 */
	char words[HTTP_WORDS];     /* what libcurl says about the failure */
};

struct http_call {
	const char *url;
	const char *accept; /* the header Accept, or NULL */
	enum http_auth auth;
	const char *user, *secret; /* secret is the token of HTTP_BEARER, too */
	const char *post;          /* a form to send; NULL: GET */
	uint64_t offset;           /* ask for the body from here on */
	bool plain;                /* http: is allowed, beside https: */
	bool no_verify;            /* accept any certificate of the server */
	bool present;              /* the certificate of http_options, if the server asks for one */

	/*
	 * Receives the body, of whatever status. a has status, length and range_start by then.
	 * Returns 0, or another value to end the call.
	 */
	int (*body)(void *arg, const struct http_answer *a, const void *p, size_t n);
	void *arg;
};

/* Make the call. What happened is in *ret, failures too. */
void http_call(struct http *h, const struct http_call *c, struct http_answer *ret);

/* What a failed call (a->curl) was about. */
enum http_failure {
	HTTP_CUT,       /* the connection broke, timed out or stalled: worth another try */
	HTTP_UNREACHED, /* no connection could be made */
	HTTP_NO_HOST,   /* the name is not known */
	HTTP_NO_PROXY,  /* the name of the proxy is not known */
	HTTP_TLS,       /* the server does not speak TLS as it should */
	HTTP_UNTRUSTED, /* its certificate is not trusted, or is for another name */
	HTTP_ENDED,     /* body() ended the call */
	HTTP_FAILED,    /* anything else */
};
enum http_failure http_failure(const struct http_answer *a);

/* Do both addresses have the same scheme, host and port? */
bool http_same_origin(const char *a, const char *b);
bool http_is_plain(const char *url); /* "http:" */

/* Write HOST, or HOST:PORT if the address has a port, into buf; "" if it is not an address. */
enum { HTTP_HOST = 300 };
const char *http_host(const char *url, char buf[static HTTP_HOST]);

/* Append NAME=VALUE to a form or a query, with "&" before it if it is not the first. */
MUST_CHECK int http_form_add(struct buf *b, const char *name, const char *value);

#endif
