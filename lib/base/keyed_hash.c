/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keyed_hash: a hash of names under a random key. */

#include "keyed_hash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/*
 * The two halves of the product of 128 bits, folded together. Not every target has a type of 128
 * bits, so the product is made of those of 32 bits.
 */
static uint64_t fold(uint64_t a, uint64_t b)
{
	const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	const uint64_t low = a0 * b0;
	const uint64_t mid = a1 * b0 + (low >> 32);
	const uint64_t mid2 = a0 * b1 + (uint32_t)mid;

	return (mid2 << 32 | (uint32_t)low) ^ (a1 * b1 + (mid >> 32) + (mid2 >> 32));
}

int hash_key_new(struct hash_key *ret)
{
	if (getrandom(ret->word, sizeof(ret->word), 0) != sizeof(ret->word))
		return -EIO;
	ret->word[0] |= 1; /* a product by 0 would be 0 */
	ret->word[1] |= 1;
	return 0;
}

uint64_t keyed_hash(const struct hash_key *key, uint64_t seed, const char *p, size_t n)
{
	uint64_t h = fold(seed ^ key->word[0], key->word[1]) ^ n;
	uint64_t w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = fold(h ^ w, key->word[1]);
	}
	w = 0;
	if (n)
		memcpy(&w, p, n);
	return fold(h ^ w, key->word[0]);
}
