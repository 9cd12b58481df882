/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_FETCH_PRIV_H
#define REGISTRY_FETCH_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../tar/blob.h"
#include "credential.h"
#include "fetcher.h"
#include "http.h"

/*
 * The process that fetches (fetcher.h). The parent sends it requests over a socket, each one
 * message with two pipes: the bytes that arrive are written to the first, as they arrive, and at
 * the end a report to the second. A thread serves each request (fetch_child.c), with a connection
 * of its own, which a later request uses again. fetch_transfer.c makes the exchanges of a request,
 * and decides what is tried again; fetch_token.c knows how to prove who the caller is.
 *
 * The parent takes what the process writes for bytes from outside: a report is numbers, of which
 * the parent makes sentences, and a few words of other machines.
 */

enum fetch_kind { FETCH_MANIFEST, FETCH_DOCUMENT, FETCH_BLOB, FETCH_LIST };

enum { FETCH_PATH = 2048, FETCH_DOCUMENT_MAX = 4 << 20 };

struct fetch_request {
	uint32_t kind;
	uint64_t offset;       /* of a blob: where to begin */
	uint64_t size;         /* of the whole blob or document; BLOB_SIZE_UNKNOWN */
	char path[FETCH_PATH]; /* "/v2/..." */
};

/* How a request ended. */
enum fetch_end {
	FETCH_DONE,
	FETCH_STOPPED,     /* the parent reads no more */
	FETCH_NETWORK,     /* see failure and words */
	FETCH_STATUS,      /* the server answered with this status */
	FETCH_LOGIN,       /* a credential is needed, and there is none */
	FETCH_DENIED,      /* the credential was not accepted */
	FETCH_CHALLENGE,   /* the server wants something else than Basic and Bearer */
	FETCH_TOKEN,       /* the token server failed: status, or failure and words */
	FETCH_TOKEN_PLAIN, /* the address of the token server is not https: */
	FETCH_TOKEN_TEXT,  /* what the token server sent has no token in it */
	FETCH_PLAIN,       /* a redirect leads from https: to http: */
	FETCH_REDIRECTS,   /* there are too many */
	FETCH_LENGTH,      /* the blob has another length than its descriptor says */
	FETCH_TOO_LONG,    /* a document has more than FETCH_DOCUMENT_MAX bytes */
	FETCH_RANGE,       /* the server does not have the blob from that offset on */
	FETCH_MEMORY,
	FETCH_ENDS
};

struct fetch_report {
	uint32_t end;     /* enum fetch_end */
	uint32_t failure; /* enum http_failure */
	uint32_t status, retry_after, tries;
	uint32_t credential;    /* enum credential_kind of the credential that was sent */
	uint64_t length;        /* FETCH_LENGTH: what the server has */
	uint64_t bytes;         /* written to the pipe */
	char host[300];         /* which server it was, without a part of its address */
	char words[HTTP_WORDS]; /* of libcurl, or the server */
	char next[FETCH_PATH];  /* FETCH_LIST: the path of the rest, or "" */
};

/* What the process tells when it is ready, or cannot be. */
struct fetch_ready {
	int32_t result; /* 0 or -errno with e */
	struct err e;
	uint32_t credential; /* enum credential_kind */
	char from[1024];     /* the file that it is from */
};

/* A token, or the knowledge that Basic is wanted: one for all requests. */
struct fetch_auth {
	pthread_mutex_t lock;
	const struct credential *credential;
	const char *path; /* the repository, for the scope */
	enum http_auth kind;
	char token[CREDENTIAL_SECRET];
	uint64_t version; /* of token: a request that fails with an old one takes the new one */
	int64_t expires;  /* seconds of CLOCK_MONOTONIC; 0: never */
	char realm[1024], service[256], scope[1024]; /* for the next token */
};

/* How one exchange is authenticated. */
struct fetch_pass {
	enum http_auth kind;
	uint64_t version;
	char user[CREDENTIAL_USER], secret[CREDENTIAL_SECRET];
};

/* All that requests have in common. */
struct fetch_shared {
	const struct fetch_options *o;
	struct http_options http;
	struct fetch_auth auth;
	pthread_mutex_t lock;    /* protects the members below */
	bool plain;              /* the registry speaks http: */
	bool scheme_known;       /* a request has succeeded with that */
	VEC(struct http *) idle; /* connections */
};

/* Did the caller name the server of this address as one whose certificate does not matter? */
bool fetch_is_insecure(const struct fetch_shared *s, const char *url);

/* Fill *ret with what is known, after a new token if the old one has expired. */
MUST_CHECK enum fetch_end fetch_auth_get(struct fetch_shared *s, struct http *h,
	struct fetch_pass *ret, struct fetch_report *report);

/*
 * Answer the challenge of the registry to an exchange that was made with *pass: fill *pass for the
 * next attempt.
 */
MUST_CHECK enum fetch_end fetch_auth_answer(struct fetch_shared *s, struct http *h,
	const struct challenge *c, struct fetch_pass *pass, struct fetch_report *report);

/* Serve a request: write to data, and fill *report. */
void fetch_transfer(struct fetch_shared *s, struct http *h, const struct fetch_request *q, int data,
	struct fetch_report *report);

/* The process itself: control is its socket, ready the pipe for struct fetch_ready. */
_Noreturn void fetch_child(const struct fetch_options *o, int control, int ready);

#endif
