/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* transaction: mount the lines of an fstab, and undo them on failure. */

#include "transaction.h"

#include "../base/path.h"

static int run_line(const struct transaction_ops *ops, void *arg, size_t line, struct err *e)
{
	int r = ops->proceed(arg, e);

	if (r < 0 || *ops->state(arg, line) == LINE_FAILED)
		return r;
	r = ops->mount(arg, line, e);
	return r < 0 ? ops->failed(arg, line, r, e) : 0;
}

int transaction_run(const struct transaction_ops *ops, void *arg, const size_t *order, size_t n,
	size_t *ret_undone, struct err *e)
{
	size_t i;
	int r = 0;

	*ret_undone = 0;
	for (i = 0; i < n && r == 0; i++)
		r = run_line(ops, arg, order[i], e);
	ops->ended(arg);
	if (r == 0)
		r = ops->verify(arg, e);
	while (r < 0 && i-- > 0) {
		enum line_state *state = ops->state(arg, order[i]);

		if (*state != LINE_MOUNTED)
			continue;
		ops->undo(arg, order[i]);
		*state = LINE_FAILED;
		(*ret_undone)++;
	}
	return r;
}

const char *transaction_blocked_by(const struct table_need *need, const struct strv *failed)
{
	for (size_t i = 0; i < failed->len; i++) {
		const char *target = failed->items[i];

		if (path_below(need->target, target))
			return target;
		for (size_t k = 0; k < need->uses.len; k++)
			if (path_below(need->uses.items[k], target))
				return target;
	}
	return NULL;
}
