/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm: the kernel's rules for operations on an inode through an ID-mapped mount. */

#include "perm_priv.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

/* may_open() and do_dentry_open() */
static struct perm_verdict check_open(const struct perm_view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;
	bool device = S_ISCHR(n->mode) || S_ISBLK(n->mode);
	struct perm_verdict d, below;

	if (S_ISLNK(n->mode))
		return perm_refuse(ELOOP, RULE_TYPE);
	if (S_ISDIR(n->mode) && want & MAY_WRITE)
		return perm_refuse(EISDIR, RULE_TYPE);
	/* A filesystem of a user namespace has no devices (SB_I_NODEV). */
	if (device && (n->mount->nodev || n->mount->fs_userns))
		return perm_refuse(EACCES, RULE_NODEV);
	if (want & MAY_EXEC && !S_ISREG(n->mode))
		return perm_refuse(EACCES, RULE_TYPE);
	if (want & MAY_EXEC && n->mount->noexec)
		return perm_refuse(EACCES, RULE_NOEXEC);

	d = perm_permission(v, want);
	if (d.num == 0 && want & MAY_WRITE && n->append)
		return perm_refuse(EPERM, RULE_APPEND); /* without O_APPEND */
	/*
	 * This comes last and applies to regular files only: devices and FIFOs can be written on a
	 * read-only mount.
	 */
	if (d.num == 0 && want & MAY_WRITE && S_ISREG(n->mode) && n->mount->ro)
		return perm_refuse(EROFS, RULE_RO_MOUNT);
	below = d.num ? d : perm_overlay_open(n, want);
	return below.num ? below : d;
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
static void exec_setid(const struct perm_view *v, struct perm_verdict *d)
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
		if (perm_ns_uid(at, root, &id) &&
			(id == 0 || (at->has_outer_root && id == at->outer_root)))
			return true;
	return root == 0;
}

/* get_file_caps(), get_vfs_caps_from_disk(), cap_bprm_creds_from_file() */
static enum perm_rule exec_filecap(const struct perm_view *v)
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

static struct perm_verdict check_exec(const struct perm_view *v)
{
	struct perm_verdict d;

	if (S_ISDIR(v->inode->mode))
		return perm_permission(v, MAY_EXEC);
	d = check_open(v, MAY_EXEC);
	d.setid = d.filecap = RULE_EFFECT_NONE;
	if (d.num == 0) {
		exec_setid(v, &d);
		d.filecap = exec_filecap(v);
	}
	/* get_file_caps(): OverlayFS cannot read them, and here that is an error. */
	if (v->inode->real && d.filecap == RULE_UNMAPPED_INODE)
		return perm_refuse(EOVERFLOW, RULE_CAP_ROOT);
	return d;
}

/*
 * may_create(): EOVERFLOW before EACCES, but filename_create() has searched the directory already.
 */
static struct perm_verdict may_create(const struct perm_view *dir)
{
	const struct perm_mount *m = dir->inode->mount;
	struct perm_verdict d;
	uint32_t uid, gid;

	if (!perm_disk_uid(m, dir->cred->uid, &uid) || !perm_disk_gid(m, dir->cred->gid, &gid))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_CALLER);
	d = perm_permission(dir, MAY_WRITE | MAY_EXEC);
	d.new_uid = uid;
	d.new_gid = dir->inode->mode & S_ISGID ? dir->inode->gid : gid; /* inode_init_owner() */
	return d;
}

/* filename_create(): search, then mnt_want_write(), then may_create(). */
static struct perm_verdict check_create(const struct perm_view *dir)
{
	struct perm_verdict d, below;

	if (!S_ISDIR(dir->inode->mode))
		return perm_refuse(ENOTDIR, RULE_TYPE);
	d = perm_permission(dir, MAY_EXEC);
	if (d.num)
		return d;
	if (dir->inode->removed)
		return perm_refuse(ENOENT, RULE_REMOVED);
	if (dir->inode->mount->no_create == ENOENT) /* the lookup fails, not the creation */
		return perm_refuse(ENOENT, RULE_KERNEL_FS);
	below = perm_overlay_lookup(dir->inode);
	if (below.num)
		return below;
	d = perm_want_write(dir->inode);
	if (d.num == 0)
		d = may_create(dir);
	if (d.num == 0 && dir->inode->mount->no_create)
		return perm_refuse(dir->inode->mount->no_create, RULE_KERNEL_FS);
	below = d.num ? d : perm_overlay_create(dir->inode, dir->cred, &d);
	return below.num ? below : d;
}

