/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_WRITER_DIR_H
#define LAYER_WRITER_DIR_H

#include "../base/err.h"
#include "writer.h"

/*
 * If a directory was created with an owner that is not its final one, replace it with a new
 * directory, to which its children are moved. Returns 0 or -errno with e filled.
 */
MUST_CHECK int writer_dir_own(struct writer *w, struct node *n, struct err *e);

/* Set attributes, mode and times of a directory. Returns 0 or -errno with e filled. */
MUST_CHECK int writer_dir_finish(struct writer *w, struct node *n, struct err *e);

#endif
