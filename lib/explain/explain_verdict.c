/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_verdict: apply the rules to each directory of the path, and to the file. */

#include "explain_priv.h"

#include <errno.h>
#include <sys/stat.h>

bool explain_applies(const struct explanation *x, enum perm_op op)
{
	bool dir = S_ISDIR(explain_file(x)->seen.mode);

	if (op == PERM_CREATE)
		return dir;
	if (op == PERM_UNLINK || op == PERM_RENAME)
		return !x->detached;
	return op != PERM_WRITE || !dir;
}

struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at)
{
	size_t last = x->inodes.len - 1;
	const struct explain_inode *n = x->inodes.items;
	const struct perm_cred *c = &x->caller.cred;
	struct perm_verdict d;

	/* perm_check() searches the last directory itself. */
	for (size_t i = 0; i + 1 < last; i++) {
		d = perm_search(&n[i].facts, c);
		*ret_at = i;
		if (d.num)
			return d;
	}
	/* What is removed is the entry below the mount point, which is busy. */
	if ((op == PERM_UNLINK || op == PERM_RENAME) && n[last].mount_point) {
		d = perm_check(PERM_CREATE, NULL, &n[last - 1].facts, c);
		*ret_at = d.num ? last - 1 : last;
		return d.num ? d : (struct perm_verdict){ .num = EBUSY, .rule = RULE_TYPE };
	}
	d = perm_check(op, last ? &n[last - 1].facts : NULL, &n[last].facts, c);
	*ret_at = last && d.on_dir ? last - 1 : last;
	if (last && (op == PERM_UNLINK || op == PERM_RENAME) &&
		(d.rule == RULE_RO_MOUNT || d.rule == RULE_RO_FS || d.rule == RULE_UNMAPPED_CALLER))
		*ret_at = last - 1;
	return d;
}

bool explain_doubt(struct explanation *x, enum perm_op op, const struct perm_verdict *d,
	struct perm_verdict *ret, size_t *ret_at)
{
	for (size_t i = 0; i < x->inodes.len; i++) {
		struct explain_inode *n = &x->inodes.items[i];

		n->facts.uid_elsewhere = n->uid_doubt;
		n->facts.gid_elsewhere = n->gid_doubt;
	}
	*ret = explain_verdict(x, op, ret_at);
	for (size_t i = 0; i < x->inodes.len; i++)
		x->inodes.items[i].facts.uid_elsewhere = x->inodes.items[i].facts.gid_elsewhere =
			false;
	return ret->num != d->num || ret->rule != d->rule;
}

static bool is_ignored(enum perm_rule rule)
{
	return rule != RULE_EFFECT_NONE && rule != RULE_EFFECT_TAKEN;
}

bool explain_has_ignored(const struct explanation *x, const struct perm_verdict *d)
{
	return d->num == 0 && S_ISREG(explain_file(x)->seen.mode) &&
		(is_ignored(d->setid) || is_ignored(d->filecap));
}

bool explain_works(const struct explanation *x, struct explain_aim aim)
{
	size_t at;
	struct perm_verdict d = explain_verdict(x, aim.op, &at);

	return d.num == 0 && !(aim.effect && explain_has_ignored(x, &d));
}