/* check_sticky() */
static struct perm_verdict check_sticky(const struct perm_view *dir, const struct perm_view *v)
{
	struct perm_verdict d = perm_refuse(EPERM, RULE_STICKY);
	unsigned cap = v->cred->caps & PERM_CAP_FOWNER;

	if (v->owner || dir->owner)
		return perm_allow(RULE_OWNER);
	if (cap && v->ns_uid && v->ns_gid)
		return perm_allow(RULE_CAP_FOWNER);
	d.lost_caps = cap;
	return d;
}

/* may_delete() */
static struct perm_verdict may_delete(const struct perm_view *dir, const struct perm_view *v)
{
	struct perm_verdict d, sticky;

	if (perm_unmapped(v))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_INODE);
	d = perm_permission(dir, MAY_WRITE | MAY_EXEC);
	d.on_dir = true;
	if (d.num)
		return d;
	if (dir->inode->append) {
		d = perm_refuse(EPERM, RULE_APPEND);
		d.on_dir = true;
		return d;
	}
	sticky = dir->inode->mode & S_ISVTX ? check_sticky(dir, v) : d;
	if (sticky.num)
		return sticky;
	if (v->inode->append || v->inode->immutable)
		return perm_refuse(EPERM, v->inode->append ? RULE_APPEND : RULE_IMMUTABLE);
	return d;
}

static struct perm_verdict check_remove(
	enum perm_op op, const struct perm_view *dir, const struct perm_view *v)
{
	struct perm_verdict d = perm_want_write(dir->inode), created;

	if (d.num)
		return d;
	created = op == PERM_RENAME ? perm_overlay_lookup(dir->inode) : d;
	if (created.num)
		return created;
	if (op == PERM_RENAME && dir->inode->mount->no_create == ENOENT) /* so is the new name */
		return perm_refuse(ENOENT, RULE_KERNEL_FS);
	d = may_delete(dir, v);
	if (d.num)
		return d;
	/* The new entry must be storable with the caller's ids. */
	created = op == PERM_RENAME ? may_create(dir) : d;
	if (created.num)
		return created;
	if (dir->inode->mount->no_unlink)
		return perm_refuse(dir->inode->mount->no_unlink, RULE_KERNEL_FS);
	created = perm_overlay_remove(op, dir->inode, v->inode);
	return created.num ? created : d;
}

struct perm_verdict perm_access(
	const struct perm_inode *inode, const struct perm_cred *cred, unsigned want)
{
	struct perm_view v = perm_view_of(inode, cred);
	bool reg = S_ISREG(inode->mode), dir = S_ISDIR(inode->mode);
	struct perm_verdict d;

	if (want & MAY_EXEC && reg && inode->mount->noexec)
		return perm_refuse(EACCES, RULE_NOEXEC);
	d = perm_permission(&v, want);
	/* do_faccessat(): devices, FIFOs and sockets are not concerned. */
	if (d.num == 0 && want & MAY_WRITE && (reg || dir || S_ISLNK(inode->mode)) &&
		inode->mount->ro)
		return perm_refuse(EROFS, RULE_RO_MOUNT);
	return d;
}

struct perm_verdict perm_check(enum perm_op op, const struct perm_inode *dir,
	const struct perm_inode *inode, const struct perm_cred *cred)
{
	struct perm_view at = { .inode = NULL }, v = perm_view_of(inode, cred);
	struct perm_verdict d;

	if (dir) {
		at = perm_view_of(dir, cred);
		d = perm_permission(&at, MAY_EXEC); /* link_path_walk(), may_lookup() */
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
		return dir ? check_remove(op, &at, &v) : perm_refuse(EBUSY, RULE_TYPE);
	case PERM_CHMOD:
	case PERM_UTIMES:
	case PERM_TOUCH:
		return perm_setattr(op, &v);
	case PERM_CHOWN: /* perm_check_chown() */
	case PERM_OPS:
		break;
	}
	assert(!"an operation");
	return perm_refuse(EINVAL, RULE_TYPE);
}
