/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * perm_overlay: what OverlayFS adds to the rules. Every access is checked twice: for the caller
 * with the ids of the merged tree, and for the process that mounted the overlay with those of the
 * layer. Every change first copies the inode, and the directories above it, to the upper directory.
 */

#include "perm_priv.h"

#include <errno.h>
#include <sys/stat.h>

#include <linux/posix_acl.h>

static bool is_special(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
}

/* inode_permission() of an inode in a layer, for the mounter */
static struct perm_verdict mounter_may(
	const struct perm_overlay *o, const struct perm_inode *real, unsigned want)
{
	struct perm_view v = perm_view_of(real, o->mounter);
	struct perm_verdict d = perm_of_inode(&v, want);

	if (d.num)
		d.rule = RULE_MOUNTER;
	return d;
}

/* ovl_permission(): a write to a lower layer will be one to a copy, which needs reading. */
struct perm_verdict perm_permission(const struct perm_view *v, unsigned want)
{
	const struct perm_inode *n = v->inode;
	struct perm_verdict d = perm_of_inode(v, want), below;

	if (d.num || !n->real)
		return d;
	if (!n->real->in_upper && !is_special(n->mode) && want & MAY_WRITE)
		want = (want & ~(unsigned)MAY_WRITE) | MAY_READ;
	below = mounter_may(n->overlay, &n->real->inode, want);
	return below.num ? below : d;
}

struct perm_verdict perm_search(const struct perm_inode *dir, const struct perm_cred *cred)
{
	struct perm_view v = perm_view_of(dir, cred);

	return perm_permission(&v, MAY_EXEC);
}

/* Directories of all layers that are merged: the mounter searches or lists each of them. */
static struct perm_verdict merged_may(const struct perm_inode *n, unsigned want)
{
	struct perm_verdict d = mounter_may(n->overlay, &n->real->inode, want);

	for (size_t i = 0; d.num == 0 && i < n->real->n_below; i++)
		d = mounter_may(n->overlay, &n->real->below[i], want);
	return d;
}

/* ovl_open(), ovl_dir_open(): the mounter opens the file in the layer, for exec by reading it. */
struct perm_verdict perm_overlay_open(const struct perm_inode *n, unsigned want)
{
	struct perm_verdict d;

	if (!n->real || is_special(n->mode))
		return perm_allow(RULE_OWNER);
	if (S_ISDIR(n->mode))
		return merged_may(n, MAY_READ);
	if (!(want & MAY_WRITE))
		return mounter_may(n->overlay, &n->real->inode, MAY_READ);
	d = perm_overlay_copy_up(n);
	if (d.num || !n->real->in_upper)
		return d;
	return mounter_may(n->overlay, &n->real->inode, MAY_WRITE);
}

/* Can the id, as the layer's mount shows it, be stored in the upper directory? */
static bool storable(const struct perm_overlay *o, const struct perm_view *v)
{
	uint32_t ignored;

	return v->ns_uid && v->ns_gid && perm_disk_uid(o->upper, v->uid, &ignored) &&
		perm_disk_gid(o->upper, v->gid, &ignored);
}

/* ovl_copy_acl(): each named entry needs an id in the upper directory. */
static bool acl_storable(const struct perm_overlay *o, const struct perm_inode *real)
{
	for (size_t i = 0; i < real->access.len; i++) {
		const struct acl_entry *a = &real->access.items[i];
		uint32_t id, ignored;

		if (a->tag == ACL_USER &&
			(!perm_uid(real->mount, a->id, &id) ||
				!perm_disk_uid(o->upper, id, &ignored)))
			return false;
		if (a->tag == ACL_GROUP &&
			(!perm_gid(real->mount, a->id, &id) ||
				!perm_disk_gid(o->upper, id, &ignored)))
			return false;
	}
	return true;
}

/* The root id of capabilities is read through the layer, and written to the upper directory. */
static int cap_fault(const struct perm_overlay *o, const struct perm_inode *real)
{
	uint32_t id, ignored;

	if (!real->cap.present)
		return 0;
	if (real->cap.root_unmapped || !perm_uid(real->mount, real->cap.root, &id))
		return EOVERFLOW;
	return perm_disk_uid(o->upper, id, &ignored) ? 0 : EINVAL;
}

