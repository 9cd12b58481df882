/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digest: SHA-256 and SHA-512 digests, and their text forms. */

#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

#include "../base/vec.h"

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(((struct hash *)0)->state), "no room");
_Static_assert(sizeof(struct sha512_ctx) <= sizeof(((struct hash *)0)->state), "no room");
_Static_assert(sizeof(((struct digest *)0)->bytes) == SHA512_DIGEST_SIZE, "not SHA-512");

static const struct {
	const char *name, *prefix;
	size_t size; /* bytes */
} algorithms[] = {
	[DIGEST_SHA256] = { "sha256", "sha256:", SHA256_DIGEST_SIZE },
	[DIGEST_SHA512] = { "sha512", "sha512:", SHA512_DIGEST_SIZE },
};

const char *digest_algorithm_name(enum digest_algorithm a)
{
	return algorithms[a].name;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int digest_parse(const char *s, const char *doc, struct digest *ret, struct err *e)
{
	struct digest d = { .algorithm = DIGEST_SHA256 };
	size_t size;

	while (strncmp(s, algorithms[d.algorithm].prefix, strlen(algorithms[d.algorithm].prefix))) {
		if (++d.algorithm == ARRAY_LEN(algorithms))
			return err_say(e, EINVAL, doc,
				"'%.80s' is not a sha256 digest, nor a sha512 one", s);
	}
	size = algorithms[d.algorithm].size;
	s += strlen(algorithms[d.algorithm].prefix);
	if (strlen(s) != 2 * size)
		return err_say(e, EINVAL, doc, "'%s:%.140s' does not have %zu digits",
			algorithms[d.algorithm].name, s, 2 * size);

	for (size_t i = 0; i < size; i++) {
		int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_say(e, EINVAL, doc, "'%s:%s' is not in lower-case hexadecimal",
				algorithms[d.algorithm].name, s);
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}

	*ret = d;
	return 0;
}

static void put_hex(const uint8_t *bytes, size_t n, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		buf[2 * i] = digits[bytes[i] >> 4];
		buf[2 * i + 1] = digits[bytes[i] & 15];
	}
	buf[2 * n] = '\0';
}

const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX])
{
	put_hex(d->bytes, algorithms[d->algorithm].size, buf);
	return buf;
}

const char *digest_text(const struct digest *d, char buf[static DIGEST_TEXT])
{
	const char *prefix = algorithms[d->algorithm].prefix;

	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): put_hex() terminates it */
	memcpy(buf, prefix, strlen(prefix));
	put_hex(d->bytes, algorithms[d->algorithm].size, buf + strlen(prefix));
	return buf;
}

const char *digest_name(const struct digest *d, char buf[static DIGEST_NAME])
{
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): put_hex() terminates it */
	memcpy(buf, "sha256-", 7);
	put_hex(d->bytes, SHA256_DIGEST_SIZE, buf + 7);
	return buf;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->algorithm == b->algorithm &&
		!memcmp(a->bytes, b->bytes, algorithms[a->algorithm].size);
}

void hash_init(struct hash *h, enum digest_algorithm algorithm)
{
	h->algorithm = algorithm;
	if (algorithm == DIGEST_SHA512)
		sha512_init((struct sha512_ctx *)(void *)h->state);
	else
		sha256_init((struct sha256_ctx *)(void *)h->state);
}

void hash_update(struct hash *h, const void *p, size_t n)
{
	if (h->algorithm == DIGEST_SHA512)
		sha512_update((struct sha512_ctx *)(void *)h->state, n, p);
	else
		sha256_update((struct sha256_ctx *)(void *)h->state, n, p);
}

void hash_final(struct hash *h, struct digest *ret)
{
	*ret = (struct digest){ .algorithm = h->algorithm };
	if (h->algorithm == DIGEST_SHA512)
		sha512_digest(
			(struct sha512_ctx *)(void *)h->state, SHA512_DIGEST_SIZE, ret->bytes);
	else
		sha256_digest(
			(struct sha256_ctx *)(void *)h->state, SHA256_DIGEST_SIZE, ret->bytes);
}

void hash_bytes_as(enum digest_algorithm algorithm, const void *p, size_t n, struct digest *ret)
{
	struct hash h;

	hash_init(&h, algorithm);
	hash_update(&h, p, n);
	hash_final(&h, ret);
}

void hash_bytes(const void *p, size_t n, struct digest *ret)
{
	hash_bytes_as(DIGEST_SHA256, p, n, ret);
}
