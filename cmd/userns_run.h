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

	/* What comes of them. */
	enum run_caller caller;
	struct stat map_of;  /* the directory of -r as it was when a map was parsed, which may speak
	                        of its owner; st_ino 0: none */
	struct rootless ids; /* of RUN_BY_USER, if no map is given */
	struct strv image_command;
	struct store *opened; /* the layers stay in it as long as the command runs */
	struct run_spec spec;
	int stage;
};

/*
 * Make spec of the options and operands: read the map, the options of the root, the binds, the
 * configuration of the image and the rules of the broker. Mounts nothing.
 */
int userns_run_spec(struct userns_args *a, const struct ctx *ctx, struct err *e);

#endif
