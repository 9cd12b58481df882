/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/err.h"
#include "../../lib/base/hint.h"

static bool is_utf8(const char *s)
{
	size_t n = strlen(s);

	while (n) {
		size_t len = utf8_len(s, n);

		if (!len)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

TEST(err_returns_what_its_caller_returns)
{
	struct err e = ERR_INIT;

	CHECK_INT(err_set(&e, ENOENT, "/a", "cannot open"), -ENOENT);
	CHECK_INT(e.num, ENOENT);
	CHECK_STR(e.on, "/a");
	CHECK_STR(e.what, "cannot open");
	CHECK(e.set && !e.usage);

	CHECK_INT(err_set(&e, 0, NULL, "no errno"), -EINVAL);
	CHECK_INT(err_say(&e, ERANGE, "x", "is too much"), -ERANGE);
	CHECK_INT(e.num, 0);
	CHECK_INT(err_usage(&e, "bad %s", "word"), -EINVAL);
	CHECK(e.usage);
	CHECK_INT(err_nomem(&e), -ENOMEM);
	CHECK_INT(e.num, ENOMEM);
}

TEST(err_may_be_absent)
{
	CHECK_INT(err_set(NULL, EIO, "on", "what"), -EIO);
	CHECK_INT(err_say(NULL, EIO, NULL, "what"), -EIO);
	CHECK_INT(err_usage(NULL, "what"), -EINVAL);
	err_op(NULL, "op");
	err_why(NULL, "why");
	err_try(NULL, "try");
	err_prefix(NULL, "prefix");
}

TEST(err_of_a_new_fault_keeps_nothing_of_the_old_one)
{
	struct err e = ERR_INIT;

	(void)err_usage(&e, "old");
	err_op(&e, "old");
	err_why(&e, "old");
	err_try(&e, "old");
	(void)err_set(&e, EIO, NULL, "new");
	CHECK_STR(e.op, "");
	CHECK_STR(e.why, "");
	CHECK_STR(e.hint, "");
	CHECK_STR(e.on, "");
	CHECK(!e.usage);
}

TEST(err_prefix_puts_context_before_and_needs_an_error)
{
	struct err e = ERR_INIT;

	err_prefix(&e, "layer %d", 1);
	CHECK_STR(e.what, "");
	(void)err_set(&e, EIO, NULL, "cannot read");
	err_prefix(&e, "entry %s", "etc");
	err_prefix(&e, "layer %d", 3);
	CHECK_STR(e.what, "layer 3: entry etc: cannot read");
}

/* Whatever the length, at each offset of a three-byte character. */
TEST(err_that_is_cut_says_so_and_stays_utf8)
{
	char text[2048];
	struct err e = ERR_INIT;

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', shift);
		text[shift] = '\0';
		while (strlen(text) + 4 < sizeof(text))
			memcpy(text + strlen(text), "\xe2\x82\xac", 4);

		(void)err_set(&e, EIO, NULL, "%s", text);
		CHECK(strlen(e.what) > sizeof(e.what) - 8 && strlen(e.what) < sizeof(e.what));
		CHECK(is_utf8(e.what));
		CHECK_STR(e.what + strlen(e.what) - 3, "...");
		err_why(&e, "%s", text);
		CHECK(is_utf8(e.why));

		(void)err_set(&e, EIO, NULL, "%.900s", text);
		for (int i = 0; i < 100; i++)
			err_prefix(&e, "\xe2\x82\xac%d", i);
		CHECK(is_utf8(e.what));
		CHECK_STR(e.what + strlen(e.what) - 3, "...");
	}
}

TEST(err_name_knows_errnos_and_invents_none)
{
	char buf[16];

	CHECK_STR(err_name(EINVAL, buf), "EINVAL");
	CHECK_STR(err_name(4711, buf), "E4711");
	CHECK_STR(err_name(0, buf), "E0");
}

TEST(hint_goes_by_step_before_errno_and_replaces_nothing)
{
	struct err e = ERR_INIT;

	(void)err_set(&e, ENOSPC, NULL, "cannot write");
	hint_fill(&e);
	CHECK_HAS(e.hint, "free space");

	(void)err_set(&e, ENOSPC, NULL, "cannot make a user namespace");
	err_op(&e, "userns");
	hint_fill(&e);
	CHECK_HAS(e.hint, "sysctl -w user.max_user_namespaces=");

	(void)err_set(&e, EAGAIN, NULL, "cannot start a process");
	hint_fill(&e);
	CHECK_STR(e.hint, "");
	err_op(&e, "fork");
	hint_fill(&e);
	CHECK_HAS(e.hint, "ulimit -u");

	(void)err_set(&e, ENOSPC, NULL, "cannot write");
	err_try(&e, "mine");
	hint_fill(&e);
	CHECK_STR(e.hint, "mine");

	(void)err_say(&e, ENOSPC, NULL, "says all");
	hint_fill(&e);
	CHECK_STR(e.hint, "");
}
