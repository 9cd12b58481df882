/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check list: print the ID-mapped mounts with their maps. */

#include "shift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/plural.h"
#include "../lib/check/list_mapped.h"
#include "../lib/idmap/userns_self.h"

enum { EXTENTS_SHOWN = 3 }; /* of users, and of groups */

/* A mount; those of one namespace are collected, because the text shows them as a tree. */
struct list_row {
	char *process, *target, *source, *type, *words;
	size_t index;   /* position in the kernel's list */
	ssize_t parent; /* the row that it is mounted below; -1: none */
	bool last;      /* no other row with this parent follows */
};

struct list {
	struct out *out;
	bool all;
	size_t n;
	uint64_t namespace;
	VEC(struct list_row) rows;
};

/* Append the source as findmnt(8) shows it: "/dev/vda1[/srv/base]". */
static void source_text(const struct mapped_mount *m, struct buf *b)
{
	buf_str(b, m->source);
	if (*m->root && strcmp(m->root, "/") != 0)
		buf_printf(b, "[%s]", m->root);
}

/* The kernel omits lines of a map that have no id in the reader's user namespace. */
static bool is_partial(const struct mapped_mount *m)
{
	return (m->from == MAP_FROM_KERNEL || m->from == MAP_FROM_LAYERS) && !userns_is_initial();
}

/* Append what a record says beside the map that most layers have. */
static void record_text(const struct mapped_mount *m, struct buf *b)
{
	const struct mount_record *r = m->record;
	size_t own = 0;

	for (size_t i = 0; i < r->layers.len; i++)
		own += r->layers.items[i].wish != r->map.wish || r->layers.items[i].at != r->map.at;
	if (!m->map)
		buf_str(b, "ids as on the disk");
	if (own)
		buf_printf(b, " (%zu of %zu layers %s own)", own, r->layers.len,
			plural(own, "has a map of its", "have maps of their"));
	if (r->other_userns)
		buf_str(b, " (ids of another user namespace)");
}

static void put_extents(const struct idranges *r, const char *kind, size_t max, struct buf *b)
{
	for (size_t i = 0; i < r->len && i < max; i++)
		buf_printf(b, "%s%s%" PRIu32 ":%" PRIu32 ":%" PRIu32, i ? "," : "", kind,
			r->items[i].disk, r->items[i].seen, r->items[i].count);
	if (r->len > max)
		buf_printf(b, ",... (%zu extents)", r->len);
}

/* Append the map as it is given to -m; on a terminal only its first extents. */
static void put_map(const struct idmap *m, struct buf *b)
{
	const size_t max = isatty(STDOUT_FILENO) ? EXTENTS_SHOWN : SIZE_MAX;

	if (idranges_equal(&m->uid, &m->gid)) {
		put_extents(&m->uid, "", max, b);
		return;
	}
	put_extents(&m->uid, "u:", max, b);
	buf_char(b, ',');
	put_extents(&m->gid, "g:", max, b);
}

/* words: describe the map in words, as in the JSON, where it also is a map. */
static void map_text(const struct mapped_mount *m, bool words, struct buf *b)
{
	if (m->overlay)
		buf_str(b, "layers: ");
	if (m->map && words)
		idmap_print_words(m->map, b);
	else if (m->map)
		put_map(m->map, b);
	if (m->record)
		record_text(m, b);
	if (is_partial(m))
		buf_str(b, " (as far as it has ids of this user namespace)");
	if (m->from == MAP_FROM_SAMPLES)
		buf_printf(b, " (inferred from %zu %s)", m->samples,
			plural(m->samples, "file", "files"));
	if (m->too_large)
		buf_str(b, "not known (what the kernel reports about the mount is too large)");
	else if (m->from == MAP_FROM_NOWHERE)
		buf_str(b,
			m->overlay && !m->surely ?
				"not known (the kernel does not show those of an overlay)" :
				"mapped, how is not known");
}

