/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_CONF_PRIV_H
#define STORE_PODMAN_CONF_PRIV_H

#include "podman_conf.h"

/* What podman takes from the user's environment. NULL: it is not set, or not known. */
struct podman_env {
	const char *home; /* never NULL */
	const char *storage_conf, *config_home, *data_home, *runtime_dir, *driver;
};

/*
 * podman_conf_edit.c: the work itself, by a process of the user. Reads and writes files with the
 * rights that the process has.
 */
MUST_CHECK int podman_conf_edit(const struct podman_conf_want *want, const struct podman_env *env,
	struct podman_conf *ret, struct err *e);

/*
 * podman_conf_file.c: read a file of settings. Returns 1, 0 if it does not exist, or -errno. Write
 * one: the new file has the mode of the one that it replaces, and directories that do not exist are
 * created for the user alone.
 */
MUST_CHECK int podman_conf_read(const char *path, struct buf *ret, struct err *e);
MUST_CHECK int podman_conf_write(const char *path, const struct buf *text, struct err *e);

#endif
