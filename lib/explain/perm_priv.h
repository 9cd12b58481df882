/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_PERM_PRIV_H
#define EXPLAIN_PERM_PRIV_H

#include "perm.h"

/* Shared by lib/explain/perm*.c only. */

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/*
 * An inode as the caller sees it: its ids through the mount, and whether they exist in the caller's
 * namespace.
 */
struct perm_view {
	const struct perm_inode *inode;
	const struct perm_cred *cred;
	uint32_t uid, gid;
	bool has_uid, has_gid; /* vfsuid_valid(), vfsgid_valid() */
	bool ns_uid,
		ns_gid; /* vfsuid_has_mapping(), vfsgid_has_mapping() of the caller's namespace */
	bool owner, group; /* the caller owns it, or is in its group */
};

struct perm_view perm_view_of(const struct perm_inode *n, const struct perm_cred *c);
bool perm_in_group(const struct perm_cred *c, uint32_t gid);
bool perm_unmapped(const struct perm_view *v); /* HAS_UNMAPPED_ID() */

struct perm_verdict perm_allow(enum perm_rule rule);
struct perm_verdict perm_refuse(int num, enum perm_rule rule);

/* inode_permission(), without what OverlayFS adds; want is a mask of MAY_*. */
struct perm_verdict perm_of_inode(const struct perm_view *v, unsigned want);
/* inode_permission() */
struct perm_verdict perm_permission(const struct perm_view *v, unsigned want);
/* inode_owner_or_capable() */
struct perm_verdict perm_owner_or_capable(const struct perm_view *v);
/* mnt_want_write() */
struct perm_verdict perm_want_write(const struct perm_inode *n);

/* notify_change() of PERM_CHMOD, PERM_UTIMES and PERM_TOUCH */
struct perm_verdict perm_setattr(enum perm_op op, const struct perm_view *v);

/*
 * The rules that OverlayFS adds to those for the merged tree. Each function returns the verdict of
 * its rule, or a verdict whose num is 0 if the inode is not on an overlay. perm_overlay_open() is
 * about open(2), with a mask of MAY_*.
 */
struct perm_verdict perm_overlay_open(const struct perm_inode *n, unsigned want);
/* Copy the inode to the upper directory, as every change does. */
struct perm_verdict perm_overlay_copy_up(const struct perm_inode *n);
struct perm_verdict perm_overlay_lookup(const struct perm_inode *dir); /* of a new name */
/* Create an entry in dir with the caller's ids; sets the disk ids in ret. */
struct perm_verdict perm_overlay_create(
	const struct perm_inode *dir, const struct perm_cred *c, struct perm_verdict *ret);
struct perm_verdict perm_overlay_remove(
	enum perm_op op, const struct perm_inode *dir, const struct perm_inode *n);

#endif
