/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chown report: collect the owners that programs requested, and print them. */

#include "chown_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/plural.h"
#include "../base/vec.h"

static struct chown_report_row *find(
	struct chown_report *r, const char *command, uint32_t uid, uint32_t gid)
{
	for (size_t i = 0; i < r->len; i++) {
		struct chown_report_row *row = &r->items[i];

		if (row->uid == uid && row->gid == gid && strcmp(row->command, command) == 0)
			return row;
	}
	return NULL;
}

void chown_report_add(struct chown_report *r, const char *command, uint32_t uid, uint32_t gid,
	bool mapped, const char *path)
{
	struct chown_report_row *row = find(r, command, uid, gid),
				new = { .uid = uid, .gid = gid, .mapped = mapped, .times = 1 };

	if (row) {
		row->times++;
		return;
	}
	(void)snprintf(new.command, sizeof(new.command), "%s",
		command); /* fits: struct caller has the same size */
	new.path = strdup(path);
	if (r->len < CHOWN_REPORT_ROWS_MAX && new.path && VEC_ADD(r, new) == 0)
		return;
	free(new.path);
	r->lost++;
}

void chown_report_done(struct chown_report *r)
{
	for (size_t i = 0; i < r->len; i++)
		free(r->items[i].path);
	VEC_DONE(r);
}

/* An id that the call does not change has no number: it is missing in JSON. */
static void put_id(struct out *o, const char *key, uint32_t id)
{
	if (id != UINT32_MAX)
		out_u64(o, key, id);
	else if (!out_json(o))
		out_str(o, key, "-");
}

static void print_row(const struct chown_report_row *row, struct out *o)
{
	out_begin(o, NULL);
	out_str(o, "program", row->command);
	put_id(o, "uid", row->uid);
	put_id(o, "gid", row->gid);
	out_u64(o, "times", row->times);
	out_str(o, "mapping", row->mapped ? "yes" : "none");
	out_str(o, "path", row->path);
	out_end(o);
}

/* Owners without a mapping come first: they need action. */
static void print_rows(const struct chown_report *r, struct out *o)
{
	static const struct out_col cols[] = {
		{ "program", "PROGRAM", false },
		{ "uid", "UID", true },
		{ "gid", "GID", true },
		{ "times", "TIMES", true },
		{ "mapping", "MAPPING", false },
		{ "path", "FIRST ON", false },
	};

	out_table(o, cols, ARRAY_LEN(cols));
	for (int mapped = 0; mapped < 2; mapped++)
		for (size_t i = 0; i < r->len; i++)
			if (r->items[i].mapped == mapped)
				print_row(&r->items[i], o);
	out_table_end(o);
}

/* The highest id requested, and whether the map lacks one. */
struct need {
	uint32_t max;
	bool missing;
};

static void need_add(struct need *n, uint32_t id, bool has)
{
	if (id == UINT32_MAX)
		return;
	n->max = id > n->max ? id : n->max;
	n->missing |= !has;
}

static void print_smallest(uint64_t uids, uint64_t gids, bool granted, struct out *o)
{
	scoped_buf struct buf b = BUF_INIT;

	if (granted)
		buf_printf(&b,
			": the user's own, and %" PRIu64 " subordinate user %s and %" PRIu64
			" group %s (/etc/subuid, /etc/subgid)",
			uids - 1, plural(uids - 1, "id", "ids"), gids - 1,
			plural(gids - 1, "id", "ids"));
	else
		buf_printf(
			&b, ", as in -m 'u:0:BASE:%" PRIu64 ";g:0:BASE:%" PRIu64 "'", uids, gids);
	out_line(o,
		"the smallest map that would do: %" PRIu64 " user %s and %" PRIu64
		" group %s from 0%s",
		uids, plural(uids, "id", "ids"), gids, plural(gids, "id", "ids"),
		buf_get(&b) ? buf_get(&b) : "");
}

void chown_report_print(
	const struct chown_report *r, const struct idmap *map, bool granted, struct out *o)
{
	struct need uid = { 0 }, gid = { 0 };
	uint32_t seen;

	if (!r->len)
		return;
	print_rows(r, o);
	for (size_t i = 0; i < r->len; i++) {
		need_add(&uid, r->items[i].uid, idmap_uid_seen(map, r->items[i].uid, &seen));
		need_add(&gid, r->items[i].gid, idmap_gid_seen(map, r->items[i].gid, &seen));
	}
	if (r->lost)
		out_line(o, "%" PRIu64 " more %s not in this table", r->lost,
			plural(r->lost, "call is", "calls are"));
	if (!uid.missing && !gid.missing)
		out_line(o, "every owner has a mapping");
	else
		print_smallest((uint64_t)uid.max + 1, (uint64_t)gid.max + 1, granted, o);
	if (!out_json(o))
		return;
	out_begin(o, NULL);
	out_begin(o, "summary");
	out_u64(o, "lost", r->lost);
	out_bool(o, "uids_missing", uid.missing);
	out_bool(o, "gids_missing", gid.missing);
	out_u64(o, "uids_needed", (uint64_t)uid.max + 1);
	out_u64(o, "gids_needed", (uint64_t)gid.max + 1);
	out_end(o);
	out_end(o);
}
