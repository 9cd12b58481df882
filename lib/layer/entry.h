/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_ENTRY_H
#define LAYER_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "layer.h"
#include "xattr.h"

/* One entry of a tar stream, in the one form that the rest works with. Valid until the next one. */
struct layer_entry {
	const char *path; /* no leading, trailing, double slash, no "." or ".."; "" is the root */
	const char *raw;  /* the name as it came, for messages */
	const char *hardlink; /* the target in the form of path, for a hard link; or NULL */
	const char *symlink;  /* the target as it came, for a symbolic link; or NULL */
	mode_t type;          /* S_IFREG ...; 0 for a hard link */
	mode_t mode;          /* 07777 bits */
	uint32_t uid, gid;
	uint64_t size;
	dev_t rdev;
	int64_t sec;
	uint32_t nsec;
	bool rooted_cap;       /* it has a capability of version 3, which names the root of a user
	                          namespace */
	struct xattrs *xattrs; /* its content may be taken away */
};

struct entry_reader;

int entry_open(layer_read *read, void *arg, const struct layer_options *o,
	struct entry_reader **ret, struct err *e);
void entry_close(struct entry_reader *r);

/* 1 and the next entry, 0 at the end of the archive, -errno. */
int entry_next(struct entry_reader *r, struct layer_entry *ret, struct err *e);

/*
 * 1 and the next piece of the entry's data, which belongs at *ret_off (pieces ascend; what lies
 * between them is a hole); 0 at its end, -errno. on: for messages.
 */
int entry_data(struct entry_reader *r, const void **ret, size_t *ret_n, uint64_t *ret_off,
	const char *on, struct err *e);

/*
 * -EFBIG: who ("layer has") goes beyond the limit that this option sets, --max-bytes or
 * --max-entries; on: the entry.
 */
int entry_over_limit(
	const char *on, const char *who, const char *option, uint64_t limit, struct err *e);

#endif
