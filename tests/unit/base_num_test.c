/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>

#include "../../lib/base/num.h"

/* What strtoul, sscanf and the kernel would take. */
static const char *const junk[] = {
	"",
	" ",
	"+1",
	"-1",
	"-0",
	" 1",
	"1 ",
	"1x",
	"0x10",
	"1.0",
	"1e3",
	"\t1",
	"1\n",
	"١",
};

TEST(num_takes_the_whole_string_or_refuses_it)
{
	uint32_t a = 7, m = 7;
	uint64_t b = 7;

	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
		if (num_u32(junk[i], &a) != -EINVAL || num_u64(junk[i], &b) != -EINVAL ||
			num_mode(junk[i], &m) != -EINVAL || num_size(junk[i], &b) != -EINVAL)
			test_fail(__FILE__, __LINE__, "'%s' is taken", junk[i]);
	}
	CHECK(a == 7 && b == 7 && m == 7);
}

TEST(num_limits_are_exact)
{
	uint32_t a;
	uint64_t b;

	CHECK_INT(num_u32("0", &a), 0);
	CHECK_INT(num_u32("4294967295", &a), 0);
	CHECK_INT(a, 4294967295);
	CHECK_INT(num_u32("4294967296", &a), -ERANGE);
	CHECK_INT(num_u32("000000000000000000000000012", &a), 0);
	CHECK_INT(a, 12);
	CHECK_INT(num_u64("18446744073709551615", &b), 0);
	CHECK(b == UINT64_MAX);
	CHECK_INT(num_u64("18446744073709551616", &b), -ERANGE);
	CHECK_INT(num_u64("99999999999999999999", &b), -ERANGE);
	CHECK_INT(num_u64_n("123", 2, &b), 0);
	CHECK_INT(b, 12);
	CHECK_INT(num_u64_n("1\0"
			    "2",
			  3, &b),
		-EINVAL);
}

TEST(num_mode_is_octal_and_twelve_bits)
{
	uint32_t m;

	CHECK_INT(num_mode("0755", &m), 0);
	CHECK_INT(m, 0755);
	CHECK_INT(num_mode("7777", &m), 0);
	CHECK_INT(m, 07777);
	CHECK_INT(num_mode("10000", &m), -ERANGE);
	CHECK_INT(num_mode("8", &m), -EINVAL);
	CHECK_INT(num_mode("77777777777777777777777777", &m), -ERANGE);
}

TEST(num_size_units_do_not_overflow)
{
	uint64_t v;

	CHECK_INT(num_size("1K", &v), 0);
	CHECK_INT(v, 1024);
	CHECK_INT(num_size("3G", &v), 0);
	CHECK_INT(v, 3LL << 30);
	CHECK_INT(num_size("16777215T", &v), 0);
	CHECK(v == 16777215ULL << 40);
	CHECK_INT(num_size("16777216T", &v), -ERANGE);
	CHECK_INT(num_size("K", &v), -EINVAL);
	CHECK_INT(num_size("1k", &v), -EINVAL);
	CHECK_INT(num_size("1KK", &v), -EINVAL);
}

TEST(num_size_reads_the_units_of_gnu_programs)
{
	static const char *const bad[] = { "B", "iB", "KiB", "1B", "1iB", "1Ki", "1KBB", "1kB" };
	uint64_t v;

	CHECK_INT(num_size("1KiB", &v), 0);
	CHECK_INT(v, 1024);
	CHECK_INT(num_size("10MB", &v), 0);
	CHECK_INT(v, 10000000);
	CHECK_INT(num_size("2TB", &v), 0);
	CHECK_INT(v, 2000000000000LL);
	CHECK_INT(num_size("18446745TB", &v), -ERANGE);
	CHECK_INT(num_size("18446744TB", &v), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(num_size(bad[i], &v), -EINVAL);
}
