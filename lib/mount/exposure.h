/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_EXPOSURE_H
#define MOUNT_EXPOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "plan.h"
#include "rbind.h"

/*
 * Does a mount give ids away? Through a writable ID-mapped mount, the user who is seen as id S of
 * disk id D makes set-uid files, and files with capabilities, of D. Another user who reaches the
 * same files by the path of SOURCE runs them as D. So SOURCE must be closed to others
 * (reachable.h), or must be on a mount with nosuid; nosuid on the new mount makes no difference.
 */

struct exposure_facts {
	bool read_only; /* nothing can be made through the mount */
	bool user_ns;   /* outside of the initial user namespace: see exposure_check() */
	bool closed;    /* other users do not reach the files */
	bool own_mode;  /* ... as long as the mode of SOURCE itself, which belongs to user 0, stays
	                   as it is */
	bool nosuid;  /* ... or reach them only where set-id bits and capabilities have no effect */
	bool public_; /* the option public is given */
	bool only_warn; /* the mount is one of mount(8)'s, which makes it without asking */
};

/* Whose ids are given to whom: the user (or group) seen is given the id disk. */
struct exposed_id {
	bool given;
	uint32_t disk, seen;
};

struct exposure {
	enum exposure_verdict { EXPOSURE_NONE, EXPOSURE_WARN, EXPOSURE_REFUSE } verdict;
	bool by_mode; /* until the user who is given id 0 changes the mode of SOURCE */
	struct exposed_id user, group; /* root's, or else of one account */
};

/*
 * The verdict. Refused: disk id 0 of users or groups is seen as another id. Warned of: the id of
 * another account is (accounts.h). Ids that are seen as themselves, or as root's, are not given
 * away. A directory that its own mode closes is closed to all but its owner; if the map gives user
 * 0 away, that owner is the map's user, who can open it by chmod(2): that is warned of.
 */
struct exposure exposure_judge(const struct idmap *m, const struct exposure_facts *f);

/*
 * Say it: -EPERM with the step "public", or a warning. reached: the path by which others run the
 * files. word: see below.
 */
int exposure_report(const struct exposure *x, const char *name, const char *reached,
	const char *word, struct err *e);

/* What is to be mapped, and how. */
struct exposure_source {
	const char *name;              /* for messages */
	int fd;                        /* O_PATH, not cloned: the mount that others reach it by */
	const struct submounts *below; /* with the mounts there, or NULL */
	const struct mount_map *map;
	const struct mount_flags *flags;
	bool public_, only_warn;
	bool own_mode_counts; /* it may be the mode of SOURCE itself that closes it: see
	                         exposure_judge() */
	const char *word;     /* what says that it is meant: "-o public" */
	bool *closed; /* a note that it was found to be closed before (copies.h); NULL: none is kept
	               */
};

/*
 * Refuse such a mount (-EPERM, with the step "public"), or warn of it, once. To be called before
 * anything is attached.
 *
 * In a user namespace nothing is refused: only filesystems that were mounted there can be mapped,
 * and there set-id bits and capabilities have no effect outside of that namespace (fs/exec.c,
 * mnt_may_suid()). A container without a user namespace of its own is like the host.
 */
int exposure_check(const struct exposure_source *s, struct err *e);

/*
 * The same for a plan, without mounting: what mount_apply() would refuse or warn of. A source that
 * cannot be opened is not judged.
 */
int exposure_check_plan(const struct mount_plan *p, struct err *e);

/*
 * Warn if other users can reach the target of a stack: they run the set-uid programs in it, as the
 * stack's own ids. dir: the target, or with in_dir the directory that will hold it.
 */
void exposure_warn_target(const struct mount_plan *p, int dir, bool in_dir);

/*
 * The same for the filesystem of a device or a file, whose other mounts in this mount namespace are
 * how others reach it. Of tmpfs and its like, each mount is a filesystem of its own.
 */
struct device;
int exposure_check_device(const struct mount_plan *p, const struct device *d, struct err *e);

#endif
