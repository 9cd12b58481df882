/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_NAMES_H
#define IDMAP_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"

/*
 * Users and groups of the system (getpwnam(3), getgrnam(3); their sources are those of
 * nsswitch.conf(5)). Name services load libraries, so these functions must not be called after
 * sys_setns() and the like (base/sys.h).
 */
struct user {
	char name[256]; /* "" if only the number is known */
	uint32_t uid, gid;
	bool has_gid; /* false if there is no passwd entry */
};

/* Look up a user by name, or by decimal number. -ENOENT: there is no user of this name. */
MUST_CHECK int names_user(const char *name, struct user *ret, struct err *e);

/* Look up a user by number. If there is no entry, the name is "". */
MUST_CHECK int names_user_of(uint32_t uid, struct user *ret, struct err *e);

/*
 * Look up a user by name alone. -ENOENT: all sources have answered that there is no such user; a
 * source that fails gives another error.
 */
MUST_CHECK int names_account(const char *name, struct user *ret, struct err *e);

/*
 * Append the home directory of the user of this name: accounts with the same number have other
 * ones. -ENOENT: there is no such account.
 */
MUST_CHECK int names_home(const char *name, struct buf *ret, struct err *e);

/* Get the number of a group, and append the names that its entry lists as members. */
MUST_CHECK int names_members(const char *group, uint32_t *ret_gid, struct strv *ret, struct err *e);

/* Look up the id of a user or of a group by name. -ENOENT: there is none. */
MUST_CHECK int names_uid(const char *name, uint32_t *ret, struct err *e);
MUST_CHECK int names_gid(const char *name, uint32_t *ret, struct err *e);

/* Does a user, or a group, with this number exist? Returns false if the lookup fails. */
bool names_has_uid(uint32_t uid);
bool names_has_gid(uint32_t gid);

/* A user or group of the host. The strings are valid during the call only. */
struct account {
	uint32_t id;
	const char *name;
	char *const *members; /* of a group: names that end with NULL; NULL for a user */
};

/*
 * Call fn with each user, or each group, that the sources list: getpwent(3). LDAP and the like
 * often list none. An account may be met twice.
 */
void names_each(bool group, void (*fn)(const struct account *a, void *arg), void *arg);

/*
 * Get the groups of a user, including gid. *n is the room in ret; it becomes the number of groups.
 * Returns 0, or -E2BIG, and then *n is the room that is needed.
 */
MUST_CHECK int names_groups(const char *name, uint32_t gid, gid_t *ret, int *n);

/* Set the groups with initgroups(3). Returns 0, or -1 with errno. */
MUST_CHECK int names_init_groups(const char *name, uint32_t gid);

/* Set the hint for a user or group that does not exist. e is optional. */
void names_say_try(struct err *e);

/*
 * Replace the name services, for tests, which cannot create accounts. The functions return 0,
 * -ENOENT, or the error of getpwnam_r(3). names_set_source(NULL) restores the system.
 */
struct names_source {
	int (*user)(const char *name, struct user *ret);
	int (*user_of)(uint32_t uid, struct user *ret);
	int (*gid)(const char *name, uint32_t *ret);
	int (*group_of)(uint32_t gid); /* NULL: no groups exist */
};

void names_set_source(const struct names_source *source);

#endif
