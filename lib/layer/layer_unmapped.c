/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_unmapped: apply the policy for ids that the user namespace does not have. */

#include "layer_unmapped.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/acl.h"
#include "../base/filecap.h"
#include "entry_ids.h"

static int refuse(const struct layer_entry *t, const struct layer_ids *ids, bool group, uint32_t id,
	const char *where, struct err *e)
{
	(void)err_say(e, EOVERFLOW, t->raw,
		"%s %s id %u is not among the ids of this user namespace", where,
		group ? "group" : "user", id);
	err_op(e, "unmapped");
	err_try(e,
		"unpack where the id is available, or choose: --unmapped=skip skips such entries, "
		"--unmapped=overflow gives them to another owner");
	if (ids->suggest)
		ids->suggest(group, id, ids->arg, e);
	return -EOVERFLOW;
}

/*
 * Apply the policy to one id. Returns 1 if it is not available; with UNMAPPED_OVERFLOW, *id is then
 * the overflow id. where says what names the id, for messages.
 */
static int fit_id(const struct layer_entry *t, const struct layer_ids *ids, bool group,
	uint32_t *id, const char *where, struct err *e)
{
	if (entry_ids_covered(ids->map, group, *id))
		return 0;
	if (ids->policy == UNMAPPED_REFUSE)
		return refuse(t, ids, group, *id, where, e);
	if (ids->policy == UNMAPPED_OVERFLOW)
		*id = group ? ids->overflow_gid : ids->overflow_uid;
	return 1;
}

static int fit_acl(
	const struct layer_entry *t, const struct layer_ids *ids, struct xattr *x, struct err *e)
{
	int found = 0;

	for (struct acl_id at = { 0 }; acl_id_next(x->value, x->size, &at);) {
		uint32_t id = at.id;
		int r = fit_id(t, ids, at.group, &id, "its access control list's", e);

		if (r < 0)
			return r;
		acl_id_set(x->value, &at, id);
		found |= r;
	}
	return found;
}

/* A capability whose root is not available is useless here, so UNMAPPED_OVERFLOW removes it. */
static int fit_capability(
	const struct layer_entry *t, const struct layer_ids *ids, struct xattr *x, struct err *e)
{
	struct filecap c;
	int r;

	if (filecap_parse(x->value, x->size, &c) < 0 || c.version != 3)
		return 0;
	r = fit_id(t, ids, false, &c.root, "its capability's", e);
	if (r > 0 && ids->policy == UNMAPPED_OVERFLOW)
		xattrs_drop(t->xattrs, x);
	return r;
}

static int fit_xattrs(const struct layer_entry *t, const struct layer_ids *ids, struct err *e)
{
	int found = 0;

	for (size_t i = t->xattrs->len; i-- > 0;) {
		struct xattr *x = &t->xattrs->items[i];
		int r = 0;

		if (!strcmp(x->name, FILECAP_XATTR))
			r = fit_capability(t, ids, x, e);
		else if (acl_is_xattr(x->name))
			r = fit_acl(t, ids, x, e);
		if (r < 0)
			return r;
		found |= r;
	}
	return found;
}

int layer_unmapped_fit(struct layer_entry *t, const struct layer_ids *ids, struct err *e)
{
	int user, group, named;

	if (!ids->map)
		return 0;
	user = fit_id(t, ids, false, &t->uid, "its", e);
	group = user < 0 ? user : fit_id(t, ids, true, &t->gid, "its", e);
	named = group < 0 ? group : fit_xattrs(t, ids, e);
	if (named < 0)
		return named;
	if (ids->policy == UNMAPPED_OVERFLOW && user)
		t->mode &= ~(mode_t)S_ISUID;
	/* On a directory the bit only determines the group of new files and gives no privilege. */
	if (ids->policy == UNMAPPED_OVERFLOW && group && t->type != S_IFDIR)
		t->mode &= ~(mode_t)S_ISGID;
	return user | group | named;
}

static void print_ids(char kind, const struct idranges *r, struct buf *ret)
{
	for (size_t i = 0; i < r->len; i++)
		buf_printf(ret, "%c%u+%u,", kind, r->items[i].disk, r->items[i].count);
}

void layer_unmapped_print(const struct layer_ids *ids, struct buf *ret)
{
	static const char *const words[] = { "refuse", "skip", "overflow" };

	if (!ids || !ids->map) {
		buf_str(ret, "all");
		return;
	}
	print_ids('u', &ids->map->uid, ret);
	print_ids('g', &ids->map->gid, ret);
	buf_str(ret, words[ids->policy]);
	if (ids->policy == UNMAPPED_OVERFLOW)
		buf_printf(ret, ":%u:%u", ids->overflow_uid, ids->overflow_gid);
}
