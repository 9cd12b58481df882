/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>

#include "../../lib/base/buf.h"
#include "../../lib/mount/transaction.h"

/* Lines that log what is done to them. */
struct lines {
	enum line_state states[5];
	int there;   /* the line that is mounted already, or -1 */
	int fails;   /* the line that cannot be mounted, or -1 */
	bool nofail; /* ... which does not matter */
	int stop;    /* proceed() fails before this line, or -1 */
	int verify;  /* the result of verify() */
	int started;
	struct buf log;
};

#define LINES { .there = -1, .fails = -1, .stop = -1, .log = BUF_INIT }

static enum line_state *state(void *arg, size_t line)
{
	return &((struct lines *)arg)->states[line];
}

static int proceed(void *arg, struct err *e)
{
	struct lines *l = arg;

	return l->started++ == l->stop ? err_say(e, EINTR, NULL, "interrupted") : 0;
}

static int do_mount(void *arg, size_t line, struct err *e)
{
	struct lines *l = arg;

	if ((int)line == l->fails)
		return err_say(e, ENOENT, NULL, "line %zu", line);
	l->states[line] = (int)line == l->there ? LINE_THERE : LINE_MOUNTED;
	buf_printf(&l->log, "+%zu", line);
	return 0;
}

static int failed(void *arg, size_t line, int r, struct err *e)
{
	struct lines *l = arg;

	buf_printf(&l->log, "!%zu", line);
	if (!l->nofail)
		return r;
	*e = ERR_INIT;
	l->states[line] = LINE_FAILED;
	return 0;
}

static void ended(void *arg)
{
	buf_str(&((struct lines *)arg)->log, ".");
}

static int verify(void *arg, struct err *e)
{
	struct lines *l = arg;

	buf_str(&l->log, "?");
	return l->verify ? err_say(e, -l->verify, NULL, "verify") : 0;
}

static void undo(void *arg, size_t line)
{
	buf_printf(&((struct lines *)arg)->log, "-%zu", line);
}

static int run(struct lines *l, size_t *ret_undone)
{
	static const struct transaction_ops ops = { .state = state,
		.proceed = proceed,
		.mount = do_mount,
		.failed = failed,
		.ended = ended,
		.verify = verify,
		.undo = undo };
	static const size_t order[] = { 2, 0, 4, 1, 3 };
	struct err e = ERR_INIT;

	return transaction_run(&ops, l, order, 5, ret_undone, &e);
}

TEST(lines_are_mounted_in_their_order_and_then_verified)
{
	struct lines l = LINES;
	size_t undone;

	CHECK_INT(run(&l, &undone), 0);
	CHECK_STR(buf_get(&l.log), "+2+0+4+1+3.?");
	CHECK_INT(undone, 0);
	buf_done(&l.log);
}

TEST(after_a_failure_what_this_run_has_mounted_is_undone_last_first)
{
	struct lines l = LINES;
	size_t undone;

	l.there = 0;
	l.fails = 1;
	CHECK_INT(run(&l, &undone), -ENOENT);
	CHECK_STR(
		buf_get(&l.log), "+2+0+4!1.-4-2"); /* line 0 was there before, line 3 not reached */
	CHECK_INT(undone, 2);
	CHECK(l.states[0] == LINE_THERE && l.states[2] == LINE_FAILED && l.states[3] == LINE_NEW);
	buf_done(&l.log);
}

TEST(a_line_that_may_fail_does_not_end_the_run)
{
	struct lines l = LINES;
	size_t undone;

	l.fails = 4;
	l.nofail = true;
	l.states[1] = LINE_FAILED; /* when its plan was made */
	CHECK_INT(run(&l, &undone), 0);
	CHECK_STR(buf_get(&l.log), "+2+0!4+3.?");
	buf_done(&l.log);
}

TEST(a_signal_and_a_failed_verification_undo_all_lines)
{
	struct lines l = LINES, m = LINES;
	size_t undone;

	l.stop = 2;
	CHECK_INT(run(&l, &undone), -EINTR);
	CHECK_STR(buf_get(&l.log), "+2+0.-0-2");
	m.verify = -EIO;
	CHECK_INT(run(&m, &undone), -EIO);
	CHECK_STR(buf_get(&m.log), "+2+0+4+1+3.?-3-1-4-0-2");
	CHECK_INT(undone, 5);
	buf_done(&l.log);
	buf_done(&m.log);
}

TEST(a_line_is_blocked_by_a_failed_line_that_it_lies_on_or_uses)
{
	static const struct {
		const char *target, *use, *blocked_by;
	} rows[] = {
		{ "/mnt/a", "/srv", NULL },
		{ "/mnt/data", "/srv", "/mnt/data" },
		{ "/mnt/data/sub", "/srv", "/mnt/data" },
		{ "/mnt/database", "/srv", NULL },
		{ "/a", "/mnt/data/layer", "/mnt/data" },
		{ "/a", "image:debian", NULL },
		{ "/srv2/x", "/b", "/srv2" },
	};
	char *targets[] = { "/mnt/data", "/srv2" };
	const struct strv failed_lines = { .items = targets, .len = 2 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *uses[] = { (char *)rows[i].use };
		const struct table_need need = { .target = rows[i].target,
			.uses = { .items = uses, .len = 1 } };
		const char *by = transaction_blocked_by(&need, &failed_lines);

		CHECK_STR(by ? by : "-", rows[i].blocked_by ? rows[i].blocked_by : "-");
	}
}
