/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_LAYER_STACK_H
#define UNIT_LAYER_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/err.h"
#include "../../lib/layer/layer.h"
#include "make_tar.h"

/*
 * A stack of layers on a tmpfs, base first. Tests that use it need root, and are skipped otherwise.
 * A layer whose root is opaque becomes the base of the stack, as in an image.
 */
struct layers {
	char path[64];
	int fd;
	int dirs[8];
	size_t n;
	struct layer_options o;
	struct layer_counts counts;
	struct buf *deps; /* dependencies of the last layer */
};

/* tmpfs_options may be NULL. */
void layers_open(struct layers *s, const char *tmpfs_options);

/*
 * Unpack, resolve and finish another layer. Layers are named "0", "1" and so on, and their
 * specifications "0.mtree" and so on.
 */
int layers_add(struct layers *s, const struct tar_entry *list, struct err *e);

/* Like layers_add(), but a failure ends the test. */
void layers_must(struct layers *s, const struct tar_entry *list);

/* Stat a path of the topmost layer, like lstat(2). Returns false if nothing is there. */
bool layers_stat(const struct layers *s, const char *path, struct stat *st);

/*
 * Describe a path of the topmost layer in a line: "d 0755 0:0 100.5", "f 0644 1:2 0.0 =content", "l
 * 3:4 0.0 ->target", "c 1:3 0666 0:0 0.0", "whiteout", "-"
 */
const char *layers_show(const struct layers *s, const char *path);

/* The value of an attribute in hexadecimal digits; "-" if there is none. */
const char *layers_xattr(const struct layers *s, const char *path, const char *name);

/* The names in a directory, sorted and separated by blanks. */
const char *layers_list(const struct layers *s, const char *path);

#endif
