/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_CHOWN_REPORT_H
#define BROKER_CHOWN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/out.h"
#include "../idmap/idmap.h"

enum { CHOWN_REPORT_ROWS_MAX = 4096 };

/* Which program wanted which owner, how often, and on which file first. Ids are the namespace's. */
struct chown_report_row {
	char command[32];
	uint32_t uid, gid; /* UINT32_MAX: left as it was */
	bool mapped;
	uint64_t times;
	char *path;
};

/* Zero-initialise; free with chown_report_done(). */
struct chown_report {
	struct chown_report_row *items;
	size_t len, cap;
	uint64_t lost; /* calls that found no row any more */
};

/* Count one wish. Out of memory, or of rows, it is counted as lost. path: any bytes. */
void chown_report_add(struct chown_report *r, const char *command, uint32_t uid, uint32_t gid,
	bool mapped, const char *path);

/*
 * The table, and after it what the map (disk: the namespace's ids) lacks and how many ids would do.
 * granted: the map is that of an ordinary user's subordinate ids, behind the user's own. As JSON a
 * record for each row ("program", "uid", "gid", "times", "mapping", "path") and one "summary".
 */
void chown_report_print(
	const struct chown_report *r, const struct idmap *map, bool granted, struct out *out);

void chown_report_done(struct chown_report *r);

#endif
