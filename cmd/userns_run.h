/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_USERNS_RUN_H
#define CMD_USERNS_RUN_H

#include <sys/stat.h>

#include "../lib/ns/container.h"
#include "../lib/store/store.h"
#include "cmd.h"
#include "subids.h"

enum { NET_HOST, NET_NONE };

struct userns_args {
	struct strv maps, options, binds, env, allow;
	const char *rootfs, *image, *store, *workdir, *user, *hostname, *policy, *audit;
	bool strict, read_only, resolv_conf, new_privs, pipe;
	int net;

	/* Derived from the options: */
	enum run_caller caller;
	struct stat map_of; /* the directory of -r when the map was parsed, because a map may refer
	                       to its owner; st_ino 0: none */
	struct subids ids;  /* RUN_BY_USER without -m: the ids that the user was granted */
	struct strv image_command; /* entrypoint and arguments; NULL-terminated once used */
	struct store *opened;      /* holds the layers while the command runs */
	struct run_spec spec;
	int stage;
};

/*
 * Fill in a->spec from the options and operands: parse the map, the options of the root, the binds,
 * the configuration of the image and the rules of the broker. Makes no mounts.
 */
MUST_CHECK int userns_run_spec(struct userns_args *a, const struct ctx *ctx, struct err *e);

/* Refuse values of options and operands that are wrong by themselves: usage errors. */
MUST_CHECK int userns_run_check(const struct userns_args *a, const struct ctx *ctx, struct err *e);

/* Is the directory an OCI layout, and not the root of a system that has a file of that name? */
bool userns_run_is_layout(int dir);

/* The error of a command that is missing. */
MUST_CHECK int userns_run_no_command(const struct userns_args *a, struct err *e);

#endif