/* ovl_set_impure(): the directory that gets the copy is marked, by xattr_permission(). */
static bool markable(const struct perm_inode *parent)
{
	struct perm_view v;

	if (!parent || !parent->real->in_upper)
		return true; /* it has just been copied */
	v = perm_view_of(&parent->real->inode, parent->overlay->mounter);
	return !perm_unmapped(&v);
}

/* ovl_copy_up_one(): data, attributes, then the owner. */
static struct perm_verdict copy_up_one(const struct perm_inode *n)
{
	const struct perm_overlay *o = n->overlay;
	const struct perm_inode *real = &n->real->inode;
	struct perm_view v = perm_view_of(real, o->mounter);
	struct perm_verdict d = perm_allow(RULE_OWNER);
	int fault;

	if (!o->upper)
		return perm_refuse(EROFS, RULE_RO_FS);
	if (!v.ns_uid || !v.ns_gid)
		return perm_refuse(EOVERFLOW, RULE_COPY_UP);
	if (!markable(n->parent))
		return perm_refuse(EPERM, RULE_COPY_UP);
	if (S_ISREG(n->mode))
		d = mounter_may(o, real, MAY_READ);
	if (d.num)
		return d;
	if (!acl_storable(o, real))
		return perm_refuse(EINVAL, RULE_COPY_UP);
	fault = cap_fault(o, real);
	if (fault)
		return perm_refuse(fault, RULE_COPY_UP);
	return storable(o, &v) ? d : perm_refuse(EOVERFLOW, RULE_COPY_UP);
}

/* ovl_copy_up(): the directories above it first, from the topmost one that is not there. */
struct perm_verdict perm_overlay_copy_up(const struct perm_inode *n)
{
	struct perm_verdict d = perm_allow(RULE_OWNER);

	if (!n->real || n->real->in_upper)
		return d;
	if (n->parent)
		d = perm_overlay_copy_up(n->parent);
	return d.num ? d : copy_up_one(n);
}

/* ovl_lookup(): a new name is looked up in the directory of each layer. */
struct perm_verdict perm_overlay_lookup(const struct perm_inode *dir)
{
	return dir->real ? merged_may(dir, MAY_EXEC) : perm_allow(RULE_OWNER);
}

/* ovl_create_object(): in the upper directory, by the mounter, with the ids of the new inode. */
struct perm_verdict perm_overlay_create(
	const struct perm_inode *dir, const struct perm_cred *c, struct perm_verdict *ret)
{
	struct perm_verdict d = perm_allow(RULE_OWNER);
	const struct perm_mount *upper = dir->real ? dir->overlay->upper : NULL;
	uint32_t gid = dir->mode & S_ISGID ? dir->gid : c->gid;

	if (!dir->real)
		return d;
	d = perm_overlay_copy_up(dir);
	if (d.num)
		return d;
	if (!upper)
		return perm_refuse(EROFS, RULE_RO_FS);
	if (!perm_disk_uid(upper, c->uid, &ret->new_uid) ||
		!perm_disk_gid(upper, gid, &ret->new_gid))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_CALLER);
	return d;
}

/* ovl_do_remove(), ovl_rename() */
struct perm_verdict perm_overlay_remove(
	enum perm_op op, const struct perm_inode *dir, const struct perm_inode *n)
{
	struct perm_verdict d = perm_allow(RULE_OWNER);

	if (!n->real)
		return d;
	if (op == PERM_RENAME && S_ISDIR(n->mode) && !n->overlay->redirect_dir &&
		(!n->real->in_upper || n->real->merged))
		return perm_refuse(EXDEV, RULE_LOWER_DIR);
	if (op == PERM_UNLINK && S_ISDIR(n->mode))
		d = merged_may(n, MAY_READ); /* ovl_check_empty_dir() */
	if (d.num == 0 && op == PERM_RENAME)
		d = perm_overlay_copy_up(n);
	return d.num ? d : perm_overlay_copy_up(dir);
}
