/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_DIGEST_H
#define TAR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/*
 * A SHA-256 digest, the only algorithm supported. Digests name files and directories, so text from
 * outside is always parsed before it is used.
 */
struct digest {
	uint8_t bytes[32];
};

enum {
	DIGEST_HEX = 65,  /* 64 hex digits and NUL */
	DIGEST_TEXT = 72, /* "sha256:", 64 hex digits and NUL */
	DIGEST_NAME = 72, /* "sha256-", 64 hex digits and NUL */
};

/*
 * Parse "sha256:" and exactly 64 lower-case hex digits (OCI image-spec, descriptor.md). doc names
 * the document that contains s, for messages. Returns -EINVAL with e filled for anything else.
 */
MUST_CHECK int digest_parse(const char *s, const char *doc, struct digest *ret, struct err *e);

/* Write "sha256:HEX" into buf, and return buf. */
const char *digest_text(const struct digest *d, char buf[static DIGEST_TEXT]);

/* Write "sha256-HEX", the form of file names in a store, into buf, and return buf. */
const char *digest_name(const struct digest *d, char buf[static DIGEST_NAME]);

/* Write the 64 hex digits into buf, and return buf. */
const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX]);

/* Are both the same? */
bool digest_equal(const struct digest *a, const struct digest *b);

/* An incremental SHA-256 computation; copies of it are independent. */
struct hash {
	_Alignas(16) unsigned char state[128];
};

/* Start, add n bytes, and get the digest; h may then be used again after hash_init(). */
void hash_init(struct hash *h);
void hash_update(struct hash *h, const void *p, size_t n);
void hash_final(struct hash *h, struct digest *ret);

/* Hash n bytes in one call. */
void hash_bytes(const void *p, size_t n, struct digest *ret);

#endif
