/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_PROGRESS_LINE_H
#define CMD_PROGRESS_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/base/err.h"
#include "../lib/base/out.h"
#include "../lib/base/progress.h"

/*
 * Show the progress of a struct progress: on a terminal, one line per item with a bar, a rate and
 * the remaining time; with JSON output, one record per change of state:
 *   {"event":"layer","layer":2,"layers":3,"name":...,
 *    "state":"running|done|shared|failed|cancelled","size":...,"entries":...,"bytes":...}
 * The terminal's settings are not changed, so nothing has to be restored.
 */
struct progress_line;

enum progress_line_kind {
	PROGRESS_LINE_SILENT,
	PROGRESS_LINE_BARS,
	PROGRESS_LINE_EVENTS,
	PROGRESS_LINE_COUNT, /* lines with the number of entries and their rate, erased at the end
	                      */
};

/* Bars are written to fd, events to out. Returns NULL if out of memory. */
struct progress_line *progress_line_new(
	enum progress_line_kind kind, int fd, bool color, struct out *out);

/* The progress to hand to lib; belongs to p. */
struct progress *progress_line_progress(struct progress_line *p);

/*
 * Pause: erase what was drawn and draw nothing until progress_line_show(), so that the caller can
 * print.
 */
void progress_line_hide(struct progress_line *p);
void progress_line_show(struct progress_line *p);

/* Stop drawing, and free. */
void progress_line_free(struct progress_line *p);

/* Print bytes into buf as "1.2 MB"; returns buf. */
const char *human_size(uint64_t bytes, char buf[static 16]);

#endif
