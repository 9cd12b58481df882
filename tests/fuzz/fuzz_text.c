/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes: what is shown of them is UTF-8 without control characters, and different bytes look
 * different.
 */

#include "fuzz.h"

#include "../../lib/base/buf.h"

/* The bytes that a shown text stands for. */
static size_t unescape(const char *s, uint8_t *ret)
{
	size_t n = 0;

	while (*s) {
		char hex[3] = { 0 };

		if (*s != '\\') {
			ret[n++] = (uint8_t)*s++;
		} else if (s[1] == 'x') {
			memcpy(hex, s + 2, 2);
			ret[n++] = (uint8_t)strtoul(hex, NULL, 16);
			s += 4;
		} else {
			ret[n++] = s[1] == 'n' ? '\n' : s[1] == 't' ? '\t' : '\\';
			s += 2;
		}
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped_buf struct buf b = BUF_INIT;
	uint8_t *back = malloc(size + 1);
	const char *s;

	buf_escaped(&b, (const char *)data, size);
	s = buf_get(&b);
	FUZZ_CHECK(back && s && strlen(s) == b.len);
	for (size_t i = 0, n; i < b.len; i += n) {
		n = utf8_len(s + i, b.len - i);
		FUZZ_CHECK(n && (unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
		FUZZ_CHECK(
			!(n == 2 && (unsigned char)s[i] == 0xc2 && (unsigned char)s[i + 1] < 0xa0));
	}
	FUZZ_CHECK(unescape(s, back) == size && !memcmp(back, data, size));
	free(back);
	return 0;
}
