/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../lib/tar/not_tar.h"

#include <string.h>

#include "../../lib/base/cleanup.h"
#include "test.h"

TEST(what_is_not_a_tar_archive_is_named_by_how_it_begins)
{
#define CASE(bytes, words) { bytes, sizeof(bytes) - 1, words }
	static const struct {
		const char *bytes;
		size_t n;
		const char *words; /* "": nothing is known */
	} cases[] = {
		CASE("root:x:0:0:root:/root:/bin/bash\n", "like text"),
		CASE("h\303\244tte\tich\r\n", "like text"),
		CASE("\n {\"errors\":[]}", "JSON"),
		CASE("[{\"Config\":1}]", "JSON"),
		CASE("<!DOCTYPE html><html>", "web page"),
		CASE("\177ELF\2\1\1\0", "ELF"),
		CASE("PK\3\4\24\0", "ZIP"),
		CASE("!<arch>\ndebian-binary", "Debian"),
		CASE("070701000000", "cpio"),
		CASE("hsqs\0\0", "mount-idmapped"),
		CASE("\037\213\10\0", "one level is undone"),
		CASE("PK", "like text"),
		CASE("", ""),
		CASE("\1\2\3", ""),
		CASE("text and a \0 byte", ""),
	};
#undef CASE

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		not_tar_say(cases[i].bytes, cases[i].n, &e);
		CHECK(*cases[i].words ? strstr(e.why, cases[i].words) != NULL : !e.why[0]);
		CHECK(!e.hint[0] == !e.why[0]);
	}
	not_tar_say("x", 1, NULL);
}

TEST(a_damaged_header_of_tar_stays_a_damaged_archive)
{
	char block[512];
	struct err e = ERR_INIT;

	memset(block, ' ', sizeof(block));
	memcpy(block + 257, "ustar", 5);
	not_tar_say(block, sizeof(block), &e);
	CHECK(!e.why[0] && !e.hint[0]);
}
