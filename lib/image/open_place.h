/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_OPEN_PLACE_H
#define IMAGE_OPEN_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * Set-uid and set-gid files, file capabilities and devices give rights to every user who can reach
 * them (CVE-2021-41091). A tree that contains such a file must therefore be below a directory that
 * is closed to other users (mount/reachable.h), or on a nosuid and nodev mount.
 */
enum exposed {
	EXPOSED_NOTHING,
	EXPOSED_SET_UID,
	EXPOSED_SET_GID,
	EXPOSED_CAPABILITY,
	EXPOSED_DEVICE
};

/* What takes effect for other users in a directory. */
struct open_place {
	bool programs; /* set-id bits and file capabilities */
	bool devices;
};

/*
 * Look at the directory dir, its parents and the nosuid and nodev flags of its mount. Members of
 * group may reach it; REACHABLE_NO_GROUP: there is no such group.
 */
struct open_place open_place_of(int dir, gid_t group);

/* Does anything take effect for other users? */
static inline bool open_place_gives(const struct open_place *x)
{
	return x->programs || x->devices;
}

/* What a file with this mode gives to other users; capability: it has a file capability. */
enum exposed open_place_exposes(const struct open_place *x, mode_t mode, bool capability);

/* A tree that contains such a file, for messages. */
struct exposed_tree {
	const char *option; /* the option that names the tree, such as "--flat" */
	const char *path;   /* the argument of that option, as an absolute path */
	gid_t group; /* must still be able to traverse the closed directory; or REACHABLE_NO_GROUP
	              */
	bool was_closed; /* the directory that the tree replaces is closed by its own mode */
};

/*
 * Report a file that gives rights to other users; path is its path in the image. -EPERM for root; e
 * then has the commands that make a closed directory. An ordinary user, whose own rights the file
 * would give, gets a warning, and 0 is returned.
 */
MUST_CHECK int open_place_refuse(
	const struct exposed_tree *t, enum exposed what, const char *path, struct err *e);

#endif
