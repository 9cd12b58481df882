/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MNTNS_H
#define MOUNT_MNTNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * A mount namespace, seen through one of its processes. A namespace is read from outside and never
 * entered: inside, every path leads to what the namespace's owner put there, and that may be an
 * ordinary user. Start with MNTNS_INIT, free with mntns_done().
 */
struct mntns {
	pid_t pid;        /* a process in it */
	bool ours;        /* it is the calling process's */
	uint64_t inode;   /* of the namespace, as lsns(8) shows it */
	uint64_t id;      /* for statmount(2) and listmount(2), 6.11; 0: ours, or to be read from
	                     mountinfo, since these calls are not sufficient */
	int proc, fd;     /* of /proc/PID (O_PATH), and of the namespace */
	char command[32]; /* the name of the process, which it can choose */
};

/* Get the calling process's mount namespace. */
MUST_CHECK int mntns_own(struct mntns *ret, struct err *e);
void mntns_done(struct mntns *n);

/*
 * Get the mount namespace of a process, which may be gone at any moment. Returns 0 or -errno, and
 * fills no struct err.
 */
MUST_CHECK int mntns_of_process(pid_t pid, struct mntns *ret);

/* Copy a namespace, with descriptors of its own. Returns 0, or -1 with errno. */
MUST_CHECK int mntns_copy(const struct mntns *n, struct mntns *ret);

/*
 * Call fn for each other mount namespace that a process in /proc is in, until fn returns other than
 * 0. Returns that, 0 or -errno. n is valid during the call. With each_root, a namespace that is
 * read from mountinfo is visited for each root directory that its processes have, since that file
 * lists only mounts below the root. If fn returns -ESTALE, because the process has left the
 * namespace, it is visited through another process. *closed counts processes that the caller may
 * not inspect.
 */
MUST_CHECK int mntns_each(bool each_root, int (*fn)(const struct mntns *n, void *arg), void *arg,
	size_t *closed, struct err *e);

/* Has the process left the namespace? */
bool mntns_has_left(const struct mntns *n);

/*
 * Open a path of the namespace with flags (O_PATH, O_DIRECTORY, O_NOFOLLOW) as its process would
 * reach it, below /proc/PID/root. The argument resolve is 0 or RESOLVE_NO_SYMLINKS. In a namespace
 * of another user namespace, only what the kernel has cached is found (else -EAGAIN): a filesystem
 * that a user serves (FUSE, or an overlay of one) may never answer. Returns a descriptor or -errno
 * and fills no struct err.
 */
MUST_CHECK int mntns_open_path(
	const struct mntns *n, const char *path, int flags, uint64_t resolve);

/*
 * The user that owns the namespace, in ids of our user namespace: 0 if that is the initial one.
 * Returns false if it is unknown, as for a namespace that belongs to a user namespace above ours.
 */
bool mntns_owner(const struct mntns *n, uid_t *ret);

/* Does it belong to our user namespace, so that its mounts were made with rights that we have? */
bool mntns_is_of_our_userns(const struct mntns *n);

static inline void cleanup_mntns(struct mntns *n)
{
	mntns_done(n);
}

#define scoped_mntns __attribute__((cleanup(cleanup_mntns)))
#define MNTNS_INIT ((struct mntns){ .proc = -1, .fd = -1 })

#endif
