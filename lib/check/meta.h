/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_META_H
#define CHECK_META_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/acl.h"
#include "../base/filecap.h"

/* The facts that are known about an inode: a specification may have fewer than a filesystem. */
enum meta_known {
	META_TYPE = 1,
	META_MODE = 2,
	META_UID = 4,
	META_GID = 8,
	META_RDEV = 16,
	META_XATTRS = 32,
	META_STAT = META_TYPE | META_MODE | META_UID | META_GID | META_RDEV,
};

/* The ownership of an inode, as one mount shows it. Zero-initialise. */
struct meta {
	unsigned known; /* enum meta_known */
	mode_t mode;    /* type and the 07777 bits */
	uint32_t uid, gid;
	uint32_t rdev_major, rdev_minor;
	struct acl access, dflt; /* the ACL, and the default ACL of a directory */
	struct filecap cap;
	unsigned doubt; /* META_UID, META_GID: the id is shown as the overflow id, and may be
	                   another one, which has no number for this process */
	/* The location, if the facts come from a filesystem. */
	uint32_t dev_major, dev_minor;
	uint64_t ino, mount; /* mount: the mount id, or 0 before Linux 5.8 */
};

/*
 * Read everything but the extended attributes of name in dirfd (O_PATH suffices; "" is dirfd
 * itself) with statx(2), without following a link or triggering an automount. Returns 0 or -errno.
 */
MUST_CHECK int meta_stat(int dirfd, const char *name, struct meta *ret);

/* The extended attributes with ids: a mask of those that an inode has. */
enum { META_HAS_ACCESS = 1, META_HAS_DEFAULT = 2, META_HAS_CAP = 4 };

/*
 * Find out which of them an inode has. Returns a mask of META_HAS_*, or -errno. Not for symbolic
 * links, which never have any.
 */
MUST_CHECK int meta_list_xattrs(int dirfd, const char *name);

/* Read those in the mask which into m. Returns 0 or -errno (-EINVAL: a malformed value). */
MUST_CHECK int meta_read_xattrs(int dirfd, const char *name, unsigned which, struct meta *m);

/* Are both the same inode of one filesystem? */
static inline bool meta_same_inode(const struct meta *a, const struct meta *b)
{
	return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

void meta_done(struct meta *m);

#endif
