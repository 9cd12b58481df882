/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_MOUNT_VIEWS_H
#define CMD_MOUNT_VIEWS_H

#include "../lib/idmap/each_users.h"
#include "../lib/mount/plan.h"
#include "../lib/mount/view.h"
#include "../lib/store/podman_maps.h"
#include "mount_idmapped.h"

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
 * mount_views_maps.c: views of stores for podman under another map than that of podman run. They
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

#endif
