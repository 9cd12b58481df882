/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "cleanup.h"

/*
 * What a library function has to say beside its result: a warning, or (under -v) a step, a choice,
 * a fallback. The library prints nothing; the program sets a sink once, before it starts threads,
 * and the sink must be safe to call from several threads. Without one the text is dropped.
 */
enum log_level { LOG_WARN, LOG_INFO, LOG_VERBOSE };

/* text is escaped by buf_escaped(): one line, with nothing that a terminal obeys. */
typedef void log_sink(enum log_level level, const char *text);

void log_set_sink(log_sink *sink);

/* Up to which level the sink is called; LOG_INFO at first. */
void log_set_level(enum log_level most);

/* No trailing newline. Paths and names from outside are given as they are. */
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_verbose(const char *fmt, ...) PRINTF(1, 2);

#endif
