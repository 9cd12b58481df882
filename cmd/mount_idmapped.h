/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_IDMAPPED_H
#define CMD_MOUNT_IDMAPPED_H

#include "../lib/base/vec.h"
#include "../lib/mount/apply.h"
#include "../lib/mount/options.h"
#include "../lib/store/store.h"
#include "cmd.h"

/* mount-idmapped is made of several files; this is between them. */

struct mount_args {
	struct strv maps, options;
	bool all, once, unmount, recursive, strict, exec;
	const char *fstab, *store, *type;
};

/*
 * The stores that are open: what is mounted from one must stay in it until then. Zero-initialise.
 */
struct mount_stores {
	VEC(struct mount_store {
		char *path;
		struct store *store;
	})
	open; /* path "": the default one */
};

void mount_stores_done(struct mount_stores *s);

#define scoped_mount_stores __attribute__((cleanup(mount_stores_done)))

/* The plan for these words, the layers of image:NAME looked up in its store. */
int mount_plan_words(const struct mount_args *a, struct mount_request q,
	struct mount_stores *stores, struct mount_plan *ret, struct err *e);

/*
 * --- mount_show.c: plans and results on standard output, and what -v says
 * -----------------------------
 */

int mount_show_steps(const struct mount_plan *p, struct ctx *ctx, struct err *e);
void mount_show_result(const struct mount_plan *p, const struct mount_result *res, struct ctx *ctx);

/* It is mounted already, and left alone. */
void mount_show_there(const struct mount_plan *p, struct ctx *ctx);
void mount_show_unmounted(const char *target, struct ctx *ctx);

/*
 * --- mount_exec.c: a mount for one command
 * ---------------------------------------------------------
 */

/*
 * With --exec, become two processes in a mount namespace of their own. One goes on (BEFORE_GO_ON),
 * and so mounts, under the guard; the other waits for it, and becomes the command after "--", which
 * has no guard to inherit.
 */
int mount_exec(void *args, struct ctx *ctx, struct err *e);

/*
 * --- mount_table.c: fstab
 * -------------------------------------------------------------------------
 */

/* -a, and with --unmount, -a -u. Returns an exit status. */
int mount_table_all(const struct mount_args *a, struct ctx *ctx, struct err *e);

/* The one line of the fstab whose target or source is word. */
int mount_table_one(const struct mount_args *a, const char *word, struct ctx *ctx, struct err *e);

/*
 * The lines of /etc/fstab, those with noauto too, that are refused for a link of another user or
 * for ids that they give away. fn returns 0 to go on. Returns 0, what fn returned, or -errno.
 */
int mount_table_refused(
	int (*fn)(const char *target, const struct err *why, void *arg), void *arg, struct err *e);

#endif
