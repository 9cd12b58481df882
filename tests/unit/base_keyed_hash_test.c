/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/base/keyed_hash.h"

#include "test.h"

TEST(a_hash_depends_on_every_byte_the_length_the_seed_and_the_key)
{
	static const char zeros[32];
	struct hash_key a, b;

	REQUIRE(hash_key_new(&a) == 0);
	REQUIRE(hash_key_new(&b) == 0);
	for (size_t n = 0; n < sizeof(zeros); n++) {
		const uint64_t h = keyed_hash(&a, 0, zeros, n);

		CHECK(h == keyed_hash(&a, 0, zeros, n));
		CHECK(h != keyed_hash(&b, 0, zeros, n));
		CHECK(h != keyed_hash(&a, 1, zeros, n));
		CHECK(h != keyed_hash(&a, 0, zeros, n + 1));
		for (size_t i = 0; i < n; i++) {
			char other[sizeof(zeros)] = { 0 };

			other[i] = 1;
			CHECK(h != keyed_hash(&a, 0, other, n));
		}
	}
}
