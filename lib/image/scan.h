/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_SCAN_H
#define IMAGE_SCAN_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"
#include "../layer/layer.h"
#include "../source/source.h"

/* Count what an image requires of the host, from the headers in its layers. */

struct scan_owner {
	uint32_t uid, gid;
	uint64_t count; /* of entries */
};

typedef VEC(struct scan_owner) scan_owners;

/*
 * The counts of one layer, or of several. Files that upper layers hide are included, because an
 * unpack creates these, too.
 */
struct scan {
	uint64_t entries, files, directories, symlinks, hardlinks, devices, fifos, sockets;
	uint64_t whiteouts, opaques; /* entries that are counted in no other member */
	uint64_t setuid, setgid;     /* regular files; one may be both */
	uint64_t capabilities, acls; /* entries with a file capability, with an ACL */
	uint64_t xattrs;             /* entries with other extended attributes */
	uint64_t bytes;              /* of files, including holes */
	uint64_t largest;            /* size of the largest file */
	char *largest_path;          /* NULL if no file has bytes */
	uint64_t blob_bytes;         /* of the layers, as they are stored */
	uint64_t unpacked;           /* of the layers, uncompressed */
	scan_owners owners;          /* each pair once, sorted by uid and gid */
	scan_owners named; /* ids in ACLs and capabilities, each with the file owner's id of the
	                      other kind */
};

/*
 * Read and verify layer i of src completely, as an unpack does, without writing anything. A layer
 * whose headers an unpack would refuse is refused. o gives the limits. Errors name the layer and
 * the entry. Free *ret with scan_done().
 */
MUST_CHECK int scan_layer(const struct source *src, size_t i, const struct layer_options *o,
	struct scan *ret, struct err *e);

/* Add the counts of a layer to a sum. The only error is -ENOMEM. */
MUST_CHECK int scan_add(struct scan *sum, const struct scan *layer, struct err *e);

/* The greatest ids in owners and named; 0 if they are empty. */
void scan_highest(const struct scan *s, uint32_t *ret_uid, uint32_t *ret_gid);

/*
 * The smallest map from these ids to themselves that covers all owners and named ids and 0:0. Free
 * *ret with idmap_done().
 */
MUST_CHECK int scan_map(const struct scan *sum, struct idmap *ret, struct err *e);

void scan_done(struct scan *s);

static inline void cleanup_scan(struct scan *s)
{
	scan_done(s);
}

#define scoped_scan __attribute__((cleanup(cleanup_scan)))

#endif
