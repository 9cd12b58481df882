/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: whose subordinate id a file has, and which command removes it. */

#include "shift_check.h"

#include <string.h>

#include "../lib/explain/explain.h"
#include "../lib/idmap/subid.h"

/* A grant that has the id. */
struct owner_grant {
	uint32_t id;
	char user[256];
	struct grant grant;
	bool found;
};

static int take_grant(const struct subid_line *l, void *arg)
{
	struct owner_grant *g = arg;

	if (l->fault || g->id - l->grant.start >= l->grant.count || l->user_len >= sizeof(g->user))
		return 0;
	memcpy(g->user, l->user, l->user_len);
	g->user[l->user_len] = 0;
	g->grant = l->grant;
	g->found = true;
	return 1;
}

static void find_grant(const char *file, uint32_t id, struct owner_grant *ret)
{
	scoped_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	*ret = (struct owner_grant){ .id = id };
	if (subid_text(file, &text, &ignored) == 0 && buf_get(&text))
		(void)subid_each(buf_get(&text), take_grant, ret); /* ret->found has the result */
}

/*
 * On a mount without a map, an owner that is a subordinate id and no account was left by a
 * container of the user who has the grant: the user's own id is 0 there, and the grants begin at 1.
 */
void check_put_leftover(struct out *o, const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);
	const bool plain = x->mounts.items[n->mount].kind == MOUNT_MAP_NONE;
	const bool odd = check_path_is_odd(n->path);
	const char *path = odd ? "FILE" : n->path;
	struct owner_grant g;

	if (!x->caller.initial || !plain || names_has_uid(n->seen.uid))
		return;
	find_grant(SUBUID_FILE, n->seen.uid, &g);
	if (!g.found)
		return;
	out_begin(o, "subordinate");
	out_str(o, "user", g.user);
	out_u64(o, "inside", n->seen.uid - g.grant.start + 1);
	out_safe_line(o,
		"  %-11s %u is a subordinate id of %s (" SUBUID_FILE
		", line %zu): user %u in containers with the map user:%s",
		"left by", n->seen.uid, g.user, g.grant.line, n->seen.uid - g.grant.start + 1,
		g.user);
	out_safe_line(o,
		"  %-11s as %s: shiftbox userns-run -- rm -rf '%s', or podman unshare rm -rf '%s'",
		"to remove", g.user, path, path);
	out_end(o);
}
