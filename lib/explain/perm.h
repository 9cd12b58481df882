/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_PERM_H
#define EXPLAIN_PERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/idattr.h"
#include "../idmap/idmap.h"

/*
 * May this caller do that to this inode, and which rule of the kernel decides? Pure functions over
 * described facts: nothing is looked at. The rules are those of fs/namei.c, fs/attr.c,
 * fs/posix_acl.c, fs/exec.c and security/commoncap.c of Linux 6.18; a test compares them with what
 * the kernel answers. Not known here: security modules, immutable and append-only files, quotas,
 * locks, what a device's driver says.
 *
 * "Ids" without another word are those of the initial user namespace (or of the outermost one that
 * the observer knows of, if there all described ids exist).
 */
enum perm_op {
	PERM_READ,   /* open(O_RDONLY); of a directory: list it */
	PERM_WRITE,  /* open(O_WRONLY), without O_TRUNC */
	PERM_EXEC,   /* execve; of a directory: search it */
	PERM_CREATE, /* make something new in this directory */
	PERM_UNLINK, /* unlink or, of an empty directory, rmdir */
	PERM_RENAME, /* to a new name in the same directory */
	PERM_CHMOD,
	PERM_UTIMES, /* set given times */
	PERM_TOUCH,  /* set the times to now */
	PERM_OPS
};

/* The words of the operations, by index; also as one blank-separated string, for options. */
#define PERM_OP_WORDS "read write exec create unlink rename chmod utimes touch"
const char *perm_op_word(enum perm_op op);

/* A user namespace that is not the initial one (which is NULL everywhere). */
struct perm_userns {
	const struct idmap *map;          /* its own ids, as "disk", to ids, as "seen" */
	const struct perm_userns *parent; /* NULL: the initial one */
};

struct perm_mount {
	const struct idmap *map;             /* disk ids to ids; NULL: the mount has none */
	const struct perm_userns *fs_userns; /* in which the filesystem was mounted */
	bool ro;                             /* the mount */
	bool fs_ro;                          /* the filesystem */
	bool nosuid, noexec, nodev;
	bool foreign; /* of another mount namespace than the caller's: set-id is ignored */
};

struct perm_inode {
	mode_t mode;                       /* type and the 07777 bits */
	uint32_t uid, gid;                 /* disk ids */
	bool uid_elsewhere, gid_elsewhere; /* instead: the mount has an id for it, which no
	                                      described namespace has */
	struct acl access;                 /* disk ids; borrowed */
	struct filecap cap;                /* root is a disk id */
	const struct perm_mount *mount;
};

enum {
	PERM_CAP_DAC_OVERRIDE = 1,
	PERM_CAP_DAC_READ_SEARCH = 2,
	PERM_CAP_FOWNER = 4,
	PERM_CAPS_ALL = 7
};

struct perm_cred {
	uint32_t uid, gid;      /* fsuid, fsgid: ids */
	const uint32_t *groups; /* supplementary: ids */
	size_t n_groups;
	unsigned caps; /* PERM_CAP_*, effective in userns */
	const struct perm_userns *userns;
	bool no_new_privs;
};

/* What decided. */
enum perm_rule {
	/* The permission bits and the ACL: they may allow or refuse. */
	RULE_BITS_ALL, /* every class has the bits: nobody is asked who they are */
	RULE_BITS_OWNER,
	RULE_BITS_GROUP,
	RULE_BITS_OTHER,
	RULE_ACL_USER,
	RULE_ACL_GROUP_OBJ,
	RULE_ACL_GROUP,
	RULE_ACL_OTHER,
	/* These allow. */
	RULE_CAP_DAC_READ_SEARCH,
	RULE_CAP_DAC_OVERRIDE,
	RULE_CAP_FOWNER,
	RULE_OWNER, /* the caller owns the inode */
	/* These refuse. */
	RULE_NOT_OWNER, /* only the owner may, or CAP_FOWNER */
	RULE_STICKY,    /* the directory's sticky bit */
	RULE_RO_MOUNT,
	RULE_RO_FS,
	RULE_UNMAPPED_INODE,  /* its owner or group has no id through the mount */
	RULE_UNMAPPED_CALLER, /* the caller's ids cannot be stored through the mount */
	RULE_NOEXEC,
	RULE_NODEV,
	RULE_TYPE, /* not for this type of file */
	/* What becomes of a set-id bit or a capability when a file is executed. */
	RULE_EFFECT_NONE, /* there is none */
	RULE_EFFECT_TAKEN,
	RULE_NOSUID,
	RULE_FOREIGN_MOUNT,
	RULE_FS_USERNS,
	RULE_NO_NEW_PRIVS,
	RULE_UNMAPPED_USERNS, /* owner or group has no id in the caller's user namespace */
	RULE_ROOT_ELSEWHERE,  /* the capability's root id is root of no user namespace that the
	                         caller is in */
	PERM_RULES
};

/* A stable word for each: "bits-owner", "unmapped-inode" ... */
const char *perm_rule_word(enum perm_rule rule);

struct perm_verdict {
	int num; /* 0: it works; else the errno, positive */
	enum perm_rule rule;
	bool on_dir;   /* the rule is about the directory that holds the entry */
	unsigned want; /* 4 read, 2 write, 1 execute or search: what the bits or the ACL were asked
	                  for */
	unsigned have; /* the bits of the class or entry that decided, a mask applied */
	uint32_t acl_id; /* disk id of the entry, with RULE_ACL_USER and RULE_ACL_GROUP */
	unsigned
		lost_caps; /* PERM_CAP_* that the caller has but that do not count for this inode */
	/* With PERM_CREATE that works: what is stored, disk ids. */
	uint32_t new_uid, new_gid;
	/* With PERM_EXEC of a file that works. */
	enum perm_rule setid, filecap; /* RULE_EFFECT_NONE and on */
	uint32_t euid, egid;           /* afterwards, ids */
};

/*
 * dir is the directory that holds the entry (searched on the way, written by create, unlink and
 * rename); for PERM_CREATE inode is that directory itself, and dir its parent. NULL: not to be
 * searched, and nothing is removed or renamed. Directories further up: perm_search() of each.
 */
struct perm_verdict perm_check(enum perm_op op, const struct perm_inode *dir,
	const struct perm_inode *inode, const struct perm_cred *cred);

/* Searching a directory on the way to what is below: PERM_EXEC of it. */
struct perm_verdict perm_search(const struct perm_inode *dir, const struct perm_cred *cred);

/* The ids that the kernel works with: false when the map has none for the disk id. */
bool perm_uid(const struct perm_mount *m, uint32_t disk, uint32_t *ret);
bool perm_gid(const struct perm_mount *m, uint32_t disk, uint32_t *ret);

/* And back: what is stored for a caller's id. */
bool perm_disk_uid(const struct perm_mount *m, uint32_t id, uint32_t *ret);
bool perm_disk_gid(const struct perm_mount *m, uint32_t id, uint32_t *ret);

/* Whether an id is one in the namespace (from_kuid(), from_kgid()), and which. */
bool perm_ns_uid(const struct perm_userns *ns, uint32_t id, uint32_t *ret);
bool perm_ns_gid(const struct perm_userns *ns, uint32_t id, uint32_t *ret);

#endif
