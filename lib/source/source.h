/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../tar/digest.h"
#include "platform.h"

/*
 * Where an image comes from. Opening a source reads and validates all documents of the image; its
 * layers are opened later, by number, when they are unpacked.
 */

struct source_layer {
	char *name;                   /* for messages: the digest, or the file */
	bool has_digest, has_diff_id; /* whether these are known beforehand */
	struct digest digest, diff_id;
	uint64_t size;     /* of the blob, in bytes; BLOB_SIZE_UNKNOWN: a pipe */
	char *data;        /* the blob in base64, if the manifest has it; or NULL */
	char *url;         /* where a blob that may be missing can be fetched, or NULL */
	const char *note;  /* why the blob may be missing, or NULL */
	bool plain;        /* a file of the user's, not part of an image */
	bool declared;     /* the user said that it is a layer, whatever is in it */
	bool may_be_empty; /* it may be an archive without entries: it is one file of several */
};

/*
 * Does the image's manifest or config name the layer as a store does? Stores name layers by their
 * diff_ids as SHA-256.
 */
static inline bool source_layer_is_known(const struct source_layer *l)
{
	return l->has_diff_id && l->diff_id.algorithm == DIGEST_SHA256;
}

struct image_archive;
struct source_registry;
struct strv;

struct source {
	char *name;                  /* as the user specified it */
	char *default_name;          /* a name for the image, not validated */
	bool named_by_path;          /* default_name is from the path alone, without a reference */
	struct buf manifest, config; /* the documents, byte for byte; empty for plain layers */
	struct digest manifest_digest, config_digest;
	struct source_layer *layers; /* base first */
	size_t n_layers;

	/*
	 * Open layer i for a blob_input: set *ret_fd, which the caller closes, and the offset of
	 * the blob in it.
	 */
	int (*open_layer)(
		const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e);
	/*
	 * After reading layer i has failed with r (-errno, described in e), and its descriptor was
	 * closed: find out whether the layer did not arrive. If so, it replaces e, and returns the
	 * -errno that e then describes; else r. NULL: layers do not arrive from elsewhere.
	 */
	int (*blame_layer)(const struct source *s, size_t i, int r, struct err *e);
	int dirfd;                        /* of an OCI layout in a directory, or -1 */
	struct image_archive *archive;    /* or NULL */
	struct source_registry *registry; /* or NULL */
	int *fds;                         /* of plain layers */
	size_t n_fds;
};

struct source_options {
	const struct platform *platform; /* chooses among several manifests */
	bool strict;                     /* refuse an image whose config is for another platform */
	uint64_t max_bytes; /* limit for the copy of an archive that is compressed or a pipe */

	/* Of a registry: see struct fetch_options. */
	const struct strv *insecure;
	const char *authfile, *cert_dir;
	uint32_t tries; /* 0: FETCH_TRIES */
};

/*
 * Open docker://[HOST[:PORT]/]PATH[:TAG][@DIGEST], oci:DIR[:REF], dir:DIR, oci-archive:FILE[:REF],
 * docker-archive:FILE[:REPO:TAG], layer:FILE, or a path: the kind is then detected (an OCI layout,
 * an archive of an image, or a tar of one layer), or that of an image in a registry, if no such
 * file exists and the word has a tag, a digest or a host. Whether standard input is a layer is
 * known only when it was read: see struct members. DIR and FILE may contain colons, since the
 * longest existing path is used; FILE may be "-" for standard input. Errors name the document and
 * the key.
 */
MUST_CHECK int source_open(
	const char *spec, const struct source_options *o, struct source **ret, struct err *e);

/* Does the word have the prefix of an image ("oci:")? */
bool source_has_prefix(const char *spec);

/*
 * Open plain layers, base first: each FILE or layer:FILE. "-" is standard input and may occur once.
 */
MUST_CHECK int source_open_tars(char *const *paths, size_t n, struct source **ret, struct err *e);

void source_free(struct source *s);

#endif
