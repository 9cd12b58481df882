/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_VIEWS_H
#define SURVEY_PODMAN_VIEWS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/each_users.h"
#include "../idmap/idmap.h"
#include "../mount/table.h"

/* An ID-mapped mount of a store that podman can read (an additional image store). */
struct podman_view {
	char *target;
	char *store; /* the directory that it shows, on a mount without a map; or NULL */
	int id;      /* of the mount */
	dev_t dev;   /* of the filesystem, */
	char *root;  /* ... and the directory in it that is mounted */
	bool map_known;
	struct idmap map;
	bool recorded; /* a line of VIEWS_TABLE has made it */
	bool ro, nosuid, nodev;
};

/* The lines of VIEWS_TABLE that mount such stores, and for whom. */
struct podman_line {
	const struct table_line *line;
	bool plain;   /* its map is user:..., that of podman run */
	bool keep_id; /* ... that of podman run --userns=keep-id */
	struct each_users users;
};

struct podman_views {
	VEC(struct podman_view) items;
	struct fstab table;
	VEC(struct podman_line) lines;
	struct each_sources sources;
	bool faulty; /* VIEWS_TABLE, or a line of it, cannot be used */
};

/*
 * Find the views of the caller's mount namespace that it may enter, and read VIEWS_TABLE, whose
 * faults are logged. Returns 0 or -errno. Free *ret with podman_views_done().
 */
MUST_CHECK int podman_views_find(struct podman_views *ret, struct err *e);
void podman_views_done(struct podman_views *v);

/* Append where the line mounts the user's view. False: it has none for this user. */
bool podman_line_target(const struct podman_line *l, const struct user *user, struct buf *ret);

/*
 * Is it a view of this user: that of a line of the table, or one through which the store's owner is
 * seen as the user?
 */
bool podman_view_is_of(
	const struct podman_views *v, const struct podman_view *view, const struct user *user);

/*
 * Has the mount namespace of the user's process the view, where the caller has it and with the same
 * map? 1 or 0; -ESRCH: it is not a process in a user namespace of this user; or another -errno if
 * that cannot be found out.
 */
MUST_CHECK int podman_view_is_in(
	const struct podman_view *view, const struct user *user, pid_t pid, struct err *e);

#endif
