/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_VERIFY_SIDES_H
#define CHECK_VERIFY_SIDES_H

#include <stdbool.h>

#include "../idmap/idmap.h"
#include "mount_map.h"

/*
 * Decide which two sides of a mount are compared, and with which map between them. Pure functions
 * over described facts.
 */
struct verify_subject {
	enum mount_map_kind kind;  /* of the mount that is checked */
	const struct idmap *map;   /* with MOUNT_MAP_KNOWN: its map; with MOUNT_MAP_OVERLAY: that of
	                              all layers, or NULL; not owned */
	const struct idmap *given; /* the map that the caller expects, or NULL; not owned */
	bool below;                /* a mount below the path that was asked for */
	bool expected;             /* specifications describe the disk side */
	bool source;               /* a directory of the caller's choice is the disk side, */
	bool source_overlay;       /* ... and it is on an overlay */
	bool initial_userns;       /* this process is in the initial user namespace */
	bool nested_userns;        /* ... in another one; both are false if that is not known */
};

/* What the seen side is compared with. */
enum verify_side {
	SIDE_EXPECTED, /* the tree that specifications describe */
	SIDE_SOURCE,   /* the directory of the caller's choice */
	SIDE_UNMAPPED, /* the mount itself, cloned without its map */
	SIDE_NONE,     /* nothing: the mount, which is below another one, is only listed */
	SIDE_MISSING,  /* nothing, which is an error */
};

enum verify_side verify_sides_disk(const struct verify_subject *s);

/* The map between both sides. */
enum verify_map {
	USE_GIVEN,
	USE_MOUNT,     /* the mount's own map */
	USE_IDENTITY,  /* seen ids should be disk ids */
	MAP_DIFFERS,   /* the mount has another map than the one given: that is a finding */
	MAP_TRUNCATED, /* an error: what is visible of the mount's map is part of the one given */
	MAP_UNKNOWN,   /* an error: the mount's map cannot be read, and none was given */
};

enum verify_map verify_sides_map(const struct verify_subject *s);

/*
 * May the mount's map have lines that this process cannot see? The kernel omits lines without an
 * id in the reader's user namespace (statmount(2)). Without a source and an expected tree the
 * answer is false: a mount that this process may clone without its map belongs to its own user
 * namespace, and the visible lines are all that count there.
 */
bool verify_sides_partial(const struct verify_subject *s);

/*
 * Where the overflow id may stand for an id that has no number: such an id is never taken for the
 * real user 65534.
 */
enum verify_doubt {
	VERIFY_DOUBT_DISK = 1, /* on the disk side */
	VERIFY_DOUBT_SEEN = 2, /* on the seen side */
	VERIFY_SAME_IDS = 4,   /* but the same inode has the same ids on both sides */
};

/* Returns a mask of enum verify_doubt. */
unsigned verify_sides_doubt(const struct verify_subject *s);

/*
 * Are the disk ids of the mount's map, which are numbers of the user namespace that the filesystem
 * was mounted in, compared with ids of a source, which are numbers of the caller's namespace?
 */
bool verify_sides_mixed(const struct verify_subject *s);

#endif
