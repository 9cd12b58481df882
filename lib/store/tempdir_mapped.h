/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_TEMPDIR_MAPPED_H
#define STORE_TEMPDIR_MAPPED_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../idmap/idmap.h"
#include "tempdir.h"

/*
 * A directory in a tempdir, and a detached ID-mapped mount of it, in which files are created with
 * the ids of an image. A file created as id I is stored with the disk id that the map gives for I,
 * and so are the ids in its ACL and the root of its file capability.
 */
struct tempdir_mapped {
	int view;  /* with the map: to create files */
	int plain; /* as the parent's mount shows it: to rename out of */
	int disk;  /* without any map: to read back what was stored */
};

#define TEMPDIR_MAPPED_INIT ((struct tempdir_mapped){ -1, -1, -1 })

/*
 * Make such a directory. map translates ids of the image (disk side) to disk ids (seen side). Needs
 * CAP_SYS_ADMIN in the user namespace of the filesystem; the cause of a failure is probed for. Free
 * with tempdir_mapped_done().
 */
MUST_CHECK int tempdir_mapped_new(const struct tempdir *s, const struct idmap *map,
	struct tempdir_mapped *ret, struct err *e);

void tempdir_mapped_done(struct tempdir_mapped *v);

#endif
