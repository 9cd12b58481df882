/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests are read exactly, and made as FIPS 180 has them. */

#include "test.h"

#include "../../lib/base/buf.h"
#include "../../lib/tar/digest.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(only_an_exact_sha256_digest_is_taken)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		HEX64,
		"sha256:" HEX64 "0",
		"sha512:" HEX64,
		"SHA256:" HEX64,
		"sha256-" HEX64,
		"md5:d41d8cd98f00b204e9800998ecf8427e",
		"sha256:../../../../../../../../../../../../../../../../../../../../../etc/pass",
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
		" sha256:" HEX64,
		"sha256:" HEX64 "\n",
	};
	char text[DIGEST_TEXT], name[DIGEST_NAME];
	struct digest d;
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (digest_parse(bad[i], "d", &d, &e) >= 0)
			test_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
	REQUIRE(digest_parse("sha256:" HEX64, "d", &d, &e) == 0);
	CHECK_STR(digest_text(&d, text), "sha256:" HEX64);
	CHECK_STR(digest_name(&d, name), "sha256-" HEX64);
	REQUIRE(digest_parse("sha512:" HEX64 HEX64, "d", &d, &e) == 0);
	CHECK_STR(digest_text(&d, text), "sha512:" HEX64 HEX64);
}

TEST(digests_of_two_algorithms_are_never_equal)
{
	/* FIPS 180-2, appendix C */
	static const char abc[] =
		"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274"
		"fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
	struct digest a, b, zero = { .algorithm = DIGEST_SHA512 };
	char text[DIGEST_TEXT];

	hash_bytes_as(DIGEST_SHA512, "abc", 3, &a);
	CHECK_STR(digest_text(&a, text), abc);
	hash_bytes("abc", 3, &b);
	CHECK(!digest_equal(&a, &b));
	memcpy(zero.bytes, b.bytes, 32);
	CHECK(!digest_equal(&zero, &b));
	CHECK(digest_equal(&b, &b));
}

TEST(hashing_is_sha256_however_it_is_cut)
{
	/* FIPS 180-2, appendix B */
	static const struct {
		const char *text, *hex;
	} known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t cut = 0; cut <= strlen(known[i].text); cut++) {
			struct hash h;
			struct digest d;
			char hex[DIGEST_HEX];

			hash_init(&h, DIGEST_SHA256);
			hash_update(&h, known[i].text, cut);
			hash_update(&h, known[i].text + cut, strlen(known[i].text) - cut);
			hash_final(&h, &d);
			CHECK_STR(digest_hex(&d, hex), known[i].hex);
		}
}
