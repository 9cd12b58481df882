/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_survey_rows: report a row, and what several rows say. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podman_survey_priv.h"

void shared_put(struct podman_subject *u, const char *name, enum shared_answer answer,
	const struct buf *remedy, const char *fmt, ...)
{
	char detail[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap); /* truncated if long */
	va_end(ap);
	if (u->r == 0 && remedy && !buf_get(remedy))
		u->r = err_nomem(u->e);
	if (u->r == 0)
		u->r = u->fn(&(struct shared_row){ name, answer, detail,
				     remedy ? buf_get(remedy) : NULL },
			u->arg);
}

const char *podman_wanted_path(const struct podman_subject *u)
{
	return u->at < u->paths.len ? u->paths.items[u->at] :
		u->paths.len        ? u->paths.items[0] :
				      u->usual;
}

const struct podman_line *podman_line_of(const struct podman_subject *u, struct buf *target)
{
	const struct podman_views *v = &u->s->views;

	for (int any = 0; any < 2; any++)
		for (size_t i = 0; i < v->lines.len; i++)
			if ((any || v->lines.items[i].plain) &&
				podman_line_target(&v->lines.items[i], u->user, target))
				return &v->lines.items[i];
	return NULL;
}

void podman_print_store(const struct podman_view *v, struct buf *ret)
{
	static const char end[] = "/podman";
	const size_t n = v->store ? strlen(v->store) : 0, e = strlen(end);

	if (n > e && !strcmp(v->store + n - e, end))
		buf_add(ret, v->store, n - e);
	else
		buf_str(ret, "STORE");
}
