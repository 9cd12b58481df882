/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_NAMES_H
#define IDMAP_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"

/*
 * Users and groups of the system (getpwnam(3), getgrnam(3): files, LDAP, whatever nsswitch.conf
 * says). The name services load libraries: not after sys_setns() and the like (base/sys.h).
 */
struct user {
	char name[256]; /* "" when only the number is known */
	uint32_t uid, gid;
	bool has_gid; /* false when no passwd entry told it */
};

/* The user called name, or of that decimal number. -ENOENT: there is none by that name. */
MUST_CHECK int names_user(const char *name, struct user *ret, struct err *e);

/* The user of that number; name is "" when there is no entry. */
MUST_CHECK int names_user_of(uint32_t uid, struct user *ret, struct err *e);

/* The id of a user's, a group's name. -ENOENT: there is none. */
MUST_CHECK int names_uid(const char *name, uint32_t *ret, struct err *e);
MUST_CHECK int names_gid(const char *name, uint32_t *ret, struct err *e);

/* Is there a user, a group of that number? What cannot be found out is none. */
bool names_has_uid(uint32_t uid);
bool names_has_gid(uint32_t gid);

/*
 * The groups of the user called name, gid among them: *n is the room in ret, and then how many
 * there are. Returns 0, or -E2BIG, in which case *n is the room that it takes.
 */
MUST_CHECK int names_groups(const char *name, uint32_t gid, gid_t *ret, int *n);

/* initgroups(3): 0, or -1 with errno. */
MUST_CHECK int names_init_groups(const char *name, uint32_t gid);

/* What to do where there is no such user (or group): nothing is looked up. e may be NULL. */
void names_say_try(struct err *e);

/*
 * Answer from these functions instead of the system, for tests. They return 0, or -ENOENT, or what
 * getpwnam_r failed with. NULL: the system again.
 */
struct names_source {
	int (*user)(const char *name, struct user *ret);
	int (*user_of)(uint32_t uid, struct user *ret);
	int (*gid)(const char *name, uint32_t *ret);
	int (*group_of)(uint32_t gid); /* NULL: there are none */
};

void names_set_source(const struct names_source *source);

#endif
