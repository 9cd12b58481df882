/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_LIST_MAPPED_H
#define CHECK_LIST_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/idmap.h"

/* Where the knowledge of a mount's map comes from. */
enum map_from {
	MAP_FROM_KERNEL,  /* statmount(2) */
	MAP_FROM_LAYERS,  /* an overlay: the mount that its topmost mapped layer is on, where it is
	                 reachable by name */
	MAP_FROM_SAMPLES, /* before 6.15: owners of some files, compared with another mount of the
	                 same filesystem */
	MAP_FROM_NOWHERE, /* it has one (an overlay: it may have), and nothing tells which */
};

#define MAP_FROM_WORDS "kernel layers inferred unknown"

/*
 * A mount that has a map, or an overlay whose layers have one, or may have. Strings are valid
 * during the call only.
 */
struct mapped_mount {
	const char *target, *source, *root,
		*type; /* root: the directory of the filesystem that it shows */
	bool overlay;
	bool surely;    /* an overlay: a layer of it is on an ID-mapped mount */
	bool too_large; /* MAP_FROM_NOWHERE: what the kernel tells of it is too large to be read; it
	                   may have no map */
	enum map_from from;
	const struct idmap *map; /* NULL with MAP_FROM_NOWHERE */
	size_t samples;          /* MAP_FROM_SAMPLES: how many files */
	uint64_t namespace;      /* inode of the mount namespace */
	pid_t pid;               /* a process in it (the caller itself for its own) */
	const char *command;     /* its name */
};

struct list_mapped_options {
	const char *below; /* only mounts at or below this path, or the one that it is on; NULL:
	                      all. No links in it. */
	bool all_namespaces;
};

/*
 * Find them. Namespaces come one after the other, the caller's first; *ret_closed is how many could
 * not be looked into (or whose processes would not tell theirs): they are skipped. fn returns 0 to
 * go on. Returns 0, or what fn returned, or -errno.
 */
int list_mapped(const struct list_mapped_options *o,
	int (*fn)(const struct mapped_mount *m, void *arg), void *arg, size_t *ret_closed,
	struct err *e);

#endif
