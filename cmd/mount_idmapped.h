/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_IDMAPPED_H
#define CMD_MOUNT_IDMAPPED_H

#include "../lib/base/vec.h"
#include "../lib/mount/apply.h"
#include "../lib/mount/options.h"
#include "../lib/store/store.h"
#include "cmd.h"

/* What the files of mount-idmapped share. */

struct mount_args {
	struct strv maps, options;
	bool all, once, unmount, recursive, strict, exec, force;
	const char *fstab, *store, *type;
};

/* The open stores. Layers must stay in a store until they are mounted. Start with all zeros. */
struct mount_stores {
	VEC(struct mount_store {
		char *path;
		struct store *store;
	})
	open; /* path "": the default one */
};

void mount_stores_done(struct mount_stores *s);

#define scoped_mount_stores __attribute__((cleanup(mount_stores_done)))

/* Make the plan of a request. The layers of a source image:NAME are looked up in its store. */
MUST_CHECK int mount_plan_words(const struct mount_args *a, struct mount_request q,
	struct mount_stores *stores, struct mount_plan *ret, struct err *e);

/* --- mount_show.c: print plans and results, and the messages of -v --- */

/*
 * For --dry-run: print the steps of a plan, one a line, or as an object. flags: those of
 * mount_trial() or mount_plan_flags().
 */
MUST_CHECK int mount_show_steps(
	const struct mount_plan *p, struct mount_flags flags, struct ctx *ctx, struct err *e);

/* Print a mount that was made, with --json, and log what -v says of it. */
void mount_show_result(const struct mount_plan *p, const struct mount_result *res, struct ctx *ctx);

/* Print that the plan is mounted already. */
void mount_show_there(const struct mount_plan *p, struct ctx *ctx);
/* Print that target was unmounted (with --json), or would be (with --dry-run). */

/* Print that target is, or would be, unmounted. known: what a record says of it, or NULL. */
struct known_mount;
void mount_show_unmounted(const char *target, const struct known_mount *known, struct ctx *ctx);

/* --- mount_misfit.c: maps that do not suit what they show --- */

/*
 * Warn about what the map of the plan does not cover. Note that it has no map, unless its source
 * has one (source_mapped).
 */
void mount_misfit_say(const struct mount_plan *p, bool source_mapped);

/* Is the source of a bind on an ID-mapped mount, as far as that is known? */
bool mount_misfit_source_mapped(const struct mount_plan *p);

/* --- mount_exec.c: a mount for one command --- */

/*
 * With --exec, fork in a new mount namespace. One process returns BEFORE_GO_ON and mounts, under
 * the chown guard. The other waits for it and executes the command after "--", which must not
 * inherit the guard.
 */
MUST_CHECK int mount_exec(void *args, struct ctx *ctx, struct err *e);

/* --- mount_table.c: fstab --- */

/* Mount all lines, or unmount them with --unmount. Returns an exit status or -errno. */
MUST_CHECK int mount_table_all(const struct mount_args *a, struct ctx *ctx, struct err *e);

/* Mount the line of the fstab whose target or source is word. */
MUST_CHECK int mount_table_one(
	const struct mount_args *a, const char *word, struct ctx *ctx, struct err *e);

/* --- mount_views.c: lines that are mounted for each of several users (view.h) --- */

/*
 * Mount the views of the table that was read from path, and unmount those of users that have none
 * any more; with --unmount, unmount all. Views that fail do not keep the others from being mounted.
 * Returns an exit status or -errno.
 */
struct fstab;
MUST_CHECK int mount_views(const struct mount_args *a, const char *path, const struct fstab *table,
	struct ctx *ctx, struct err *e);

/* Mount the view whose target is word. -ENOENT, without an error: it is none of the table. */
MUST_CHECK int mount_views_one(const struct mount_args *a, const char *path,
	const struct fstab *table, const char *word, struct ctx *ctx, struct err *e);

/*
 * Call fn for each line of /etc/fstab, including those with noauto, that is refused for a symbolic
 * link of another user or for ids that it gives away, until fn returns other than 0. Returns that,
 * 0 or -errno.
 */
MUST_CHECK int mount_table_refused(
	int (*fn)(const char *target, const struct err *why, void *arg), void *arg, struct err *e);

#endif
