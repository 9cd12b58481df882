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

struct perm_verdict explain_search(const struct explanation *x, size_t i)
{
	return perm_search(&x->inodes.items[i].facts, &x->caller.cred);
}

static struct perm_verdict check_op(const struct explanation *x, enum perm_op op, size_t last)
{
	const struct explain_inode *n = x->inodes.items;
	const struct perm_inode *dir = last ? &n[last - 1].facts : NULL;
	const struct perm_cred *c = &x->caller.cred;

	return op == PERM_CHOWN ? perm_check_chown(dir, &n[last].facts, c, &x->chown) :
				  perm_check(op, dir, &n[last].facts, c);
}

struct perm_verdict explain_last(const struct explanation *x, enum perm_op op, size_t *ret_at)
{
	size_t last = x->inodes.len - 1;
	const struct explain_inode *n = x->inodes.items;
	const struct perm_cred *c = &x->caller.cred;
	struct perm_verdict d;

	/* What is removed is the entry below the mount point, which is busy. */
	if ((op == PERM_UNLINK || op == PERM_RENAME) && n[last].mount_point) {
		d = perm_check(PERM_CREATE, NULL, &n[last - 1].facts, c);
		*ret_at = d.num ? last - 1 : last;
		return d.num ? d : (struct perm_verdict){ .num = EBUSY, .rule = RULE_TYPE };
	}
	d = check_op(x, op, last);
	*ret_at = last && d.on_dir ? last - 1 : last;
	if (last && (op == PERM_UNLINK || op == PERM_RENAME) &&
		(d.rule == RULE_RO_MOUNT || d.rule == RULE_RO_FS || d.rule == RULE_UNMAPPED_CALLER))
		*ret_at = last - 1;
	return d;
}

struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at)
{
	/* perm_check() searches the last directory itself. */
	for (size_t i = 0; i + 2 < x->inodes.len; i++) {
		struct perm_verdict d = explain_search(x, i);

		*ret_at = i;
		if (d.num)
			return d;
	}
	return explain_last(x, op, ret_at);
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
