/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_SURVEY_H
#define SURVEY_PODMAN_SURVEY_H

#include "../base/err.h"
#include "../idmap/names.h"

/*
 * Find out whether a user's podman can run the images of a store that it sees through a view: an
 * ID-mapped mount with the map of the user's rootless containers. Each thing that is needed is a
 * row, with what to do where it is missing.
 */
enum shared_answer {
	SHARED_OK,
	SHARED_MISSING, /* podman cannot use the store, or shows wrong owners */
	SHARED_UNKNOWN, /* the caller cannot find out */
	SHARED_NOTE,    /* worth knowing: podman works without it */
};

/* The words of the answers in the order of the enum. */
#define SHARED_ANSWER_WORDS "ok|missing|unknown|note"

struct shared_row {
	const char *name; /* what is needed: one of SHARED_ROW_WORDS */
	enum shared_answer answer;
	const char *detail;
	const char *remedy; /* a command, mostly; NULL: there is none, or nothing is missing */
};

/*
 * In the order of the rows; the last three are the maps of podman's --userns, of which "plain" is
 * the one without that option.
 */
#define SHARED_ROW_WORDS \
	"podman|grants|helpers|view|map|flags|images|layers|conf|storage|pause|plain|keep-id|auto"

/* What is the same for all users. */
struct podman_survey;

MUST_CHECK int podman_survey_new(struct podman_survey **ret, struct err *e);
void podman_survey_free(struct podman_survey *s);

static inline void cleanup_podman_survey(struct podman_survey **s)
{
	podman_survey_free(*s);
}

#define scoped_podman_survey __attribute__((cleanup(cleanup_podman_survey)))

/*
 * Call fn for each row of a user: the caller, or any user for root. A name has one or more rows.
 * Strings are valid during the call. fn returns 0 to continue. Returns 0, the first non-zero result
 * of fn, or -errno.
 */
MUST_CHECK int podman_survey_user(struct podman_survey *s, const struct user *user,
	int (*fn)(const struct shared_row *r, void *arg), void *arg, struct err *e);

/*
 * Call fn for each user, by name, who has a grant and either a view or a line of
 * /etc/shiftbox/views that makes one. Returns 0, the first non-zero result of fn, or -errno.
 */
MUST_CHECK int podman_survey_each_user(struct podman_survey *s,
	int (*fn)(const struct user *user, void *arg), void *arg, struct err *e);

#endif
