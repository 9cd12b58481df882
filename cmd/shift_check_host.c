/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check host: print what the kernel, as configured, lets the caller do. */

#include "shift_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "mount_idmapped.h"
#include "shift_check_host.h"

static const struct {
	const char *section, *title;
} sections[] = {
	{ "namespaces", "USER NAMESPACES" },
	{ "kernel", "KERNEL" },
	{ "filesystem", "FILESYSTEM, ID-MAPPED" },
	{ "overlay", "OVERLAYFS" },
	{ "fstab", "REFUSED LINES OF /etc/fstab" },
};

struct host_table {
	struct out *out;
	char section[32]; /* the section of the current table; "" before the first */
	struct host_rows rows;
	struct out_col columns[4];
};

static void row_done(struct host_row *r)
{
	free((void *)r->section);
	free((void *)r->name);
	free((void *)r->since);
	free((void *)r->detail);
}

/* Set ret to the answer's word in HOST_ANSWER_WORDS. */
static void answer_word(enum host_answer answer, char ret[static 16])
{
	const char *p = HOST_ANSWER_WORDS;

	for (; answer; answer--)
		p += strcspn(p, "|") + 1;
	(void)snprintf(ret, 16, "%.*s", (int)strcspn(p, "|"), p); /* fits */
}

/* Begin the table of a section, whose title is that of the first column. */
static void begin_section(struct host_table *t, const char *section)
{
	const char *title = section;

	if (!strcmp(t->section, section))
		return;
	if (*t->section)
		out_table_end(t->out);
	if (*t->section)
		out_line(t->out, "%s", "");
	(void)snprintf(t->section, sizeof(t->section), "%s", section); /* fits */
	if (!strcmp(section, "summary")) {
		t->columns[0] = (struct out_col){ "name", NULL, false };
		t->columns[1] = (struct out_col){ "detail", NULL, false };
		out_table(t->out, t->columns, 2);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (!strcmp(sections[i].section, section))
			title = sections[i].title;
	t->columns[0] = (struct out_col){ "name", title, false };
	t->columns[1] = (struct out_col){ "answer", "HERE", false };
	t->columns[2] = (struct out_col){ "since", "SINCE", false };
	t->columns[3] = (struct out_col){ "detail", "", false };
	out_table(t->out, t->columns, ARRAY_LEN(t->columns));
}

static int put_row(const struct host_row *r, void *arg)
{
	struct host_table *t = arg;
	bool json = out_json(t->out);
	char answer[16];

	if (!json)
		begin_section(t, r->section);
	answer_word(r->answer, answer);
	out_begin(t->out, NULL);
	out_str(t->out, "section", r->section);
	out_str(t->out, "name", r->name);
	if (!json || r->answer != HOST_INFO)
		out_str(t->out, "answer", answer);
	if (!json || *r->since)
		out_str(t->out, "since", r->since);
	if (!json || *r->detail)
		out_str(t->out, "detail", r->detail);
	out_end(t->out);
	return 0;
}

static int keep_row(const struct host_row *r, void *arg)
{
	struct host_table *t = arg;
	struct host_row copy = { strdup(r->section), strdup(r->name), r->answer, strdup(r->since),
		strdup(r->detail) };

	if (VEC_ADD(&t->rows, copy) == 0)
		return copy.section && copy.name && copy.since && copy.detail ? 0 : -ENOMEM;
	row_done(&copy);
	return -ENOMEM;
}

static int put_refused(const char *target, const struct err *why, void *arg)
{
	scoped_buf struct buf b = BUF_INIT;

	if (*why->on)
		buf_printf(&b, "'%s': ", why->on);
	buf_printf(&b, "%s", why->what);
	if (*why->why)
		buf_printf(&b, " (%s)", why->why);
	if (*why->hint)
		buf_printf(&b, "; try: %s", why->hint);
	if (!buf_get(&b))
		return -ENOMEM;
	return keep_row(&(struct host_row){ "fstab", target, HOST_NO, "", buf_get(&b) }, arg);
}

/* Print the lines of fstab that mount-idmapped would refuse. It reports other errors itself. */
static int refused_lines(struct host_table *t, struct err *e)
{
	struct err unread = ERR_INIT;
	int r = geteuid() == 0 ? mount_table_refused(put_refused, t, &unread) : 0;

	return r == -ENOMEM ? err_nomem(e) : 0;
}

static int put_rows(struct host_table *t, bool summary)
{
	int r = summary ? check_host_summary(&t->rows, put_row, t) : 0;

	for (size_t i = 0; i < t->rows.len && r == 0; i++)
		r = put_row(&t->rows.items[i], t);
	if (*t->section)
		out_table_end(t->out);
	return r;
}

int check_host(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	struct host_table t = { .out = ctx->out };
	int r;

	(void)a;
	r = host_survey(*operands, keep_row, &t, e);
	if (r == 0 && !*operands)
		r = refused_lines(&t, e);
	if (r == 0)
		r = put_rows(&t, !*operands);
	for (size_t i = 0; i < t.rows.len; i++)
		row_done(&t.rows.items[i]);
	VEC_DONE(&t.rows);
	if (r == -ENOMEM && e && !e->set)
		return err_nomem(e);
	return r < 0 ? r : STATUS_DONE;
}
