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

/* What the kernel says of an attached mount. */
struct mount_info {
	int id;               /* as in mountinfo */
	int parent;           /* the id of the mount it is on */
	char type[64];        /* "ext4", "fuse.sshfs" */
	char *source;         /* "/dev/vda", "image:debian"; may be "" */
	uint64_t propagation; /* MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, MS_SHARED|MS_SLAVE
	                       */
	bool mapped;          /* it has an ID map ... */
	bool map_known; /* ... and this kernel tells which (6.15+), in the ids of our user namespace
	                 */
	bool too_large; /* source, root and options (and a target) do not fit into 1 MiB: they are
	                   "", and not known */
	struct idmap map;
	char *root;    /* which directory of the filesystem it shows: "/", "/subvolume" */
	char *options; /* the filesystem's: "lowerdir=/a:/b,..."; NULL from mount_info_copy() */
	/* Only from mount_info_each(); "" where there is nothing. */
	char *target; /* as this process would reach it */
	dev_t dev;    /* the filesystem's */
};

/*
 * Ask statmount(2), or mountinfo where the kernel has no answer there (before 6.15 it knows no
 * maps). fd: any descriptor on the mount (O_PATH will do). -ENOENT: the mount is detached, or of
 * another mount namespace. Free with mount_info_done().
 */
int mount_info_get(int fd, struct mount_info *ret, struct err *e);

/*
 * Ask statmount(2) for the mount of fd, which is in the namespace ns. Returns 0 or -errno, and
 * fills nothing; -ENOSYS: the kernel does not tell it this way.
 */
int mount_info_in(const struct mntns *ns, int fd, struct mount_info *ret);

/*
 * Call fn with each mount of the calling process's mount namespace (ns NULL), or of another one
 * (mntns.h), that can be reached from its root, parents first, until it returns something else than
 * 0, which is then returned. Where listmount(2) is not enough, the mounts are those of mountinfo,
 * and their maps are not known. What fn is given is its for the time of the call. Mounts that come
 * and go meanwhile may be missed.
 */
int mount_info_each(const struct mntns *ns, int (*fn)(const struct mount_info *i, void *arg),
	void *arg, struct err *e);

/*
 * Call fn likewise with each mount that is on the mount of fd, or on one of those. Where
 * listmount(2) is not enough, with others as well: look at the parents.
 */
int mount_info_below(
	int fd, int (*fn)(const struct mount_info *i, void *arg), void *arg, struct err *e);

/* Does this kernel tell maps (statmount(2) of Linux 6.15), and list mounts? */
bool mount_info_has_maps(void);

/*
 * All mounts as mountinfo has them at one moment, for who has many to look at: mount_info_get()
 * would read them all for each, on kernels before 6.15. Read on first use, and again when a mount
 * is not in it. Zero-initialise, free with mount_snapshot_done().
 */
struct mount_snapshot {
	VEC(struct mount_info) mounts; /* by id */
};

/* As mount_info_get(), but what statmount(2) does not tell comes from the snapshot. */
int mount_info_look(int fd, struct mount_snapshot *s, struct mount_info *ret, struct err *e);

/*
 * As mount_info_get(), but where statmount(2) does not tell all, only the id is filled in and 1
 * returned: the rest is to be had from mount_info_find(), for many mounts at once.
 */
int mount_info_get_cheap(int fd, struct mount_info *ret, struct err *e);
int mount_info_find(int id, struct mount_snapshot *s, struct mount_info *ret, struct err *e);

void mount_snapshot_done(struct mount_snapshot *s);

static inline void cleanup_mount_snapshot(struct mount_snapshot *s)
{
	mount_snapshot_done(s);
}

#define scoped_mount_snapshot __attribute__((cleanup(cleanup_mount_snapshot)))

/* A copy of all but where it is shown: target, root and options. Errors: -ENOMEM. */
int mount_info_copy(const struct mount_info *i, struct mount_info *ret, struct err *e);

void mount_info_done(struct mount_info *i);

static inline void cleanup_mount_info(struct mount_info *i)
{
	mount_info_done(i);
}

#define scoped_mount_info __attribute__((cleanup(cleanup_mount_info)))

/* "private", "shared", "slave", "unbindable"; "shared,slave" for both. */
const char *mount_propagation_name(uint64_t propagation);

#endif
