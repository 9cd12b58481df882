/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* perm_setattr: the kernel's rules for changes of mode, times, owner and group. */

#include "perm_priv.h"

#include <errno.h>
#include <sys/stat.h>

/* may_setattr(): neither flag lets anything be set; immutable files have their times, too. */
static struct perm_verdict check_flags(const struct perm_inode *n, bool touch)
{
	if (n->immutable)
		return perm_refuse(EPERM, RULE_IMMUTABLE);
	if (n->append && !touch)
		return perm_refuse(EPERM, RULE_APPEND);
	return perm_allow(RULE_OWNER);
}

/* notify_change(): an inode whose ids cannot be written back is not changed. */
struct perm_verdict perm_setattr(enum perm_op op, const struct perm_view *v)
{
	struct perm_verdict d = perm_want_write(v->inode), below;

	if (d.num)
		return d;
	if (op == PERM_CHMOD && S_ISLNK(v->inode->mode))
		return perm_refuse(EOPNOTSUPP, RULE_TYPE);
	d = check_flags(v->inode, op == PERM_TOUCH);
	if (d.num)
		return d;
	d = perm_owner_or_capable(v);
	if (op == PERM_TOUCH && d.num) /* may_setattr(): write permission suffices */
		d = perm_permission(v, MAY_WRITE);
	if (op == PERM_TOUCH && d.num)
		return d;
	if (perm_unmapped(v))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_INODE);
	below = d.num ? d : perm_overlay_copy_up(v->inode);
	return below.num ? below : d;
}

/* The new ids, as the kernel has them. */
struct new_ids {
	const struct perm_chown *to;
	uint32_t uid, gid;
};

/* capable_wrt_inode_uidgid(), or over an inode without an id over the filesystem's namespace. */
static bool capable_chown(const struct perm_view *v, bool has_id)
{
	const struct perm_userns *fs = v->inode->mount->fs_userns;

	if (!(v->cred->caps & PERM_CAP_CHOWN))
		return false;
	if (v->ns_uid && v->ns_gid)
		return true;
	if (has_id)
		return false;
	/* ns_capable() of the filesystem's namespace: the caller's is that one, or one above. */
	for (; fs; fs = fs->parent)
		if (fs == v->cred->userns)
			return true;
	return !v->cred->userns;
}

/* chown_ok() and chgrp_ok(); the latter lets an owner choose among its groups. */
static struct perm_verdict chown_ok(const struct perm_view *v, const struct new_ids *new)
{
	struct perm_verdict d = perm_refuse(EPERM, RULE_NO_CAP_CHOWN);
	bool keeps_uid = !new->to->set_uid || (v->owner && new->uid == v->uid);
	bool keeps_gid = !new->to->set_gid ||
		(v->owner &&
			((v->has_gid && !v->inode->gid_elsewhere && new->gid == v->gid) ||
				perm_in_group(v->cred, new->gid)));

	if (keeps_uid && keeps_gid)
		return perm_allow(RULE_OWNER);
	if ((keeps_uid || capable_chown(v, v->has_uid)) &&
		(keeps_gid || capable_chown(v, v->has_gid)))
		return perm_allow(RULE_CAP_CHOWN);
	d.lost_caps = v->cred->caps & PERM_CAP_CHOWN;
	return d;
}

/*
 * chown_common(): set-id bits are cleared, which is a change of mode: setattr_prepare() demands for
 * it what chmod(2) does. A set-group-id bit of a file that the group cannot execute remains for
 * members of the group and CAP_FSETID, setattr_should_drop_sgid().
 */
static bool clears_setid(const struct perm_view *v)
{
	mode_t mode = v->inode->mode;
	bool fsetid = v->cred->caps & PERM_CAP_FSETID && v->ns_uid && v->ns_gid;

	if (S_ISDIR(mode))
		return false;
	if (mode & S_ISUID)
		return true;
	return mode & S_ISGID && (mode & S_IXGRP || (!v->group && !fsetid));
}

