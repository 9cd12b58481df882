/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log: the way from the library to whoever prints. */

#include "log.h"

#include <stddef.h>

static log_sink *the_sink;

void log_set_sink(log_sink *sink)
{
	the_sink = sink;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
		if (!the_sink) \
			return; \
		va_start(ap, fmt); \
		the_sink(level, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_verbose, LOG_VERBOSE)
