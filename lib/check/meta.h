/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_META_H
#define CHECK_META_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/idattr.h"

/* What is known of an inode: a specification may tell less than a filesystem. */
enum meta_known {
	META_TYPE = 1,
	META_MODE = 2,
	META_UID = 4,
	META_GID = 8,
	META_RDEV = 16,
	META_XATTRS = 32,
	META_STAT = META_TYPE | META_MODE | META_UID | META_GID | META_RDEV,
};

/* Ownership of one inode, as one view of it shows it. Zero-initialise; free with meta_done(). */
struct meta {
	unsigned known; /* enum meta_known */
	mode_t mode;    /* type and the 07777 bits */
	uint32_t uid, gid;
	uint32_t rdev_major, rdev_minor;
	struct acl access, dflt; /* its ACL, and a directory's default ACL */
	struct filecap cap;
	/* Where it is, when it comes from a filesystem. */
	uint32_t dev_major, dev_minor;
	uint64_t ino, mount; /* mount: its id, 0 where the kernel does not tell (before 5.8) */
};

/*
 * statx name below dirfd (O_PATH will do; "" is dirfd itself), neither following a link nor
 * starting an automount. Fills all but the attributes. Returns 0 or -errno.
 */
int meta_stat(int dirfd, const char *name, struct meta *ret);

/* Which attributes an inode has. */
enum { META_HAS_ACCESS = 1, META_HAS_DEFAULT = 2, META_HAS_CAP = 4 };

/* List them: 0 or more of META_HAS_*, or -errno. Symbolic links have none and must not be asked. */
int meta_list_xattrs(int dirfd, const char *name);

/*
 * Read those of them into m. Returns 0 or -errno (-EINVAL: a value that is no ACL or capability).
 */
int meta_read_xattrs(int dirfd, const char *name, unsigned which, struct meta *m);

/* Is it the same inode (and not merely an equal one)? */
static inline bool meta_same_inode(const struct meta *a, const struct meta *b)
{
	return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

void meta_done(struct meta *m);

#endif
