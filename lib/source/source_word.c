/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_word: the words before sources. */

#include "source_word.h"

#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"

static const struct source_word words[] = {
	{ "oci:", SOURCE_LAYOUT, false, NULL },
	{ "dir:", SOURCE_SKOPEO_DIR, false, NULL },
	{ "oci-archive:", SOURCE_ARCHIVE, false, NULL },
	{ "docker-archive:", SOURCE_ARCHIVE, true, NULL },
	{ "layer:", SOURCE_LAYER, false, NULL },
	{ "docker://", SOURCE_REGISTRY, false, "docker://" },
	{ "docker:", SOURCE_FETCHED, false, "docker://" },
	{ "registry:", SOURCE_FETCHED, false, "docker://" },
	{ "docker-daemon:", SOURCE_FETCHED, false, "docker-daemon:" },
	{ "containers-storage:", SOURCE_FETCHED, false, "containers-storage:" },
};

const struct source_word *source_word_find_any_case(const char *spec)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strncasecmp(spec, words[i].word, strlen(words[i].word)))
			return &words[i];
	return NULL;
}

const struct source_word *source_word_find(const char *spec)
{
	const struct source_word *w = source_word_find_any_case(spec);

	return w && !strncmp(spec, w->word, strlen(w->word)) ? w : NULL;
}

bool source_word_is_fetched(const struct source_word *w)
{
	return w && (w->kind == SOURCE_FETCHED || w->kind == SOURCE_REGISTRY);
}
