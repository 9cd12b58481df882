/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAYER_ENTRY_H
#define LAYER_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "layer.h"
#include "xattr.h"

/* One entry of a tar stream in normal form. Valid until the next entry is read. */
struct layer_entry {
	const char *path;     /* as tar_name_marked() returns it for whiteouts; "" is the root */
	const char *raw;      /* the name in the archive, for messages */
	const char *hardlink; /* the target of a hard link, in the form of path; or NULL */
	const char *symlink;  /* the target of a symbolic link, unchanged; or NULL */
	mode_t type;          /* S_IFMT bits; 0 for a hard link */
	mode_t mode;          /* 07777 bits; the group's are those of an ACL's mask in text form */
	uint32_t uid, gid;
	uint64_t size; /* of a regular file, in bytes */
	dev_t rdev;
	int64_t sec;
	uint32_t nsec;
	bool rooted_cap;       /* it has a capability of version 3, which names the root of a user
	                          namespace */
	struct xattrs *xattrs; /* the caller may take the contents */
};

struct entry_reader;

/* Read entries from the stream. o must stay valid until entry_close(). */
MUST_CHECK int entry_open(layer_read *read, void *arg, const struct layer_options *o,
	struct entry_reader **ret, struct err *e);
void entry_close(struct entry_reader *r);

/* Read the next entry. Returns 1, 0 at the end of the archive, or -errno with e filled. */
MUST_CHECK int entry_next(struct entry_reader *r, struct layer_entry *ret, struct err *e);

/* A piece of file data, valid until the next one is read. */
struct entry_piece {
	const void *data;
	size_t n;     /* bytes */
	uint64_t off; /* in the file; offsets ascend, and gaps between pieces are holes */
};

/* Read the next piece of the entry's data. Returns 1, 0 at its end, or -errno with e filled. */
MUST_CHECK int entry_data(struct entry_reader *r, struct entry_piece *ret, struct err *e);

#endif
