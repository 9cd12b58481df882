/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_WRITER_PRIV_H
#define LAYER_WRITER_PRIV_H

#include "writer.h"

/* Parts of writer.c that writer_dir.c, layer_merge.c and layer_readback.c use too. */

/* With the option dry: mark the node as made. */
static inline int writer_pretend(struct node *n)
{
	n->flags |= NODE_MADE;
	return 0;
}

/*
 * Set the filesystem ids of the thread to uid:gid. Capabilities are kept (SECBIT_NO_SETUID_FIXUP),
 * so that permissions of directories do not matter. n is for messages. Returns 0, or -EPERM with e
 * filled.
 */
MUST_CHECK int writer_become(
	struct writer *w, uint32_t uid, uint32_t gid, const struct node *n, struct err *e);

/*
 * Verify the first file of each owner, since a filesystem may choose another one (a mount with
 * grpid, a server that squashes ids, an ID-mapped mount). fd is the file (name NULL), or its
 * directory. Returns 0 or -errno with e filled.
 */
MUST_CHECK int writer_prove(
	struct writer *w, int fd, const char *name, const struct node *n, struct err *e);

/* Open the parent of n (w owns the descriptor) and set the filesystem ids to the owner of n. */
MUST_CHECK int writer_prepare(struct writer *w, struct node *n, int *ret_fd, struct err *e);

/*
 * Set the attribute overlay.WHAT of whiteouts in their second form on an open file, for the mounts
 * that will read it. Returns 0, or -1 with errno.
 */
MUST_CHECK int writer_ghost_mark(
	const struct writer *w, int fd, const char *what, const char *value);

/* Close the cached descriptor of a directory, if there is one. */
void writer_forget(struct writer *w, struct node *n);

/* Set attributes (x may be NULL) or times of an open file (name NULL), or of name in directory fd.
 */
MUST_CHECK int writer_xattrs(struct writer *w, const struct xattrs *x, int fd, const char *name,
	const struct node *n, struct err *e);
MUST_CHECK int writer_times(int fd, const char *name, const struct node *n, struct err *e);

#endif
