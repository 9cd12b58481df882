/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_OPEN_PLACE_H
#define IMAGE_OPEN_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * A set-uid or set-gid file, a file capability and a device give rights to every user who can reach
 * them, whatever image they came from (CVE-2021-41091). So a tree that holds one lies below a
 * directory that is closed (mount/reachable.h), or on a mount that takes the rights away.
 */
enum exposed {
	EXPOSED_NOTHING,
	EXPOSED_SET_UID,
	EXPOSED_SET_GID,
	EXPOSED_CAPABILITY,
	EXPOSED_DEVICE
};

/* What works for others in a place. */
struct open_place {
	bool programs; /* set-id bits and file capabilities */
	bool devices;
};

/*
 * In the directory dir, which group may enter (REACHABLE_NO_GROUP: none). The flags nosuid and
 * nodev of dir's mount count.
 */
struct open_place open_place_of(int dir, gid_t group);

static inline bool open_place_gives(const struct open_place *x)
{
	return x->programs || x->devices;
}

/* Of a file with this mode and, or not, a capability. */
enum exposed open_place_exposes(const struct open_place *x, mode_t mode, bool capability);

/* A tree that holds such a file. */
struct exposed_tree {
	const char *option; /* "--flat", whose argument is ... */
	const char *path;   /* ... this, absolute */
	gid_t group; /* has to pass the directory that is to be closed; or REACHABLE_NO_GROUP */
};

/*
 * Root is refused (-EPERM), and told the commands for a closed place. An ordinary user, whose own
 * rights these are, is warned: 0. path: the file's in the image.
 */
int open_place_refuse(
	const struct exposed_tree *t, enum exposed what, const char *path, struct err *e);

#endif
