/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * A command's results, as text for people or JSON for programs, from the same calls. A result is
 * a sequence of records (out_begin ... out_end at depth 0); JSON prints each as one object on one
 * line. Text prints a record as a row of a table: columns are given by out_table() before the first
 * row, cells are matched to columns by key, and keys without a column, objects and arrays are
 * JSON's alone. out_line() is text's alone. Not for several threads at once: callers lock.
 *
 * All strings may hold any bytes: text escapes control bytes, JSON adds KEY_base64 for what is not
 * UTF-8 (and replacement characters in KEY).
 */
struct out;

struct out_col {
	const char *key;   /* the JSON key */
	const char *title; /* the column's title; NULL prints no header line */
	bool right;        /* align right */
};

/* Writes to the stream fd (not closed). color: text may use it. NULL when memory runs out. */
struct out *out_new(int fd, bool json, bool color);

bool out_json(const struct out *o);
bool out_color(const struct out *o);

/*
 * The columns of the rows that follow; cols must outlive them. Rows are aligned when
 * out_table_end() is called.
 */
void out_table(struct out *o, const struct out_col *cols, size_t n);
void out_table_end(struct out *o);

/* key is NULL for a record of its own and for members of an array. */
void out_begin(struct out *o, const char *key);
void out_end(struct out *o);
void out_array(struct out *o, const char *key);
void out_array_end(struct out *o);

void out_str(struct out *o, const char *key, const char *value);
void out_bytes(struct out *o, const char *key, const char *value, size_t n);
void out_u64(struct out *o, const char *key, uint64_t value);
void out_i64(struct out *o, const char *key, int64_t value);
void out_bool(struct out *o, const char *key, bool value);
void out_mode(struct out *o, const char *key, uint32_t mode); /* "0755" */

/*
 * A line of text, without its newline; nothing under JSON. Names from outside go through
 * buf_escaped() first.
 */
void out_line(struct out *o, const char *fmt, ...) PRINTF(2, 3);

/*
 * The same for a line without colours: all of it is escaped, names from outside may be in it as
 * they are.
 */
void out_safe_line(struct out *o, const char *fmt, ...) PRINTF(2, 3);

/* Write everything. Returns 0 or -errno: a full disk or a closed pipe is a failure. */
MUST_CHECK int out_flush(struct out *o);

void out_free(struct out *o);

/* Print one record on another descriptor at once, as JSON: {"error":{...}}. */
struct err;
MUST_CHECK int out_error_json(int fd, const char *command, const struct err *e);

#endif
