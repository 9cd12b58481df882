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
 * Why would newuidmap and newgidmap refuse a user? The files of grants, the two programs, and a
 * trial. Each fault is told on its own, with the place where it can be mended.
 */

/* Classes of faults, in the order of the enum. */
enum grant_fault {
	GRANT_USER,  /* no user has the number */
	GRANT_NSS,   /* the grants are said to come from elsewhere than the files, and cannot be had
	                there */
	GRANT_FILE,  /* there is no such file, or it cannot be read */
	GRANT_LINE,  /* a line is no grant, or one in the wrong order */
	GRANT_NONE,  /* the user has no grant in the file */
	GRANT_SHORT, /* fewer than 65536 ids in all */
	GRANT_OVERLAP, /* with another grant, the user's or somebody else's */
	GRANT_OWN_ID,  /* the user's own id, or root's, is in the range */
	GRANT_HELPER,  /* newuidmap or newgidmap is not there or lacks what it needs */
	GRANT_TRIAL,   /* the trial failed */
};

#define GRANT_FAULT_WORDS "user nss file line none short overlap own-id helper trial"

struct grant_finding {
	enum grant_fault class;
	const char *file; /* or NULL */
	size_t line;      /* from 1; 0: none of its lines in particular */
	const char *detail;
};

struct grants_check {
	struct user user;
	struct grants uid, gid; /* what the user may use, in the order of the file */
	const char *source; /* "files", or the first word of nsswitch.conf's subid: if newuidmap can
	                       ask it */
	char source_name[64];
	size_t found;
	void (*fn)(const struct grant_finding *f, void *arg);
	void *arg;
};

/* Report one (lib/check's own use). */
void grants_report(struct grants_check *c, enum grant_fault class, const char *file, size_t line,
	const char *fmt, ...) PRINTF(5, 6);

/*
 * Read SUBUID_FILE and SUBGID_FILE, or ask getsubids(1) where nsswitch.conf(5) names another
 * source, into c. user, fn and arg are set by the caller. Returns 0 whatever is found, -ENOMEM.
 */
int grants_check_files(struct grants_check *c, struct err *e);

/* The two programs: are they there, can they do their work? */
int grants_check_helpers(struct grants_check *c, struct err *e);

enum grant_trial { TRIAL_PASSED, TRIAL_FAILED, TRIAL_NOT_MADE };

/*
 * Let the programs give a throw-away user namespace of the user's all its grants: its own id as 0,
 * the grants from 1 on. As root this is done by a child that becomes the user. *ret_detail (to be
 * freed) says what came of it, or why there was no trial. Returns an enum grant_trial, or -errno.
 */
int grants_trial(struct grants_check *c, char **ret_detail, struct err *e);

void grants_check_done(struct grants_check *c);

#endif
