/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_XATTR_H
#define LAYER_XATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "layer.h"

/*
 * Extended attributes of one file, in the order they are set: a capability or an ACL is what it is
 * when set last.
 */
struct xattr {
	char *name;
	void *value;
	size_t size;
};

struct xattrs {
	struct xattr *items;
	size_t len, cap;
	void *names; /* tsearch(3): the items' names */
};

void xattrs_done(struct xattrs *x);
void xattrs_free(struct xattrs *x); /* NULL is fine */

/*
 * Add an attribute that a layer asks for, by our rules: overlayfs's own are escaped, those of the
 * build host's security modules are left out, a malformed capability is refused, as is what the
 * kernel could not store. type: S_IFREG ..., of the file that gets it. A name that is there already
 * stays as it is. on: the entry, for messages.
 */
int xattrs_add(struct xattrs *x, const char *name, const void *value, size_t size, mode_t type,
	const struct layer_options *o, const char *on, struct err *e);

/* Is it a capability of version 3, as its size alone tells? */
bool xattr_is_rooted_cap(const char *name, size_t size);

/* Take one of them away. */
void xattrs_drop(struct xattrs *x, struct xattr *item);

/* Is the name there? */
bool xattrs_has(const struct xattrs *x, const char *name);

/*
 * Set all of them, through an open descriptor of the file, or (name not NULL) on the entry name of
 * the directory fd, without following it. Inside a user namespace what only the host's root may set
 * is left out with a warning.
 */
int xattrs_set(const struct xattrs *x, int fd, const char *name, const struct layer_options *o,
	const char *on, struct err *e);

/* "trusted.overlay.NAME" or "user.overlay.NAME". what: "opaque", "whiteout". */
const char *xattr_overlay(bool user, const char *what, char buf[static 64]);

/*
 * Read the attributes of an entry of a finished layer (fd: its directory, name: one component), to
 * be set on a copy: without overlayfs's own marks, but with escaped ones as they are.
 */
int xattrs_read(struct xattrs *x, int fd, const char *name, const struct layer_options *o,
	const char *on, struct err *e);

/*
 * Does the kernel's overlayfs understand escaped attributes ("trusted.overlay.overlay.X":
 * Linux 6.7)?
 */
bool xattr_escapes_known(void);

#endif
