/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broker_mount: mount(2) and umount2(2), for which the program's own rights do. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/sys.h"
#include "notif.h"

static int decode(struct held *h)
{
	int r;

	h->flags = h->args[3];
	if ((h->flags & MS_MGC_MSK) == MS_MGC_VAL) /* as do_mount() does: programs of old set it */
		h->flags &= ~(uint64_t)MS_MGC_MSK;
	r = h->args[0] ? held_string(h, 0, &h->source, &h->has_source) : 0;
	if (r == 0)
		r = held_string(h, 1, &h->path, &h->has_path);
	if (r == 0)
		r = h->args[2] ? held_string(h, 2, &h->fstype, &h->has_fstype) : -EINVAL;
	if (r == 0 && h->args[4])
		r = held_string(h, 4, &h->data, &h->has_data);
	return r;
}

static int ask(struct broker *b, struct held *h, struct proxy_request *q, int *ret_fd)
{
	scoped_fd int dir = -1;
	int r = caller_dir(&h->caller, AT_FDCWD, &dir);

	if (r < 0)
		return r;
	q->path = buf_get(&h->path);
	q->dir = dir;
	return held_alive(b, h) ? broker_ask(b, h, q, ret_fd) : -EINTR;
}

int held_target(struct broker *b, struct held *h, int *ret_fd)
{
	return ask(b, h, &(struct proxy_request){ .op = PROXY_TARGET }, ret_fd);
}

void decide_mount(struct broker *b, struct held *h)
{
	struct proxy_request q = { .op = PROXY_MOUNT };
	int r = decode(h);

	if (r < 0) {
		held_answer(h, VERDICT_DENIED, -r);
		return;
	}
	h->rule = h->has_source ? rules_mount(&b->rules, buf_get(&h->fstype), buf_get(&h->source)) :
				  NULL;
	if (h->rule) {
		mount_by_rule(b, h);
		return;
	}
	/*
	 * No rule's business: what the program may do itself is done as the program, from copies of
	 * its arguments.
	 */
	q.flags = h->flags;
	q.source = h->has_source ? buf_get(&h->source) : NULL;
	q.type = buf_get(&h->fstype);
	q.data = h->has_data ? buf_get(&h->data) : NULL;
	held_answer(h, VERDICT_CALLER, -ask(b, h, &q, NULL));
}

void decide_umount(struct broker *b, struct held *h)
{
	struct proxy_request q = { .op = PROXY_UMOUNT };
	int r;

	h->rule = rules_find(&b->rules, RULE_UMOUNT);
	h->flags = h->args[1];
	q.flags = h->flags;
	r = held_string(h, 0, &h->path, &h->has_path);
	if (r == 0)
		r = ask(b, h, &q, NULL);
	held_answer(h, VERDICT_CALLER, -r);
}
