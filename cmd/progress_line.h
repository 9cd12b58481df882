/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_PROGRESS_LINE_H
#define CMD_PROGRESS_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/base/err.h"
#include "../lib/base/out.h"
#include "../lib/base/progress.h"

/*
 * Shows progress as it is made: on a terminal one line for each item, with a bar, rate and time
 * left; with an out under JSON one record for each change of state:
 *   {"event":"layer","layer":2,"layers":3,"name":...,
 *    "state":"running|done|shared|failed","size":...,"entries":...,"bytes":...}
 * and otherwise nothing. The terminal's settings are not touched, so there is nothing to restore.
 */
struct meter;

/*
 * METER_COUNT: on a terminal, one line for each item with its entries and their rate, which goes
 * away at the end.
 */
enum meter_kind { METER_SILENT, METER_BARS, METER_EVENTS, METER_COUNT };

/* fd: where bars go; out: where events go. NULL: out of memory. */
struct meter *meter_new(enum meter_kind kind, int fd, bool color, struct out *out);

/* To be given to the library; the meter's. */
struct progress *meter_progress(struct meter *m);

/* Between these nothing is drawn, and what was is taken away: something else may be printed. */
void meter_hide(struct meter *m);
void meter_show(struct meter *m);

/* Ends the drawing, wherever it is. */
void meter_free(struct meter *m);

/* "1.2 MB" into buf, returned. */
const char *human_size(uint64_t bytes, char buf[static 16]);

#endif
