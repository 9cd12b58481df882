/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include "../base/vec.h"
#include "../check/meta.h"
#include "../check/mount_map.h"
#include "../idmap/override_stat.h"
#include "perm.h"

/*
 * Explain which owner a file has through the mounts that it is on, and what a caller may do with
 * it. explain_look() gathers all facts once; verdicts and fixes are computed from them (perm.h).
 * "Ids" without another word are ids in the user namespace of this process.
 */
struct explain_mount {
	int id;
	char *target, *type, *source, *options, *fs_options; /* as in mountinfo */
	enum mount_map_kind kind;
	struct idmap map;       /* with MOUNT_MAP_KNOWN */
	bool map_partial;       /* the map may have more lines: statmount(2) omits those without
	                           an id in the reader's user namespace */
	bool fs_userns_assumed; /* it may have been mounted in another user namespace than the
	                           initial one */
	bool decides_itself;    /* the filesystem or its server has rules in addition to those of
	                           perm.h */
	bool only_ro;           /* the filesystem cannot be made writable by a remount */
	bool nfs; /* ids come from the server, which also maps the caller's credentials */
	struct perm_mount facts; /* points to map; an unknown map counts as none */
};

/* Where the disk ids of an inode come from. */
enum explain_disk {
	DISK_READ,     /* read on a clone of the mount without its map */
	DISK_PLAIN,    /* the mount has no map: seen ids are disk ids */
	DISK_INFERRED, /* computed from the seen ids and the map */
	DISK_UNKNOWN,  /* unknown: the seen ids are used */
	DISK_LAYER,    /* read in the layer of an overlay */
};

/* One inode on the path: the root directory first, the file itself last. */
struct explain_inode {
	char *path;
	struct meta seen; /* as the caller sees it */
	struct meta disk;
	enum explain_disk how;
	bool uid_lost, gid_lost;   /* seen as the overflow id, because it has no mapping */
	bool uid_shown, gid_shown; /* seen as the overflow id, which may also be the disk id */
	bool uid_doubt, gid_doubt; /* seen as the overflow id, but a line of the map that is hidden
	                              from this process may have the id */
	bool mount_point;          /* it is the root of another mount than its parent */
	size_t mount;              /* index */
	int recorded; /* 1: the attribute user.containers.override_stat has an owner; 0: the file
	                 has no such attribute; -EINVAL: the attribute is malformed; or the -errno
	                 of reading it */
	struct record record;
	struct perm_inode facts;
};

struct explain_caller {
	uint32_t uid, gid; /* in its user namespace */
	struct {
		uint32_t *items;
		size_t len, cap;
	} groups;
	pid_t userns;            /* 0: the caller's own user namespace */
	struct idmap userns_map; /* with userns */
	struct idmap own_map;    /* the ids that exist here, unless initial is set */
	struct perm_userns ns, own;
	bool initial; /* this is the initial user namespace */
	struct {
		uint32_t *items;
		size_t len, cap;
	} group_ids;
	struct perm_cred cred; /* points into the others */
};

struct explanation {
	VEC(struct explain_mount) mounts;
	VEC(struct explain_inode) inodes; /* at least one */
	bool detached; /* the path cannot be followed: only the file itself is known */
	struct explain_caller caller;
	uint32_t overflow_uid, overflow_gid;
	/* Of an overlay: the layer with the inode, or NULL and the reason. */
	char *layer;
	const char *layer_unknown;
};

/*
 * Gather the facts about the file at path, whose links are followed. as is UID[:GID[,GID...]],
 * numbers in the user namespace of userns or names of this system; NULL: the caller itself, or root
 * if userns is given. userns is "pid:N" or NULL. layers are the directories of an overlay's layers,
 * topmost first (-EINVAL if path is not on an overlay); NULL: those that mountinfo names. Returns 0
 * or -errno. The caller calls explain_done(), also after a failure.
 */
MUST_CHECK int explain_look(const char *path, const char *as, const char *userns,
	const struct strv *layers, struct explanation *ret, struct err *e);
void explain_done(struct explanation *x);

/*
 * Decide whether the operation works, from the root directory on. *ret_at is the index of the inode
 * that the deciding rule is about.
 */
struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at);

/*
 * If the map cannot be read completely, a file that is seen as the overflow id may have no id
 * through the mount, which is what explain_verdict() assumes, or an id that does not exist in this
 * user namespace. Compute the verdict for the second case. Returns false if it is the same as d.
 * The facts in x are restored.
 */
bool explain_doubt(struct explanation *x, enum perm_op op, const struct perm_verdict *d,
	struct perm_verdict *ret, size_t *ret_at);

/* Does the operation make sense for the type of the file? */
bool explain_applies(const struct explanation *x, enum perm_op op);

/*
 * Find the smallest change of mount, map or caller with which a refused operation works, or with
 * which set-id bits and capabilities that are ignored take effect. Each change is tried on the
 * facts before it is suggested. Appends the suggestion to ret, or nothing if there is none. The
 * facts in x are restored. Returns 0 or -ENOMEM.
 */
MUST_CHECK int explain_fix(struct explanation *x, enum perm_op op, struct buf *ret);

/* Append to ret, for people, why the verdict d about inode at is what it is. */
void explain_reason(
	const struct explanation *x, const struct perm_verdict *d, size_t at, struct buf *ret);

/*
 * Append what becomes of set-id bits or capabilities: "takes effect" or "is ignored: ...". rule is
 * perm_verdict.setid or .filecap, but not RULE_EFFECT_NONE.
 */
void explain_effect(const struct explanation *x, enum perm_rule rule, struct buf *ret);

/* The permission bits (0 to 7) as "r-x"; static. */
const char *explain_bits(unsigned bits);

/* The file itself. */
static inline const struct explain_inode *explain_file(const struct explanation *x)
{
	return &x->inodes.items[x->inodes.len - 1];
}

#endif
