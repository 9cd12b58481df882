/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_VIEWS_H
#define CMD_MOUNT_VIEWS_H

#include "../lib/idmap/each_users.h"
#include "../lib/mount/plan.h"
#include "../lib/mount/view.h"
#include "../lib/mount/view_use.h"
#include "../lib/store/podman_below.h"
#include "../lib/store/podman_maps.h"
#include "mount_idmapped.h"
#include "view_warnings.h"

/* Shared by cmd/mount_views*.c only. */

/* mount_views_plan.c: plan the view of one user. Everything is borrowed. */
struct view_of_user {
	const struct view_line *line;
	const struct user *user;
	const struct subid_files *grants;
	const char *target;
};

MUST_CHECK int mount_views_plan(const struct mount_args *a, struct mount_stores *stores,
	const struct view_of_user *v, struct mount_plan *ret, struct err *e);

/*
 * mount_views_maps.c: views of stores for podman under another map than that of podman run. Views
 * are collected, and then written to their stores. Start with all zeros.
 */
struct view_maps {
	VEC(struct podman_maps_change) changes; /* one for each store */
};

void view_maps_done(struct view_maps *m);

/*
 * Describe the view that the plan makes for the user. It is not under another map if ret->text
 * stays NULL. -ENODATA: podman cannot have the map.
 */
MUST_CHECK int view_maps_find(const struct view_line *l, const struct user *user,
	const struct mount_plan *p, const struct each_sources *sources, struct podman_map *ret,
	struct err *e);

/* Note that this line was looked at. */
MUST_CHECK int view_maps_line(struct view_maps *m, const struct view_line *l, struct err *e);

/* Add a view of the line, which is mounted; map becomes empty. */
MUST_CHECK int view_maps_add(
	struct view_maps *m, const struct view_line *l, struct podman_map *map, struct err *e);

/* A view that was added is not mounted after all. */
void view_maps_drop(struct view_maps *m, const char *target);

/* Is dir, which an overlay names, a layer under the map of this line (arg)? */
bool view_maps_is_layer(const char *dir, const void *arg);

/* A view that was mounted and, before Linux 6.15, is still to be read back. */
struct new_view {
	struct mount_plan plan;
	struct mount_result result;
};

struct views {
	const struct mount_args *args;
	struct ctx *ctx;
	const char *path;
	const struct fstab *table;
	struct each_sources sources;
	struct mount_snapshot before;
	struct mount_stores stores;
	struct podman_below below; /* of the current line */
	struct view_uses uses;
	struct view_maps maps;
	VEC(struct new_view) unread;
	size_t mounted, there, gone, failed, kept; /* kept: not wanted, and still mounted */
	bool told;                                 /* lines that are not views were warned about */
	size_t shown;                              /* failures that were reported */
	struct err last;                           /* ... the last of them */
	struct view_warnings warnings;             /* of the line */
	size_t misfits; /* views whose map does not suit the tree; the first one is warned about */
};

/* The views that one line wants. */
struct wanted {
	struct strv names; /* in the directory of the line */
	bool partial;      /* there may be more */
};

/* mount_views_act.c: mount and unmount views. */
void views_done(struct views *v);

#define scoped_views __attribute__((cleanup(views_done)))

/* A view fails by itself: the first failures are reported. Returns 0, or -ENOMEM. */
MUST_CHECK int views_failed(struct views *v, const struct table_line *l, int r, struct err *e);

/* Append the path of name in dir. */
MUST_CHECK int views_join(const char *dir, const char *name, struct buf *ret, struct err *e);

/* Mount the view. If podman has other ids in it than without --userns, that is recorded. */
MUST_CHECK int views_mount(struct views *v, const struct view_line *l, const struct each_user *u,
	struct mount_plan *p, struct err *e);

/* Read the mounts of the line back that were not read when they were made. */
MUST_CHECK int views_read_back(struct views *v, const struct table_line *l, struct err *e);

/* Unmount the views of the line that w lacks, whose names become sorted. */
MUST_CHECK int views_take_unwanted(
	struct views *v, const struct view_line *l, struct wanted *w, struct err *e);

#endif
