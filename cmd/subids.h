/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SUBIDS_H
#define CMD_SUBIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/idmap/idmap.h"
#include "../lib/idmap/names.h"
#include "cmd.h"

/* An ordinary user's ids: the own one, and what subuid(5) grants. */
struct subids {
	struct user user;
	struct idmap map;            /* 0 is the user, 1... the grants, as for user:USER */
	uint64_t n_uid, n_gid;       /* ids that were granted */
	bool single;                 /* none: the map has the user's own id and group, as 0:0 */
	char source[64];             /* "files", or whom nsswitch.conf names */
	char why[1024], clash[1024]; /* what is wrong with the grants, and among them; or "" */
};

/*
 * The caller's ids. That there are none is no error; that they are granted for users or for groups
 * alone is, and that they cannot be learned. Free map with idmap_done().
 */
int subids_get(struct subids *ret, struct err *e);

/*
 * Go on as root of a user namespace with these ids (lib/ns/rootless.h, where more is explained
 * too). Belongs into a command's before(). Tells the map under -v; a failure names its cause.
 */
int subids_enter(const struct subids *ids, unsigned long more, struct err *e);

/* In e, when a namespace could not be made or given its map: why. */
void subids_explain(const struct subids *ids, struct err *e);

/* In e: what would give the user this id, and why there is none. */
void subids_suggest(const struct subids *ids, bool group, uint32_t id, struct err *e);

#endif
