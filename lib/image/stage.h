/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_STAGE_H
#define IMAGE_STAGE_H

#include "../base/err.h"

/*
 * A directory in which things are made before they are renamed into place: of this process alone, mode 0700, with a
 * flock(2) that ends with the process. Whoever comes next sweeps those that nobody holds. One that is
 * swept between being made and being locked is made again, so that the directory around needs no lock: who can read a
 * directory can lock it, for as long as they like.
 */
struct stage {
	int parent;               /* borrowed */
	const char *path;         /* of parent, for messages; borrowed */
	char name[48];            /* in parent */
	int fd;                   /* O_RDONLY, holds the lock; -1: there is none */
};

#define STAGE_INIT ((struct stage){ .fd = -1 })

/* Sweep, then make one whose name is prefix and 16 digits. */
int stage_new(int parent, const char *path, const char *prefix, struct stage *ret, struct err *e);

/* Remove what dead processes of ours left under such names. What cannot be removed is named in a warning. */
int stage_sweep(int parent, const char *path, const char *prefix, struct err *e);

/* Remove it with all that is in it. */
void stage_done(struct stage *s);

#endif
