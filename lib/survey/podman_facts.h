/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_FACTS_H
#define SURVEY_PODMAN_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/names.h"
#include "../store/podman_conf.h"

/*
 * What podman of a user finds: its settings, its own storage, its pause process, and the stores at
 * some paths. The home directory is the user's, so everything is read in a child process with the
 * rights of that user.
 */
struct podman_store_facts {
	int num;      /* 0, or the errno with which the user fails to read its list of images */
	bool counted; /* images is set; else the list is too large to be read here */
	uint64_t images;
	size_t position; /* in additionalimagestores of storage.conf, from 1; 0: it is not named */
	bool mapped;     /* it has layers with a map of their own alone */
	bool maps;       /* it has a store of this user with such layers besides (podman_maps.h), */
	bool maps_named; /* ... which storage.conf names in place of the path */
	bool keep_id;    /* in one of these is a layer with the map of --userns=keep-id */
};

struct podman_facts {
	int conf_fault;          /* what podman_conf_make() returns, and */
	struct err why;          /* ... its error, or */
	struct podman_conf conf; /* ... its result, for the view that was asked about */
	bool silent;             /* the user's files do not answer: nothing else is known */
	char *pid_file;          /* of the pause process */
	pid_t pause;             /* the pause process; 0: there is none */
	VEC(struct podman_store_facts) stores; /* for each path that was asked about */
};

/*
 * Collect them for a user: the caller (with its environment), or another one for root. view: what
 * storage.conf should name; paths: the stores to look at. Takes up to a minute if the user's files
 * do not answer. Returns 0 or -errno. Free *ret with podman_facts_done().
 */
MUST_CHECK int podman_facts_get(const struct user *user, const char *view, const struct strv *paths,
	struct podman_facts *ret, struct err *e);
void podman_facts_done(struct podman_facts *f);

#endif
