/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_VIEW_H
#define STORE_STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../layer/lowerdirs.h"
#include "../tar/mtree.h"
#include "store.h"

/*
 * A stored image as its overlay would show it, read from the layers without mounting anything. The
 * layers cannot be pruned until store_close(). Zero-initialise, free with store_view_done().
 */
struct store_view {
	const struct store *store;
	struct strv dirs;  /* names below layers/, topmost first */
	VEC(int) fds;      /* of dirs, O_PATH */
	struct buf config; /* config.json, byte for byte */
	bool user_xattr;   /* whiteouts and opaque directories are marked by user.overlay.* */
};

/* Open an image. On -ENOENT, e lists the images that exist. */
MUST_CHECK int store_view_open(
	struct store *s, const char *name, struct store_view *ret, struct err *e);
void store_view_done(struct store_view *v);

#define scoped_view __attribute__((cleanup(store_view_done)))

/*
 * Find the file at a path of the image. Symbolic links are followed as in a chroot: "/" and ".."
 * end at the image's root, and no symbolic link of the host is followed. Returns 1 and *ret, 0 if
 * there is no such file, or -errno (-ELOOP: too many links).
 */
MUST_CHECK int store_view_find(
	const struct store_view *v, const char *path, struct lower_hit *ret, struct err *e);

/*
 * Append the content of a regular file of at most max bytes to ret. Returns 1, 0 if there is no
 * such file, or -errno.
 */
MUST_CHECK int store_view_read(
	const struct store_view *v, const char *path, size_t max, struct buf *ret, struct err *e);

/*
 * Call fn, as mtree_read() does, for each entry of each layer, including those that upper layers
 * hide.
 */
MUST_CHECK int store_view_entries(const struct store_view *v,
	int (*fn)(const struct mtree_entry *, void *), void *arg, struct err *e);

#endif
