/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TARGET_H
#define MOUNT_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * The file or directory that a mount is attached to: its path is looked up once. What was created
 * for it is noted and can be removed again. Start with TARGET_INIT, free with target_done().
 */
struct target {
	int fd; /* O_PATH */
	VEC(struct made {
		int dirfd;
		char *name;
		bool dir;
	})
	made;
};

#define TARGET_INIT ((struct target){ .fd = -1 })

struct owner_mode;

struct target_how {
	bool want_dir; /* a directory is attached, else a file */
	bool follow;   /* the last component may be a symbolic link, if path.h follows it */
	bool create;   /* create it if it is missing, and the directories above it (0755) */
	uint32_t mode; /* of the created target */
	/*
	 * Not NULL: the target is a directory of this user (b->uid, b->gid), which no other user
	 * can enter. It is created if it is missing, with mode 0700; the directories above it are
	 * created with 0711. The one that it is in must be root's, and writable by root alone.
	 */
	const struct owner_mode *owner;
};

/*
 * Open a target. -ENOENT: it is missing; -ELOOP: it is a symbolic link; -ENOTDIR, -EISDIR: it has
 * the wrong type. After a failure nothing that was created is left.
 */
MUST_CHECK int target_open(
	const char *path, const struct target_how *how, struct target *ret, struct err *e);

/*
 * Check, without creating anything, that target_open() would find the target or create it. The
 * errors are the same.
 */
MUST_CHECK int target_check(const char *path, const struct target_how *how, struct err *e);

/*
 * The parts of this that concern an owner. Is the directory (dirfd, O_PATH) that a user's is in
 * root's or the caller's, and writable by its owner alone? Can this user alone enter the directory
 * fd? path is for messages. -EPERM: no.
 */
MUST_CHECK int target_check_above(int dirfd, const char *path, struct err *e);
MUST_CHECK int target_check_owned(
	int fd, const char *path, const struct owner_mode *b, struct err *e);

/* Remove what was created, unless it is in use. */
void target_undo(struct target *t);

void target_done(struct target *t);

static inline void cleanup_target(struct target *t)
{
	target_done(t);
}

#define scoped_target __attribute__((cleanup(cleanup_target)))

#endif
