/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MNTNS_H
#define MOUNT_MNTNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * A mount namespace, seen through one process that is in it. It is read from where we are and never
 * entered: inside, every name leads to what its owner put there, and that may be an ordinary user.
 */
struct mntns {
	pid_t pid;      /* a process in it */
	bool ours;      /* the calling process's own */
	uint64_t inode; /* of the namespace, as lsns(8) shows it */
	uint64_t id; /* for statmount(2) and listmount(2), 6.11; 0: ours, or they do not tell enough
	                here, and its mountinfo is read */
	int proc, fd;     /* descriptors of /proc/PID (O_PATH), and of the namespace */
	char command[32]; /* the name of the process: its own word */
};

/* The calling process's own. mntns_done() it. */
int mntns_own(struct mntns *ret, struct err *e);
void mntns_done(struct mntns *n);

/*
 * Call fn with each other mount namespace that a process of /proc is in, until it returns something
 * else than 0, which is then returned. n is fn's for the time of the call. A namespace that is read
 * from mountinfo is visited once for each root directory that processes have in it, with each_root,
 * as that file has what is below the root alone. Where fn returns -ESTALE, since the process has
 * left, the namespace is visited through another one. Not visited are namespaces without a
 * process that /proc shows; *closed counts processes that the caller may not look at.
 */
int mntns_each(bool each_root, int (*fn)(const struct mntns *n, void *arg), void *arg,
	size_t *closed, struct err *e);

/* Is the process not in it any more? */
bool mntns_has_left(const struct mntns *n);

/*
 * Open a path of that namespace with flags (O_PATH, O_DIRECTORY, O_NOFOLLOW), as its process would
 * reach it: below /proc/PID/root, without leaving that; resolve: 0, or RESOLVE_NO_SYMLINKS. In the
 * namespace of another user namespace only what the kernel has in memory is found (-EAGAIN
 * otherwise): a filesystem that a user serves (FUSE, or an overlay of it) may never answer. Returns
 * a descriptor, or -errno; fills nothing.
 */
int mntns_open_path(const struct mntns *n, const char *path, int flags, uint64_t resolve);

/*
 * The user that owns it, in the ids of our user namespace: 0 for those of the initial one. False
 * when it cannot be told, which is so where it belongs to a user namespace above ours.
 */
bool mntns_owner(const struct mntns *n, uid_t *ret);

/*
 * Does it belong to our user namespace, so that its mounts were made by those who have our rights?
 */
bool mntns_is_of_our_userns(const struct mntns *n);

static inline void cleanup_mntns(struct mntns *n)
{
	mntns_done(n);
}

#define scoped_mntns __attribute__((cleanup(cleanup_mntns)))
#define MNTNS_INIT ((struct mntns){ .proc = -1, .fd = -1 })

#endif
