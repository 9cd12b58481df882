/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_RBIND_H
#define MOUNT_RBIND_H

#include "../base/err.h"
#include "../base/vec.h"
#include "clone.h"
#include "info.h"

/* A directory and the tree of mounts below it, for rbind. */

/* One mount below the directory. */
struct submount {
	char *rel;              /* where, seen from the directory */
	struct mount_info info; /* of the source's; after rbind_read_back(), of the clone's */
	enum map_done done;     /* what became of its map */
	bool left_out;          /* it is not part of the clone ... */
	bool covered; /* ... which makes no difference: something else is on top of it, or of what
	                 it is on */
	char *why;    /* the reason */
};

struct submounts {
	VEC(struct submount) mounts; /* parents first */
};

/*
 * The mounts below the directory or file of fd (O_PATH), as this process reaches them. name: for
 * messages.
 */
int rbind_list(int fd, const char *name, struct submounts *ret, struct err *e);

/*
 * As clone_mapped(), with all mounts below: each gets the map and the flags. A mount that cannot is
 * an error that names all such mounts and why they cannot; with skip they are left out instead, as
 * is what lies on them. t: ret of rbind_list(), filled further. In one call where the kernel can,
 * which is all or nothing; where mounts are to be left out, or have maps that are to be replaced,
 * one by one, and assembled in a mount namespace that nobody sees. -EINVAL: that, and a mount that
 * is to be shared with its source.
 */
int rbind_clone(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, bool skip, struct submounts *t, int *ret_fd,
	enum map_done *ret_done, struct err *e);

/*
 * Compare the clone, attached by now, with what was asked for: each mount that is not left out is
 * there, with the map and the propagation. name: the target's.
 */
int rbind_read_back(int mnt, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, struct submounts *t, struct err *e);

/*
 * Is that so of all mounts of the list that can be reached below fd? What is left out does not
 * count; what cannot be opened is not.
 */
bool rbind_all(
	int fd, const struct submounts *t, bool (*is)(int fd, const void *arg), const void *arg);

/* "NAME/REL", for people; NULL: out of memory. The caller frees it. */
char *submount_path(const char *name, const struct submount *m);

void submounts_done(struct submounts *t);

static inline void cleanup_submounts(struct submounts *t)
{
	submounts_done(t);
}

#define scoped_submounts __attribute__((cleanup(cleanup_submounts)))

#endif
