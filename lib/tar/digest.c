/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digest: SHA-256 digests and their text forms. */

#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nettle/sha2.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct hash), "struct hash is too small");
_Static_assert(sizeof(((struct digest *)0)->bytes) == SHA256_DIGEST_SIZE, "not SHA-256");

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
	static const char prefix[] = "sha256:";
	struct digest d;

	if (strncmp(s, prefix, strlen(prefix)))
		return err_say(e, EINVAL, doc, "'%.80s' is not a sha256 digest", s);
	s += strlen(prefix);
	if (strlen(s) != 2 * sizeof(d.bytes))
		return err_say(e, EINVAL, doc, "'sha256:%.80s' does not have 64 digits", s);

	for (size_t i = 0; i < sizeof(d.bytes); i++) {
		int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_say(
				e, EINVAL, doc, "'sha256:%s' is not in lower-case hexadecimal", s);
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}

	*ret = d;
	return 0;
}

const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(d->bytes); i++) {
		buf[2 * i] = digits[d->bytes[i] >> 4];
		buf[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	buf[64] = '\0';
	return buf;
}

const char *digest_text(const struct digest *d, char buf[static DIGEST_TEXT])
{
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): digest_hex() terminates it */
	memcpy(buf, "sha256:", 7);
	(void)digest_hex(d, buf + 7);
	return buf;
}

const char *digest_name(const struct digest *d, char buf[static DIGEST_NAME])
{
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): digest_hex() terminates it */
	memcpy(buf, "sha256-", 7);
	(void)digest_hex(d, buf + 7);
	return buf;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void hash_init(struct hash *h)
{
	sha256_init((struct sha256_ctx *)(void *)h->state);
}

void hash_update(struct hash *h, const void *p, size_t n)
{
	sha256_update((struct sha256_ctx *)(void *)h->state, n, p);
}

void hash_final(struct hash *h, struct digest *ret)
{
	sha256_digest((struct sha256_ctx *)(void *)h->state, sizeof(ret->bytes), ret->bytes);
}

void hash_bytes(const void *p, size_t n, struct digest *ret)
{
	struct hash h;

	hash_init(&h);
	hash_update(&h, p, n);
	hash_final(&h, ret);
}
