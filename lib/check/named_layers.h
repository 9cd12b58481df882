/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_NAMED_LAYERS_H
#define CHECK_NAMED_LAYERS_H

#include <stdbool.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"
#include "mount_map.h"

/*
 * The layers of an overlay that another program has mounted, such as the root of a podman
 * container: the directories that the mount's options name, looked up in the caller's mount
 * namespace. The process that made the mount may have been in another one, and has chosen the
 * names, so they may lead elsewhere. Compare what is found there with what the overlay shows.
 */
struct named_layer {
	int fd;      /* O_PATH, the directory */
	char *path;  /* the name */
	char *mount; /* the mount point that it is below; NULL: not known */
	bool upper;
	bool users; /* it may be on a filesystem of another user, which may never answer */
	enum mount_map_kind kind; /* of the mount that it is on */
	struct idmap map;         /* of MOUNT_MAP_KNOWN */
};

/* Zero-initialise, free with named_layers_done(). */
struct named_layers {
	VEC(struct named_layer) items; /* the upper directory, then the layers, topmost first */
	bool whole;                    /* all but perhaps the upper directory could be opened */
	bool foreign;                  /* the mount belongs to another user namespace */
};

/*
 * Open the layers of the overlay that fd (O_PATH) is on; it may be attached in another mount
 * namespace. If that belongs to another user namespace, only names are followed that lead through
 * ID-mapped mounts of the caller's namespace, or whose components the kernel has cached: a user may
 * have named a filesystem that never answers. Returns 0, also if names lead nowhere, or -errno.
 */
MUST_CHECK int named_layers_open(int fd, struct named_layers *ret, struct err *e);

/*
 * The map that all lower layers have, which l owns; NULL if it is not known, or if they have none.
 */
const struct idmap *named_layers_map(const struct named_layers *l);

void named_layers_done(struct named_layers *l);

static inline void cleanup_named_layers(struct named_layers *l)
{
	named_layers_done(l);
}

#define scoped_named_layers __attribute__((cleanup(cleanup_named_layers)))

#endif
