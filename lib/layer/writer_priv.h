/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_WRITER_PRIV_H
#define LAYER_WRITER_PRIV_H

#include "writer.h"

/* Shared by writer.c (owners, open directories, files) and writer_dir.c (directories). */

/* Instead of making it, with the option dry. */
static inline int writer_pretend(struct node *n)
{
	n->flags |= NODE_MADE;
	return 0;
}

/* Whoever creates now is uid:gid. n: for messages. */
int writer_become(
	struct writer *w, uint32_t uid, uint32_t gid, const struct node *n, struct err *e);

/* Look at the first file of an owner. fd: the file itself (name NULL), or its directory. */
int writer_prove(struct writer *w, int fd, const char *name, const struct node *n, struct err *e);

/* The parent's open directory (the writer's), with the node's owner taken. */
int writer_prepare(struct writer *w, struct node *n, int *ret_fd, struct err *e);

/* Close the directory's descriptor, if one is kept. */
void writer_forget(struct writer *w, struct node *n);

/* On an open file (name NULL), or on name in the directory fd. x may be NULL. */
int writer_xattrs(struct writer *w, const struct xattrs *x, int fd, const char *name,
	const struct node *n, struct err *e);
int writer_times(int fd, const char *name, const struct node *n, struct err *e);

#endif
