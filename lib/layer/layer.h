/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/id_spans.h"
#include "../idmap/idmap.h"

/*
 * One layer: a tar stream becomes a directory in overlay format (OCI image-spec layer.md; overlayfs
 * documentation, "whiteouts and opaque directories"). There are three steps, so that the layers of
 * an image can be read concurrently although each one may depend on the layers below it:
 *
 *   layer_apply()          reads the stream and creates the files, each with its owner. It writes
 *                          only to the given directory and does not look at other layers.
 *   layer_resolve_lower()  resolves what depends on the layers below: attributes of parents that
 *                          the layer does not list, hard links to files of lower layers, and
 *                          whiteouts, which are created only if they hide something. An opaque
 *                          directory gets a whiteout for each name that it hides, not a mark.
 *   layer_finish()         restores modes, ACLs and times of directories, deepest first.
 *
 * layer_merge.h has the alternative to the second step: all layers in one directory.
 *
 * A struct layer belongs to one thread at a time. Different layers may be used concurrently.
 */
struct layer;
struct layer_tally;
struct members;

/*
 * Reads the next piece of the tar stream: sets *ret to it (valid until the next call) and returns
 * its length in bytes, 0 at the end, or -errno with e filled.
 */
typedef ssize_t layer_read(void *arg, const void **ret, struct err *e);

struct layer_limits {
	uint64_t bytes;   /* of file data that is read, kept or not, and of extension headers; holes
	                     do not count */
	uint64_t entries; /* including directories that are created as parents of entries */
	uint32_t xattr_bytes; /* of the names and values of one entry */
};

/* Counters for progress. Other threads may read them with relaxed atomics. */
struct layer_counts {
	uint64_t entries, bytes, whiteouts, opaques;
	uint64_t dropped;  /* whiteouts that have nothing to hide */
	uint64_t hidden;   /* whiteouts of names that a directory of the layer hides */
	uint64_t skipped;  /* sockets */
	uint64_t devices;  /* skipped devices */
	uint64_t unmapped; /* entries with an unavailable id: skipped, or given to the overflow ids
	                    */
};

/*
 * What to do with an entry whose owner, ACL or capability names an id that the user namespace does
 * not have.
 */
enum unmapped_policy { UNMAPPED_REFUSE, UNMAPPED_SKIP, UNMAPPED_OVERFLOW };

struct layer_ids {
	const struct idmap *map; /* its disk side has the available ids; NULL: all are available */
	enum unmapped_policy policy;
	uint32_t overflow_uid, overflow_gid; /* for UNMAPPED_OVERFLOW; must be available */
	/* Adds to e how the id could be made available. May be NULL; called on several threads. */
	void (*suggest)(bool group, uint32_t id, const void *arg, struct err *e);
	const void *arg;
};

/* Atomic totals that several layers may share, for limits on all of them together. */
struct layer_totals {
	uint64_t entries, bytes;
	uint64_t kept; /* bytes of link targets and of directories' attributes, which stay in memory
	                  until layer_free() */
	bool shared;   /* several layers use these totals */
};

struct layer_options {
	bool user_xattr;   /* use user.overlay.*: inside a user namespace */
	bool skip_devices; /* skip devices: they cannot be created inside a user namespace */
	struct layer_ids ids;
	bool keep_security; /* apply security.selinux, .ima and .evm too */
	bool rebase_caps; /* convert capabilities of version 3 to version 2, for the image's root */
	const char *no_devices; /* skip devices because other users could reach them: text of the
	                           warning. NULL: do not */
	struct layer_limits limits;
	struct layer_counts *counts; /* may be NULL */
	/*
	 * The map of the ID-mapped mount that the layer is written through. Ids that are not on its
	 * disk side cannot be stored and are refused (-EOVERFLOW). NULL: there is no such mount.
	 */
	const struct idmap *through;
	/*
	 * Create no files: read all data, and record in memory what would be created.
	 * layer_resolve_lower() and layer_finish() must not be called, but layer_merge_base() and
	 * layer_merge() may be.
	 */
	bool dry;
	struct layer_totals *totals; /* NULL: the limits are for this layer alone */
	struct members *members;     /* receives the entries that are read; may be NULL */
	struct layer_tally *tally;   /* counts warnings; layer_new() sets it to the layer's own.
	                                NULL: each is logged */
};

/* The directory to create for a layer: name in parentfd. The caller keeps ownership of both. */
struct layer_dir {
	int parentfd;
	const char *name;
};

/*
 * Create the directory dir and unpack the stream into it. Only the caller may have access to the
 * parent (a staging directory with mode 0700), and dir must not exist. layer_finish() replaces the
 * directory if its owner turns out to be another one, so open it only afterwards. dir->parentfd
 * must stay open until layer_free(). The name is copied.
 *
 * The stream is not read past the end of the archive: the caller hashes the rest. The process must
 * have called layer_process_prepare(). Returns 0 or -errno with e filled, which names the entry;
 * after a failure the caller removes what is on disk (fd_remove_tree()).
 */
MUST_CHECK int layer_apply(layer_read *read, void *arg, const struct layer_dir *dir,
	const struct layer_options *opts, struct layer **ret, struct err *e);

/* layer_apply() for a stream without entries: an empty directory, owned by 0:0, mode 0755. */
MUST_CHECK int layer_new(const struct layer_dir *dir, const struct layer_options *opts,
	struct layer **ret, struct err *e);

/*
 * Give the directories their owners, ACLs, modes and times. Call it last, after
 * layer_resolve_lower() or layer_merge_base(). Returns 0 or -errno with e filled.
 */
MUST_CHECK int layer_finish(struct layer *l, struct err *e);

/* Does the root have ".wh..wh..opq"? Then no layer below this one is part of the image. */
bool layer_root_opaque(const struct layer *l);

/*
 * After layer_resolve_lower(): is an entry at another place than the path that the archive has for
 * it, because symbolic links led there?
 */
bool layer_moved(const struct layer *l);

/*
 * The ids of the layer's files, ACLs and capabilities, as the image has them; complete after
 * layer_finish(). Belongs to the layer.
 */
const struct id_use *layer_id_use(const struct layer *l);

void layer_free(struct layer *l);

#endif
