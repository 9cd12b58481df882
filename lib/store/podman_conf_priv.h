/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_CONF_PRIV_H
#define STORE_PODMAN_CONF_PRIV_H

#include <sys/stat.h>

#include "../base/toml.h"
#include "podman_conf.h"

/* What podman takes from the user's environment. NULL: it is not set, or not known. */
struct podman_env {
	const char *home; /* never NULL */
	const char *storage_conf, *config_home, *data_home, *runtime_dir, *driver;
};

/* Where podman keeps what it has stored. */
struct podman_roots {
	struct buf run, graph; /* "": not known */
};

void podman_roots_done(struct podman_roots *r);

#define scoped_podman_roots __attribute__((cleanup(podman_roots_done)))

/* A file of settings, and for whom. */
struct podman_look {
	const struct podman_conf_want *want;
	const struct podman_env *env;
	const char *path;            /* of the file, for messages */
	const struct toml_doc *toml; /* what it says; or NULL */
};

/*
 * podman_conf_edit.c: the work itself, by a process of the user. Reads and writes files with the
 * rights that the process has.
 */
MUST_CHECK int podman_conf_edit(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e);

/*
 * podman_conf_look.c. Append the path of a file in the directory dir, or, if dir is NULL, in the
 * directory rest of home.
 */
void podman_conf_path(
	const char *dir, const char *home, const char *rest, const char *file, struct buf *ret);

/* Get podman's defaults for the user, of which the file of the system can set one. */
MUST_CHECK int podman_roots_default(
	const struct podman_look *system, struct podman_roots *ret, struct err *e);

/*
 * Look for what keeps the user's podman from the images of the view. Appends notes for the user,
 * each of which ends with NUL. -EOPNOTSUPP: podman has another storage driver; other errors: the
 * view has no store that podman can read, and the file shall be written.
 */
MUST_CHECK int podman_conf_look(const struct podman_look *user, const struct podman_roots *defaults,
	struct buf *notes, struct err *e);

/*
 * podman_conf_file.c: read a file of settings. Returns 1 with *ret_st set, 0 if it does not exist,
 * or -errno.
 */
MUST_CHECK int podman_conf_read(
	const char *path, struct buf *ret, struct stat *ret_st, struct err *e);

/*
 * Write a file of settings, in one step. old: the file that was read, and is replaced; NULL: there
 * was none. The new file has its mode, and its owner and group. -EINVAL: these cannot be kept; or
 * the file is a link, or has other names. -EBUSY: it is not the file that was read any more.
 * Directories that do not exist are created for the user alone.
 */
MUST_CHECK int podman_conf_write(
	const char *path, const struct buf *text, const struct stat *old, struct err *e);

#endif