static void from_word(enum map_from from, char ret[static 16])
{
	const char *p = MAP_FROM_WORDS;

	for (; from; from--)
		p += strcspn(p, " ") + 1;
	(void)snprintf(ret, 16, "%.*s", (int)strcspn(p, " "), p); /* fits */
}

static void put_layer_map(const struct mount_record *r, struct record_map m, struct out *out)
{
	scoped_buf struct buf b = BUF_INIT;

	if (m.wish == MAP_SET)
		idmap_print(&r->maps.items[m.at], &b);
	else
		buf_str(&b, "none");
	if (buf_get(&b))
		out_str(out, NULL, buf_get(&b));
}

/* Put what a record says beside the map. */
static void put_record(const struct mount_record *r, struct out *out)
{
	static const char *const uppers[] = {
		[UPPER_NONE] = "none", [UPPER_DIR] = "directory", [UPPER_EPHEMERAL] = "memory"
	};

	if (r->kind == MOUNT_OVERLAY)
		out_str(out, "upper", uppers[r->upper]);
	if (r->kind == MOUNT_OVERLAY && r->upper != UPPER_NONE)
		out_str(out, "upper_map", r->upper_plain ? "none" : "same");
	if (r->layers.len) {
		out_array(out, "layer_maps");
		for (size_t i = 0; i < r->layers.len; i++)
			put_layer_map(r, r->layers.items[i], out);
		out_array_end(out);
	}
	if (r->other_userns)
		out_bool(out, "other_userns", true);
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
	if (is_partial(m))
		out_bool(l->out, "map_partial", true);
	if (m->record)
		put_record(m->record, l->out);
	if (m->from == MAP_FROM_SAMPLES)
		out_u64(l->out, "samples", m->samples);
	out_u64(l->out, "namespace", m->namespace);
	out_i64(l->out, "pid", m->pid);
	out_str(l->out, "command", m->command);
}

/*
 * --- the tree --------------------------------------------------------------------------------
 */

/* Like strcmp(), but '/' sorts first: "/a/b" comes before "/a-b". */
static int by_target(const void *pa, const void *pb)
{
	const struct list_row *a = pa, *b = pb;
	const char *x = a->target, *y = b->target;

	for (; *x && *x == *y; x++, y++)
		;
	if (*x != *y)
		return !*x || !*y ? (*x != 0) - (*y != 0) :
			*x == '/' ? -1 :
			*y == '/' ? 1 :
				    (unsigned char)*x - (unsigned char)*y;
	return (a->index > b->index) - (a->index < b->index);
}

static void find_parents(struct list *l)
{
	for (size_t i = 0; i < l->rows.len; i++) {
		ssize_t p = (ssize_t)i - 1;

		while (p >= 0 && !path_below(l->rows.items[i].target, l->rows.items[p].target))
			p = l->rows.items[p].parent;
		l->rows.items[i].parent = p;
		l->rows.items[i].last = true;
	}
	/* A row has a later sibling if that, or what is below it, follows what is below the row. */
	for (size_t i = l->rows.len; i-- > 1;)
		for (ssize_t p = (ssize_t)i - 1; p >= 0 && p != l->rows.items[i].parent;
			p = l->rows.items[p].parent)
			if (l->rows.items[p].parent == l->rows.items[i].parent)
				l->rows.items[p].last = false;
}

/* Append the branches of the tree before a target, like "| `-". */
static void put_branches(const struct list *l, ssize_t i, bool self, struct buf *b)
{
	const struct list_row *r = &l->rows.items[i];

	if (r->parent < 0)
		return;
	put_branches(l, r->parent, false, b);
	buf_str(b, self ? (r->last ? "`-" : "|-") : (r->last ? "  " : "| "));
}

