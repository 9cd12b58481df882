/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SUBIDS_H
#define CMD_SUBIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/base/cleanup.h"
#include "../lib/idmap/idmap.h"
#include "../lib/idmap/names.h"
#include "cmd.h"

/* The ids of an ordinary user: its own, and those that subuid(5) and subgid(5) grant. */
struct subids {
	struct user user;
	struct idmap map;      /* 0 is the user, 1 and up the grants, as for user:USER */
	uint64_t n_uid, n_gid; /* number of granted ids */
	bool single;           /* no grants: the map has the user's own ids only, as 0:0 */
	char source[64];       /* "files", or the source that nsswitch.conf names */
	bool warned;           /* of a line of the user that does not count */
	char why[1024],
		clash[1024]; /* why there are no ids, or why they cannot be combined; or "" */
};

/*
 * Find the caller's ids. A user without grants is not an error; grants for users or for groups only
 * are, and grants that cannot be read. Lines of the caller that do not count are logged (log_warn).
 * Free ret->map with idmap_done().
 */
MUST_CHECK int subids_get(struct subids *ret, struct err *e);

/*
 * Continue as root of a new user namespace with these ids, and with the namespaces of more
 * (CLONE_*); see lib/ns/rootless.h. Called from a command's before(). Logs the map (log_verbose); e
 * names the cause of a failure.
 */
MUST_CHECK int subids_enter(const struct subids *ids, unsigned long more, struct err *e);

/*
 * Warn an ordinary user about its lines of subuid(5) and subgid(5) that do not count, in a command
 * that does not call subids_get().
 */
void subids_tell_ignored(void);

/* Has this process entered a user namespace by subids_enter()? */
bool subids_entered(void);

/*
 * Log, for a user without grants, what follows: "the command has ...". brief: without the reason.
 */
void subids_tell_single(const struct subids *ids, const char *what, bool brief);

/* Add to e, if it is about making a user namespace or writing its map, the cause. */
void subids_explain(const struct subids *ids, struct err *e);

/* Add to e why the user does not have this id, and how to get it. */
void subids_suggest(const struct subids *ids, bool group, uint32_t id, struct err *e);

#endif
