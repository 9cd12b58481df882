/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_GRANTS_H
#define SURVEY_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/names.h"
#include "../idmap/subid.h"

/*
 * Find out why newuidmap(1) and newgidmap(1) would refuse a user: check the files of grants
 * (subuid(5), subgid(5)) and both programs, and try them. Each fault is reported separately, with
 * the place where it can be fixed.
 */

enum grant_fault {
	GRANT_USER,    /* no user has the number */
	GRANT_NSS,     /* nsswitch.conf(5) names another source than the files, which fails */
	GRANT_FILE,    /* the file is missing or unreadable */
	GRANT_LINE,    /* a line is malformed, or its fields are in the wrong order */
	GRANT_IGNORED, /* a line of that kind is the user's, or seems to be, and has no effect */
	GRANT_NONE,    /* the user has no grant in the file */
	GRANT_SHORT,   /* the user has fewer than 65536 ids */
	GRANT_OVERLAP, /* a grant overlaps another one, of the same or of another user */
	GRANT_OWN_ID,  /* a grant contains the user's own id, or root's */
	GRANT_ACCOUNT, /* a grant contains the id of another account, or an id of the system */
	GRANT_HELPER,  /* newuidmap or newgidmap is missing or lacks a privilege */
	GRANT_TRIAL,   /* the trial failed */
};

/* The words of the faults in the order of the enum. */
#define GRANT_FAULT_WORDS "user nss file line line none short overlap own-id account helper trial"

struct grant_finding {
	enum grant_fault class;
	const char *file; /* or NULL */
	size_t line;      /* from 1; 0: the finding is not about a line */
	const char *detail;
};

struct grants_check {
	struct user user;       /* set by the caller */
	struct grants uid, gid; /* the user's grants, in the order of the file */
	const char *source;     /* "files", or the source that nsswitch.conf names for subid */
	char source_name[64];
	size_t found;                                         /* the number of findings */
	void (*fn)(const struct grant_finding *f, void *arg); /* set by the caller */
	void *arg;
};

/* Report a finding. For lib/survey/grants*.c only. */
void grants_report(struct grants_check *c, enum grant_fault class, const char *file, size_t line,
	const char *fmt, ...) PRINTF(5, 6);

/*
 * Read the user's grants from SUBUID_FILE and SUBGID_FILE or, if nsswitch.conf(5) names another
 * source, from getsubids(1), and check them. Returns 0, whatever is found, or -ENOMEM.
 */
MUST_CHECK int grants_check_files(struct grants_check *c, struct err *e);

/*
 * Report the lines of SUBUID_FILE and SUBGID_FILE that are the user's, or seem to be, and have no
 * effect (GRANT_IGNORED), and nothing else. A file that cannot be read is passed over.
 */
void grants_check_ignored(struct grants_check *c);

/*
 * Compare the grants of grants_check_files() with the accounts of the host and with the ids that
 * the system reserves, and the grants of other users with the user's own ids. This asks the sources
 * of accounts for all of them, which can take long.
 */
void grants_check_accounts(struct grants_check *c);

/* Check whether both programs are installed with their privileges. Returns 0 or -ENOMEM. */
MUST_CHECK int grants_check_helpers(struct grants_check *c, struct err *e);

enum grant_trial { TRIAL_PASSED, TRIAL_FAILED, TRIAL_NOT_MADE };

/*
 * Let both programs map all grants into a temporary user namespace of the user: its own id as 0,
 * the grants from 1 on. Root does this in a child that becomes the user. Sets *ret_detail, which
 * the caller frees, to the result, or to the reason why there was no trial. Returns an enum
 * grant_trial, or -errno.
 */
MUST_CHECK int grants_trial(struct grants_check *c, char **ret_detail, struct err *e);

void grants_check_done(struct grants_check *c);

#endif
