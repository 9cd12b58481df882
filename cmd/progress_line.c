/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress_line: show progress as bars, or as events in JSON form. */

#include "progress_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "../lib/base/buf.h"
#include "../lib/base/fd.h"

enum {
	FRAME_MS = 100,
	NAME_WIDTH = 20,
	BAR_WIDTH = 24,
	MIN_COLUMNS = 40,
};

struct progress_line {
	struct progress progress;
	enum progress_line_kind kind;
	int fd;
	bool color;
	struct out *out;
	pthread_mutex_t lock; /* protects the members below, and out */
	pthread_cond_t wake;
	pthread_t thread;
	bool drawing, stop;
	unsigned drawn;    /* lines on the screen that the next frame replaces */
	uint64_t *started; /* in ns, for each item */
	uint64_t *ended;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static int state_of(const struct progress_item *item)
{
	return __atomic_load_n(&item->state, __ATOMIC_RELAXED);
}

const char *human_size(uint64_t bytes, char buf[static 16])
{
	static const char units[] = "kMGTPE";
	double v = (double)bytes;
	size_t i = 0;

	if (bytes < 1000) {
		(void)snprintf(buf, 16, "%u B", (unsigned)bytes);
		return buf;
	}
	for (v /= 1000; v >= 999.5 && units[i + 1]; v /= 1000)
		i++;
	(void)snprintf(buf, 16, v < 9.95 ? "%.1f %cB" : "%.0f %cB", v, units[i]);
	return buf;
}

/*
 * Print a name padded to NAME_WIDTH columns. Of a path it is the last component; a longer name is
 * truncated.
 */
static void put_name(struct buf *b, const char *name)
{
	scoped_buf struct buf safe = BUF_INIT;
	const char *slash = strrchr(name, '/');
	size_t n;

	if (slash && slash[1])
		name = slash + 1;
	buf_escaped(&safe, name, strlen(name));
	n = safe.len;
	if (n > NAME_WIDTH)
		for (n = NAME_WIDTH - 1; n && (safe.data[n] & 0xc0) == 0x80; n--)
			; /* not within a UTF-8 character */
	buf_add(b, buf_get(&safe) ? buf_get(&safe) : "", buf_get(&safe) ? n : 0);
	for (; n < NAME_WIDTH; n++)
		buf_char(b, ' ');
}

static void put_bar(struct buf *b, uint64_t done, uint64_t total)
{
	unsigned full = total ? (unsigned)((double)done / (double)total * BAR_WIDTH) : 0;

	buf_str(b, " [");
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		buf_char(b, i < full ? '#' : '.');
	buf_char(b, ']');
}

static void put_running(struct buf *b, const struct progress_item *item, uint64_t ns)
{
	uint64_t done = load(&item->done), left;
	double rate = ns > 200000000 ? (double)done * 1e9 / (double)ns : 0;
	char size[16];

	if (item->total) {
		put_bar(b, done, item->total);
		buf_printf(b, " %3u%%", (unsigned)((double)done * 100 / (double)item->total));
	} else {
		buf_printf(b, " %s read", human_size(done, size));
	}
	if (rate < 1)
		return;
	buf_printf(b, "  %s/s", human_size((uint64_t)rate, size));
	if (!item->total)
		return;
	left = (uint64_t)((double)(item->total - done) / rate + 0.5);
	buf_printf(b, "  %u:%02u", (unsigned)(left / 60), (unsigned)(left % 60));
}

static void put_count(struct buf *b, const struct progress_item *item, uint64_t ns)
{
	uint64_t n = load(&item->entries);

	buf_printf(b, " %llu entries", (unsigned long long)n);
	if (ns > 200000000)
		buf_printf(b, "  %.0f/s", (double)n * 1e9 / (double)ns);
}

static void put_item(struct progress_line *m, struct buf *b, size_t i, unsigned columns)
{
	const struct progress_item *item = &m->progress.items[i];
	uint64_t end = m->ended[i] ? m->ended[i] : now_ns();
	scoped_buf struct buf line = BUF_INIT;
	char size[16];

	put_name(&line, item->name);
	switch (state_of(item)) {
	case PROGRESS_RUNNING:
		if (m->kind == PROGRESS_LINE_COUNT)
			put_count(&line, item, end - m->started[i]);
		else
			put_running(&line, item, end - m->started[i]);
		break;
	case PROGRESS_DONE:
		buf_printf(&line, " %llu entries, %s in %.1f s",
			(unsigned long long)load(&item->entries),
			human_size(load(&item->bytes), size), (double)(end - m->started[i]) / 1e9);
		break;
	case PROGRESS_SHARED:
		buf_str(&line, " in the store already");
		break;
	case PROGRESS_FAILED:
		buf_str(&line, " failed");
		break;
	default:
		buf_str(&line, " waiting");
	}
	if (m->color)
		buf_str(b,
			state_of(item) == PROGRESS_RUNNING        ? "\033[1m" :
				state_of(item) == PROGRESS_FAILED ? "\033[31m" :
								    "");
	if (buf_get(&line))
		buf_add(b, line.data, line.len < columns ? line.len : columns - 1);
	buf_str(b, m->color ? "\033[0m\033[K\n" : "\033[K\n");
}

/*
 * Draw a frame. If there are more items than lines, only those that are running or have failed are
 * drawn.
 */
static void draw(struct progress_line *m)
{
	struct winsize size = { .ws_row = 0 };
	scoped_buf struct buf b = BUF_INIT;
	unsigned rows = 24, columns = 80, lines = 0;
	size_t n = m->progress.n, done = 0;

	if (ioctl(m->fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		rows = size.ws_row;
		columns = size.ws_col < MIN_COLUMNS ? MIN_COLUMNS : size.ws_col;
	}
	if (m->drawn)
		buf_printf(&b, "\033[%uA\r", m->drawn);
	for (size_t i = 0; i < n; i++) {
		int state = state_of(&m->progress.items[i]);

		done += state == PROGRESS_DONE || state == PROGRESS_SHARED;
		if (lines + 2 >= rows ||
			(n + 2 > rows && state != PROGRESS_RUNNING && state != PROGRESS_FAILED))
			continue;
		put_item(m, &b, i, columns);
		lines++;
	}
	if (n + 2 > rows) {
		buf_printf(&b, "%zu of %zu layers done\033[K\n", done, n);
		lines++;
	}
	buf_str(&b, "\033[J"); /* erase the rest of a longer frame */
	m->drawn = lines;
	if (buf_get(&b))
		(void)fd_write_all(
			m->fd, b.data, b.len); /* progress that cannot be shown is not an error */
}

static void erase(struct progress_line *m)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "\033[%uA\r\033[J", m->drawn); /* fits */

