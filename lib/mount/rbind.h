/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_RBIND_H
#define MOUNT_RBIND_H

#include "../base/err.h"
#include "../base/vec.h"
#include "clone.h"
#include "info.h"

/* Recursive binds: a directory together with the mounts below it. */

/* One mount below the directory. */
struct submount {
	char *rel;                  /* its mount point, relative to the directory */
	struct mount_info info;     /* of the source; after rbind_read_back(), of the clone */
	enum map_change map_change; /* how the clone's map differs from the source's */
	bool skipped;               /* the clone is without it ... */
	bool covered; /* ... and nothing is lost: another mount covers it, or covers its parent */
	char *why;    /* why it is skipped */
};

/* Zero-initialise, free with submounts_done(). */
struct submounts {
	VEC(struct submount) mounts; /* parents before their children */
};

/*
 * List the mounts below the directory or file fd (O_PATH) that this process can reach. name is for
 * messages. -ENOENT: fd is on a mount of another mount namespace.
 */
MUST_CHECK int rbind_list(int fd, const char *name, struct submounts *ret, struct err *e);

/*
 * Clone like clone_mapped(), including the mounts below: each gets the map and the flags. t is the
 * result of rbind_list(); the function fills in what became of each mount.
 *
 * A mount that cannot be cloned or mapped is an error (-EINVAL) that names all such mounts with
 * their reasons; with how->skip_unsupported, these mounts and those on them are skipped instead.
 * The kernel clones and maps the tree in one call where it can, all or nothing. If mounts are to be
 * skipped, or have maps to be replaced, they are cloned one by one and assembled in a private
 * mount namespace; then MS_SHARED is refused (-EINVAL).
 */
MUST_CHECK int rbind_clone(int fd, const struct clone_how *how, struct submounts *t, int *ret_fd,
	enum map_change *ret_change, struct err *e);

/*
 * Compare the attached clone mnt with what how requires: each mount of t that is not skipped must
 * be there, with that map and propagation. how->name is the target. -EIO: it differs.
 */
MUST_CHECK int rbind_read_back(
	int mnt, const struct clone_how *how, struct submounts *t, struct err *e);

/*
 * Is is() true for all mounts of t that are visible below fd? Mounts that are skipped or covered
 * do not count. A mount that cannot be opened makes the result false.
 */
bool rbind_all(
	int fd, const struct submounts *t, bool (*is)(int fd, const void *arg), const void *arg);

/*
 * Open a mount of t below fd (O_PATH). -ESTALE: another mount covers it. path is for messages.
 */
MUST_CHECK int submount_open(
	int fd, const struct submount *m, const char *path, int *ret, struct err *e);

/* "NAME/REL", for messages. The caller frees it; NULL: out of memory. */
char *submount_path(const char *name, const struct submount *m);

void submounts_done(struct submounts *t);

static inline void cleanup_submounts(struct submounts *t)
{
	submounts_done(t);
}

#define scoped_submounts __attribute__((cleanup(cleanup_submounts)))

#endif
