/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm_core: the kernel's rules for access to one inode: bits, ACL, capabilities, ids, flags. */

#include "perm_priv.h"

#include <errno.h>
#include <sys/stat.h>

#include <linux/posix_acl.h>

/*
 * --- the caller and the inode --------------------------------------------------------------------
 */

bool perm_in_group(const struct perm_cred *c, uint32_t gid)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (c->groups[i] == gid)
			return true;
	return c->gid == gid;
}

struct perm_view perm_view_of(const struct perm_inode *n, const struct perm_cred *c)
{
	struct perm_view v = { .inode = n, .cred = c };
	uint32_t ignored;

	v.has_uid = n->uid_elsewhere || perm_uid(n->mount, n->uid, &v.uid);
	v.has_gid = n->gid_elsewhere || perm_gid(n->mount, n->gid, &v.gid);
	v.ns_uid = v.has_uid && !n->uid_elsewhere && perm_ns_uid(c->userns, v.uid, &ignored);
	v.ns_gid = v.has_gid && !n->gid_elsewhere && perm_ns_gid(c->userns, v.gid, &ignored);
	v.owner = v.has_uid && !n->uid_elsewhere && v.uid == c->uid;
	v.group = v.has_gid && !n->gid_elsewhere && perm_in_group(c, v.gid);
	return v;
}

bool perm_unmapped(const struct perm_view *v)
{
	return !v->has_uid || !v->has_gid; /* HAS_UNMAPPED_ID() */
}

/*
 * --- bits, ACL, capabilities --------------------------------------------------------------------
 */

struct perm_verdict perm_allow(enum perm_rule rule)
{
	return (struct perm_verdict){ .rule = rule };
}

struct perm_verdict perm_refuse(int num, enum perm_rule rule)
{
	return (struct perm_verdict){ .num = num, .rule = rule };
}

static struct perm_verdict by_bits(enum perm_rule rule, unsigned have, unsigned want)
{
	return (struct perm_verdict){
		.num = want & ~have ? EACCES : 0,
		.rule = rule,
		.want = want,
		.have = have & 7,
	};
}

/* Does the entry apply to this caller? The owner is checked before. */
static bool entry_applies(const struct perm_view *v, const struct acl_entry *x)
{
	uint32_t id;

	switch (x->tag) {
	case ACL_USER:
		return perm_uid(v->inode->mount, x->id, &id) && id == v->cred->uid;
	case ACL_GROUP_OBJ:
		return v->group;
	case ACL_GROUP:
		return perm_gid(v->inode->mount, x->id, &id) && perm_in_group(v->cred, id);
	default:
		return x->tag == ACL_OTHER;
	}
}

static struct perm_verdict by_entry(const struct acl_entry *x, unsigned mask, unsigned want)
{
	static const struct {
		unsigned tag;
		enum perm_rule rule;
	} rules[] = {
		{ ACL_USER, RULE_ACL_USER },
		{ ACL_GROUP_OBJ, RULE_ACL_GROUP_OBJ },
		{ ACL_GROUP, RULE_ACL_GROUP },
		{ ACL_OTHER, RULE_ACL_OTHER },
	};
	struct perm_verdict d = by_bits(RULE_ACL_OTHER, x->perm & mask, want);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].tag == x->tag)
			d.rule = rules[i].rule;
	d.acl_id = x->id;
	return d;
}

/*
 * posix_acl_permission(): the first entry of a user, else the first of any of the caller's groups
 * that has all that is wanted; a group that applies but has not enough keeps "other" from being
 * asked. The mask limits all but the owner and "other".
 */
static struct perm_verdict by_acl(const struct perm_view *v, unsigned want)
{
	const struct acl *a = &v->inode->access;
	const struct acl_entry *lacking = NULL;
	unsigned mask = 7;

