/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to many entries of a layer is one warning. */

#include "../../lib/layer/layer_tally.h"

#include <stdio.h>

#include "../../lib/base/log.h"
#include "layer_stack.h"
#include "test.h"

static char said[8][200];
static size_t calls;

static void keep(enum log_level level, const char *text)
{
	if (level == LOG_WARN && calls < ARRAY_LEN(said))
		(void)snprintf(said[calls++], sizeof(said[0]), "%s", text); /* cut on purpose */
}

TEST(a_tally_counts_entries_of_each_kind)
{
	struct layer_tally t = { .len = 0 };

	log_set_sink(keep);
	for (t.entry = 1; t.entry <= 3000; t.entry++) {
		layer_tally_add(&t, t.entry == 1 ? "a" : "b", "com.x", "skipped");
		layer_tally_add(&t, "b", "com.x", "skipped"); /* the same entry */
		if (t.entry == 7)
			layer_tally_add(&t, "c", NULL, "skipped: a socket");
	}
	CHECK_INT(calls, 0);
	layer_tally_report(&t);
	CHECK_INT(calls, 2);
	CHECK_STR(said[0],
		"'a' and 2999 other entries of this layer: com.x: skipped; --verbose lists them");
	CHECK_STR(said[1], "'c': skipped: a socket");
	layer_tally_report(&t);
	CHECK_INT(calls, 2);
}

TEST(a_tally_is_bounded_and_loses_nothing)
{
	struct layer_tally t = { .len = 0 };
	char name[16];

	log_set_sink(keep);
	for (int i = 0; i < LAYER_TALLY_KINDS + 100; i++) {
		(void)snprintf(name, sizeof(name), "x%d", i); /* fits */
		layer_tally_add(&t, "f", name, "skipped");
	}
	CHECK_INT(t.len, LAYER_TALLY_KINDS);
	CHECK_INT(t.more, 100);
	layer_tally_report(&t);
}

TEST(a_layer_warns_once_about_an_attribute_of_many_files)
{
	static struct tar_entry list[101];
	static char names[100][8];
	static struct layers s;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%d", i); /* fits */
		list[i] = (struct tar_entry){ .name = names[i],
			.pax = { "SCHILY.xattr.com.x=1", "LIBARCHIVE.xattr.com.y=AQ==" } };
	}
	layers_open(&s, NULL);
	log_set_sink(keep);
	layers_must(&s, list);
	CHECK_INT(calls, 2);
	CHECK_HAS(said[0], "'f0' and 99 other entries of this layer: com.");
}
