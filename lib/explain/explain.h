/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include "../base/vec.h"
#include "../check/meta.h"
#include "../check/mount_map.h"
#include "../idmap/override_stat.h"
#include "perm.h"

/*
 * Why is this file owned by whom it seems to be, and what may somebody do with it? All facts are
 * gathered once; verdicts and ways out are computed from them (perm.h). "Ids" are those of the
 * caller's own user namespace.
 */
struct explain_mount {
	int id;
	char *target, *type, *source, *options, *fs_options; /* as in mountinfo */
	enum mount_map_kind kind;
	struct idmap map;       /* with MOUNT_MAP_KNOWN */
	bool map_partial;       /* lines without an id in our own user namespace are not told
	                           (statmount(2)): there may be some */
	bool fs_userns_assumed; /* it may have been mounted in another user namespace than the
	                           initial one */
	bool decides_itself; /* the filesystem, or its server, has rules of its own beside those of
	                        perm.h */
	bool only_ro;        /* the filesystem cannot be written, whatever it is mounted with */
	bool nfs; /* the server tells the ids, and decides for whom it takes the caller */
	struct perm_mount facts; /* points to map; an unknown map counts as none */
};

/* How the disk ids became known. */
enum explain_disk {
	DISK_READ,     /* from the mount without its map */
	DISK_PLAIN,    /* there is no map: what is seen is what is stored */
	DISK_INFERRED, /* from the seen ids and the map */
	DISK_UNKNOWN,  /* seen ids are taken for disk ids */
	DISK_LAYER,    /* from the layer of an overlay */
};

/* One inode on the way: the root directory first, the file itself last. */
struct explain_inode {
	char *path;
	struct meta seen; /* as the caller sees it */
	struct meta disk;
	enum explain_disk how;
	bool uid_lost, gid_lost;   /* seen as the overflow id because it has no mapping */
	bool uid_shown, gid_shown; /* seen as the overflow id, and it cannot be told whether it is
	                              just that on disk */
	bool uid_doubt, gid_doubt; /* ... or by the map to an id that is not one of ours: with a map
	                              that is hidden or partial */
	bool mount_point;          /* another mount begins here */
	size_t mount;              /* index */
	int recorded; /* 1: an owner is written down in RECORD_XATTR, 0: none is, -EINVAL: junk is,
	                 or why it cannot be read */
	struct record record;
	struct perm_inode facts;
};

struct explain_caller {
	uint32_t uid, gid; /* of his user namespace */
	struct {
		uint32_t *items;
		size_t len, cap;
	} groups;
	pid_t userns;            /* 0: the caller's own user namespace */
	struct idmap userns_map; /* with userns */
	struct idmap
		own_map; /* the ids that exist here, when this is not the initial user namespace */
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
	bool detached; /* the way to the file cannot be followed: only itself is known */
	struct explain_caller caller;
	uint32_t overflow_uid, overflow_gid;
	/*
	 * Of an overlay: the layer that the inode comes from, NULL where that cannot be told, and
	 * then why.
	 */
	char *layer;
	const char *layer_unknown;
};

/*
 * as: UID[:GID[,GID...]], numbers of the user namespace below or names of this system; NULL: the
 * caller himself, or root with a namespace. userns: "pid:N", or NULL. layers: directories of an
 * overlay's layers, topmost first (-EINVAL for a path on no overlay), or NULL: those that mountinfo
 * names. Links are followed. Free with explain_done(), also after a failure.
 */
int explain_look(const char *path, const char *as, const char *userns, const struct strv *layers,
	struct explanation *ret, struct err *e);
void explain_done(struct explanation *x);

/*
 * One operation, from the root directory on. ret_at is the index of the inode that the rule is
 * about.
 */
struct perm_verdict explain_verdict(const struct explanation *x, enum perm_op op, size_t *ret_at);

/*
 * What may be true as well, where the map cannot be read (all of it) and a file is seen as the
 * overflow id: explain_verdict() takes it to have no id through the mount, this one to have one
 * that does not exist here. Returns false when that makes no difference. The facts are as before
 * afterwards.
 */
bool explain_doubt(struct explanation *x, enum perm_op op, const struct perm_verdict *d,
	struct perm_verdict *ret, size_t *ret_at);

/* Does the operation make sense for the file's type? */
bool explain_applies(const struct explanation *x, enum perm_op op);

/*
 * The smallest change of mount, map or caller with which a refused operation works, or with which
 * set-id bits and capabilities that are ignored take effect: each is tried on the facts before it
 * is told. Appends nothing when there is none. The facts are as before afterwards.
 */
int explain_fix(struct explanation *x, enum perm_op op, struct buf *ret);

/* Why it does or does not work, for people. */
void explain_reason(
	const struct explanation *x, const struct perm_verdict *d, size_t at, struct buf *ret);

/*
 * The same of an effect (perm_verdict.setid or .filecap) that is not RULE_EFFECT_NONE: "takes
 * effect", "is ignored: ...".
 */
void explain_effect(const struct explanation *x, enum perm_rule rule, struct buf *ret);

/* "r-x" */
const char *explain_bits(unsigned bits);

/* The file itself, and its mount. */
static inline const struct explain_inode *explain_file(const struct explanation *x)
{
	return &x->inodes.items[x->inodes.len - 1];
}

#endif
