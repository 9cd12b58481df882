/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_SCAN_H
#define IMAGE_SCAN_H

#include <stdint.h>

#include "../base/err.h"
#include "../base/vec.h"
#include "../layer/layer.h"
#include "../source/source.h"

/* What an image needs of the machine that it is unpacked on, from the headers of its layers. */

struct scan_owner {
	uint32_t uid, gid;
	uint64_t count; /* of entries */
};

typedef VEC(struct scan_owner) scan_owners;

/* Of one layer, or of several, the hidden files of lower layers included: they are unpacked too. */
struct scan {
	uint64_t entries, files, directories, symlinks, hardlinks, devices, fifos, sockets;
	uint64_t whiteouts, opaques; /* are entries, and nothing else that is counted here */
	uint64_t setuid, setgid;     /* regular files; one may be both */
	uint64_t capabilities, acls,
		xattrs;                /* entries that have some; xattrs: others than the two */
	uint64_t bytes;                /* of files, holes included */
	uint64_t largest;              /* file */
	char *largest_path;            /* NULL without any file that has bytes */
	uint64_t blob_bytes, unpacked; /* of the layer, compressed and not */
	scan_owners owners;            /* each pair once, by uid and gid */
	scan_owners named; /* ids that ACLs and capabilities name, each with the other id of its
	                      file's owner */
};

/*
 * Read layer i of src from its first byte to its last, verified as by an unpack, and refused for
 * what an unpack refuses in its headers. Nothing is written. o: limits. Errors name the layer and
 * the entry.
 */
int scan_layer(const struct source *src, size_t i, const struct layer_options *o, struct scan *ret,
	struct err *e);

/* Add what is in a layer to a sum. */
int scan_add(struct scan *sum, const struct scan *layer, struct err *e);

/* The greatest ids among owners and named; 0 when there are none. */
void scan_highest(const struct scan *s, uint32_t *ret_uid, uint32_t *ret_gid);

void scan_done(struct scan *s);

static inline void cleanup_scan(struct scan *s)
{
	scan_done(s);
}

#define scoped_scan __attribute__((cleanup(cleanup_scan)))

#endif
