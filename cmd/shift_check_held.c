/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: one line for the findings that have one cause, and at most 20 lines. */

#include "shift_check_held.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shift_check.h"

/* FEW: so many findings with one cause are printed one by one. */
enum { LINES_MAX = 20, FEW = 3, GROUPS_MAX = 256 };

/* The classes in which equal details mean one cause: an owner, and what the map makes of it. */
static bool may_share(enum finding_class class)
{
	return class == FINDING_MISMATCH || class == FINDING_UNMAPPED ||
		class == FINDING_HALF_SHIFTED;
}

static struct held_group *same_cause(const struct held_findings *h, const struct finding *f)
{
	for (size_t i = 0; i < h->groups.len && may_share(f->class); i++)
		if (h->groups.items[i].class == f->class &&
			!strcmp(h->groups.items[i].detail, f->detail))
			return &h->groups.items[i];
	return NULL;
}

/* By how much are both ids of a mismatch off? 0: not by the same number. */
static int64_t shift_of(const struct finding *f)
{
	int64_t uid, gid;

	if (f->class != FINDING_MISMATCH || !f->seen || !f->has_uid || !f->has_gid ||
		(f->seen->known & (META_UID | META_GID)) != (META_UID | META_GID))
		return 0;
	uid = (int64_t)f->seen->uid - f->expected_uid;
	gid = (int64_t)f->seen->gid - f->expected_gid;
	return uid == gid ? uid : 0;
}

static void count_shift(struct held_findings *h, const struct finding *f)
{
	int64_t shift = shift_of(f);

	if (f->class != FINDING_MISMATCH)
		return;
	if (!h->mismatches++)
		h->shift = shift;
	if (shift && shift == h->shift)
		h->shifted++;
}

static int add_path(struct held_group *g, const char *root, const char *path)
{
	bool slash = *root && root[strlen(root) - 1] == '/';
	scoped_free char *full = NULL;

	if (g->count++ >= FEW)
		return 0;
	if (asprintf(&full, "%s%s%s", root, *path && !slash ? "/" : "", path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	return strv_add(&g->paths, full);
}

static void group_done(struct held_group *g)
{
	free(g->detail);
	strv_done(&g->paths);
}

void held_add(struct held_findings *h, const char *root, const struct finding *f)
{
	struct held_group *g = same_cause(h, f), new = { .class = f->class };

	h->total++;
	count_shift(h, f);
	if (g) {
		(void)add_path(g, root, f->path); /* without memory it is counted */
		return;
	}
	if (h->groups.len == GROUPS_MAX)
		return;
	new.detail = strdup(f->detail);
	if (!new.detail || add_path(&new, root, f->path) < 0 || VEC_ADD(&h->groups, new) < 0)
		group_done(&new);
}

/* Returns how many findings were printed in *lines lines more. */
static uint64_t put(struct out *out, const struct held_group *g, size_t *lines)
{
	struct finding f = { .class = g->class, .path = "" };
	bool few = g->count <= g->paths.len;
	size_t shown = 0;

	if (few)
		(void)snprintf(f.detail, sizeof(f.detail), "%s", g->detail); /* of the same size */
	else
		(void)snprintf(f.detail, sizeof(f.detail), "%.300s (and %" PRIu64 " more like it)",
			g->detail, g->count - 1); /* cut at worst */
	for (; shown < (few ? g->paths.len : 1) && *lines < LINES_MAX; shown++, ++*lines)
		check_put_finding(out, g->paths.items[shown], &f);
	return few ? shown : g->count;
}

/* The map whose seen ids are all higher by shift; false: there is none. */
static bool shifted_map(const struct idmap *m, int64_t shift, struct buf *b)
{
	const struct idranges *kinds[] = { &m->uid, &m->gid };
	struct idrange ranges[2][IDMAP_EXTENTS_MAX];
	scoped_idmap struct idmap moved = { .gid_assumed = false };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < kinds[k]->len; i++) {
			int64_t seen = kinds[k]->items[i].seen + shift;

			if (seen < 0 || seen > UINT32_MAX)
				return false;
			ranges[k][i] = kinds[k]->items[i];
			ranges[k][i].seen = (uint32_t)seen;
		}
	if (idmap_from_ranges(ranges[0], m->uid.len, ranges[1], m->gid.len, &moved, NULL) < 0)
		return false;
	if (idranges_equal(&moved.uid, &moved.gid) && moved.uid.len == 1 &&
		!moved.uid.items[0].disk && moved.uid.items[0].count == 65536)
		buf_printf(b, "+%u", moved.uid.items[0].seen);
	else
		idmap_print(&moved, b);
	return buf_get(b);
}

/* One line for mismatches that are all off by the same number. */
static void put_shifted(const struct held_findings *h, const char *root, const struct idmap *given)
{
	struct finding f = { .class = FINDING_MISMATCH, .path = "" };
	scoped_buf struct buf map = BUF_INIT;
	const struct held_group *first = NULL;
	bool found;

	for (size_t i = 0; i < h->groups.len && !first; i++)
		if (h->groups.items[i].class == FINDING_MISMATCH)
			first = &h->groups.items[i];
	found = given && shifted_map(given, h->shift, &map);
	(void)snprintf(f.detail, sizeof(f.detail),
		"all %" PRIu64 " are off by %+" PRId64 " (%.200s)%s%.80s", h->shifted, h->shift,
		first ? first->detail : "", found ? "; try: -m " : "",
		found ? map.data : ""); /* cut at worst */
	check_put_finding(h->out, root, &f);
}

void held_print(const struct held_findings *h, const char *root, const struct idmap *given)
{
	bool shifted = h->mismatches > FEW && h->shift && h->shifted == h->mismatches;
	uint64_t shown = 0;
	size_t lines = 0;

	if (shifted) {
		put_shifted(h, root, given);
		shown = h->shifted;
		lines = 1;
	}
	for (size_t i = 0; i < h->groups.len && lines < LINES_MAX; i++) {
		const struct held_group *g = &h->groups.items[i];

		if (!shifted || g->class != FINDING_MISMATCH)
			shown += put(h->out, g, &lines);
	}
	if (h->total > shown)
		out_line(h->out, "... %" PRIu64 " more (--max-findings=0 prints all)",
			h->total - shown);
}

void held_done(struct held_findings *h)
{
	for (size_t i = 0; i < h->groups.len; i++)
		group_done(&h->groups.items[i]);
	VEC_DONE(&h->groups);
}
