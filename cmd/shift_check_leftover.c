/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check explain: whose subordinate id a file has, and which command removes it. */

#include "shift_check.h"

#include "../lib/explain/explain.h"
#include "../lib/idmap/subid.h"

/* A grant that has the id, and the id that it has in a container with all grants of the user. */
struct owner_grant {
	uint32_t id;
	char user[SUBID_USER_SIZE];
	struct grant grant;
	uint64_t inside;
	bool found;
};

/* The user's own id is 0 in the container, and the grants follow one another from 1. */
static void find_inside(const char *text, const char *file, struct owner_grant *g)
{
	struct err ignored = ERR_INIT;
	struct grants all = { .len = 0 };
	struct user user;

	g->inside = 1 + (uint64_t)(g->id - g->grant.start);
	/* A line that is wrong makes no difference to those above it. */
	if (subid_user(g->user, &user, &ignored) == 0)
		(void)subid_parse(text, file, &user, &all, &ignored);
	for (size_t i = 0; i < all.len && all.items[i].line != g->grant.line; i++)
		g->inside += all.items[i].count;
	VEC_DONE(&all);
}

static void find_grant(const char *file, uint32_t id, struct owner_grant *ret)
{
	scoped_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	*ret = (struct owner_grant){ .id = id };
	ret->found = subid_holder(file, id, ret->user, &ret->grant);
	if (ret->found && subid_text(file, &text, &ignored) == 0 && buf_get(&text))
		find_inside(buf_get(&text), file, ret);
}

static void put_grant(struct out *o, bool group, const struct owner_grant *g)
{
	out_begin(o, group ? "subordinate_group" : "subordinate");
	out_str(o, "user", g->user);
	out_u64(o, "inside", g->inside);
	out_safe_line(o,
		"  %-11s %s%u is a subordinate id of %s (%s, line %zu): %s %llu in containers with "
		"the map user:%s",
		"left by", group ? "group " : "", g->id, g->user, group ? SUBGID_FILE : SUBUID_FILE,
		g->grant.line, group ? "group" : "user", (unsigned long long)g->inside, g->user);
	out_end(o);
}

/*
 * On a mount without a map, an owner that is a subordinate id and no account was left by a
 * container of the user who has the grant. Users are granted in one file, groups in another.
 */
void check_put_leftover(struct out *o, const struct explanation *x)
{
	const struct explain_inode *n = explain_file(x);
	const bool plain = x->mounts.items[n->mount].kind == MOUNT_MAP_NONE;
	scoped_buf struct buf path = BUF_INIT;
	struct owner_grant user = { .found = false }, group = { .found = false };

	if (!x->caller.initial || !plain)
		return;
	if (!names_has_uid(n->seen.uid))
		find_grant(SUBUID_FILE, n->seen.uid, &user);
	if (!names_has_gid(n->seen.gid))
		find_grant(SUBGID_FILE, n->seen.gid, &group);
	if (user.found)
		put_grant(o, false, &user);
	if (group.found)
		put_grant(o, true, &group);
	check_quote_path(n->path, &path);
	if (user.found && buf_get(&path))
		out_safe_line(o,
			"  %-11s as %s: shiftbox userns-run -- rm -rf %s, or podman unshare rm "
			"-rf %s",
			"to remove", user.user, path.data, path.data);
}
