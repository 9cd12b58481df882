/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_DIGEST_H
#define TAR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/* A SHA-256 digest, the only algorithm taken. Names files and directories: never used unparsed. */
struct digest {
	uint8_t bytes[32];
};

enum {
	DIGEST_TEXT = 72, /* "sha256:", 64 hex digits, NUL */
	DIGEST_NAME = 72, /* "sha256-", ... */
};

/*
 * Parse "sha256:" and exactly 64 lower-case hex digits (OCI image-spec, descriptor.md). doc: where
 * it stands, for messages. -EINVAL with e filled.
 */
int digest_parse(const char *s, const char *doc, struct digest *ret, struct err *e);

/* "sha256:HEX" into buf, returned; and "sha256-HEX", as the store names files. */
const char *digest_text(const struct digest *d, char buf[static DIGEST_TEXT]);
const char *digest_name(const struct digest *d, char buf[static DIGEST_NAME]);

/* The 64 hex digits. */
const char *digest_hex(const struct digest *d, char buf[static 65]);

bool digest_equal(const struct digest *a, const struct digest *b);

/* Hashing piece by piece. */
struct hash {
	_Alignas(16) unsigned char state[128];
};

void hash_init(struct hash *h);
void hash_update(struct hash *h, const void *p, size_t n);
void hash_final(struct hash *h, struct digest *ret);

/* Of n bytes at once. */
void hash_bytes(const void *p, size_t n, struct digest *ret);

#endif
