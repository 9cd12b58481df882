/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * The results of a command: text for people or JSON for programs, from the same calls. Results are
 * a sequence of records (out_begin() ... out_end() at depth 0). JSON prints each record as one
 * object on one line. Text prints a record as a row of a table: out_table() sets the columns before
 * the first row, cells are matched to columns by key, and text omits keys without a column, nested
 * objects and arrays. out_line() prints text alone. A struct out is not for several threads at
 * once.
 *
 * Strings may hold any bytes: text escapes control bytes; JSON replaces bytes that are not UTF-8 in
 * KEY, and adds the original as KEY_base64.
 */
struct out;

/*
 * Each object begins with "version": this number. It is raised when a key is removed or changes its
 * meaning; new keys do not raise it. The schema is cmd/output.schema.json.
 */
enum { OUT_JSON_VERSION = 1 };

struct out_col {
	const char *key;   /* the JSON key */
	const char *title; /* the column's title; NULL prints no header line */
	bool right;        /* align to the right */
};

/*
 * Write to the descriptor fd, which stays open. color: text may have colours. NULL: out of memory.
 */
struct out *out_new(int fd, bool json, bool color);

/* Call closed() when a write fails because the pipe is closed (EPIPE). */
void out_on_closed(struct out *o, void (*closed)(void));

/* The arguments json and color of out_new(). */
bool out_json(const struct out *o);
bool out_color(const struct out *o);

/*
 * Set the columns of the rows that follow; cols must outlive them. Rows are printed, aligned, by
 * out_table_end(). On a terminal that is too narrow, the last column is broken into lines, or each
 * cell becomes a line of its own.
 */
void out_table(struct out *o, const struct out_col *cols, size_t n);
void out_table_end(struct out *o);

/* key is NULL for a record and for members of an array. */
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
 * Print a line of text; nothing in JSON. The format has no newline. Names from outside must go
 * through buf_escaped() first.
 */
void out_line(struct out *o, const char *fmt, ...) PRINTF(2, 3);

/*
 * Break lines that a terminal has no room for: further lines begin at this column, or at 2 if the
 * line itself does not begin with a blank. 0, at first: lines stay whole, as those with commands
 * should, which are copied.
 */
void out_indent(struct out *o, size_t indent);

/* As out_line(), for a line without colours: all of it is escaped. */
void out_safe_line(struct out *o, const char *fmt, ...) PRINTF(2, 3);

/* Flush the output. Returns 0 or -errno, such as for a full disk or a closed pipe. */
MUST_CHECK int out_flush(struct out *o);

void out_free(struct out *o);

/*
 * Print a message as JSON on the descriptor fd, unbuffered: {"message":{...}}. Returns 0 or -errno.
 */
MUST_CHECK int out_message_json(int fd, const char *command, const char *level, const char *what);

/* Print an error as JSON on the descriptor fd, unbuffered: {"error":{...}}. */
struct err;
MUST_CHECK int out_error_json(int fd, const char *command, const struct err *e);

#endif
