/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TARGET_H
#define MOUNT_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * The place where something gets attached: opened once, and from then on known by its descriptor.
 * What was created for it is remembered, so that it can be taken back. Start as TARGET_INIT, free
 * with target_done().
 */
struct target {
	int fd; /* O_PATH; ours */
	VEC(struct made {
		int dirfd;
		char *name;
		bool dir;
	})
	made;
};

#define TARGET_INIT ((struct target){ .fd = -1 })

struct target_how {
	bool want_dir; /* a directory is to be attached, else a file */
	bool follow;   /* the last component may be a symbolic link that path.h follows */
	bool create;   /* a missing one is created, parents (0755) too */
	uint32_t mode; /* of what is created */
};

/*
 * -ENOENT: missing; -ELOOP: a symbolic link; -ENOTDIR, -EISDIR: of the wrong type. On failure
 * nothing that was created is left.
 */
int target_open(const char *path, const struct target_how *how, struct target *ret, struct err *e);

/* Remove what was created (and is still empty). */
void target_undo(struct target *t);

void target_done(struct target *t);

static inline void cleanup_target(struct target *t)
{
	target_done(t);
}

#define scoped_target __attribute__((cleanup(cleanup_target)))

#endif
