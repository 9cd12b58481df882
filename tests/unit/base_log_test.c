/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/log.h"

static char said[256];
static enum log_level said_level;
static int calls;

static void keep(enum log_level level, const char *text)
{
	said_level = level;
	calls++;
	(void)snprintf(said, sizeof(said), "%s", text);
}

/*
 * What is said of each byte, and of each byte inside of a name, is one line of what a terminal
 * shows and does not obey.
 */
TEST(log_says_no_byte_that_a_terminal_obeys)
{
	static void (*const levels[])(const char *fmt, ...) = { log_warn, log_info, log_verbose };

	log_set_sink(keep);
	log_set_level(LOG_VERBOSE);
	for (size_t level = 0; level < ARRAY_LEN(levels); level++) {
		for (int c = 1; c < 256; c++) {
			scoped_buf struct buf want = BUF_INIT;
			const char name[] = { 'a', (char)c, 'z', '\0' };

			buf_escaped(&want, name, 3);
			levels[level]("'%s' stays", name);
			for (const char *p = said; *p; p++)
				if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
					test_fail(__FILE__, __LINE__, "byte %#x is said as %#x",
						(unsigned)c, (unsigned)(unsigned char)*p);
			CHECK(said_level == (enum log_level)level);
			CHECK(!strncmp(said + 1, buf_get(&want), want.len) &&
				!strcmp(said + 1 + want.len, "' stays"));
			CHECK((c < ' ' || c >= 0x7f || c == '\\') == (want.len > 3));
		}
	}
	CHECK_INT(calls, 3 * 255);
}

TEST(log_escapes_once_and_only_what_needs_it)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "'/srv/a b': 3 layers", "'/srv/a b': 3 layers" },
		{ "\xc3\xa4\xe2\x80\xa6", "\xc3\xa4\xe2\x80\xa6" },
		{ "li\nshiftbox: fake", "li\\nshiftbox: fake" },
		{ "\\x1b", "\\\\x1b" },
		{ "\x1b]0;t\x07", "\\x1b]0;t\\x07" },
		{ "\xe2\x80\xae"
		  "txt",
			"\\xe2\\x80\\xaetxt" },
		{ "\xc2\x9b"
		  "2J",
			"\\xc2\\x9b2J" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
	};

	log_set_sink(keep);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		log_warn("%s", cases[i].in);
		CHECK_STR(said, cases[i].want);
	}
}

TEST(log_keeps_to_its_level_and_keeps_errno)
{
	log_set_sink(keep);
	log_verbose("a");
	CHECK_INT(calls, 0); /* nothing but -v asks for it */
	log_info("b");
	CHECK_INT(calls, 1);
	log_set_level(LOG_WARN);
	log_info("c");
	CHECK_INT(calls, 1);
	errno = ENODEV;
	log_warn("%s", strerrordesc_np(EPERM));
	CHECK_INT(errno, ENODEV);
	CHECK_INT(calls, 2);
	log_set_sink(NULL);
	log_warn("d");
	CHECK_INT(calls, 2);
}
