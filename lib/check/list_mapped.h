/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_LIST_MAPPED_H
#define CHECK_LIST_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "../mount/mount_record.h"

/* The source of what is known about the map of a mount. */
enum map_from {
	MAP_FROM_KERNEL,  /* statmount(2) */
	MAP_FROM_RECORD,  /* of mount-idmapped (mount_record.h) */
	MAP_FROM_LAYERS,  /* an overlay: the mount of its topmost ID-mapped layer */
	MAP_FROM_SAMPLES, /* infer_map(), before Linux 6.15 */
	MAP_FROM_NOWHERE, /* the map is unknown (of an overlay: if a layer has one) */
};

#define MAP_FROM_WORDS "kernel record layers inferred unknown"

/*
 * A mount that is ID-mapped, or an overlay with layers that are or may be. Strings are valid during
 * the call only.
 */
struct mapped_mount {
	const char *target, *source, *type;
	const char *root; /* the directory of the filesystem that the mount shows */
	bool overlay;
	bool surely;    /* an overlay: at least one layer is on an ID-mapped mount */
	bool too_large; /* MAP_FROM_NOWHERE: the kernel's answer is too large; maybe not mapped */
	enum map_from from;
	const struct idmap *map; /* NULL with MAP_FROM_NOWHERE, and with a record of layers that all
	                            have maps of their own */
	const struct mount_record *record; /* of MAP_FROM_RECORD */
	size_t samples;                    /* MAP_FROM_SAMPLES: the number of files */
	uint64_t namespace;                /* the inode number of the mount namespace */
	pid_t pid;           /* a process in it; the caller itself for its own namespace */
	const char *command; /* the name of that process */
};

struct list_mapped_options {
	const char *below; /* list mounts at or below this path, and the one that it is on; no
	                      symbolic links in it; NULL: list all */
	bool all_namespaces;
};

/*
 * Call fn for each such mount, one mount namespace after the other, the caller's first. *ret_closed
 * is the number of namespaces that were skipped because they could not be entered or read. fn
 * returns 0 to continue. Returns 0, the first non-zero result of fn, or -errno.
 */
MUST_CHECK int list_mapped(const struct list_mapped_options *o,
	int (*fn)(const struct mapped_mount *m, void *arg), void *arg, size_t *ret_closed,
	struct err *e);

#endif
