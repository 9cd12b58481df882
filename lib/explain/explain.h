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
	struct idmap map; /* with MOUNT_MAP_KNOWN */
	/* Of an overlay that mount-idmapped made: its layers have this map, and its upper
	   directory, unless that stores seen ids. */
	bool recorded, upper_plain;
	struct idmap layers_map;
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

/*
 * What an id may really be that is seen as the overflow id. The kernel does not show which of these
 * it is, so verdicts are computed for each.
 */
enum explain_be {
	BE_LOST = 1,      /* it has no id through the mount */
	BE_OVERFLOW = 2,  /* it is the overflow id itself */
	BE_ELSEWHERE = 4, /* it has an id that this user namespace lacks */
};

struct explain_may {
	unsigned be;       /* enum explain_be; 0: the id is known */
	uint32_t overflow; /* with BE_OVERFLOW: the disk id for explain_inode.facts */
	uint32_t overflow_real;
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
	bool immutable, append;
	bool removed; /* a directory without a name */
	int64_t ctime;
	uint32_t ctime_nsec;
	struct explain_may uid_may, gid_may;
	bool asked;    /* access is set: this process has asked the kernel about its own access */
	int access[3]; /* the errnos, or 0, of faccessat2(2) for reading, writing, executing */
	bool mount_point; /* it is the root of another mount than its parent */
	size_t mount;     /* index */
	int recorded; /* 1: the attribute user.containers.override_stat has an owner; 0: the file
	                 has no such attribute; -EINVAL: the attribute is malformed; or the -errno
	                 of reading it */
	struct record record;
	struct perm_inode facts;
	struct perm_real real; /* on an overlay: what the inode is made of */
	bool found;            /* the inode was found in a layer; disk is what that layer stores */
	/* Of a directory, tried by this process: may the mounter search and list what is merged? */
	enum explain_tried { NOT_TRIED, TRIED_YES, TRIED_NO } search, list;
	struct {
		struct perm_inode *items;
		size_t len, cap;
	} below;
	/*
	 * So many of them, the first ones, are hidden if the directory is opaque in the upper
	 * directory, which cannot be seen.
	 */
	size_t n_maybe;
};

/* An overlay that the path leads over: see explain_stack.c. */
struct explain_stack;

struct explain_caller {
	uint32_t uid, gid; /* in its user namespace */
	struct {
		uint32_t *items;
		size_t len, cap;
	} groups;
	pid_t userns;            /* 0: the caller's own user namespace */
	struct idmap userns_map; /* with userns */
	struct idmap own_map;    /* the ids of this user namespace; empty if initial is set */
	struct idmap outer_map;  /* from the ids that exist here to those outside of this user
	                            namespace, unless initial is set */
	struct perm_userns ns, own, unrelated;
	bool initial; /* this is the initial user namespace */
	bool deep;    /* there are namespaces between the caller's and those that are known */
	struct {
		uint32_t *items;
		size_t len, cap;
	} group_ids;
	struct perm_cred cred; /* points into the others */
	struct {
		uint32_t *items;
		size_t len, cap;
	} self_groups;
	struct perm_cred self; /* of this process */
};

/* A step on the way of the file from where it is seen to where it is stored. */
struct explain_step {
	enum explain_place {
		PLACE_CONTAINER, /* the user namespace of a process that has the file's mount */
		PLACE_MERGED,    /* the overlay */
		PLACE_UPPER,     /* the overlay's upper directory */
		PLACE_LAYER,     /* a layer of the overlay */
		PLACE_VIEW,      /* an ID-mapped mount; path is its mount point */
		PLACE_STORE,     /* what that mount shows, on a mount without a map */
		PLACE_DISK,      /* what a mount in another mount namespace shows */
		PLACE_VOLUME,    /* the same, of a volume of podman */
	} place;
	char *path;        /* of the file there */
	bool has_ids;      /* uid and gid are set */
	uint32_t uid, gid; /* of the file there */
	bool closed;       /* path cannot be reached by this process */
	const char *why;   /* without has_ids: the reason; static, or NULL */
	pid_t pid;         /* of PLACE_CONTAINER */
	bool has_map;      /* of PLACE_VIEW */
	struct idmap map;
};

