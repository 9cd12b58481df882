/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_EXPOSURE_H
#define MOUNT_EXPOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "plan.h"
#include "rbind.h"

/*
 * Does a mount give ids away? If a writable ID-mapped mount shows disk id D as S, user S can
 * create set-uid files, and files with capabilities, that D owns on disk. Another user that reaches
 * the same files by the path of SOURCE runs them as D. So SOURCE must be closed to other users
 * (reachable.h), or on a mount with nosuid. nosuid on the new mount makes no difference.
 */

struct exposure_facts {
	bool read_only; /* nothing can be created through the mount */
	bool user_ns;   /* the process is not in the initial user namespace: see exposure_check() */
	bool closed;    /* other users do not reach the files */
	bool own_mode;  /* ... as long as the mode of SOURCE itself stays as it is */
	bool nosuid;    /* other users reach them only where set-id bits have no effect */
	bool public_;   /* the option public is specified */
	bool only_warn; /* mount(8) would make the mount without such a check */
};

/* An id that is given away: the user or group `seen` gets the id `disk`. */
struct exposed_id {
	bool given;
	uint32_t disk, seen;
};

struct exposure {
	enum exposure_verdict { EXPOSURE_NONE, EXPOSURE_WARN, EXPOSURE_REFUSE } verdict;
	bool by_mode; /* only if the user that gets id 0 changes the mode of SOURCE */
	struct exposed_id user, group; /* of root, or else of one account */
};

/*
 * Judge a map. One that shows disk id 0 of users or groups as another id is refused; one that shows
 * the id of an account (accounts.h) as another id is warned about. Ids that are seen as themselves
 * or as 0 are not given away. A directory that is closed by its own mode is closed to all but its
 * owner; if the map gives user 0 away, that owner is the map's user, which can open it with
 * chmod(2): that is a warning.
 */
struct exposure exposure_judge(const struct idmap *m, const struct exposure_facts *f);

/*
 * Report a verdict: -EPERM with the step "public", or a warning and 0. reached: the path by which
 * other users run the files. word: see struct exposure_source. Here and below, warnings are kept in
 * `warnings` for log_kept(), or logged at once if that is NULL.
 */
MUST_CHECK int exposure_report(const struct exposure *x, const char *name, const char *reached,
	const char *word, struct strv *warnings, struct err *e);

/* The option that permits the mount, as the user of the plan writes it. */
const char *exposure_word(const struct mount_plan *p);

/* What is to be mapped, and how. Everything is borrowed. */
struct exposure_source {
	const char *name;              /* for messages */
	int fd;                        /* O_PATH, not a clone: on the mount that others reach */
	const struct submounts *below; /* the mounts below that are bound too, or NULL */
	const struct mount_map *map;
	const struct mount_flags *flags;
	bool public_, only_warn;
	bool own_mode_counts; /* the mode of SOURCE itself may close it: see exposure_judge() */
	const char *word;     /* the option that permits the mount: exposure_word() */
	struct strv *warnings;
	bool *closed; /* a note that it was found closed (clone_cache_note()), or NULL */
};

/*
 * Refuse such a mount (-EPERM, with the step "public"), or warn once about it. Call it before
 * anything is attached.
 *
 * In a user namespace nothing is refused: only filesystems that were mounted there can be mapped,
 * and set-id bits and capabilities on them have no effect outside of that namespace (fs/exec.c,
 * mnt_may_suid()). A container without a user namespace of its own counts as the host.
 */
MUST_CHECK int exposure_check(const struct exposure_source *s, struct err *e);

/*
 * Check a plan without mounting it, with the results that mount_apply() would have. A source that
 * cannot be opened is skipped.
 */
MUST_CHECK int exposure_check_plan(
	const struct mount_plan *p, struct strv *warnings, struct err *e);

/* Of that, only the warnings about the target of a stack, which mount_trial() does not give. */
void exposure_warn_stack(const struct mount_plan *p, struct strv *warnings);

/*
 * Warn if other users can reach the target of a stack, where they run its set-uid programs with the
 * stack's ids. dir: the target, or with in_dir the directory that will hold it.
 */
void exposure_warn_target(const struct mount_plan *p, int dir, bool in_dir, struct strv *warnings);

/*
 * Check the filesystem of a device or file, which other users reach by its other mounts in this
 * mount namespace. Each mount of a tmpfs and its like is a new filesystem.
 */
struct device;
MUST_CHECK int exposure_check_device(
	const struct mount_plan *p, const struct device *d, struct strv *warnings, struct err *e);

#endif
