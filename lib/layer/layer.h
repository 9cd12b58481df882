/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../idmap/idmap.h"

/*
 * One layer: a tar stream becomes a directory in overlay format (OCI image-spec layer.md; overlayfs
 * documentation, "whiteouts and opaque directories"). Three steps, so that the layers of an image
 * can be unpacked at the same time although each may need to know what is below it:
 *
 *   layer_apply   reads the stream and writes the files, born with their owners. It touches nothing
 *                 but the given directory and asks nothing of other layers.
 *   layer_resolve_lower  asks the layers below what only they know: metadata of parents that the
 * layer does not list, files it hard-links, whether a whiteout has anything to hide. layer_finish
 * restores modes, ACLs and times of directories, deepest first.
 *
 * A struct layer belongs to one thread at a time; different ones may be used at the same time.
 */
struct layer;

/*
 * Gives the next piece of the tar stream: sets *ret to it (valid until the next call) and returns
 * its length in bytes, 0 at the end, -errno with e filled.
 */
typedef ssize_t layer_read(void *arg, const void **ret, struct err *e);

struct layer_limits {
	uint64_t bytes;   /* of file data read, kept or not, and of extension headers, in one layer
	                     (or all: totals); not of holes */
	uint64_t entries; /* and directories made because an entry needs them as parents */
	uint32_t xattr_bytes; /* names and values of one entry */
};

/* Counted while it runs, for progress; read from other threads with relaxed atomics. */
struct layer_counts {
	uint64_t entries, bytes, whiteouts, opaques;
	uint64_t dropped;  /* whiteouts that have nothing to hide */
	uint64_t skipped;  /* sockets */
	uint64_t devices;  /* left out */
	uint64_t unmapped; /* entries with an id that there is not: left out, or given to the
	                      overflow ids */
};

/*
 * What becomes of an entry whose owner, ACL or capability names an id that the user namespace does
 * not have.
 */
enum unmapped_policy { UNMAPPED_REFUSE, UNMAPPED_SKIP, UNMAPPED_OVERFLOW };

struct layer_ids {
	const struct idmap *map; /* the ids that there are: its disk side; NULL: all */
	enum unmapped_policy policy;
	uint32_t overflow_uid, overflow_gid; /* of UNMAPPED_OVERFLOW: ids that there are */
	/* Add to e how the user can get that id. May be NULL; is called from several threads. */
	void (*suggest)(bool group, uint32_t id, const void *arg, struct err *e);
	const void *arg;
};

/* What all layers of a tree have together, for limits that hold for the whole; atomic. */
struct layer_totals {
	uint64_t entries, bytes;
	uint64_t kept; /* bytes of link targets, and of directories' attributes: in memory to the
	                  end */
	bool shared;   /* by several layers */
};

struct layer_options {
	bool user_xattr;   /* user.overlay.*: inside a user namespace */
	bool skip_devices; /* leave devices out: they cannot be made inside a user namespace */
	struct layer_ids ids;
	bool keep_security; /* apply security.selinux, .ima and .evm too */
	bool rebase_caps; /* a capability of version 3 becomes one of version 2: the image's root's
	                   */
	const char *no_devices; /* leave devices but 0:0 out, as others may reach them; the warning.
	                           NULL: no */
	struct layer_limits limits;
	struct layer_counts *counts; /* may be NULL */
	/*
	 * Where the layer is written through an ID-mapped mount: ids that are not on this map's
	 * disk side cannot be stored there, and are refused by name (-EOVERFLOW). NULL: all can.
	 */
	const struct idmap *through;
	bool dry; /* write nothing: what would be there is in the layer's tree. No
	             layer_resolve_lower(), no layer_finish() */
	struct layer_totals *totals; /* NULL: the limits are each layer's */
};

extern const struct layer_limits layer_default_limits;

/*
 * Make the directory name in parentfd (a directory of the caller's alone: staging, 0700) and unpack
 * the stream into it. The name must not exist. The directory is made anew by layer_finish() when
 * its owner turns out to be another one, so open it only after that. parentfd stays the caller's
 * and must stay open until layer_free(). Errors name the entry; what is on disk after one is the
 * caller's to remove (fd_remove_tree()). The stream is not read past the end of the archive: the
 * caller hashes the rest. The process must have been prepared (layer_prepare_process()).
 */
int layer_apply(layer_read *read, void *arg, int parentfd, const char *name,
	const struct layer_options *opts, struct layer **ret, struct err *e);

/* Make a layer without entries, whose root belongs to 0:0; otherwise like layer_apply(). */
MUST_CHECK int layer_new(int parentfd, const char *name, const struct layer_options *opts,
	struct layer **ret, struct err *e);

/*
 * umask 0 and SECBIT_NO_SETUID_FIXUP (prctl(2), PR_SET_SECUREBITS: a thread keeps its capabilities
 * while it creates files as somebody else). Once, before threads start. Needs CAP_SETPCAP, and the
 * caller's ids 0.
 */
int layer_prepare_process(struct err *e);

/*
 * The layers below, topmost first, each finished: O_RDONLY or O_PATH descriptors of their roots.
 * They end with the first one whose root is opaque (layer_root_opaque()).
 */
struct lower {
	const int *dirfds;
	size_t n;
	bool user_xattr;
	const struct layer_options
		*o; /* how a layer would be unpacked now; NULL: with nothing left out */
};

int layer_resolve_lower(struct layer *l, const struct lower *lower, struct err *e);
int layer_finish(struct layer *l, struct err *e);

/* Does ".wh..wh..opq" stand in the root? Then the image's stack ends with this layer. */
bool layer_root_opaque(const struct layer *l);

/* layer_deps() is no longer: layer_resolve_lower() refuses such a layer. */
enum { LAYER_DEPS_MAX = 64 << 20 };

/*
 * What layer_resolve_lower() asked and was told, and what options made of the layer (something was
 * left out, or a capability changed), as text, one fact a line; "" when the layer depends on
 * nothing. Two stacks that give the same deps may share the unpacked layer.
 */
int layer_deps(const struct layer *l, struct buf *ret, struct err *e);

/* Would a layer with these deps come out the same on top of these layers? */
int layer_deps_hold_below(const char *deps, const struct lower *lower, bool *ret, struct err *e);

/*
 * What the layer's headers said, as mtree(5) through libarchive: one line per entry with type, uid,
 * gid, mode, size, time, link, device; whiteouts as the ".wh." names they came as, but for those in
 * directories that no layer has. Written to dirfd/name.
 */
int layer_mtree_write(const struct layer *l, int dirfd, const char *name, struct err *e);

void layer_free(struct layer *l);

#endif
