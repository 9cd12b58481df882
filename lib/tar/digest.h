/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_DIGEST_H
#define TAR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/* The algorithms that are registered in OCI image-spec, descriptor.md. */
enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };

/*
 * Digests name files and directories, so text from outside is always parsed before it is used.
 * Within a store all of them are SHA-256.
 */
struct digest {
	enum digest_algorithm algorithm;
	uint8_t bytes[64]; /* SHA-256: the first 32 */
};

enum {
	DIGEST_HEX = 129,  /* 64 or 128 hex digits and NUL */
	DIGEST_TEXT = 136, /* "sha256:" or "sha512:", the digits and NUL */
	DIGEST_NAME = 72,  /* "sha256-", 64 hex digits and NUL */
};

/* "sha256" or "sha512" */
const char *digest_algorithm_name(enum digest_algorithm a);

/*
 * Parse "sha256:" and exactly 64 lower-case hex digits, or "sha512:" and 128. doc names the
 * document that contains s, for messages. Returns -EINVAL with e filled for anything else.
 */
MUST_CHECK int digest_parse(const char *s, const char *doc, struct digest *ret, struct err *e);

/* Write "sha256:HEX" or "sha512:HEX" into buf, and return buf. */
const char *digest_text(const struct digest *d, char buf[static DIGEST_TEXT]);

/* Write "sha256-HEX", the form of file names in a store, into buf, and return buf. d is SHA-256. */
const char *digest_name(const struct digest *d, char buf[static DIGEST_NAME]);

/* Write the 64 or 128 hex digits into buf, and return buf. */
const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX]);

/* Are both the same? */
bool digest_equal(const struct digest *a, const struct digest *b);

/* An incremental computation of a digest; copies of it are independent. */
struct hash {
	_Alignas(16) unsigned char state[256];
	enum digest_algorithm algorithm;
};

/* Start, add n bytes, and get the digest; h may then be used again after hash_init(). */
void hash_init(struct hash *h, enum digest_algorithm algorithm);
void hash_update(struct hash *h, const void *p, size_t n);
void hash_final(struct hash *h, struct digest *ret);

/* Hash n bytes in one call, by SHA-256 or by this algorithm. */
void hash_bytes(const void *p, size_t n, struct digest *ret);
void hash_bytes_as(enum digest_algorithm algorithm, const void *p, size_t n, struct digest *ret);

#endif
