/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_IMAGE_VERIFY_H
#define IMAGE_IMAGE_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../store/store.h"

/* A difference between a layer in the store and its specification, or a damaged document. */
struct image_finding {
	const char *class; /* one word: of a finding of lib/check, or "size", "link", "document" */
	const char *layer; /* the directory's name below layers/; "" for a document */
	const char *path;  /* in the layer; of a document, in the store */
	const char *detail;
};

/* Receives findings, and counts what was looked at. */
struct image_verify {
	void (*found)(const struct image_finding *f, void *arg);
	void *arg;
	size_t layers;
	uint64_t entries, findings; /* of all layers */
};

/*
 * Compare the layers of the image with the specifications that were written when they were
 * unpacked: types, owners, modes, devices, missing and additional files, the sizes of regular files
 * and the targets of symbolic links. Check the documents, too. v->found is called for each
 * difference; the counts, which the caller zero-initialises, are increased. Returns 0 whether or
 * not there are findings; -errno if the image or a layer cannot be read.
 */
MUST_CHECK int image_verify(
	struct store *s, const char *name, struct image_verify *v, struct err *e);

#endif
