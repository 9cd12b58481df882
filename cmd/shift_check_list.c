/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check list: every ID-mapped mount, with its map. */

#include "shift_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/log.h"
#include "../lib/check/mapped.h"

struct list {
	struct out *out;
	bool all;
	size_t n;
};

/* "/dev/vda1[/srv/base]", as findmnt(8) has it. */
static void source_text(const struct mapped_mount *m, struct buf *b)
{
	buf_str(b, m->source);
	if (*m->root && strcmp(m->root, "/") != 0)
		buf_printf(b, "[%s]", m->root);
}

static void map_text(const struct mapped_mount *m, struct buf *b)
{
	if (m->overlay)
		buf_str(b, "layers: ");
	if (m->map)
		idmap_print_words(m->map, b);
	if (m->from == FROM_SAMPLES)
		buf_printf(b, " (inferred from %zu files)", m->samples);
	if (m->from == FROM_NOWHERE)
		buf_str(b, m->overlay && !m->surely ? "not known (an overlay does not tell)" : "mapped, how is not known");
}

static void from_word(enum map_from from, char ret[static 16])
{
	const char *p = MAP_FROM_WORDS;

	for (; from; from--)
		p += strcspn(p, " ") + 1;
	(void)snprintf(ret, 16, "%.*s", (int)strcspn(p, " "), p); /* fits: our own words */
}

static void put_json(struct list *l, const struct mapped_mount *m)
{
	scoped_buf struct buf map = BUF_INIT;
	char from[16];

	from_word(m->from, from);
	if (m->map)
		idmap_print(m->map, &map);
	out_str(l->out, "source", m->source);
	out_str(l->out, "root", m->root);
	out_str(l->out, "kind", m->overlay ? "overlay" : "mount");
	out_str(l->out, "map_from", from);
	if (m->map && buf_get(&map))
		out_str(l->out, "map", map.data);
	if (m->from == FROM_SAMPLES)
		out_u64(l->out, "samples", m->samples);
	out_u64(l->out, "namespace", m->namespace);
	out_i64(l->out, "pid", m->pid);
	out_str(l->out, "command", m->command);
}

static int put_mount(const struct mapped_mount *m, void *arg)
{
	struct list *l = arg;
	scoped_buf struct buf source = BUF_INIT, words = BUF_INIT, process = BUF_INIT;

	source_text(m, &source);
	map_text(m, &words);
	buf_printf(&process, "%d %s", (int)m->pid, m->command);
	if (!buf_get(&source) || !buf_get(&words) || !buf_get(&process))
		return -ENOMEM;
	l->n++;
	out_begin(l->out, NULL);
	if (l->all && !out_json(l->out))
		out_str(l->out, "process", process.data);
	out_str(l->out, "target", m->target);
	if (out_json(l->out))
		put_json(l, m);
	else
		out_str(l->out, "source", source.data);
	out_str(l->out, "fstype", m->type);
	out_str(l->out, "words", words.data);
	out_end(l->out);
	return 0;
}

int check_list(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	static const struct out_col columns[] = {
		{ "process", "PROCESS", false }, { "target", "TARGET", false }, { "source", "SOURCE", false },
		{ "fstype", "TYPE", false }, { "words", "MAP", false },
	};
	struct list l = { .out = ctx->out, .all = a->all_namespaces };
	scoped_free char *path = *operands ? realpath(*operands, NULL) : NULL;
	const struct mapped_options o = { .below = path, .all_namespaces = a->all_namespaces };
	size_t closed = 0, skip = !a->all_namespaces;
	int r;

	if (*operands && !path)
		return err_set(e, errno, *operands, "cannot find it");
	out_table(ctx->out, columns + skip, ARRAY_LEN(columns) - skip);
	r = mapped_mounts(&o, put_mount, &l, &closed, e);
	if (l.n)
		out_table_end(ctx->out);
	if (r == -ENOMEM && e && !e->set)
		return err_nomem(e);
	if (r < 0)
		return r;
	if (closed)
		log_warn("%zu mount namespaces or processes could not be looked into (it takes root)", closed);
	if (!l.n && !ctx->quiet)
		out_line(ctx->out, "no ID-mapped mounts");
	return STATUS_DONE;
}
