/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_REGISTRY_IMAGE_H
#define SOURCE_REGISTRY_IMAGE_H

#include "../base/err.h"
#include "source.h"

/*
 * Load the image that the word "[docker://]HOST/PATH:TAG" names in a registry. Its documents are
 * fetched and verified now, its layers when they are opened: each is then a pipe into which the
 * fetching process (registry/fetcher.h) writes it.
 */
MUST_CHECK int registry_image_open(
	struct source *s, const char *word, const struct source_options *o, struct err *e);

/* List the tags of the repository that the word names, in the registry's order. */
MUST_CHECK int registry_image_tags(
	const char *word, const struct source_options *o, struct strv *ret, struct err *e);

/*
 * Keep what arrives of large layers in the directory dirfd, which is borrowed, and go on from what
 * is there (registry/part.h). Call it before a layer is opened. For other sources, nothing happens,
 * here and in the next function.
 */
MUST_CHECK int registry_image_keep_parts(struct source *s, int dirfd, struct err *e);

/* Remove what was kept: the layers are published. */
void registry_image_drop_parts(struct source *s);

/* End the fetching process, and free what belongs to the registry. */
void registry_image_done(struct source *s);

#endif