	for (size_t i = 0; i < a->len; i++)
		if (a->items[i].tag == ACL_MASK)
			mask = a->items[i].perm;
	for (size_t i = 0; i < a->len; i++) {
		const struct acl_entry *x = &a->items[i];

		if (!entry_applies(v, x))
			continue;
		if (x->tag == ACL_USER || (x->tag != ACL_OTHER && !(want & ~x->perm)))
			return by_entry(x, mask, want);
		if (x->tag != ACL_OTHER)
			lacking = lacking ? lacking : x;
		else
			return lacking ? by_entry(lacking, mask, want) : by_entry(x, 7, want);
	}
	return perm_refuse(EIO, RULE_ACL_OTHER); /* no valid ACL lacks "other" */
}

/* acl_permission_check() */
static struct perm_verdict by_class(const struct perm_view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;
	unsigned mode = n->mode & 0777;

	if (!n->access.len && !(want * 0111 & ~mode))
		return by_bits(RULE_BITS_ALL, 7, want);
	if (v->owner)
		return by_bits(RULE_BITS_OWNER, mode >> 6, want);
	/* The group bits are the mask: without any, the kernel saves itself reading the ACL. */
	if (n->access.len && mode & S_IRWXG)
		return by_acl(v, want);
	if (v->group)
		return by_bits(RULE_BITS_GROUP, mode >> 3, want);
	return by_bits(RULE_BITS_OTHER, mode, want);
}

/* The capabilities that generic_permission() would take instead of bits, the weaker first. */
static unsigned caps_for(const struct perm_inode *n, unsigned want)
{
	if (S_ISDIR(n->mode))
		return want & MAY_WRITE ? PERM_CAP_DAC_OVERRIDE :
					  PERM_CAP_DAC_OVERRIDE | PERM_CAP_DAC_READ_SEARCH;
	if (want & MAY_EXEC && !(n->mode & 0111))
		return 0; /* without any execute bit, not even root may execute it */
	return want == MAY_READ ? PERM_CAP_DAC_OVERRIDE | PERM_CAP_DAC_READ_SEARCH :
				  PERM_CAP_DAC_OVERRIDE;
}

/*
 * generic_permission(); a capability counts only over inodes whose owner and group are ids of the
 * caller's namespace.
 */
static struct perm_verdict generic_permission(const struct perm_view *v, unsigned want)
{
	struct perm_verdict d = by_class(v, want);
	unsigned caps = v->cred->caps & caps_for(v->inode, want);

	if (d.num != EACCES || !caps)
		return d;
	if (!v->ns_uid || !v->ns_gid) { /* privileged_wrt_inode_uidgid() */
		d.lost_caps = caps;
		return d;
	}
	return perm_allow(
		caps & PERM_CAP_DAC_READ_SEARCH ? RULE_CAP_DAC_READ_SEARCH : RULE_CAP_DAC_OVERRIDE);
}

/* inode_permission() */
struct perm_verdict perm_of_inode(const struct perm_view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;

	if (want & MAY_WRITE) {
		if (n->mount->fs_ro && (S_ISREG(n->mode) || S_ISDIR(n->mode) || S_ISLNK(n->mode)))
			return perm_refuse(EROFS, RULE_RO_FS); /* sb_permission() */
		if (n->immutable)
			return perm_refuse(EPERM, RULE_IMMUTABLE);
		if (perm_unmapped(v))
			return perm_refuse(EACCES, RULE_UNMAPPED_INODE);
	}
	return generic_permission(v, want);
}

/* inode_owner_or_capable(): here only the owner has to be an id of the caller's namespace. */
struct perm_verdict perm_owner_or_capable(const struct perm_view *v)
{
	struct perm_verdict d = perm_refuse(EPERM, RULE_NOT_OWNER);
	unsigned cap = v->cred->caps & PERM_CAP_FOWNER;

	if (v->owner)
		return perm_allow(RULE_OWNER);
	if (cap && v->ns_uid)
		return perm_allow(RULE_CAP_FOWNER);
	d.lost_caps = cap;
	return d;
}

/* mnt_want_write() */
struct perm_verdict perm_want_write(const struct perm_inode *n)
{
	if (n->mount->ro)
		return perm_refuse(EROFS, RULE_RO_MOUNT);
	return n->mount->fs_ro ? perm_refuse(EROFS, RULE_RO_FS) : perm_allow(RULE_BITS_ALL);
}