/* vfsuid_has_fsmapping(), vfsgid_has_fsmapping(): without a map of the mount, no id is refused. */
static bool has_fsmapping(const struct perm_mount *m, const struct new_ids *new)
{
	uint32_t ignored;

	if (!m->map && m->store == PERM_STORE_BY_MAP)
		return true;
	return (!new->to->set_uid || perm_disk_uid(m, new->uid, &ignored)) &&
		(!new->to->set_gid || perm_disk_gid(m, new->gid, &ignored));
}

/* notify_change() with ATTR_UID and ATTR_GID */
static struct perm_verdict notify_chown(const struct perm_view *v, const struct new_ids *new)
{
	const struct perm_mount *m = v->inode->mount;
	struct perm_verdict d = check_flags(v->inode, false), mode;

	if (d.num)
		return d;
	if (!has_fsmapping(m, new))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_NEW);
	/* An id without a mapping can be replaced, but not kept. */
	if ((!new->to->set_uid && !v->has_uid) || (!new->to->set_gid && !v->has_gid))
		return perm_refuse(EOVERFLOW, RULE_UNMAPPED_INODE);
	d = chown_ok(v, new);
	mode = d.num || !clears_setid(v) ? d : perm_owner_or_capable(v);
	return mode.num ? mode : d;
}

/*
 * cap_inode_killpriv() and ovl_xattr_set(): a change of owner removes capabilities that can be
 * read. On an overlay that is a call of the mounter's, which may_write_xattr() refuses where the
 * upper directory's mount has no id for an owner.
 */
static bool keeps_capability(const struct perm_real *real)
{
	const struct perm_inode *n = &real->inode;
	uint32_t id;

	if (!real->in_upper || S_ISDIR(n->mode) || !n->cap.present || n->cap.root_unmapped ||
		!perm_uid(n->mount, n->cap.root, &id))
		return false;
	return !perm_uid(n->mount, n->uid, &id) || !perm_gid(n->mount, n->gid, &id);
}

/* ovl_setattr(): the mounter changes the inode in the upper directory, or the copy made there. */
static struct perm_verdict overlay_chown(const struct perm_inode *n, const struct new_ids *new)
{
	struct perm_verdict d = perm_overlay_copy_up(n);
	const struct perm_mount *upper = n->overlay ? n->overlay->upper : NULL;

	if (d.num == 0 && n->real && keeps_capability(n->real))
		return perm_refuse(EPERM, RULE_UNMAPPED_INODE);
	if (d.num == 0 && n->real && n->real->in_upper) {
		struct perm_view v = perm_view_of(&n->real->inode, n->overlay->mounter);

		d = notify_chown(&v, new);
		if (d.num == EPERM)
			d.rule = RULE_MOUNTER;
	}
	if (d.num || !upper || has_fsmapping(upper, new))
		return d;
	return perm_refuse(EOVERFLOW, RULE_UNMAPPED_NEW);
}

struct perm_verdict perm_check_chown(const struct perm_inode *dir, const struct perm_inode *inode,
	const struct perm_cred *cred, const struct perm_chown *to)
{
	struct perm_view v = perm_view_of(inode, cred);
	struct new_ids new = { .to = to };
	struct perm_verdict d, below;

	if (dir) {
		d = perm_search(dir, cred);
		d.on_dir = true;
		if (d.num)
			return d;
	}
	d = perm_want_write(inode);
	if (d.num)
		return d;
	if ((to->set_uid && !perm_make_uid(cred->userns, to->uid, &new.uid)) ||
		(to->set_gid && !perm_make_gid(cred->userns, to->gid, &new.gid)))
		return perm_refuse(EINVAL, RULE_NO_SUCH_ID);
	d = notify_chown(&v, &new);
	below = d.num ? d : overlay_chown(inode, &new);
	return below.num ? below : d;
}
