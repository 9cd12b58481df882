/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_TEMPDIR_MAPPED_H
#define STORE_TEMPDIR_MAPPED_H

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "tempdir.h"

/*
 * A directory in a stage, and a view of it in which ids are an image's: a detached ID-mapped mount.
 * A file that is born there as id I has the disk id that the map gives I; so have the entries of
 * its ACL and its capability's root.
 */
struct tempdir_mapped {
	int view;  /* through the map: to write */
	int plain; /* as the stage's filesystem is reached: to rename out of it */
	int disk;  /* without any map: to read back */
};

#define TEMPDIR_MAPPED_INIT ((struct tempdir_mapped){ -1, -1, -1 })

/*
 * map: from ids of the image (its disk side) to those of the disk (its seen side). Needs
 * CAP_SYS_ADMIN over the filesystem's user namespace; the causes of failures are probed for. Free
 * with tempdir_mapped_done().
 */
int tempdir_mapped_new(const struct tempdir *s, const struct idmap *map, struct tempdir_mapped *ret,
	struct err *e);

void tempdir_mapped_done(struct tempdir_mapped *v);

#endif
