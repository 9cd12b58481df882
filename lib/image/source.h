/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "digest.h"

/*
 * Where an image comes from. Opening one reads, verifies and judges all its documents; its layers are
 * only opened, by number, when they are unpacked.
 */

/* As OCI names them (GOARCH): "linux", "amd64", "" or "v8". */
struct platform { char os[32], arch[32], variant[32]; };

/* Of this machine. */
void platform_native(struct platform *ret);

/* Parse OS/ARCH[/VARIANT]. */
int platform_parse(const char *s, struct platform *ret, struct err *e);

struct source_layer {
	char *name;               /* for messages: the digest, or the file */
	bool has_digest;          /* digest, diff_id and size are known beforehand */
	struct digest digest, diff_id;
	uint64_t size;            /* of the blob; BLOB_SIZE_UNKNOWN: a pipe */
	const char *note;         /* why the blob may be missing, or NULL */
};

struct source {
	char *name;               /* as the user named it */
	char *default_name;       /* for the image, not validated */
	struct buf manifest, config; /* the documents, byte for byte; empty for plain layers */
	struct digest manifest_digest, config_digest;
	struct source_layer *layers; /* base first */
	size_t n_layers;

	/* Open layer i for a blob_input, which reads it by offset (or, a pipe, in order). The caller closes it. */
	int (*open_layer)(const struct source *s, size_t i, int *ret_fd, struct err *e);
	int dirfd;                /* of an OCI layout, or -1 */
	int *fds;                 /* of plain layers */
	size_t n_fds;
};

/*
 * Open oci:DIR[:REF], or a path whose kind is found by looking: an OCI layout, a layer tar.
 * DIR may contain colons: the longest existing path is taken. platform chooses among several
 * manifests; strict: what the image's config says must agree. Errors name document and key.
 */
int source_open(const char *spec, const struct platform *platform, bool strict, struct source **ret, struct err *e);

/* Plain layers, base first; "-" is standard input, at most once. */
int source_open_tars(char *const *paths, size_t n, struct source **ret, struct err *e);

void source_free(struct source *s);

#endif
