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
 * Layers on a tmpfs of their own, base first; needs root (SKIPs). One whose root is opaque ends the
 * stack, as in an image.
 */
struct layers {
	char path[64];
	int fd;
	int dirs[8];
	size_t n;
	struct layer_options o;
	struct layer_counts counts;
	struct buf *deps; /* of the last one */
};

void layers_open(struct layers *s, const char *tmpfs_options);

/*
 * Unpack, settle and finish one more layer, named "0", "1" ...; its specification is "0.mtree" ...
 */
int layers_add(struct layers *s, const struct tar_entry *list, struct err *e);

/* The same, which must work. */
void layers_must(struct layers *s, const struct tar_entry *list);

/* lstat in the topmost layer; false when there is nothing. */
bool layers_stat(const struct layers *s, const char *path, struct stat *st);

/*
 * A line that says all: "d 0755 0:0 100.5", "f 0644 1:2 0.0 =content", "l 3:4 0.0 ->target", "c 1:3
 * 0666 0:0 0.0", "whiteout", "-"
 */
const char *layers_show(const struct layers *s, const char *path);

/* The value of an attribute as hexadecimal digits, "-" without. */
const char *layers_xattr(const struct layers *s, const char *path, const char *name);

/* The names in the directory, sorted, with blanks between. */
const char *layers_list(const struct layers *s, const char *path);

#endif
