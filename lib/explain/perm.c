/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm: the kernel's rules for access to an inode through an ID-mapped mount. */

#include "perm.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

#include <linux/posix_acl.h>

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/*
 * --- the caller and the inode --------------------------------------------------------------------
 */

static bool in_group(const struct perm_cred *c, uint32_t gid)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (c->groups[i] == gid)
			return true;
	return c->gid == gid;
}

/*
 * An inode as the caller sees it: its ids through the mount, and whether they exist in the caller's
 * namespace.
 */
struct view {
	const struct perm_inode *inode;
	const struct perm_cred *cred;
	uint32_t uid, gid;
	bool has_uid, has_gid; /* vfsuid_valid(), vfsgid_valid() */
	bool ns_uid,
		ns_gid; /* vfsuid_has_mapping(), vfsgid_has_mapping() of the caller's namespace */
	bool owner, group; /* the caller owns it, or is in its group */
};

static struct view view_of(const struct perm_inode *n, const struct perm_cred *c)
{
	struct view v = { .inode = n, .cred = c };
	uint32_t ignored;

	v.has_uid = n->uid_elsewhere || perm_uid(n->mount, n->uid, &v.uid);
	v.has_gid = n->gid_elsewhere || perm_gid(n->mount, n->gid, &v.gid);
	v.ns_uid = v.has_uid && !n->uid_elsewhere && perm_ns_uid(c->userns, v.uid, &ignored);
	v.ns_gid = v.has_gid && !n->gid_elsewhere && perm_ns_gid(c->userns, v.gid, &ignored);
	v.owner = v.has_uid && !n->uid_elsewhere && v.uid == c->uid;
	v.group = v.has_gid && !n->gid_elsewhere && in_group(c, v.gid);
	return v;
}

static bool unmapped(const struct view *v)
{
	return !v->has_uid || !v->has_gid; /* HAS_UNMAPPED_ID() */
}

/*
 * --- bits, ACL, capabilities --------------------------------------------------------------------
 */

static struct perm_verdict allow(enum perm_rule rule)
{
	return (struct perm_verdict){ .rule = rule };
}

