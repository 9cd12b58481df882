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
 * The extended attributes of one file, in the order in which they are set: setting an ACL changes
 * the mode, and a capability must survive.
 */
struct xattr {
	char *name;
	void *value;
	size_t size;
};

struct xattrs {
	struct xattr *items;
	size_t len, cap;
	void *names; /* tsearch(3): the names of items */
};

void xattrs_done(struct xattrs *x);
void xattrs_free(struct xattrs *x); /* x may be NULL */

/* The file that attributes are for. */
struct xattr_file {
	mode_t type;    /* S_IFMT bits */
	const char *on; /* the entry, for messages */
	const struct layer_options *o;
};

/*
 * Add an attribute of an archive's entry. Attributes of overlayfs are escaped, those of security
 * modules of the build host are skipped, and malformed capabilities as well as attributes that the
 * kernel could not store are refused. An attribute that x has already stays unchanged. Returns 0 or
 * -errno with e filled.
 */
MUST_CHECK int xattrs_add(struct xattrs *x, const char *name, const void *value, size_t size,
	const struct xattr_file *file, struct err *e);

/* Is it a capability of version 3, judged by its size? */
bool xattr_is_rooted_cap(const char *name, size_t size);

/* Remove item, which is one of x->items. */
void xattrs_drop(struct xattrs *x, struct xattr *item);

/* Does x have an attribute of this name? */
bool xattrs_has(const struct xattrs *x, const char *name);

/*
 * Set all attributes of an open file (name NULL), or of name in the directory fd, without following
 * a symbolic link. Inside a user namespace, attributes that only root of the host may set are
 * skipped with a warning. on is the entry, for messages. Returns 0 or -errno with e filled.
 */
MUST_CHECK int xattrs_set(const struct xattrs *x, int fd, const char *name,
	const struct layer_options *o, const char *on, struct err *e);

/*
 * Write "trusted.overlay.WHAT" or, for user, "user.overlay.WHAT" into buf, and return buf. what is
 * "opaque" or "whiteout".
 */
const char *xattr_overlay(bool user, const char *what, char buf[static 64]);

/*
 * Read the attributes of name in the directory fd of a finished layer, to be set on a copy: without
 * overlayfs's own marks, but with escaped ones unchanged. on is the entry, for messages. Returns 0
 * or -errno with e filled.
 */
MUST_CHECK int xattrs_read(struct xattrs *x, int fd, const char *name,
	const struct layer_options *o, const char *on, struct err *e);

#endif
