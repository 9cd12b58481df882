/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log: pass messages of the library to the program. */

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static log_sink *the_sink;
static enum log_level the_level = LOG_INFO;

void log_set_sink(log_sink *sink)
{
	the_sink = sink;
}

void log_set_level(enum log_level most)
{
	the_level = most;
}

/* The one place that calls the sink, so that every message is escaped. errno stays unchanged. */
static PRINTF(2, 0) void say(enum log_level level, const char *fmt, va_list ap)
{
	scoped_buf struct buf b = BUF_INIT;
	int saved = errno;
	char *s = NULL;

	if (!the_sink || level > the_level)
		return;
	if (vasprintf(&s, fmt, ap) >= 0) {
		buf_escaped(&b, s, strlen(s));
		free(s);
		the_sink(level, buf_get(&b) ? buf_get(&b) : "(out of memory)");
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		say(level, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_verbose, LOG_VERBOSE)

void log_warn_later(struct strv *later, const char *fmt, ...)
{
	scoped_free char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = later ? vasprintf(&s, fmt, ap) : -1;
	va_end(ap);
	if (n >= 0 && strv_add(later, s) == 0)
		return;
	if (n < 0)
		s = NULL;
	va_start(ap, fmt);
	say(LOG_WARN, fmt, ap);
	va_end(ap);
}

void log_kept(struct strv *later)
{
	for (size_t i = 0; i < later->len; i++)
		log_warn("%s", later->items[i]);
	strv_done(later);
}

void log_err_words(const struct err *e, struct buf *b)
{
	if (*e->place)
		buf_printf(b, "%s: ", e->place);
	if (*e->on)
		buf_printf(b, "'%s': ", e->on);
	buf_str(b, e->what);
	if (e->num)
		buf_printf(b, ": %s", strerrordesc_np(e->num));
	if (*e->why)
		buf_printf(b, " (%s)", e->why);
	if (*e->hint)
		buf_printf(b, "; try: %s", e->hint);
}

void log_warn_err(const struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	log_err_words(e, &b);
	log_warn("%s", buf_get(&b) ? buf_get(&b) : "out of memory");
}
