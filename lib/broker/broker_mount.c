/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount(2) and umount2(2), performed with the caller's credentials if no rule allows more. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/sys.h"
#include "broker_priv.h"

static int decode(struct notif *n)
{
	int r;

	n->flags = n->args[3];
	if ((n->flags & MS_MGC_MSK) ==
		MS_MGC_VAL) /* as path_mount() of fs/namespace.c: old programs set it */
		n->flags &= ~(uint64_t)MS_MGC_MSK;
	r = n->args[0] ? notif_string(n, 0, &n->source, &n->has_source) : 0;
	if (r == 0)
		r = notif_string(n, 1, &n->path, &n->has_path);
	if (r == 0)
		r = n->args[2] ? notif_string(n, 2, &n->fstype, &n->has_fstype) : -EINVAL;
	if (r == 0 && n->args[4])
		r = notif_string(n, 4, &n->data, &n->has_data);
	return r;
}

void broker_mount_decide(struct broker *b, struct notif *n)
{
	struct proxy_request q = { .op = PROXY_MOUNT };
	int r = decode(n);

	if (r < 0) {
		notif_answer(n, VERDICT_DENIED, -r);
		return;
	}
	n->rule = n->has_source ? rules_mount(&b->rules, buf_get(&n->fstype), buf_get(&n->source)) :
				  NULL;
	if (n->rule) {
		broker_device_mount(b, n);
		return;
	}
	/*
	 * No rule: perform the call with the caller's credentials. The kernel must not do it from
	 * the caller's memory, which may change after the rules were compared.
	 */
	q.flags = n->flags;
	q.source = n->has_source ? buf_get(&n->source) : NULL;
	q.type = buf_get(&n->fstype);
	q.data = n->has_data ? buf_get(&n->data) : NULL;
	notif_answer(n, VERDICT_CALLER, -broker_ask_path(b, n, &q, NULL));
}

void broker_mount_decide_umount(struct broker *b, struct notif *n)
{
	struct proxy_request q = { .op = PROXY_UMOUNT };
	int r;

	n->rule = rules_find(&b->rules, RULE_UMOUNT);
	n->flags = n->args[1];
	q.flags = n->flags;
	r = notif_string(n, 0, &n->path, &n->has_path);
	if (r == 0)
		r = broker_ask_path(b, n, &q, NULL);
	notif_answer(n, VERDICT_CALLER, -r);
}
