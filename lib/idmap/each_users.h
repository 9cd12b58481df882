/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_EACH_USERS_H
#define IDMAP_EACH_USERS_H

#include "passwd_file.h"
#include "subid_index.h"

/*
 * The users of each=: entries as in a map, separated by ';', ',' or blanks.
 *
 *   subid        each user with a grant in both files
 *   group:NAME   the members that the group's entry lists, and the accounts of /etc/passwd whose
 *                own group it is
 *   user:NAME    this user
 *
 * root is never one of them.
 */

/* Check the text: 0, or a usage error. */
MUST_CHECK int each_check(const char *each, struct err *e);

/* What the lists are made from; read once for all of them. Free with each_sources_done(). */
struct each_sources {
	struct subid_files grants;
	struct passwd_file *passwd;
	VEC(struct user)
	asked;       /* what was looked up beside the file, also if there is no such user
	                (SUBID_NO_ACCOUNT) */
	bool broken; /* something could not be read whole; why was logged */
};

/* Read the files. A file that cannot be read is logged, and makes the sources broken. */
MUST_CHECK int each_sources_read(struct each_sources *ret, struct err *e);
void each_sources_done(struct each_sources *s);

struct each_user {
	struct user user;
	bool named;  /* by user:NAME, not found as a member of something */
	bool shares; /* an id that is granted to the user is another user's, too; this was logged */
};

struct each_users {
	VEC(struct each_user) items; /* sorted by name, each once */
	bool partial; /* users may be missing, who must not lose anything; why was logged */
};

/*
 * List the users. Returns 0, also for a list that is partial, a usage error, or -ENOMEM. The caller
 * frees ret->items with VEC_DONE, also after a failure.
 */
MUST_CHECK int each_users_list(
	const char *each, struct each_sources *s, struct each_users *ret, struct err *e);

#endif
