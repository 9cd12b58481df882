/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* err: fill an error object. */

#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* End a text that does not fit its field in "...", after a whole character. */
static void mark_cut(char *dst, size_t size)
{
	size_t end = size - sizeof("...");

	while (end && ((unsigned char)dst[end] & 0xc0) == 0x80)
		end--;
	memcpy(dst + end, "...", sizeof("..."));
}

static PRINTF(3, 0) void put(char *dst, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, size, fmt, ap);

	if (n < 0)
		dst[0] = '\0';
	else if ((size_t)n >= size)
		mark_cut(dst, size);
}

static void start(struct err *e, int num, const char *on)
{
	e->num = num;
	e->usage = false;
	e->set = true;
	e->op[0] = e->place[0] = e->what[0] = e->why[0] = e->hint[0] = '\0';
	(void)snprintf(e->on, sizeof(e->on), "%s", on ? on : ""); /* cut at worst */
}

int err_set(struct err *e, int num, const char *on, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		start(e, num, on);
		va_start(ap, fmt);
		put(e->what, sizeof(e->what), fmt, ap);
		va_end(ap);
	}
	return num ? -num : -EINVAL;
}

int err_path(struct err *e, int num, const char *path, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		start(e, num, path);
		va_start(ap, fmt);
		put(e->what, sizeof(e->what), fmt, ap);
		va_end(ap);
		err_op(e, "open");
	}
	return num ? -num : -EINVAL;
}

int err_say(struct err *e, int num, const char *on, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		start(e, 0, on);
		va_start(ap, fmt);
		put(e->what, sizeof(e->what), fmt, ap);
		va_end(ap);
	}
	return num ? -num : -EINVAL;
}

static PRINTF(2, 0) void usage(struct err *e, const char *fmt, va_list ap)
{
	start(e, 0, NULL);
	e->usage = true;
	put(e->what, sizeof(e->what), fmt, ap);
}

int err_usage(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		usage(e, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

int err_usage_try(struct err *e, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		usage(e, fmt, ap);
		va_end(ap);
		err_try(e, "%s", remedy);
	}
	return -EINVAL;
}

int err_nomem(struct err *e)
{
	return err_set(e, ENOMEM, NULL, "cannot get memory");
}

void err_op(struct err *e, const char *op)
{
	if (e)
		(void)snprintf(e->op, sizeof(e->op), "%s", op);
}

void err_why(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;

	va_start(ap, fmt);
	put(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
}

void err_try(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;

	va_start(ap, fmt);
	put(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->what)];
	va_list ap;
	size_t n;

	if (!e || !e->set)
		return;

	memcpy(old, e->what, sizeof(old));
	va_start(ap, fmt);
	put(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	n = strlen(e->what);
	if ((size_t)snprintf(e->what + n, sizeof(e->what) - n, ": %s", old) >= sizeof(e->what) - n)
		mark_cut(e->what, sizeof(e->what));
}

void err_place(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || !e->set)
		return;

	va_start(ap, fmt);
	put(e->place, sizeof(e->place), fmt, ap);
	va_end(ap);
}

const char *err_name(int num, char buf[static 16])
{
	const char *name = num ? strerrorname_np(num) : NULL;

	if (name)
		return name;

	(void)snprintf(buf, 16, "E%d", num);
	return buf;
}
