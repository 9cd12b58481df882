/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_MEMBERS_H
#define TAR_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * Find out from the members of a tar archive whether it is a layer or the archive of an image. All
 * members are looked at, since tools write them in any order and add others. Feed it the names, and
 * the content of the members that members_wants() names.
 */
struct members {
	uint64_t n; /* number of members */
	struct members_files {
		bool oci_layout, index_json, repositories;
		bool manifest_link;  /* manifest.json is a link to another member */
		bool part;           /* a member has a digest as its name, as in images */
		bool old_layer;      /* DIGEST/layer.tar */
		bool other;          /* there is a file that no image has */
		struct buf manifest; /* the content of manifest.json */
	} root, below;               /* below: in the one directory that contains all files */
	char top[256];               /* that directory; "" before the first file */
	bool flat;                   /* there is no such directory */
	struct buf *wanted;          /* what members_data() adds to */
};

enum members_kind {
	MEMBERS_NONE,   /* there is no member */
	MEMBERS_LAYER,  /* anything else */
	MEMBERS_OCI,    /* an OCI layout: oci-layout and index.json */
	MEMBERS_DOCKER, /* docker save: manifest.json is a list of images */
	MEMBERS_OLD,    /* docker save before docker 1.10: repositories, and no manifest.json */
	MEMBERS_DIR,    /* skopeo's dir: manifest.json is an image manifest */
	MEMBERS_PART,   /* blobs and layers of an image, but nothing that lists them */
	MEMBERS_BELOW,  /* one directory, which contains an image */
};

/* path: as tar_name_normal() returns it. directory, regular: of this type and no hard link. */
void members_add(struct members *m, const char *path, bool directory, bool regular);

/* Add an entry whose name is not valid (tar_name_normal()): it belongs to no image. */
void members_add_invalid(struct members *m);

/* Is the content of the member that was added last needed, if it is a regular file? */
bool members_wants(const struct members *m);

/* Add a piece of the wanted content; what is beyond the limit of a document is skipped. */
void members_data(struct members *m, const void *p, size_t n);

/* What the members seen so far are. */
enum members_kind members_kind(const struct members *m);

/*
 * What a manifest.json is part of: MEMBERS_DOCKER, MEMBERS_DIR or MEMBERS_LAYER; MEMBERS_NONE: it
 * is not JSON.
 */
enum members_kind members_manifest_kind(const struct buf *manifest);

/*
 * Describe why an archive of this kind is not unpacked as a layer. on, which may be NULL, is what
 * the message is about, and file what the user may write behind another prefix. Returns 0 for
 * MEMBERS_LAYER, else -EINVAL with e filled.
 */
MUST_CHECK int members_refuse(
	enum members_kind kind, const char *on, const char *file, struct err *e);

void members_done(struct members *m);

#define scoped_members __attribute__((cleanup(members_done)))

#endif
