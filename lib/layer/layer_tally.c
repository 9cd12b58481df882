/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_tally: one warning with a count for what happened to many entries of a layer. */

#include "layer_tally.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../base/plural.h"

static bool same_kind(const struct layer_tally_kind *k, const char *name, const char *text)
{
	return k->text == text && !k->name == !name && (!name || !strcmp(k->name, name));
}

/* NULL: there are too many kinds, or there is no memory. */
static struct layer_tally_kind *kind_of(
	struct layer_tally *t, const char *on, const char *name, const char *text)
{
	struct layer_tally_kind *k;

	for (size_t i = 0; i < t->len; i++)
		if (same_kind(&t->kinds[i], name, text))
			return &t->kinds[i];
	if (t->len == LAYER_TALLY_KINDS)
		return NULL;
	k = &t->kinds[t->len];
	*k = (struct layer_tally_kind){
		.name = name ? strdup(name) : NULL, .first = strdup(on), .text = text
	};
	if ((name && !k->name) || !k->first) {
		free(k->name);
		free(k->first);
		return NULL;
	}
	t->len++;
	return k;
}

void layer_tally_add(struct layer_tally *t, const char *on, const char *name, const char *text)
{
	struct layer_tally_kind *k = kind_of(t, on, name, text);

	log_verbose("'%s': %s%s%s", on, name ? name : "", name ? ": " : "", text);
	if (!k) {
		t->more++;
		return;
	}
	if (t->entry && k->last == t->entry)
		return;
	k->n++;
	k->last = t->entry;
}

void layer_tally_report(struct layer_tally *t)
{
	for (size_t i = 0; i < t->len; i++) {
		struct layer_tally_kind *k = &t->kinds[i];
		const char *name = k->name ? k->name : "", *colon = k->name ? ": " : "";

		if (k->n == 1)
			log_warn("'%s': %s%s%s", k->first, name, colon, k->text);
		else
			log_warn("'%s' and %" PRIu64
				 " other %s of this layer: %s%s%s; --verbose lists them",
				k->first, k->n - 1, plural(k->n - 1, "entry", "entries"), name,
				colon, k->text);
		free(k->name);
		free(k->first);
	}
	if (t->more)
		log_warn("%" PRIu64 " %s more, something in entries of this layer was skipped; "
			 "--verbose lists them",
			t->more, plural(t->more, "time", "times"));
	*t = (struct layer_tally){ .len = 0 };
}
