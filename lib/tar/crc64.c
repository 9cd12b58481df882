/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crc64: CRC-64/GO-ISO by ISA-L or, eight bytes at a time, by tables. */

#include "crc64.h"

#include <pthread.h>
#ifdef WITH_ISAL
#include <isa-l/crc64.h>
#endif

#include "../base/le.h"

enum { SLICES = 8 };

static uint64_t tables[SLICES][256];

static void make_tables(void)
{
	static const uint64_t polynomial = 0xd800000000000000;

	for (unsigned i = 0; i < 256; i++) {
		uint64_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ polynomial : c >> 1;
		tables[0][i] = c;
	}
	for (unsigned i = 0; i < 256; i++)
		for (int k = 1; k < SLICES; k++)
			tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
}

static uint64_t by_tables(uint64_t crc, const void *p, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned char *s = p;

	(void)pthread_once(&once, make_tables); /* fails for a bad once alone */
	crc = ~crc;
	for (; n >= SLICES; n -= SLICES, s += SLICES) {
		crc ^= get_le64(s);
		crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^
			tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24 & 0xff] ^
			tables[3][crc >> 32 & 0xff] ^ tables[2][crc >> 40 & 0xff] ^
			tables[1][crc >> 48 & 0xff] ^ tables[0][crc >> 56];
	}
	for (; n > 0; n--, s++)
		crc = tables[0][(crc ^ *s) & 0xff] ^ crc >> 8;
	return ~crc;
}

#ifdef WITH_ISAL
static uint64_t by_isal(uint64_t crc, const void *p, size_t n)
{
	return crc64_iso_refl(crc, p, n);
}
#endif

crc64_iso *const crc64_iso_all[] = {
#ifdef WITH_ISAL
	by_isal,
#endif
	by_tables,
	NULL,
};
