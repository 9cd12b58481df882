/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * TEST(property) { ... } registers itself; each runs in a process of its own, so one may crash,
 * exhaust memory or change credentials. CHECK fails the test and goes on; REQUIRE ends it. SKIP
 * says why a test could not run here (a failure under STRICT=1).
 */
struct test {
	const char *file, *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *t);
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void test_stop(void);
_Noreturn void test_skip(const char *why);
/* Skip the test unless it runs as root of the initial user namespace, for maps of several lines. */
void test_need_initial_root(void);

/* Lift the limits of time for this test, of which a long run was asked. */
void test_unlimited(void);

#define TEST(id) \
	static void test_##id(void); \
	static struct test test_entry_##id = { .file = __FILE__, .name = #id, .run = test_##id }; \
	__attribute__((constructor)) static void test_reg_##id(void) \
	{ \
		test_register(&test_entry_##id); \
	} \
	static void test_##id(void)

#define CHECK(cond) ((cond) ? true : (test_fail(__FILE__, __LINE__, "%s", #cond), false))
#define REQUIRE(cond) \
	do { \
		if (!CHECK(cond)) \
			test_stop(); \
	} while (0)
#define CHECK_INT(got, want) \
	do { \
		long long g_ = (long long)(got), w_ = (long long)(want); \
		if (g_ != w_) \
			test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, g_, w_); \
	} while (0)
#define CHECK_STR(got, want) \
	do { \
		const char *g_ = (got), *w_ = (want); \
		if (!g_ || strcmp(g_, w_)) \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, \
				g_ ? g_ : "(null)", w_); \
	} while (0)
#define CHECK_HAS(text, part) \
	do { \
		const char *t_ = (text), *p_ = (part); \
		if (!strstr(t_, p_)) \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", which has no \"%s\"", #text, \
				t_, p_); \
	} while (0)
#define SKIP(why) test_skip(why)

#endif
