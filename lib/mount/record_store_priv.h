/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_RECORD_STORE_PRIV_H
#define MOUNT_RECORD_STORE_PRIV_H

#include "record_store.h"

/* Shared by lib/mount/record_*.c only. */

enum { RECORD_NAME_MAX = 48 };

/* Attributes of this prefix are for processes with CAP_SYS_ADMIN in the initial user namespace. */
#define RECORD_STORE_XATTR "trusted.shiftbox.store"

/* A directory of records, opened for reading. */
struct record_dir {
	int fd;      /* -1: there is none */
	uid_t owner; /* of the directory and of all records that count */
};

/* The boot and the namespaces that this process is in. */
struct record_here {
	char boot[37];
	bool unique;              /* the kernel has unique ids of mounts */
	uint64_t mntns, mntns_id; /* inode, and id for statmount(2) (0: unknown) */
	uint64_t userns;          /* inode */
};

/* A record whose mount exists, of an overlay. */
struct record_stack {
	char name[RECORD_NAME_MAX];
	const struct record_dir *dir;
	uint64_t dev;
};

struct record_stacks {
	struct record_stack *items;
	size_t len, cap;
};

/* Fill *ret for this process. Returns 0 or -errno. */
MUST_CHECK int record_here(struct record_here *ret);

/*
 * Compute mount_record_shape() of the mount i, as if its root were the one given. If the ids of
 * mounts are unique, the names are omitted, since the id suffices.
 */
void record_shape(const struct record_here *here, const struct mount_info *i, const char *root,
	uint8_t ret[32]);

/*
 * Read the record `name` of a directory. Returns 0, -ENOENT, -EPERM if the file does not count
 * (record_store.h), -ESTALE if it is of another boot, or the -errno of parsing it.
 */
MUST_CHECK int record_read(const struct record_dir *dir, const char *name,
	const struct record_here *here, struct mount_record *ret);

/*
 * Go through all records of a directory: remove those that are useless, if they are the caller's,
 * and append the stacks among the others to ret.
 */
void record_sweep(
	const struct record_dir *dir, const struct record_here *here, struct record_stacks *ret);

#endif