static struct perm_verdict refuse(int num, enum perm_rule rule)
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
static bool entry_applies(const struct view *v, const struct acl_entry *x)
{
	uint32_t id;

	switch (x->tag) {
	case ACL_USER:
		return perm_uid(v->inode->mount, x->id, &id) && id == v->cred->uid;
	case ACL_GROUP_OBJ:
		return v->group;
	case ACL_GROUP:
		return perm_gid(v->inode->mount, x->id, &id) && in_group(v->cred, id);
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
static struct perm_verdict by_acl(const struct view *v, unsigned want)
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
	return refuse(EIO, RULE_ACL_OTHER); /* no valid ACL lacks "other" */
}

/* acl_permission_check() */
static struct perm_verdict by_class(const struct view *v, unsigned want)
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
static struct perm_verdict generic_permission(const struct view *v, unsigned want)
{
	struct perm_verdict d = by_class(v, want);
	unsigned caps = v->cred->caps & caps_for(v->inode, want);

	if (d.num != EACCES || !caps)
		return d;
	if (!v->ns_uid || !v->ns_gid) { /* privileged_wrt_inode_uidgid() */
		d.lost_caps = caps;
		return d;
	}
	return allow(
		caps & PERM_CAP_DAC_READ_SEARCH ? RULE_CAP_DAC_READ_SEARCH : RULE_CAP_DAC_OVERRIDE);
}

/* inode_permission() */
static struct perm_verdict permission(const struct view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;

	if (want & MAY_WRITE) {
		if (n->mount->fs_ro && (S_ISREG(n->mode) || S_ISDIR(n->mode) || S_ISLNK(n->mode)))
			return refuse(EROFS, RULE_RO_FS); /* sb_permission() */
		if (unmapped(v))
			return refuse(EACCES, RULE_UNMAPPED_INODE);
	}
	return generic_permission(v, want);
}

/* inode_owner_or_capable(): here only the owner has to be an id of the caller's namespace. */
static struct perm_verdict owner_or_capable(const struct view *v)
{
	struct perm_verdict d = refuse(EPERM, RULE_NOT_OWNER);
	unsigned cap = v->cred->caps & PERM_CAP_FOWNER;

	if (v->owner)
		return allow(RULE_OWNER);
	if (cap && v->ns_uid)
		return allow(RULE_CAP_FOWNER);
	d.lost_caps = cap;
	return d;
}

/* mnt_want_write() */
static struct perm_verdict want_write(const struct perm_inode *n)
{
	if (n->mount->ro)
		return refuse(EROFS, RULE_RO_MOUNT);
	return n->mount->fs_ro ? refuse(EROFS, RULE_RO_FS) : allow(RULE_BITS_ALL);
}

/*
 * --- operations ---------------------------------------------------------------------------------
 */

/* may_open() and do_dentry_open() */
static struct perm_verdict check_open(const struct view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;
	bool device = S_ISCHR(n->mode) || S_ISBLK(n->mode);
	struct perm_verdict d;

	if (S_ISLNK(n->mode))
		return refuse(ELOOP, RULE_TYPE);
	if (S_ISDIR(n->mode) && want & MAY_WRITE)
		return refuse(EISDIR, RULE_TYPE);
	/* A filesystem of a user namespace has no devices (SB_I_NODEV). */
	if (device && (n->mount->nodev || n->mount->fs_userns))
		return refuse(EACCES, RULE_NODEV);
	if (want & MAY_EXEC && !S_ISREG(n->mode))
		return refuse(EACCES, RULE_TYPE);
	if (want & MAY_EXEC && n->mount->noexec)
		return refuse(EACCES, RULE_NOEXEC);

	d = permission(v, want);
	/*
	 * This comes last and applies to regular files only: devices and FIFOs can be written on a
	 * read-only mount.
	 */
	if (d.num == 0 && want & MAY_WRITE && S_ISREG(n->mode) && n->mount->ro)
		return refuse(EROFS, RULE_RO_MOUNT);
	return d;
}

/* current_in_userns(): is the caller's namespace ns or below it? */
static bool in_userns(const struct perm_cred *c, const struct perm_userns *ns)
{
	for (const struct perm_userns *at = c->userns; at; at = at->parent)
		if (at == ns)
			return true;
	return !ns;
}

/* mnt_may_suid() */
static enum perm_rule may_suid(const struct perm_mount *m, const struct perm_cred *c)
{
	if (m->nosuid)
		return RULE_NOSUID;
	if (m->foreign)
		return RULE_FOREIGN_MOUNT;
	return in_userns(c, m->fs_userns) ? RULE_EFFECT_TAKEN : RULE_FS_USERNS;
}

/* bprm_fill_uid() */
static void exec_setid(const struct view *v, struct perm_verdict *d)
{
	const struct perm_inode *n = v->inode;
	bool setgid = (n->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

	d->euid = v->cred->uid;
	d->egid = v->cred->gid;
	d->setid = RULE_EFFECT_NONE;
	if (!(n->mode & S_ISUID) && !setgid)
		return;
	d->setid = may_suid(n->mount, v->cred);
	if (d->setid != RULE_EFFECT_TAKEN)
		return;
	if (v->cred->no_new_privs)
		d->setid = RULE_NO_NEW_PRIVS;
	else if (!v->ns_uid || !v->ns_gid) /* both, whichever bit is set */
		d->setid = RULE_UNMAPPED_USERNS;
	if (d->setid != RULE_EFFECT_TAKEN)
		return;
	if (n->mode & S_ISUID)
		d->euid = v->uid;
	if (setgid)
		d->egid = v->gid;
}

/* rootid_owns_currentns() */
static bool owns_userns(const struct perm_cred *c, uint32_t root)
{
	uint32_t id;

	for (const struct perm_userns *at = c->userns; at; at = at->parent)
		if (perm_ns_uid(at, root, &id) && id == 0)
			return true;
	return root == 0;
}

/* get_file_caps(), get_vfs_caps_from_disk(), cap_bprm_creds_from_file() */
static enum perm_rule exec_filecap(const struct view *v)
{
	const struct perm_inode *n = v->inode;
	enum perm_rule r;
	uint32_t root;

	if (!n->cap.present)
		return RULE_EFFECT_NONE;
	r = may_suid(n->mount, v->cred);
	if (r != RULE_EFFECT_TAKEN)
		return r;
	if (n->cap.root_unmapped || !perm_uid(n->mount, n->cap.root, &root))
		return RULE_UNMAPPED_INODE;
	if (!owns_userns(v->cred, root))
		return RULE_ROOT_ELSEWHERE;
	return v->cred->no_new_privs ? RULE_NO_NEW_PRIVS : RULE_EFFECT_TAKEN;
}

static struct perm_verdict check_exec(const struct view *v)
{
	struct perm_verdict d;

	if (S_ISDIR(v->inode->mode))
		return permission(v, MAY_EXEC);
	d = check_open(v, MAY_EXEC);
	d.setid = d.filecap = RULE_EFFECT_NONE;
	if (d.num == 0) {
		exec_setid(v, &d);
		d.filecap = exec_filecap(v);
	}
	return d;
}

/*
 * may_create(): EOVERFLOW before EACCES, but filename_create() has searched the directory already.
 */
static struct perm_verdict may_create(const struct view *dir)
{
	const struct perm_mount *m = dir->inode->mount;
	struct perm_verdict d;
	uint32_t uid, gid;

	if (!perm_disk_uid(m, dir->cred->uid, &uid) || !perm_disk_gid(m, dir->cred->gid, &gid))
		return refuse(EOVERFLOW, RULE_UNMAPPED_CALLER);
	d = permission(dir, MAY_WRITE | MAY_EXEC);
	d.new_uid = uid;
	d.new_gid = dir->inode->mode & S_ISGID ? dir->inode->gid : gid; /* inode_init_owner() */
	return d;
}

/* filename_create(): search, then mnt_want_write(), then may_create(). */
static struct perm_verdict check_create(const struct view *dir)
{
	struct perm_verdict d;

	if (!S_ISDIR(dir->inode->mode))
		return refuse(ENOTDIR, RULE_TYPE);
	d = permission(dir, MAY_EXEC);
	if (d.num == 0)
		d = want_write(dir->inode);
	return d.num ? d : may_create(dir);
}

/* check_sticky() */
static struct perm_verdict check_sticky(const struct view *dir, const struct view *v)
{
	struct perm_verdict d = refuse(EPERM, RULE_STICKY);
	unsigned cap = v->cred->caps & PERM_CAP_FOWNER;

	if (v->owner || dir->owner)
		return allow(RULE_OWNER);
	if (cap && v->ns_uid && v->ns_gid)
		return allow(RULE_CAP_FOWNER);
	d.lost_caps = cap;
	return d;
}

/* may_delete() */
static struct perm_verdict may_delete(const struct view *dir, const struct view *v)
{
	struct perm_verdict d, sticky;

	if (unmapped(v))
		return refuse(EOVERFLOW, RULE_UNMAPPED_INODE);
	d = permission(dir, MAY_WRITE | MAY_EXEC);
	d.on_dir = true;
	if (d.num || !(dir->inode->mode & S_ISVTX))
		return d;
	sticky = check_sticky(dir, v);
	return sticky.num ? sticky : d;
}

static struct perm_verdict check_remove(
	enum perm_op op, const struct view *dir, const struct view *v)
{
	struct perm_verdict d = want_write(dir->inode), created;

	if (d.num)
		return d;
	d = may_delete(dir, v);
	if (d.num || op != PERM_RENAME)
		return d;
	created = may_create(dir); /* the new entry must be storable with the caller's ids */
	return created.num ? created : d;
}

/* notify_change(): an inode whose ids cannot be written back is not changed. */
static struct perm_verdict check_setattr(enum perm_op op, const struct view *v)
{
	struct perm_verdict d = want_write(v->inode);

	if (d.num)
		return d;
	if (op == PERM_CHMOD && S_ISLNK(v->inode->mode))
		return refuse(EOPNOTSUPP, RULE_TYPE);
	d = owner_or_capable(v);
	if (op == PERM_TOUCH && d.num) /* may_setattr(): write permission suffices */
		d = permission(v, MAY_WRITE);
	if (op == PERM_TOUCH && d.num)
		return d;
	return unmapped(v) ? refuse(EOVERFLOW, RULE_UNMAPPED_INODE) : d;
}

struct perm_verdict perm_search(const struct perm_inode *dir, const struct perm_cred *cred)
{
	struct view v = view_of(dir, cred);

	return permission(&v, MAY_EXEC);
}

struct perm_verdict perm_check(enum perm_op op, const struct perm_inode *dir,
	const struct perm_inode *inode, const struct perm_cred *cred)
{
	struct view at = { .inode = NULL }, v = view_of(inode, cred);
	struct perm_verdict d;

	if (dir) {
		at = view_of(dir, cred);
		d = permission(&at, MAY_EXEC); /* link_path_walk(), may_lookup() */
		d.on_dir = true;
		if (d.num)
			return d;
	}

	switch (op) {
	case PERM_READ:
		return check_open(&v, MAY_READ);
	case PERM_WRITE:
		return check_open(&v, MAY_WRITE);
	case PERM_EXEC:
		return check_exec(&v);
	case PERM_CREATE:
		return check_create(&v);
	case PERM_UNLINK:
	case PERM_RENAME:
		return dir ? check_remove(op, &at, &v) : refuse(EBUSY, RULE_TYPE);
	case PERM_CHMOD:
	case PERM_UTIMES:
	case PERM_TOUCH:
		return check_setattr(op, &v);
	case PERM_OPS:
		break;
	}
	assert(!"an operation");
	return refuse(EINVAL, RULE_TYPE);
}
