/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_PERM_H
#define EXPLAIN_PERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/acl.h"
#include "../base/buf.h"
#include "../base/filecap.h"
#include "../idmap/idmap.h"

/*
 * Decide whether a caller may perform an operation on an inode, and which rule of the kernel
 * decides. Pure functions over described facts. The rules are those of fs/namei.c, fs/attr.c,
 * fs/posix_acl.c, fs/exec.c, fs/open.c, security/commoncap.c and fs/overlayfs of Linux 6.18; a test
 * compares them with the kernel's answers. Not modelled: security modules, quotas, locks, and
 * checks in device drivers.
 *
 * "Ids" without another word are ids in the initial user namespace (or in the outermost one that is
 * known, if all described ids exist there).
 */
enum perm_op {
	PERM_READ,   /* open(O_RDONLY); for a directory: list it */
	PERM_WRITE,  /* open(O_WRONLY), without O_TRUNC */
	PERM_EXEC,   /* execve(2); for a directory: search it */
	PERM_CREATE, /* create a file in this directory */
	PERM_UNLINK, /* unlink(2), or rmdir(2) for an empty directory */
	PERM_RENAME, /* rename(2) to a new name in the same directory */
	PERM_CHMOD,
	PERM_UTIMES, /* set given times */
	PERM_TOUCH,  /* set the times to now */
	PERM_CHOWN,  /* give the inode the owner or group of a struct perm_chown */
	PERM_OPS
};

/* The words of the operations before PERM_CHOWN in the order of the enum, separated by blanks. */
#define PERM_OP_WORDS "read write exec create unlink rename chmod utimes touch"
const char *perm_op_word(enum perm_op op);

/* A user namespace. The initial one is represented by NULL everywhere. */
struct perm_userns {
	const struct idmap *map;          /* from ids inside it (disk) to ids (seen) */
	const struct perm_userns *parent; /* NULL: the initial one */
	/* Of the outermost namespace, if it is not the initial one: the id in it that is root of
	   its parent. */
	bool has_outer_root;
	uint32_t outer_root;
};

struct perm_mount {
	const struct idmap *map;             /* disk ids to ids; NULL: the mount has none */
	const struct perm_userns *fs_userns; /* the namespace in which the filesystem was mounted */
	bool ro;                             /* the mount */
	bool fs_ro;                          /* the filesystem */
	bool nosuid, noexec, nodev;
	bool foreign; /* in another mount namespace than the caller: set-id is ignored */
	/* Of a filesystem of the kernel, as proc: the errno for every caller; 0: as usual. */
	int no_create, no_unlink;
	/* Which ids can be stored. If the map is unknown, none or all ids are assumed. */
	enum { PERM_STORE_BY_MAP, PERM_STORE_NONE, PERM_STORE_ALL } store;
};

struct perm_cred;
struct perm_real;

/* What an overlay has besides the mount that shows it. */
struct perm_overlay {
	const struct perm_cred *mounter; /* the process whose credentials access the layers */
	const struct perm_mount *upper;  /* of the upper directory; NULL: there is none */
	bool redirect_dir;               /* directories of lower layers can be renamed */
};

struct perm_inode {
	mode_t mode;                       /* type and the 07777 bits */
	uint32_t uid, gid;                 /* disk ids */
	bool uid_elsewhere, gid_elsewhere; /* instead of uid, gid: an id that none of the
	                                      described namespaces has */
	struct acl access;                 /* disk ids; borrowed */
	struct filecap cap;                /* root is a disk id */
	const struct perm_mount *mount;
	bool immutable, append; /* FS_IMMUTABLE_FL, FS_APPEND_FL; of a directory, too */
	bool removed;           /* IS_DEADDIR(): a directory that is open, or a process's working
	                           directory, but in no directory any more */
	/* Of an overlay; otherwise NULL. The ids above are then what the merged tree has. */
	const struct perm_overlay *overlay;
	const struct perm_real *real;
	const struct perm_inode *parent; /* NULL for the root of the overlay */
};

/* What an inode of an overlay is made of. */
struct perm_real {
	struct perm_inode inode; /* in the topmost layer that has it, on the mount of that layer */
	bool in_upper;           /* that layer is the upper directory */
	bool merged;             /* a directory that layers below have, too */
	/* The directories of lower layers that are merged with it, as far as they are known. */
	const struct perm_inode *below;
	size_t n_below;
};

enum {
	PERM_CAP_DAC_OVERRIDE = 1,
	PERM_CAP_DAC_READ_SEARCH = 2,
	PERM_CAP_FOWNER = 4,
	PERM_CAP_CHOWN = 8,
	PERM_CAP_FSETID = 16,
	PERM_CAPS_ALL = 31
};

struct perm_cred {
	uint32_t uid, gid;      /* fsuid, fsgid: ids */
	const uint32_t *groups; /* supplementary: ids */
	size_t n_groups;
	unsigned caps; /* PERM_CAP_*, effective in userns */
	const struct perm_userns *userns;
	bool no_new_privs;
};

