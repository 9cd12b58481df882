/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_CHOWN_REPORT_H
#define BROKER_CHOWN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/out.h"
#include "../idmap/idmap.h"

enum { CHOWN_REPORT_ROWS_MAX = 4096 };

/*
 * The chown report: which program requested which owner, how often, and for which file first. Ids
 * are those of the namespace.
 */
struct chown_report_row {
	char command[32];
	uint32_t uid, gid; /* UINT32_MAX: unchanged by the call */
	bool mapped;       /* the map has both ids */
	uint64_t times;
	char *path;
};

/* Zero-initialise; free with chown_report_done(). */
struct chown_report {
	struct chown_report_row *items;
	size_t len, cap;
	uint64_t lost; /* calls that are in no row, because the table was full */
};

/* Count one call. If there is no memory or no row left, it counts as lost. path: any bytes. */
void chown_report_add(struct chown_report *r, const char *command, uint32_t uid, uint32_t gid,
	bool mapped, const char *path);

/*
 * Print the table, followed by which ids the map lacks and the size of the smallest map that has
 * all of them. This prints through struct out, which other areas leave to commands: the report is
 * printed by the broker process, after the command has ended. map: disk side, the ids in the
 * namespace. granted: the map is the user's own id and the user's subordinate ids, so that the
 * advice names /etc/subuid. JSON: one record for each row ("program", "uid", "gid", "times",
 * "mapping", "path") and a "summary". Prints nothing if no call was counted.
 */
void chown_report_print(
	const struct chown_report *r, const struct idmap *map, bool granted, struct out *out);

void chown_report_done(struct chown_report *r);

#endif
