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

/* What was mounted, as read back, and what was created for it. Free with mount_result_done(). */
struct mount_result {
	enum map_change map_change; /* of a bind or a filesystem */
	struct mount_flags flags;   /* as they are; a read-only filesystem makes the mount so */
	struct mount_info info;
	bool unread;            /* only info.id is known; mount_read_back() reads the rest */
	bool upper_plain;       /* the upper of a stack stores seen ids */
	char *device;           /* source of a filesystem, "/dev/loop3"; NULL if it has no device */
	bool read_only;         /* the filesystem is read-only, not only the mount */
	struct submounts below; /* the mounts below a recursive bind, with those skipped */
	const char *method; /* how OverlayFS got its layers, "fds" or "names"; NULL: not a stack */
	struct strv warnings; /* for log_kept(), if the mount stays */
	struct target target; /* what was created for the target; fd is -1 */
	struct upper upper;   /* what was created for the upper; its descriptors are closed */
};

#define MOUNT_RESULT_INIT \
	((struct mount_result){ .info = { .id = -1 }, .target = TARGET_INIT, .upper = UPPER_INIT })

/*
 * Carry out a plan: assemble the mount detached, verify it, create the target if requested, attach
 * the mount and verify it again. After a failure nothing is mounted, and nothing that was created
 * is left. Needs CAP_SYS_ADMIN. *ret is set on success only.
 *
 * before: NULL, or the mount is one of many. Before Linux 6.15, the kernel reports a single mount
 * only in a list of all mounts: the source is then looked up in the snapshot, and the last
 * verification is left to mount_read_back(). Call clone_cache_done() after the last of the mounts.
 */
MUST_CHECK int mount_apply(const struct mount_plan *p, struct mount_snapshot *before,
	struct mount_result *ret, struct err *e);

/*
 * For a dry run: do what mount_apply() does to a bind or a stack before anything can be seen of it,
 * and discard the result; create nothing. A filesystem is not mounted, since this may write to it.
 * target: whether the target must be there or can be created. ret: the flags that the mount would
 * have. warnings: empty; those of the mount are added. Returns 0, or the errors of mount_apply().
 */
MUST_CHECK int mount_trial(const struct mount_plan *p, bool target, struct mount_flags *ret,
	struct strv *warnings, struct err *e);

/*
 * Verify a mount that mount_apply() could not read back, by a snapshot that was taken since. Does
 * nothing if r is read already.
 */
MUST_CHECK int mount_read_back(const struct mount_plan *p, struct mount_result *r,
	struct mount_snapshot *s, struct err *e);

/* Unmount a plan's mount with this id, like umount_id(). */
MUST_CHECK int mount_unmount(
	const struct mount_plan *p, int id, enum umount_how how, struct err *e);

/*
 * Undo mount_apply(): detach the mount, even if it is busy, and remove what was created. A failure
 * is logged as a warning. Another mount in its place stays.
 */
void mount_undo(const struct mount_plan *p, struct mount_result *r);

void mount_result_done(struct mount_result *r);

#endif
