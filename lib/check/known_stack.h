/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_KNOWN_STACK_H
#define CHECK_KNOWN_STACK_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"

/*
 * What is known about a stack from its record (mount/record_store.h). Zero-initialise, free with
 * known_stack_done().
 */
struct known_stack {
	bool has_map;       /* all layers have this map: disk ids of the layers are its disk side */
	struct idmap map;   /* of has_map */
	const char *why;    /* without has_map: why the map is not known */
	char *image;        /* the NAME of image:NAME, or NULL */
	char *store;        /* the path of the image's store, if the caller may know it; or NULL */
	char *target;       /* where the stack is mounted */
	struct strv layers; /* topmost first, as the kernel shows them */
	bool at_root;       /* the file that was asked for is the root of the stack */
};

/*
 * Look up the stack that fd (O_PATH) is on. Returns 1, 0 if fd is on no stack with a record, or
 * -ENOMEM.
 */
MUST_CHECK int known_stack_look(int fd, struct known_stack *ret, struct err *e);

void known_stack_done(struct known_stack *s);

static inline void cleanup_known_stack(struct known_stack *s)
{
	known_stack_done(s);
}

#define scoped_known_stack __attribute__((cleanup(cleanup_known_stack)))

#endif
