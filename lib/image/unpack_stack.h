/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_UNPACK_STACK_H
#define IMAGE_UNPACK_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/vec.h"

/* A layer's directory in the store. */
struct stack_layer {
	const char *dir;
	bool root_opaque; /* hides every layer below it */
};

/*
 * Append the directories that an overlay of these layers (lowest first) needs, topmost first: it
 * ends at the first opaque root. A directory that occurs more than once is listed where it is
 * uppermost, because OverlayFS refuses to stack a directory twice and the upper one shows all that
 * the lower one could. Returns how many layers at the bottom are hidden, or -ENOMEM.
 */
MUST_CHECK int unpack_stack_list(const struct stack_layer *layers, size_t n, struct strv *ret);

#endif
