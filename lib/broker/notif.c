/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One seccomp notification: whether it is still valid, and the strings among its arguments. */

#include "notif.h"

#include <errno.h>

#include <seccomp.h>

void notif_done(struct notif *n)
{
	caller_done(&n->caller);
	buf_done(&n->path);
	buf_done(&n->source);
	buf_done(&n->fstype);
	buf_done(&n->data);
}

bool notif_alive(const struct notif *n)
{
	return seccomp_notify_id_valid(n->listener, n->id) == 0;
}

int notif_string(struct notif *n, size_t i, struct buf *ret, bool *ret_has)
{
	int r;

	if (n->args[i] == 0)
		return -EFAULT;
	r = caller_string(&n->caller, n->args[i], CALLER_PATH_MAX, ret);
	*ret_has = r == 0;
	return r;
}
