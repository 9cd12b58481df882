/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MOUNT_RECORD_H
#define MOUNT_MOUNT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"
#include "overlay_upper.h"
#include "plan.h"

/*
 * A record: what mount-idmapped mounted, for the commands that come later. The kernel does not show
 * the maps of an overlay's layers, and before Linux 6.15 it shows no map at all. A record has no
 * names and no paths, because every user may read it: the reader knows the mount's source and root
 * from the kernel, and compares a digest of them where ids of mounts are reused (record_store.h).
 *
 * Zero-initialise, free with mount_record_done().
 */
struct mount_record {
	enum mount_kind kind;
	/* The mount that it is about. */
	char boot[37];     /* the kernel's boot id */
	uint64_t mount;    /* the unique id of the mount, or before Linux 6.8 that of mountinfo */
	uint64_t dev;      /* of the filesystem, as makedev(3) */
	uint8_t shape[32]; /* of mount_record_shape() */
	uint64_t userns;   /* inode of the user namespace that the seen ids belong to */
	uint64_t mntns, mntns_id; /* of the mount namespace: inode, and id (6.15; 0: unknown) */
	/* How it was mounted. */
	VEC(struct idmap) maps; /* those that map and layers refer to */
	struct record_map {
		enum map_wish wish;
		size_t at; /* index in maps, of MAP_SET */
	} map;
	VEC(struct record_map) layers; /* of a stack, topmost first; empty: all have the map */
	enum upper_kind upper;
	char view[65]; /* of a view: the id of its line (view.h); or "" */
	char *store; /* the path of an image's store, or NULL; not part of the text: the store keeps
	                it where only the host's root can read it */
	struct upper_ids upper_ids; /* of an upper on a disk; numbers, which tell no path */
	bool upper_plain;           /* the upper stores seen ids */
	bool other_userns; /* set by the store: the seen ids are not those of this process */
};

enum { MOUNT_RECORD_MAX = 1 << 20 }; /* bytes */

/*
 * Compute the digest of what mountinfo shows of a mount. source, root and options are "" unless
 * they are needed: other users can confirm a guess of them.
 */
void mount_record_shape(const char *type, const char *source, const char *root, const char *options,
	uint8_t ret[32]);

/* Set what the plan says. Returns 0 or -ENOMEM. Free ret in either case. */
MUST_CHECK int mount_record_of_plan(
	const struct mount_plan *p, struct mount_record *ret, struct err *e);

/* The map of the mount; of a stack: of its layers that have no map of their own. NULL: there is no
 * map. */
const struct idmap *mount_record_map(const struct mount_record *r);

/* Do all layers have the record's map, as far as they have a map? */
bool mount_record_is_uniform(const struct mount_record *r);

/* Append the record as JSON (see FILES in mount-idmapped(8)). Returns 0 or -ENOMEM. */
MUST_CHECK int mount_record_print(const struct mount_record *r, struct buf *ret);

/*
 * Parse a record strictly: unknown kinds, maps that the kernel would refuse and indices out of
 * range are errors (-EINVAL, -EFBIG, -ENOMEM). *ret is set on success only.
 */
MUST_CHECK int mount_record_parse(
	const char *text, size_t n, struct mount_record *ret, struct err *e);

void mount_record_done(struct mount_record *r);

static inline void cleanup_mount_record(struct mount_record *r)
{
	mount_record_done(r);
}

#define scoped_mount_record __attribute__((cleanup(cleanup_mount_record)))

#endif
