/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_INFO_H
#define MOUNT_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

struct mntns;

/* An attached mount, as the kernel reports it. Free with mount_info_done(). */
struct mount_info {
	int id;               /* the one of mountinfo */
	uint64_t unique;      /* an id that is never reused (6.8); 0: unknown */
	int parent;           /* the id of the mount that it is on */
	char type[64];        /* "ext4", "fuse.sshfs" */
	char *source;         /* "/dev/vda", "image:debian"; may be "" */
	uint64_t propagation; /* MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, MS_SHARED|MS_SLAVE
	                       */
	bool mapped;          /* it has a map ... */
	bool map_known; /* ... which the kernel reports (6.15), in ids of our user namespace */
	bool too_large; /* its strings take more than 1 MiB: source, root, options and target are
	                   "", and unknown */
	struct idmap map;
	char *root;    /* the directory of the filesystem that it shows: "/", "/subvolume" */
	char *options; /* of the filesystem: "lowerdir=/a:/b,..."; NULL from mount_info_copy() */
	char *target;  /* the path of its mount point, from this process's root; NULL from
	                  mount_info_copy() */
	dev_t dev;     /* of the filesystem */
};

/*
 * Get the mount that fd is on (O_PATH suffices), by statmount(2) or, before Linux 6.15, mountinfo,
 * which does not contain maps. -ENOENT: the mount is detached, or in another mount namespace.
 */
MUST_CHECK int mount_info_get(int fd, struct mount_info *ret, struct err *e);

/*
 * Get the mount of fd, which is in the namespace ns, by statmount(2). Returns 0 or -errno and fills
 * no struct err. -ENOSYS: the kernel does not report it.
 */
MUST_CHECK int mount_info_in(const struct mntns *ns, int fd, struct mount_info *ret);

/*
 * Call fn for each mount of a mount namespace (mntns.h; NULL: the caller's) that can be reached
 * from its root, parents first, until fn returns other than 0. Returns that, 0 or -errno. Without
 * listmount(2), the mounts come from mountinfo, and their maps are unknown. The argument of fn is
 * valid during the call. Mounts that are attached or detached meanwhile may be missed.
 */
MUST_CHECK int mount_info_each(const struct mntns *ns,
	int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e);

/*
 * Call fn in the same way for each mount below the mount of fd. Without listmount(2), other mounts
 * are included: check their parents.
 */
MUST_CHECK int mount_info_below(
	int fd, int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e);

/* Does the kernel report maps and list mounts, as Linux 6.15 does? */
bool mount_info_has_maps(void);

/*
 * All mounts as mountinfo listed them at one moment. It saves callers that look at many mounts from
 * reading the whole list for each, on kernels before 6.15. The list is read on first use, and again
 * if a mount is missing. Zero-initialise, free with mount_snapshot_done().
 */
struct mount_snapshot {
	VEC(struct mount_info) mounts; /* by id */
};

/* mount_info_get() that takes what statmount(2) does not report from the snapshot. */
MUST_CHECK int mount_info_look(
	int fd, struct mount_snapshot *s, struct mount_info *ret, struct err *e);

/*
 * mount_info_get() that does not read mountinfo: if statmount(2) does not report everything, it
 * sets only the id and returns 1. mount_info_find() has the rest, for many mounts at once.
 */
MUST_CHECK int mount_info_get_cheap(int fd, struct mount_info *ret, struct err *e);
MUST_CHECK int mount_info_find(
	int id, struct mount_snapshot *s, struct mount_info *ret, struct err *e);

void mount_snapshot_done(struct mount_snapshot *s);

static inline void cleanup_mount_snapshot(struct mount_snapshot *s)
{
	mount_snapshot_done(s);
}

#define scoped_mount_snapshot __attribute__((cleanup(cleanup_mount_snapshot)))

/* Copy all but target, root and options. The only error is -ENOMEM. */
MUST_CHECK int mount_info_copy(const struct mount_info *i, struct mount_info *ret, struct err *e);

void mount_info_done(struct mount_info *i);

static inline void cleanup_mount_info(struct mount_info *i)
{
	mount_info_done(i);
}

#define scoped_mount_info __attribute__((cleanup(cleanup_mount_info)))

/* "private", "shared", "slave", "unbindable"; "shared,slave" for both. */
const char *mount_propagation_name(uint64_t propagation);

#endif
