/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_WORD_H
#define SOURCE_SOURCE_WORD_H

#include <stdbool.h>

enum source_kind {
	SOURCE_LAYOUT,     /* oci:DIR */
	SOURCE_SKOPEO_DIR, /* dir:DIR */
	SOURCE_ARCHIVE,    /* oci-archive:FILE, docker-archive:FILE */
	SOURCE_LAYER,      /* layer:FILE, which is a layer, not an image */
	SOURCE_REGISTRY,   /* docker://HOST/PATH */
	SOURCE_FETCHED, /* what is at a daemon, or written in another way: skopeo copies it to files
	                 */
};

/* A word before a source, which says what it is. */
struct source_word {
	const char *word; /* with its colon */
	enum source_kind kind;
	bool docker;           /* an archive of docker save */
	const char *transport; /* of what is fetched: what skopeo expects before the name */
};

/* Is it of an image that is fetched, by this program or by skopeo? */
bool source_word_is_fetched(const struct source_word *w);

/* The word that spec begins with, as it is written or in other letters (OCI:); or NULL. */
const struct source_word *source_word_find(const char *spec);
const struct source_word *source_word_find_any_case(const char *spec);

#endif
