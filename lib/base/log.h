/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "buf.h"
#include "cleanup.h"
#include "err.h"
#include "vec.h"

/*
 * Messages of library functions, beside their results: warnings, and, with -v, steps, choices and
 * fallbacks. The library prints nothing: the program sets a sink once, before it starts threads.
 * The sink must be safe to call from several threads. Without a sink, messages are dropped.
 */
enum log_level { LOG_WARN, LOG_INFO, LOG_VERBOSE };

/* text is escaped by buf_escaped(): one line, without control characters. */
typedef void log_sink(enum log_level level, const char *text);

/* Set the sink. NULL: messages are dropped again. */
void log_set_sink(log_sink *sink);

/* Set the highest level for which the sink is called. The default is LOG_INFO. */
void log_set_level(enum log_level most);

/* Log a message, without a trailing newline. Names from outside are passed as they are. */
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_verbose(const char *fmt, ...) PRINTF(1, 2);

/*
 * Add a warning about something that is not done yet to later, for log_kept() once it is done.
 * Without later (NULL), or without memory, it is logged at once.
 */
void log_warn_later(struct strv *later, const char *fmt, ...) PRINTF(2, 3);

/* Log the warnings that were kept, and forget them. */
void log_kept(struct strv *later);

/* Append an error to b, on one line. */
void log_err_words(const struct err *e, struct buf *b);

/* Log an error that is not the command's own, on one line, as a warning. */
void log_warn_err(const struct err *e);

#endif
