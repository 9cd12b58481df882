/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../tar/digest.h"

/*
 * Where an image comes from. Opening one reads, verifies and judges all its documents; its layers
 * are only opened, by number, when they are unpacked.
 */

/* As OCI names them (GOARCH): "linux", "amd64", "" or "v8". */
struct platform {
	char os[32], arch[32], variant[32];
};

/* Of this machine. */
void platform_native(struct platform *ret);

/* Parse OS/ARCH[/VARIANT]. */
int platform_parse(const char *s, struct platform *ret, struct err *e);

struct source_layer {
	char *name;                   /* for messages: the digest, or the file */
	bool has_digest, has_diff_id; /* which of these are known beforehand */
	struct digest digest, diff_id;
	uint64_t size;    /* of the blob; BLOB_SIZE_UNKNOWN: a pipe */
	const char *note; /* why the blob may be missing, or NULL */
};

struct image_archive;

struct source {
	char *name;                  /* as the user named it */
	char *default_name;          /* for the image, not validated */
	struct buf manifest, config; /* the documents, byte for byte; empty for plain layers */
	struct digest manifest_digest, config_digest;
	struct source_layer *layers; /* base first */
	size_t n_layers;

	/*
	 * Open layer i for a blob_input, which reads it by offset (or, a pipe, in order). The
	 * caller closes it.
	 */
	int (*open_layer)(
		const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e);
	int dirfd;                     /* of an OCI layout in a directory, or -1 */
	struct image_archive *archive; /* of an archive, or NULL */
	int *fds;                      /* of plain layers */
	size_t n_fds;
};

struct source_options {
	const struct platform *platform; /* chooses among several manifests */
	bool strict;        /* what the image's config says of its platform must agree */
	uint64_t max_bytes; /* of an archive that is compressed or piped, and must be copied to be
	                       read */
};

/*
 * Open oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REPO:TAG], or a path whose kind
 * is found by looking: an OCI layout, an archive of an image, a layer tar. DIR and FILE may contain
 * colons: the longest existing path is taken; of an archive "-" is standard input. Errors name
 * document and key.
 */
int source_open(
	const char *spec, const struct source_options *o, struct source **ret, struct err *e);

/* Does the word begin like one of an image, not of a layer ("oci:")? */
bool source_has_prefix(const char *spec);

/* Plain layers, base first; "-" is standard input, at most once. */
int source_open_tars(char *const *paths, size_t n, struct source **ret, struct err *e);

void source_free(struct source *s);

#endif
