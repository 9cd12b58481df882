/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_MAPS_H
#define STORE_PODMAN_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

/*
 * Views under other maps than that of podman run: those of --userns=keep-id and of --uidmap.
 *
 * podman uses a layer under a map if its index says so: a layer has the map in layers.json, and the
 * image names it in images.json. Layers under a map need ids of their own; with equal ones, podman
 * takes the directory of the first store, with wrong owners. So each user who has such views has a
 * store with an index of its own, STORE/podman/maps/UID, which the user's plain view shows, and
 * which storage.conf names in place of that view:
 *
 *   overlay/ID                 a link to ../../../overlay/ID, for each layer of the plain store
 *   overlay/ID'/               the same layer under another map: diff is a link to
 *                              VIEW/overlay/ID/diff, link and lower have names of its own
 *   overlay/l, overlay-layers, overlay-images, storage.lock
 *                              as in a store of podman, with the layers of both kinds
 *
 * ID' depends on ID and on the text of the map in the line of the table, so it is the same after
 * the ids or the place of the view have changed: what a user has committed on it stays valid.
 *
 * STORE/podman-maps says which views there are. A view that is not mounted any more stays there:
 * its layers stay in the index, since podman fails with every command if a layer of an image is not
 * in any.
 */
struct podman_map {
	uint32_t uid;     /* the user */
	char line[65];    /* the line of the table: struct view_line */
	char *text;       /* its map, as the line has it */
	char *target;     /* where the view is mounted */
	struct idmap ids; /* ids of containers are the disk ids; those of podman's user namespace
	                     the seen ones */
	bool mounted;
};

struct podman_maps {
	struct podman_map *items; /* sorted by user, then by text; no two have both in common */
	size_t len, cap;
};

void podman_map_done(struct podman_map *m);
void podman_maps_done(struct podman_maps *m);

#define scoped_podman_maps __attribute__((cleanup(podman_maps_done)))

/* What mount-idmapped has done. Start with all zeros. */
struct podman_maps_change {
	char *source;             /* of the lines: STORE/podman */
	struct podman_maps views; /* that are mounted now; in any order */
	struct strv lines;        /* whose views may be mounted later: they stay as they are */
	bool look;                /* find out which other views are not mounted any more */
};

void podman_maps_change_done(struct podman_maps_change *c);

/*
 * podman_maps_change.c: bring the stores of all users in STORE/podman/maps up to date with the
 * change. Nothing is done without a change, and if the source is not STORE/podman. Acquires the
 * lock on images/. Returns 0 or -errno.
 */
MUST_CHECK int podman_maps_apply(const struct podman_maps_change *c, struct err *e);

struct store;

/* Has the store a directory for this user? Returns false if that cannot be read. */
bool podman_maps_has(struct store *s, uint32_t uid);

/* podman_names.c: the directory below a view of STORE/podman, "maps/UID". Returns buf. */
enum { PODMAN_MAPS_PATH = 24 };
const char *podman_maps_path(uint32_t uid, char buf[static PODMAN_MAPS_PATH]);

/*
 * Is the link by which podman mounts a layer one under the map with this text? link is the last
 * name in the path of a lower directory.
 */
bool podman_maps_is_link(const char *link, const char *text);

#endif
