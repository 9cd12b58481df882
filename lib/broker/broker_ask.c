/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Send requests to the proxy, and restart it when a filesystem of the command's makes it hang. */

#include "broker_priv.h"

#include <errno.h>
#include <fcntl.h>

#include "../base/fd.h"
#include "../base/log.h"

int broker_ask(struct broker *b, const struct notif *n, const struct proxy_request *q, int *ret_fd)
{
	struct err e = ERR_INIT;
	int r;

	if (b->proxy.socket < 0 && proxy_start(&b->proxy, b->userns, &b->map, &e) < 0)
		return -EIO; /* logged when the proxy was lost */
	r = proxy_ask(&b->proxy, &n->caller, q, ret_fd);
	if (r != -ENOTRECOVERABLE)
		return r;
	log_warn("the broker's process in the namespace hung or ended during a call of '%s'; it is "
		 "restarted",
		n->caller.command);
	proxy_done(&b->proxy);
	if (proxy_start(&b->proxy, b->userns, &b->map, &e) < 0)
		log_warn("%s", e.what);
	return -EIO;
}

int broker_ask_path(struct broker *b, const struct notif *n, struct proxy_request *q, int *ret_fd)
{
	scoped_fd int dir = -1;
	int r = caller_dir(&n->caller, AT_FDCWD, &dir);

	if (r < 0)
		return r;
	q->path = buf_get(&n->path);
	q->dir = dir;
	return notif_alive(n) ? broker_ask(b, n, q, ret_fd) : -EINTR;
}