static int put_rows(struct list *l)
{
	int r = 0;

	if (l->rows.len)
		qsort(l->rows.items, l->rows.len, sizeof(*l->rows.items), by_target);
	find_parents(l);
	for (size_t i = 0; i < l->rows.len; i++) {
		struct list_row *w = &l->rows.items[i];
		scoped_buf struct buf target = BUF_INIT;

		put_branches(l, (ssize_t)i, true, &target);
		buf_str(&target, w->target);
		if (!buf_get(&target)) {
			r = -ENOMEM;
			break;
		}
		out_begin(l->out, NULL);
		if (l->all)
			out_str(l->out, "process", w->process);
		out_str(l->out, "target", target.data);
		out_str(l->out, "source", w->source);
		out_str(l->out, "fstype", w->type);
		out_str(l->out, "words", w->words);
		out_end(l->out);
	}
	for (size_t i = 0; i < l->rows.len; i++) {
		struct list_row *w = &l->rows.items[i];

		free(w->process);
		free(w->target);
		free(w->source);
		free(w->type);
		free(w->words);
	}
	l->rows.len = 0;
	return r;
}

/*
 * --- mounts ----------------------------------------------------------------------------------
 */

static int put_mount(const struct mapped_mount *m, void *arg)
{
	struct list *l = arg;
	scoped_buf struct buf source = BUF_INIT, words = BUF_INIT, process = BUF_INIT;
	struct list_row w = { .index = l->n++ };
	int r = 0;

	map_text(m, out_json(l->out), &words);
	if (out_json(l->out)) {
		if (!buf_get(&words))
			return -ENOMEM;
		out_begin(l->out, NULL);
		out_str(l->out, "target", m->target);
		put_json(l, m);
		out_str(l->out, "fstype", m->type);
		out_str(l->out, "words", words.data);
		out_end(l->out);
		return 0;
	}
	if (m->namespace != l->namespace)
		r = put_rows(l);
	l->namespace = m->namespace;
	source_text(m, &source);
	buf_printf(&process, "%d %s", (int)m->pid, m->command);
	w.process = buf_take(&process);
	w.target =
		strdup(*m->target ? m->target : "?"); /* not reachable, or the path is too long */
	w.source = buf_take(&source);
	w.type = strdup(m->type);
	w.words = buf_take(&words);
	if (VEC_ADD(&l->rows, w) < 0 || !w.process || !w.target || !w.source || !w.type || !w.words)
		return -ENOMEM;
	return r;
}

/* Find the path without links, to compare it with the targets of mounts. */
static int find_below(const char *operand, struct buf *ret, struct err *e)
{
	scoped_fd int fd = -1;
	int r = path_open(operand, O_PATH, "cannot find it", NULL, &fd, e);

	if (r < 0)
		return r;
	path_of_fd(fd, ret);
	if (!buf_get(ret))
		return err_nomem(e);
	return ret->len ? 0 : err_say(e, ENOENT, operand, "cannot find its path");
}

int check_list(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	static const struct out_col columns[] = {
		{ "process", "PROCESS", false },
		{ "target", "TARGET", false },
		{ "source", "SOURCE", false },
		{ "fstype", "TYPE", false },
		{ "words", "MAP", false },
	};
	struct list l = { .out = ctx->out, .all = a->all_namespaces };
	scoped_buf struct buf path = BUF_INIT;
	struct list_mapped_options o = { .all_namespaces = a->all_namespaces };
	size_t closed = 0, skip = !a->all_namespaces;
	int r = *operands ? find_below(*operands, &path, e) : 0;

	if (r < 0)
		return r;
	o.below = *operands ? path.data : NULL;
	out_table(ctx->out, columns + skip, ARRAY_LEN(columns) - skip);
	r = list_mapped(&o, put_mount, &l, &closed, e);
	if (put_rows(&l) < 0 && r == 0)
		r = -ENOMEM;
	VEC_DONE(&l.rows);
	if (l.n)
		out_table_end(ctx->out);
	if (r == -ENOMEM && e && !e->set)
		return err_nomem(e);
	if (r < 0)
		return r;
	check_fstab_maps(o.below);
	if (closed)
		log_warn("%zu %s could not be examined%s", closed,
			plural(closed, "mount namespace or process",
				"mount namespaces or processes"),
			geteuid() == 0 ? "" : " (that requires root)");
	if (!l.n && !ctx->quiet)
		out_line(ctx->out, "no ID-mapped mounts");
	return STATUS_DONE;
}
