/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_APPLY_H
#define MOUNT_APPLY_H

#include "clone.h"
#include "info.h"
#include "overlay_upper.h"
#include "plan.h"
#include "rbind.h"
#include "target.h"
#include "umount.h"

/* What was mounted, read back, and what was created for it. Free with mount_result_done(). */
struct mount_result {
	enum map_change map_change; /* of a bind */
	struct mount_info info;
	bool unread;      /* of info there is the id alone: mount_read_back() is to come */
	bool upper_plain; /* the upper of a stack stores seen ids */
	char *device;     /* of a filesystem: what it was mounted from, "/dev/loop3"; NULL: it needs
	                     none */
	bool read_only;   /* the filesystem is, and not only the mount */
	struct submounts below; /* of a bind with what is mounted below: those, and those that were
	                         left out */
	const char *way; /* how a stack was given its layers: "fds" or "names"; NULL for binds */
	struct target target; /* what was made for it, and no open target */
	struct upper upper;   /* alike */
};

#define MOUNT_RESULT_INIT \
	((struct mount_result){ .info = { .id = -1 }, .target = TARGET_INIT, .upper = UPPER_INIT })

/*
 * Carry out a plan: assemble it detached, verify it, create the target if that is wanted, attach,
 * verify again. On failure everything is as before: nothing is mounted, nothing that was created is
 * left. Needs CAP_SYS_ADMIN. Errors are described with their causes. before: NULL, or this is one
 * of many. Where a kernel (before 6.15) tells of one mount only by listing all, the source is then
 * looked up there, and the last verification is left to mount_read_back(); and clone_cache_done()
 * is to be called after the last.
 */
int mount_apply(const struct mount_plan *p, struct mount_snapshot *before, struct mount_result *ret,
	struct err *e);

/*
 * The rest of that, from a snapshot that was taken since. Does nothing where nothing is left to do.
 */
int mount_read_back(const struct mount_plan *p, struct mount_result *r, struct mount_snapshot *s,
	struct err *e);

/* Unmount a plan's mount with this id, as umount_id(). */
int mount_unmount(const struct mount_plan *p, int id, enum umount_how how, struct err *e);

/*
 * As it was before mount_apply(): take the mount off, whoever uses it, and remove what was created.
 * A failure is warned of; another mount in its place stays.
 */
void mount_undo(const struct mount_plan *p, struct mount_result *r);

void mount_result_done(struct mount_result *r);

#endif
