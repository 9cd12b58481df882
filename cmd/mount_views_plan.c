/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount-idmapped: make the plan of a view, that of a line for one user. */

#include "mount_views.h"

#include <stdlib.h>
#include <string.h>

int mount_views_plan(const struct mount_args *a, struct mount_stores *stores,
	const struct view_of_user *v, struct mount_plan *ret, struct err *e)
{
	scoped_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	scoped_buf struct buf text = BUF_INIT;
	char number[16];
	const struct idmap_known known = {
		.grants = v->grants, .word = view_word(v->user, number), .user = v->user
	};
	int r;

	view_expand(v->line->line->options, v->user, &text);
	if (!buf_get(&text))
		return err_nomem(e);
	r = mount_options_parse(&o, buf_get(&text), e);
	free(o.each);
	o.each = NULL;
	if (r == 0)
		r = mount_plan_words(a,
			(struct mount_request){ .source = v->line->line->source,
				.target = v->target,
				.options = &o,
				.known = &known },
			stores, ret, e);
	if (r == 0)
		r = mount_plan_check(ret, e);
	if (r == 0)
		r = mount_plan_check_absolute(ret, &o, e);
	if (r < 0)
		return r;
	ret->of_line = true;
	ret->for_command = a->exec;
	ret->owned = true;
	ret->owner_uid = v->user->uid;
	ret->owner_gid = v->user->gid;
	memcpy(ret->view, v->line->id, sizeof(ret->view));
	return 0;
}
