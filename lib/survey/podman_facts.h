/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_PODMAN_FACTS_H
#define SURVEY_PODMAN_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/names.h"

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
	bool mapped;     /* its layers have a map of their own, */
	bool keep_id;    /* ... that of --userns=keep-id */
};

struct podman_facts {
	char *conf; /* the storage.conf that podman reads for its stores */
	enum podman_conf_state {
		PODMAN_CONF_READ,
		PODMAN_CONF_NONE,   /* it does not exist */
		PODMAN_CONF_BAD,    /* conf_why says why it cannot be used */
		PODMAN_CONF_UNREAD, /* this build has no parser for it */
		PODMAN_CONF_SILENT, /* the user's files do not answer: nothing else is known, either
		                     */
	} conf_state;
	char *conf_why;
	bool conf_env;                         /* CONTAINERS_STORAGE_CONF names it */
	char *driver;                          /* "overlay"; NULL: podman decides */
	char *mount_program;                   /* or NULL */
	char *graphroot;                       /* the user's own storage; NULL: not known */
	bool has_vfs, has_overlay;             /* it has been used with this driver */
	char *pid_file;                        /* of the pause process */
	pid_t pause;                           /* the pause process; 0: there is none */
	VEC(struct podman_store_facts) stores; /* for each path that was asked about */
};

/*
 * Collect them for a user: the caller (with its environment), or another one for root. paths: the
 * stores to look at. Takes up to half a minute if the user's files do not answer. Returns 0 or
 * -errno. Free *ret with podman_facts_done().
 */
MUST_CHECK int podman_facts_get(
	const struct user *user, const struct strv *paths, struct podman_facts *ret, struct err *e);
void podman_facts_done(struct podman_facts *f);

static inline void cleanup_podman_facts(struct podman_facts *f)
{
	podman_facts_done(f);
}

#define scoped_podman_facts __attribute__((cleanup(cleanup_podman_facts)))

#endif
