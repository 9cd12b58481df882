/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_SURVEY_PRIV_H
#define SURVEY_PODMAN_SURVEY_PRIV_H

#include "../base/buf.h"
#include "grants.h"
#include "podman_facts.h"
#include "podman_program.h"
#include "podman_survey.h"
#include "podman_views.h"

/* The directory of the views in the line that the manual has. */
#define PODMAN_VIEWS "/run/shiftbox/users"

/* Shared by lib/survey/podman_survey*.c only. */

struct podman_survey {
	struct podman_program program;
	struct podman_views views;
};

/* The survey of one user. */
struct podman_subject {
	struct podman_survey *s;
	const struct user *user;
	int (*fn)(const struct shared_row *r, void *arg);
	void *arg;
	struct err *e;
	int r; /* 0, or the first other result of fn, or -errno */

	struct grants_check grants;
	bool grants_fault; /* a finding about the grants was reported */
	bool has_map;
	struct idmap map;                /* of the user's containers: 0 is the user */
	bool unordered;                  /* the files have the grants in another order */
	struct strv paths;               /* the stores that facts.stores are about, */
	VEC(struct podman_view *) views; /* ... and the view at each; NULL: nothing is mounted */
	char *usual;                     /* where the view is by the line that the manual has */
	struct podman_facts facts;
	size_t at; /* the index of the view that serves the user, or paths.len */
};

/* Report a row. fmt is the detail. remedy: NULL, or a text. */
void shared_put(struct podman_subject *u, const char *name, enum shared_answer answer,
	const struct buf *remedy, const char *fmt, ...) PRINTF(5, 6);

/* Declare a remedy, and free it at the end of the block. */
#define REMEDY(var, ...) \
	scoped_buf struct buf var = BUF_INIT; \
	buf_printf(&(var), __VA_ARGS__)

static inline const char *podman_user_name(const struct podman_subject *u)
{
	return u->user->name[0] ? u->user->name : "USER";
}

/* The view that serves the user, and what was found there; NULL: there is none. */
static inline const struct podman_view *podman_view_of(const struct podman_subject *u)
{
	return u->at < u->paths.len ? u->views.items[u->at] : NULL;
}

static inline const struct podman_store_facts *podman_store_of(const struct podman_subject *u)
{
	return u->at < u->paths.len ? &u->facts.stores.items[u->at] : NULL;
}

/* The path that storage.conf should name: that of the view, or where it should be. */
const char *podman_wanted_path(const struct podman_subject *u);

/* The line of the table for this user, or NULL; target becomes the path of the view. */
const struct podman_line *podman_line_of(const struct podman_subject *u, struct buf *target);

/* Append the store of image-unpack that has this directory for podman; STORE if it is not known. */
void podman_print_store(const struct podman_view *v, struct buf *ret);

/* The rows view, map, flags and images. */
void podman_put_view(struct podman_subject *u);

/* The rows conf, storage and pause, and those of the maps. */
void podman_put_settings(struct podman_subject *u);

#endif
