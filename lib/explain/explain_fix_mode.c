/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_fix_mode: the execute bits with which an operation works. */

#include "explain_priv.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <string.h>
#include <sys/stat.h>

#include "../idmap/names.h"

/* The class of users that a rule is about, as in the argument of chmod(1). */
static const struct exec_class {
	enum perm_rule rule;
	unsigned shift;
	char who;
} classes[] = {
	{ RULE_BITS_OWNER, 6, 'u' },
	{ RULE_BITS_GROUP, 3, 'g' },
	{ RULE_BITS_OTHER, 0, 'o' },
	{ RULE_ACL_OTHER, 0, 'o' },
};

/* The class whose execute bit is all that the verdict lacks, or NULL. */
static const struct exec_class *lacks_exec(const struct perm_verdict *d)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].rule == d->rule && (d->want & ~d->have) == 1)
			return &classes[i];
	return NULL;
}

/* Change the execute bit of a class. An ACL repeats that of others: change it there, too. */
static void flip(struct perm_inode *n, const struct exec_class *c)
{
	n->mode ^= 1U << c->shift;
	for (size_t i = 0; i < n->access.len && c->rule == RULE_ACL_OTHER; i++)
		if (n->access.items[i].tag == ACL_OTHER)
			n->access.items[i].perm ^= 1;
}

/*
 * Try to set the execute bit, without which no file is a program. Other missing bits are the
 * owner's decision, and have nothing to do with maps or mounts.
 */
bool explain_fix_mode(struct explanation *x, struct explain_aim aim, struct buf *b)
{
	size_t at;
	struct perm_verdict d = explain_verdict(x, aim.op, &at);
	const struct exec_class *c = lacks_exec(&d);
	struct perm_inode *n = &x->inodes.items[at].facts;
	bool ok;

	if (aim.op != PERM_EXEC || !c)
		return false;
	flip(n, c);
	ok = explain_works(x, aim);
	flip(n, c);
	if (!ok)
		return false;
	buf_printf(b, "chmod %c+x", c->who);
	explain_add_path(b, x->inodes.items[at].path);
	return true;
}

/*
 * --- directories above the file ------------------------------------------------------------------
 */

enum { OPENED_MAX = 16 };

struct opened {
	size_t at;
	const struct exec_class *class;
	uint32_t owner;
};

/* Can the owner of the directory, which owner is set to, change its mode? */
static bool is_changeable(const struct perm_inode *n, uint32_t *owner)
{
	uint32_t gid;

	return !n->mount->ro && !n->mount->fs_ro && !n->immutable && !n->append &&
		perm_uid(n->mount, n->uid, owner) && perm_gid(n->mount, n->gid, &gid);
}

/* Let the caller search the directory that stops aim. Returns false if that is not what does. */
static bool open_one(struct explanation *x, struct explain_aim aim, struct opened *ret)
{
	struct perm_verdict d = explain_verdict(x, aim.op, &ret->at);

	ret->class = d.num == EACCES ? lacks_exec(&d) : NULL;
	if (!ret->class || ret->at + 1 >= x->inodes.len ||
		!is_changeable(&x->inodes.items[ret->at].facts, &ret->owner))
		return false;
	flip(&x->inodes.items[ret->at].facts, ret->class);
	return true;
}

/* The caller's name, for setfacl(1), if it can have an entry in the ACL of all directories. */
static bool acl_name(
	const struct explanation *x, const struct opened *o, size_t n, struct user *ret)
{
	const struct perm_cred *c = &x->caller.cred;
	uint32_t disk;

	if (!x->caller.initial || c->userns || !c->uid || names_user_of(c->uid, ret, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (o[i].class->who == 'u' || o[i].owner != o[0].owner ||
			!perm_disk_uid(x->inodes.items[o[i].at].facts.mount, c->uid, &disk))
			return false;
	return ret->name[0];
}

/* Append "as root: " or "as user 1000: ", unless it is the caller. */
static void print_owner(const struct explanation *x, uint32_t owner, struct buf *b)
{
	uint32_t id = owner;

	if (owner == x->caller.cred.uid)
		return;
	if (!perm_ns_uid(x->caller.cred.userns, owner, &id))
		buf_printf(b, "outside of this user namespace, as user %u: ", owner);
	else if (id == 0)
		buf_str(b, "as root: ");
	else
		buf_printf(b, "as user %u: ", id);
}

static void print_opened(
	const struct explanation *x, const struct opened *o, size_t n, struct buf *b)
{
	struct user user;

	for (size_t i = 0; i < n; i++) {
		const bool same =
			i && o[i].owner == o[i - 1].owner && o[i].class->who == o[i - 1].class->who;

		if (!same) {
			buf_str(b, i ? ", and " : "");
			print_owner(x, o[i].owner, b);
			buf_printf(b, "chmod %c+x", o[i].class->who);
		}
		explain_add_path(b, x->inodes.items[o[i].at].path);
	}
	if (!acl_name(x, o, n, &user))
		return;
	buf_printf(b, ", or for %s alone: setfacl -m u:%s:x", user.name, user.name);
	for (size_t i = 0; i < n; i++)
		explain_add_path(b, x->inodes.items[o[i].at].path);
}

bool explain_fix_search(struct explanation *x, struct explain_aim aim, struct buf *b)
{
	struct opened o[OPENED_MAX];
	size_t n = 0;
	bool ok;

	while (n < OPENED_MAX && open_one(x, aim, &o[n]))
		n++;
	ok = n && explain_works(x, aim);
	for (size_t i = 0; i < n; i++)
		flip(&x->inodes.items[o[i].at].facts, o[i].class);
	if (ok)
		print_opened(x, o, n, b);
	return ok;
}
