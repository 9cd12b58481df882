/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_FETCHER_H
#define REGISTRY_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"
#include "registry_ref.h"

/*
 * A process that fetches documents and blobs of one repository. It alone talks to other machines,
 * and before that it gives up all its privileges (confine.h): it reads the caller's certificates
 * and credential first, so that this process never has the credential. Nothing that it delivers is
 * trusted: each document and blob is verified against its digest here.
 */
struct fetcher;

struct fetch_options {
	struct registry_ref ref;
	const struct strv *insecure; /* HOST[:PORT] of servers whose certificates are not verified,
	                                and which may speak http:; or NULL */
	const char *authfile;        /* see credential_find() */
	const char *cert_dir; /* *.crt, *.cert and *.key, as in /etc/containers/certs.d; or NULL */
	uint32_t tries;       /* of a request, as long as none of them receives 1 MiB */
	uint32_t stall;       /* seconds without a byte after which a transfer is broken off */
};

enum { FETCH_TRIES = 6, FETCH_STALL = 60 };

/*
 * Start the process. o is copied, but not what it points to. No other thread may exist. Returns 0
 * or -errno with e filled (a file of credentials or a certificate that cannot be used, -ELIBACC: no
 * libcurl).
 */
MUST_CHECK int fetcher_start(const struct fetch_options *o, struct fetcher **ret, struct err *e);

/* End the process, whatever it does. */
void fetcher_free(struct fetcher *f);

/*
 * Append the manifest or index that the tag, or a digest ("sha256:..."), names. It is not verified:
 * the caller computes its digest.
 */
MUST_CHECK int fetcher_manifest(
	struct fetcher *f, const char *reference, struct buf *ret, struct err *e);

/* Append a blob that is a document of this size. It is not verified, either. */
MUST_CHECK int fetcher_document(
	struct fetcher *f, const struct digest *d, uint64_t size, struct buf *ret, struct err *e);

/* Append the JSON documents that list the tags to ret, one for each page. */
MUST_CHECK int fetcher_tags(struct fetcher *f, struct strv *ret, struct err *e);

/* A blob that arrives. */
struct fetch_blob {
	int data;   /* the pipe from which its bytes are read; the caller may take it */
	int report; /* for fetch_blob_end() */
};

#define FETCH_BLOB_INIT ((struct fetch_blob){ .data = -1, .report = -1 })

/* Ask for a blob, from offset on. May be called by several threads. */
MUST_CHECK int fetcher_blob(struct fetcher *f, const struct digest *d, uint64_t size,
	uint64_t offset, struct fetch_blob *ret, struct err *e);

/*
 * After reading the data has ended, and its descriptor was closed: returns 1 if all
 * bytes were sent, 0 if the reader has stopped before that, or -errno with e filled with what kept
 * the rest from arriving (-ERANGE: the registry does not have the blob from that offset on). May be
 * called from several threads, each with its own blob.
 */
MUST_CHECK int fetch_blob_end(struct fetcher *f, struct fetch_blob *b, struct err *e);
void fetch_blob_done(struct fetch_blob *b);

#define scoped_fetch_blob __attribute__((cleanup(fetch_blob_done)))

#endif
