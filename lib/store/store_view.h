/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_VIEW_H
#define STORE_STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/vec.h"
#include "../layer/lowerdirs.h"
#include "../tar/mtree.h"
#include "store.h"

/*
 * A stored image as its stack would show it, without mounting anything: read layer by layer, by
 * descriptors. The layers stay until store_close(), whoever prunes. Zero-initialise, free with
 * store_view_done().
 */
struct store_view {
	const struct store *store;
	struct strv dirs;  /* names below layers/, topmost first */
	VEC(int) fds;      /* of these, O_PATH */
	struct buf config; /* config.json, byte for byte */
	bool user_xattr;   /* the layers' marks are user.overlay.*: not the host's root has unpacked
	                      them */
};

/* -ENOENT names the images that there are. */
int store_view_open(struct store *s, const char *name, struct store_view *ret, struct err *e);
void store_view_done(struct store_view *v);

#define scoped_view __attribute__((cleanup(store_view_done)))

/*
 * What is at a path of the image, symbolic links followed as in a chroot: "/" and ".." end at the
 * image's root, and no link of the machine's is ever followed. 1 and *ret, 0 when there is nothing,
 * -ELOOP, -errno.
 */
int store_view_find(
	const struct store_view *v, const char *path, struct lower_hit *ret, struct err *e);

/*
 * Append a regular file of at most max bytes to ret: 1, 0 when there is nothing there, or -errno.
 */
int store_view_read(
	const struct store_view *v, const char *path, size_t max, struct buf *ret, struct err *e);

/*
 * Call fn with each entry of each layer, as mtree_read() does, those that layers above hide
 * included.
 */
int store_view_entries(const struct store_view *v, int (*fn)(const struct mtree_entry *, void *),
	void *arg, struct err *e);

#endif