struct mntns;

struct explanation {
	VEC(struct explain_mount) mounts;
	VEC(struct explain_inode) inodes; /* at least one */
	bool detached; /* the path cannot be followed: only the file itself is known */
	/*
	 * The mount namespace of another process, if the file's mount is in that, and how all paths
	 * then begin: the root directory of the process, "/proc/PID/root". NULL and "": it is in
	 * the caller's.
	 */
	struct mntns *elsewhere;
	char root[32];
	struct explain_caller caller;
	uint32_t overflow_uid, overflow_gid;
	/* Of an overlay: the layer with the inode, or NULL and the reason. */
	char *layer;
	const char *layer_unknown;
	/* The first opaque directory in a layer that has only one of the two marks; or NULL */
	char *marked;
	bool marked_trusted; /* it is trusted.overlay.opaque */
	/* The way of the file to the disk, from where it is seen on; empty if it is in one place.
	 */
	VEC(struct explain_step) chain;
	struct explain_stack **stacks;
	size_t n_stacks;
	struct perm_chown chown; /* of PERM_CHOWN; set by the program */
};

struct explain_question {
	const char *path, *as, *userns;
	const struct strv *layers;
	const struct idmap *map;
};

/*
 * Gather the facts about the file at q->path, whose links are followed. q->as is
 * USER[:GROUP[,GROUP...]], numbers in the user namespace of q->userns or names of this system;
 * NULL: the caller itself, or root if userns is given. userns is "pid:N" or NULL. layers are the
 * directories of an overlay's layers, topmost first (-EINVAL if the file is not on an overlay);
 * NULL: those that mountinfo names. map is the map that the mount has, or all layers of the overlay
 * and its upper directory; NULL: read it where the kernel shows it. Returns 0 or -errno. The caller
 * calls explain_done(), also after a failure.
 */
MUST_CHECK int explain_look(
	const struct explain_question *q, struct explanation *ret, struct err *e);
void explain_done(struct explanation *x);

/*
 * Decide whether the operation works, from the root directory on. *ret_at is the index of the inode
 * that the deciding rule is about.
 */
struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at);

/*
 * The answer to a question, from the verdicts in all possible cases. There are several cases if it
 * is unknown which id is seen as the overflow id, which ids an overlay can store, or what its
 * layers have. EXPLAIN_UNKNOWN: the operation works in some cases only; d is then the verdict of a
 * case in which it fails, and other that of a case in which it works. Otherwise, if has_other is
 * set, other is a verdict with another errno or rule than d. explain_answer_of() leaves the facts
 * in x as they are in the first case.
 */
enum explain_sure { EXPLAIN_NO, EXPLAIN_YES, EXPLAIN_UNKNOWN };

struct explain_answer {
	enum explain_sure sure;
	struct perm_verdict d, other;
	size_t at, other_at; /* the indices of the inodes that d and other are about */
	bool has_other;
	bool effects_unknown; /* whether set-id bits and capabilities take effect differs between
	                         the cases */
	enum explain_doubt {
		DOUBT_ID = 1,      /* which id is seen as the overflow id */
		DOUBT_STORE = 2,   /* whether ids can be stored */
		DOUBT_UPPER = 4,   /* whether the inode is in the upper directory */
		DOUBT_MOUNTER = 8, /* the credentials of the overlay's mounter */
		DOUBT_FS = 16      /* in which user namespace the filesystem was mounted */
	} doubts;                  /* what differs between the cases; a mask */
};

struct explain_answer explain_answer_of(struct explanation *x, enum perm_op op);

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