/* The rule that decided. */
enum perm_rule {
	/* The permission bits and the ACL, which may allow or refuse. */
	RULE_BITS_ALL, /* owner, group and others all have the bits: ids are not compared */
	RULE_BITS_OWNER,
	RULE_BITS_GROUP,
	RULE_BITS_OTHER,
	RULE_ACL_USER,
	RULE_ACL_GROUP_OBJ,
	RULE_ACL_GROUP,
	RULE_ACL_OTHER,
	/* Rules that allow. */
	RULE_CAP_DAC_READ_SEARCH,
	RULE_CAP_DAC_OVERRIDE,
	RULE_CAP_FOWNER,
	RULE_CAP_CHOWN,
	RULE_OWNER, /* the caller owns the inode */
	/* Rules that refuse. */
	RULE_NOT_OWNER, /* only the owner may, or a caller with CAP_FOWNER */
	RULE_STICKY,    /* the directory's sticky bit */
	RULE_RO_MOUNT,
	RULE_RO_FS,
	RULE_UNMAPPED_INODE,  /* the owner or group has no id through the mount */
	RULE_UNMAPPED_CALLER, /* the caller's ids cannot be stored through the mount */
	RULE_NOEXEC,
	RULE_NODEV,
	RULE_TYPE, /* not possible for this type of file */
	RULE_IMMUTABLE,
	RULE_APPEND,       /* append-only */
	RULE_KERNEL_FS,    /* a filesystem of the kernel, without creating or removing */
	RULE_REMOVED,      /* the directory has been removed */
	RULE_NO_CAP_CHOWN, /* only CAP_CHOWN may give the inode this owner or group */
	RULE_NO_SUCH_ID,   /* the new owner or group has no id in the initial user namespace */
	RULE_UNMAPPED_NEW, /* the new owner or group cannot be stored through the mount */
	/* Rules of OverlayFS. */
	RULE_MOUNTER,  /* the process that mounted the overlay has no access to the layer */
	RULE_COPY_UP,  /* its owner, group, ACL or capability cannot be stored in the upper layer */
	RULE_CAP_ROOT, /* the root id of its capabilities has no id through the layer's mount */
	RULE_LOWER_DIR, /* a directory of a lower layer cannot be renamed */
	/* The effect of set-id bits or capabilities when the file is executed. */
	RULE_EFFECT_NONE, /* the file has none */
	RULE_EFFECT_TAKEN,
	RULE_NOSUID,
	RULE_FOREIGN_MOUNT,
	RULE_FS_USERNS,
	RULE_NO_NEW_PRIVS,
	RULE_UNMAPPED_USERNS, /* the owner or group has no id in the caller's user namespace */
	RULE_ROOT_ELSEWHERE,  /* the capability's root id is not root of the caller's namespace
	                         or of one above it */
	PERM_RULES
};

/* The word of a rule, "bits-owner"; static. Words are stable, for programs. */
const char *perm_rule_word(enum perm_rule rule);

struct perm_verdict {
	int num; /* 0: the operation works; else its errno (positive) */
	enum perm_rule rule;
	bool on_dir;     /* the rule is about the parent directory */
	unsigned want;   /* the bits that were required: 4 read, 2 write, 1 execute or search */
	unsigned have;   /* the bits of the class or ACL entry that decided, limited by the mask */
	uint32_t acl_id; /* disk id of the entry, with RULE_ACL_USER and RULE_ACL_GROUP */
	unsigned lost_caps; /* PERM_CAP_* of the caller that have no effect on this inode */
	/* For PERM_CREATE that works: the owner of the new file, as disk ids. */
	uint32_t new_uid, new_gid;
	/* For PERM_EXEC of a file that works. */
	enum perm_rule setid, filecap; /* RULE_EFFECT_NONE or a later value */
	uint32_t euid, egid;           /* after the execution, ids */
};

/*
 * dir is the directory that contains the entry: it is searched, and unlink and rename write to it.
 * For PERM_CREATE, inode is the directory to create in, and dir its parent. dir may be NULL: then
 * it is not searched, and unlink and rename fail. For directories further up use perm_search().
 */
struct perm_verdict perm_check(enum perm_op op, const struct perm_inode *dir,
	const struct perm_inode *inode, const struct perm_cred *cred);

/* The arguments of chown(2): ids in the caller's user namespace. One of them is set at least. */
struct perm_chown {
	bool set_uid, set_gid;
	uint32_t uid, gid;
};

/* May the caller change owner and group of inode? dir may be NULL, as for perm_check(). */
struct perm_verdict perm_check_chown(const struct perm_inode *dir, const struct perm_inode *inode,
	const struct perm_cred *cred, const struct perm_chown *to);

/* What faccessat2(2) with AT_EACCESS answers to want (4 read, 2 write, 1 execute). */
struct perm_verdict perm_access(
	const struct perm_inode *inode, const struct perm_cred *cred, unsigned want);

/* Search a directory of the path: PERM_EXEC for it. */
struct perm_verdict perm_search(const struct perm_inode *dir, const struct perm_cred *cred);

/* Translate a disk id to an id; false if it has none through the mount. */
bool perm_uid(const struct perm_mount *m, uint32_t disk, uint32_t *ret);
bool perm_gid(const struct perm_mount *m, uint32_t disk, uint32_t *ret);

/* Translate an id to the disk id that is stored for it; false if there is none. */
bool perm_disk_uid(const struct perm_mount *m, uint32_t id, uint32_t *ret);
bool perm_disk_gid(const struct perm_mount *m, uint32_t id, uint32_t *ret);

/* Translate an id to an id inside the namespace (from_kuid(), from_kgid()); false if it has none.
 */
bool perm_ns_uid(const struct perm_userns *ns, uint32_t id, uint32_t *ret);
bool perm_ns_gid(const struct perm_userns *ns, uint32_t id, uint32_t *ret);

/*
 * Translate an id inside the namespace to an id (make_kuid(), make_kgid()); false if it has none.
 */
bool perm_make_uid(const struct perm_userns *ns, uint32_t ns_id, uint32_t *ret);
bool perm_make_gid(const struct perm_userns *ns, uint32_t ns_id, uint32_t *ret);

#endif
