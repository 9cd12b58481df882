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
#include "../lib/base/plural.h"
#include "../lib/base/stop.h"
#include "../lib/base/term.h"
#include "../lib/base/wrap.h"
#include "signals.h"

enum {
	FRAME_MS = 100,
	NAME_WIDTH = 20,
	BAR_WIDTH = 24,
	MIN_BAR = 4,
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
	unsigned columns;  /* of the terminal */
	uint64_t begun;    /* in ns */
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
 * Print the name of an item, padded to width columns. Of a path it is the last component, and a
 * digest says less than the layer's number; a longer name is truncated.
 */
static void put_name(const struct progress_line *m, struct buf *b, size_t i, size_t width)
{
	const char *name = m->progress.items[i].name, *slash = strrchr(name, '/');
	scoped_buf struct buf safe = BUF_INIT;
	size_t n;

	if (m->kind == PROGRESS_LINE_BARS && !strncmp(name, "sha256:", 7)) {
		buf_printf(&safe, "%s%zu/%zu", width < NAME_WIDTH / 2 ? "" : "layer ", i + 1,
			m->progress.n);
	} else {
		name = slash && slash[1] ? slash + 1 : name;
		buf_escaped(&safe, name, strlen(name));
	}
	if (!buf_get(&safe))
		return;
	n = wrap_cut(safe.data, safe.len, width);
	buf_add(b, safe.data, n);
	for (n = wrap_columns(safe.data) < width ? width - wrap_columns(safe.data) : 0; n; n--)
		buf_char(b, ' ');
}

static void put_bar(struct buf *b, double part, size_t width)
{
	size_t full = (size_t)(part * (double)width);

	buf_str(b, " [");
	for (size_t i = 0; i < width; i++)
		buf_char(b, i < full ? '#' : '.');
	buf_char(b, ']');
}

/* What is printed of one that is at work. */
struct pace {
	uint64_t done, total; /* total is 0 if it is not known */
	uint64_t ns;          /* since the start */
};

/*
 * Print how far it is, in at most columns: the percentage first, then the rate, the time that is
 * left, and the bar in what remains.
 */
static void put_pace(struct buf *b, const struct pace *p, size_t columns)
{
	double part = p->total ? (double)p->done / (double)p->total : 0;
	double rate = p->ns > 200000000 ? (double)p->done * 1e9 / (double)p->ns : 0;
	char size[16], percent[40], speed[24] = "", left[24] = "";
	size_t room;

	if (p->total)
		(void)snprintf(percent, sizeof(percent), " %3u%%", (unsigned)(part * 100));
	else
		(void)snprintf(percent, sizeof(percent), " %s read", human_size(p->done, size));
	if (rate >= 1)
		(void)snprintf(speed, sizeof(speed), "  %s/s", human_size((uint64_t)rate, size));
	if (rate >= 1 && p->total > p->done) {
		uint64_t s = (uint64_t)((double)(p->total - p->done) / rate + 0.5);

		(void)snprintf(
			left, sizeof(left), "  %u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
	}
	room = strlen(percent);
	if (room + strlen(left) <= columns)
		room += strlen(left);
	else
		left[0] = '\0';
	if (room + strlen(speed) <= columns)
		room += strlen(speed);
	else
		speed[0] = '\0';
	if (p->total && columns >= room + MIN_BAR + 3)
		put_bar(b, part, columns - room - 3 < BAR_WIDTH ? columns - room - 3 : BAR_WIDTH);
	buf_printf(b, "%s%s%s", percent, speed, left);
}

static void put_count(struct buf *b, const struct progress_item *item, uint64_t ns)
{
	uint64_t n = load(&item->entries);

	buf_printf(b, " %llu %s", (unsigned long long)n, plural(n, "entry", "entries"));
	if (ns > 200000000)
		buf_printf(b, "  %.0f/s", (double)n * 1e9 / (double)ns);
}

/* Once the process is asked to end, what is not done will not be. */
static int shown_state(const struct progress_item *item)
{
	int state = state_of(item);

	return stop_signal() && (state == PROGRESS_WAITING || state == PROGRESS_RUNNING) ?
		PROGRESS_CANCELLED :
		state;
}

static void put_state(struct progress_line *m, struct buf *b, size_t i, size_t columns)
{
	const struct progress_item *item = &m->progress.items[i];
	uint64_t end = m->ended[i] ? m->ended[i] : now_ns();
	const struct pace pace = { load(&item->done), item->total, end - m->started[i] };
	char size[16];

	switch (shown_state(item)) {
	case PROGRESS_RUNNING:
		if (m->kind == PROGRESS_LINE_COUNT)
			put_count(b, item, pace.ns);
		else
			put_pace(b, &pace, columns);
		break;
	case PROGRESS_DONE:
		buf_printf(b, " %llu %s, %s in %.1f s", (unsigned long long)load(&item->entries),
			plural(load(&item->entries), "entry", "entries"),
			human_size(load(&item->bytes), size), (double)pace.ns / 1e9);
		break;
	case PROGRESS_SHARED:
		buf_str(b, " in the store already");
		break;
	case PROGRESS_FAILED:
		buf_str(b, " failed");
		break;
	case PROGRESS_CANCELLED:
		buf_str(b, " cancelled");
		break;
	default:
		if (m->kind == PROGRESS_LINE_COUNT)
			put_count(b, item, 0);
		else
			buf_str(b, " waiting");
	}
}

/* Print one line of the frame. The last column stays free: a terminal may wrap there. */
static void put_line(
	struct progress_line *m, struct buf *b, const struct buf *line, const char *color)
{
	if (m->color)
		buf_str(b, color);
	if (!line->oom && line->len)
		buf_add(b, line->data, wrap_cut(line->data, line->len, m->columns - 1));
	buf_str(b, m->color && *color ? "\033[0m\033[K\n" : "\033[K\n");
}

static void put_item(struct progress_line *m, struct buf *b, size_t i)
{
	int state = shown_state(&m->progress.items[i]);
	size_t name = m->columns >= 60 ? NAME_WIDTH : m->columns >= 30 ? 12 : 8;
	scoped_buf struct buf line = BUF_INIT;

	put_name(m, &line, i, name);
	put_state(m, &line, i, m->columns > name + 1 ? m->columns - name - 1 : 0);
	put_line(m, b, &line,
		state == PROGRESS_RUNNING        ? "\033[1m" :
			state == PROGRESS_FAILED ? "\033[31m" :
						   "");
}

/* Print the line about all items: what is read of the layers that are not in the store yet. */
static void put_total(struct progress_line *m, struct buf *b, size_t done)
{
	struct pace pace = { 0, 0, now_ns() - m->begun };
	scoped_buf struct buf line = BUF_INIT;
	bool known = true;

	for (size_t i = 0; i < m->progress.n; i++) {
		const struct progress_item *item = &m->progress.items[i];

		if (state_of(item) == PROGRESS_SHARED)
			continue;
		pace.done += load(&item->done);
		pace.total += item->total;
		known = known && item->total;
	}
	pace.total = known ? pace.total : 0;
	if (__atomic_load_n(&m->progress.writing, __ATOMIC_RELAXED)) {
		buf_str(&line, "writing to disk");
	} else {
		buf_printf(&line, "%zu of %zu done ", done, m->progress.n);
		put_pace(&line, &pace, m->columns > line.len + 1 ? m->columns - line.len - 1 : 0);
	}
	put_line(m, b, &line, "");
}

/*
 * Draw a frame. If there are more items than lines, only those that are running or have failed are
 * drawn. The last frame has no line about all items.
 */
static void draw(struct progress_line *m, bool last)
{
	struct winsize size = { .ws_row = 0 };
	scoped_buf struct buf b = BUF_INIT;
	unsigned rows = 24, lines = 0;
	size_t n = m->progress.n, done = 0;

	if (ioctl(m->fd, TIOCGWINSZ, &size) == 0 && size.ws_row)
		rows = size.ws_row;
	m->columns = term_columns(m->fd);
	if (m->drawn)
		buf_printf(&b, "\033[%uA\r", m->drawn);
	for (size_t i = 0; i < n; i++) {
		int state = state_of(&m->progress.items[i]);

		done += state == PROGRESS_DONE || state == PROGRESS_SHARED;
		if (lines + 2 >= rows ||
			(n + 2 > rows && state != PROGRESS_RUNNING && state != PROGRESS_FAILED))
			continue;
		put_item(m, &b, i);
		lines++;
	}
	if (m->kind == PROGRESS_LINE_BARS && !last && (n > 1 || m->progress.writing)) {
		put_total(m, &b, done);
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
	while (!m->stop && !stop_signal()) {
		struct timespec until;
		uint64_t t = now_ns() + FRAME_MS * 1000000ull;

		draw(m, false);
		until.tv_sec = (time_t)(t / 1000000000);
		until.tv_nsec = (long)(t % 1000000000);
		(void)pthread_cond_timedwait(&m->wake, &m->lock, &until);
	}
	if (m->kind == PROGRESS_LINE_COUNT)
		erase(m);
	else
		draw(m, true);
	signals_obey();
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
	signals_drawing(false);
}

static void start_drawing(struct progress_line *m)
{
	free(m->started);
	free(m->ended);
	m->started = calloc(m->progress.n + 1, sizeof(*m->started));
	m->ended = calloc(m->progress.n + 1, sizeof(*m->ended));
	/* Without memory or a thread there are no bars, but the work continues. */
	m->drawing = m->started && m->ended;
	if (!m->drawing)
		return;
	m->begun = now_ns();
	signals_drawing(true);
	m->drawing = pthread_create(&m->thread, NULL, draw_loop, m) == 0;
	if (!m->drawing)
		signals_drawing(false);
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
		[PROGRESS_CANCELLED] = "cancelled",
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
	pthread_condattr_t by;

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
	(void)pthread_condattr_init(&by);
	(void)pthread_condattr_setclock(&by, CLOCK_MONOTONIC); /* as now_ns() */
	(void)pthread_cond_init(&m->wake, &by);
	(void)pthread_condattr_destroy(&by);
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
