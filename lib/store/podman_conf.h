/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_CONF_H
#define STORE_PODMAN_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../idmap/names.h"
#include "store.h"

/*
 * The storage.conf of a user of podman, with a view added to the additional image stores. podman
 * reads one file: $CONTAINERS_STORAGE_CONF, or else storage.conf in $XDG_CONFIG_HOME/containers or
 * ~/.config/containers. Without that file it takes some defaults for this user from the file of the
 * system, /etc/containers/storage.conf or else /usr/share/containers/storage.conf
 * (containers-storage.conf(5)).
 *
 * All files are read and written by a process that has the user's ids and no capabilities, since
 * the user controls the home directory and what is in it.
 */
struct podman_conf_want {
	struct user user;
	bool caller;      /* it is the caller, whose environment counts */
	const char *view; /* absolute, with %u and %U replaced */
	bool maps;        /* the user's store under other maps is to be named (podman_maps.h);
	                     else it is if the view shows one, or the file has it already */
	bool write;       /* put the file in place */
	bool dry_run;     /* but do not write */
};

struct podman_conf {
	struct buf path;  /* of the user's file, which may not exist */
	struct buf text;  /* all of it, with the view */
	struct buf store; /* what it names: the view, or the user's store in it */
	bool exists;      /* there was such a file */
	bool changed;     /* text is not what was there, */
	bool replaced;    /* ... and the view is not in it any more, but store */
	bool written;
	struct buf notes; /* what the user should know: texts that each end with NUL */
};

/*
 * Find the user's storage.conf and add the view. Errors: -EOPNOTSUPP if the user's podman has
 * another storage driver than overlay, -EINVAL or -EBUSY if the file cannot be replaced without
 * loss, -ETIMEDOUT if the user's files do not answer, -ENOTSUP in a build without TOML, those of
 * toml.h and of system calls. A file is not written if its view has no store: podman would fail.
 * Free *ret with podman_conf_done().
 */
MUST_CHECK int podman_conf_make(
	const struct podman_conf_want *want, struct podman_conf *ret, struct err *e);
void podman_conf_done(struct podman_conf *c);

#define scoped_podman_conf __attribute__((cleanup(podman_conf_done)))

/*
 * Check that the store is one for podman, and that view shows it. Returns 1, 0 if nothing is
 * mounted there, or -errno: -EINVAL if something else is mounted there.
 */
MUST_CHECK int podman_conf_check_view(const struct store *s, const char *view, struct err *e);

#endif