	if (m->drawn && n > 0)
		(void)fd_write_all(m->fd, text, (size_t)n);
	m->drawn = 0;
}

static void *draw_loop(void *arg)
{
	struct progress_line *m = arg;

	(void)pthread_mutex_lock(&m->lock);
	while (!m->stop) {
		struct timespec until;
		uint64_t t = now_ns() + FRAME_MS * 1000000ull;

		draw(m);
		until.tv_sec = (time_t)(t / 1000000000);
		until.tv_nsec = (long)(t % 1000000000);
		(void)pthread_cond_clockwait(&m->wake, &m->lock, CLOCK_MONOTONIC, &until);
	}
	if (m->kind == PROGRESS_LINE_COUNT)
		erase(m);
	else
		draw(m);
	(void)pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void stop_drawing(struct progress_line *m)
{
	if (!m->drawing)
		return;
	(void)pthread_mutex_lock(&m->lock);
	m->stop = true;
	(void)pthread_cond_signal(&m->wake);
	(void)pthread_mutex_unlock(&m->lock);
	(void)pthread_join(m->thread, NULL);
	m->drawing = false;
}

static void start_drawing(struct progress_line *m)
{
	free(m->started);
	free(m->ended);
	m->started = calloc(m->progress.n + 1, sizeof(*m->started));
	m->ended = calloc(m->progress.n + 1, sizeof(*m->ended));
	/* Without memory or a thread there are no bars, but the work continues. */
	m->drawing = m->started && m->ended && pthread_create(&m->thread, NULL, draw_loop, m) == 0;
}

static void bars_changed(struct progress *p, struct progress_item *item)
{
	struct progress_line *m = p->arg;

	if (!item && !m->drawing && !m->stop) {
		start_drawing(m);
		return;
	}
	if (!item) {
		stop_drawing(m);
		m->stop = m->kind != PROGRESS_LINE_COUNT; /* PROGRESS_LINE_COUNT may begin again
		                                             with other items */
		return;
	}
	if (!m->drawing)
		return;
	(void)pthread_mutex_lock(&m->lock);
	if (state_of(item) == PROGRESS_RUNNING)
		m->started[item - p->items] = now_ns();
	else
		m->ended[item - p->items] = now_ns();
	(void)pthread_mutex_unlock(&m->lock);
}

static void event_changed(struct progress *p, struct progress_item *item)
{
	static const char *const states[] = {
		[PROGRESS_WAITING] = "waiting",
		[PROGRESS_RUNNING] = "running",
		[PROGRESS_DONE] = "done",
		[PROGRESS_SHARED] = "shared",
		[PROGRESS_FAILED] = "failed",
	};
	struct progress_line *m = p->arg;

	if (!item)
		return;
	(void)pthread_mutex_lock(&m->lock);
	out_begin(m->out, NULL);
	out_str(m->out, "event", "layer");
	out_u64(m->out, "layer", (uint64_t)(item - p->items) + 1);
	out_u64(m->out, "layers", p->n);
	out_str(m->out, "name", item->name);
	out_str(m->out, "state", states[state_of(item)]);
	out_u64(m->out, "size", item->total);
	out_u64(m->out, "entries", load(&item->entries));
	out_u64(m->out, "bytes", load(&item->bytes));
	out_end(m->out);
	(void)out_flush(m->out); /* a failure is reported when the command ends */
	(void)pthread_mutex_unlock(&m->lock);
}

struct progress_line *progress_line_new(
	enum progress_line_kind kind, int fd, bool color, struct out *out)
{
	struct progress_line *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->kind = kind;
	m->fd = fd;
	m->color = color;
	m->out = out;
	m->progress.arg = m;
	m->progress.changed = kind == PROGRESS_LINE_BARS || kind == PROGRESS_LINE_COUNT ?
		bars_changed :
		kind == PROGRESS_LINE_EVENTS ? event_changed :
					       NULL;
	(void)pthread_mutex_init(&m->lock, NULL); /* cannot fail on Linux */
	(void)pthread_cond_init(&m->wake, NULL);
	return m;
}

struct progress *progress_line_progress(struct progress_line *m)
{
	return &m->progress;
}

void progress_line_hide(struct progress_line *m)
{
	(void)pthread_mutex_lock(&m->lock);
	if (m->kind == PROGRESS_LINE_COUNT)
		erase(m);
}

void progress_line_show(struct progress_line *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

void progress_line_free(struct progress_line *m)
{
	if (!m)
		return;
	stop_drawing(m);
	free(m->started);
	free(m->ended);
	(void)pthread_cond_destroy(&m->wake);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}
