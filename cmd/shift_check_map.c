/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check map: print, convert, combine and compare maps, and find the map that a tree needs. */

#include "shift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/plural.h"
#include "../lib/base/proc.h"
#include "../lib/check/mount_map.h"
#include "../lib/check/needed_ids.h"
#include "../lib/check/walk.h"
#include "../lib/idmap/idmap_diff.h"
#include "../lib/idmap/idmap_forms.h"
#include "../lib/mount/image_source.h"
#include "../lib/store/store.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "../lib/tar/mtree.h"

/*
 * --- printing maps ---------------------------------------------------------------------------
 */

static void put_ranges(struct out *out, const char *key, const struct idranges *r)
{
	out_array(out, key);
	for (size_t i = 0; i < r->len; i++) {
		out_begin(out, NULL);
		out_u64(out, "disk", r->items[i].disk);
		out_u64(out, "seen", r->items[i].seen);
		out_u64(out, "count", r->items[i].count);
		out_end(out);
	}
	out_array_end(out);
}

static void put_words(struct out *out, const char *kind, const struct idranges *r)
{
	uint64_t mapped = 0;

	for (size_t i = 0; i < r->len; i++) {
		const struct idrange *x = &r->items[i];

		if (x->count == UINT32_MAX && x->disk == x->seen)
			out_line(out, "%severy id is seen as it is on disk", kind);
		else if (x->count == 1)
			out_line(out, "%sdisk %" PRIu32 " is seen as %" PRIu32, kind, x->disk,
				x->seen);
		else
			out_line(out,
				"%sdisk %" PRIu32 "-%" PRIu32 " is seen as %" PRIu32 "-%" PRIu32,
				kind, x->disk, x->disk + (x->count - 1), x->seen,
				x->seen + (x->count - 1));
		mapped += x->count;
	}
	if (mapped < UINT32_MAX)
		out_line(out,
			"%sother ids have no mapping: their files are seen as nobody's (%u), and "
			"new ones cannot be made",
			kind, IDMAP_OVERFLOW);
}

/* Print a text of several lines without its last newline, which out_line() adds. */
static void put_text(struct out *out, struct buf *b)
{
	while (b->len && b->data[b->len - 1] == '\n')
		b->data[--b->len] = '\0';
	out_line(out, "%s", b->data);
}

static int put_map(
	const struct check_args *a, struct out *out, const struct idmap *m, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT, form = BUF_INIT, words = BUF_INIT;
	bool both;
	int r = a->to ? idmap_print_form(m, (enum idmap_form)(a->to - 1), &form, e) : 0;

	if (r < 0)
		return r;
	idmap_print(m, &text);
	idmap_print_words(m, &words);
	if (!buf_get(&text) || !buf_get(&form) || !buf_get(&words))
		return err_nomem(e);

	out_begin(out, NULL);
	out_str(out, "map", text.data);
	out_str(out, "words", words.data);
	put_ranges(out, "uid", &m->uid);
	put_ranges(out, "gid", &m->gid);
	if (a->to)
		out_str(out, "form", form.data);
	out_end(out);

	if (a->to) {
		put_text(out, &form);
		return STATUS_DONE;
	}
	both = !strncmp(text.data, "b:", 2);
	put_words(out, both ? "" : "user ids: ", &m->uid);
	if (!both)
		put_words(out, "group ids: ", &m->gid);
	out_line(out, "%s", text.data);
	return STATUS_DONE;
}

/*
 * --- two maps --------------------------------------------------------------------------------
 */

struct differ {
	struct out *out;
	const char *kind; /* "user", "group" */
	bool differs;
};

static void add_seen(struct buf *b, bool mapped, uint32_t seen, uint32_t count)
{
	if (!mapped)
		buf_str(b, "not mapped");
	else if (count == 1)
		buf_printf(b, "seen as %" PRIu32, seen);
	else
		buf_printf(b, "seen as %" PRIu32 "-%" PRIu32, seen, seen + (count - 1));
}

static int put_diff(const struct iddiff *d, void *arg)
{
	struct differ *p = arg;
	scoped_buf struct buf b = BUF_INIT;

	p->differs = true;
	out_begin(p->out, NULL);
	out_str(p->out, "kind", p->kind);
	out_u64(p->out, "disk", d->disk);
	out_u64(p->out, "count", d->count);
	if (d->first)
		out_u64(p->out, "first_seen", d->first_seen);
	if (d->second)
		out_u64(p->out, "second_seen", d->second_seen);
	out_end(p->out);

	buf_printf(&b, "%s %s %" PRIu32, p->kind, plural(d->count, "id", "ids"), d->disk);
	if (d->count > 1)
		buf_printf(&b, "-%" PRIu32, d->disk + (d->count - 1));
	buf_str(&b, " on disk: ");
	add_seen(&b, d->first, d->first_seen, d->count);
	buf_str(&b, " by the first map, ");
	add_seen(&b, d->second, d->second_seen, d->count);
	buf_str(&b, " by the second");
	if (!buf_get(&b))
		return -ENOMEM;
	out_line(p->out, "%s", b.data);
	return 0;
}

static int diff(struct out *out, const struct idmap *first, const struct idmap *second, bool quiet,
	struct err *e)
{
	struct differ p = { .out = out, .kind = "user" };
	int r = idranges_diff(&first->uid, &second->uid, put_diff, &p);

	p.kind = "group";
	if (r == 0)
		r = idranges_diff(&first->gid, &second->gid, put_diff, &p);
	if (r < 0)
		return err_nomem(e);
	if (!p.differs && !quiet)
		out_line(out, "both maps translate every id in the same way");
	return p.differs ? STATUS_FOUND : STATUS_DONE;
}

/*
 * --- the map that a tree needs ---------------------------------------------------------------
 */

/* Add the ids of a directory as they are on disk, without the map of its mount. */
static int cover_directory(struct needed_ids *c, const struct check_args *a, struct err *e)
{
	scoped_idmap struct idmap ignored = { .gid_assumed = false };
	scoped_fd int fd = -1, disk = -1;
	int r = path_open(a->cover, O_PATH, "cannot open", NULL, &fd, e);

	if (r < 0)
		return r;
	r = mount_map_read(fd, a->cover, &ignored, e);
	if (r < 0)
		return r;
	if (r == MOUNT_MAP_OVERLAY)
		log_verbose("it is on an overlay: the ids are those that the overlay shows");
	if (r == MOUNT_MAP_KNOWN || r == MOUNT_MAP_HIDDEN) {
		log_verbose("it is on an ID-mapped mount: it is read without that map");
		r = unmapped_clone(fd, a->cover, &disk, e);
		if (r < 0) {
			err_try(e,
				"name the directory by a path that is not under an ID-mapped "
				"mount");
			return r;
		}
	}
	r = needed_ids_add_tree(c, disk >= 0 ? disk : fd, a->threads, e);
	if (r < 0)
		err_prefix(e, "in '%s'", a->cover);
	return r;
}

struct spec_ids {
	struct needed_ids *c;
	struct err *e;
};

static int add_spec(const struct mtree_entry *s, void *arg)
{
	struct spec_ids *p = arg;

	return s->has_uid && s->has_gid ? needed_ids_add_owner(p->c, s->uid, s->gid, p->e) : 0;
}

/*
 * Add the ids of a layer: owners from its specification, and ids in ACLs and capabilities, which
 * the specification lacks, from its directory.
 */
static int cover_layer(struct needed_ids *c, const struct store *store, const char *layer,
	const char *spec, unsigned threads, struct err *e)
{
	struct spec_ids p = { c, e };
	scoped_fd int fd = -1, top = -1, dir = -1;
	int r = store_layer_open_spec(store, spec, &fd, e);

	if (r == 0)
		r = mtree_read(&(struct mtree_input){ fd, spec, MTREE_OWNER,
				       threads ? threads : proc_processors() },
			add_spec, &p, e);
	if (r < 0 || geteuid() != 0)
		return r; /* such a store has the ids of its owner's namespace on disk */
	r = store_base_open_layer(store, layer, &top, e);
	if (r == 0)
		r = fd_open_dir(top, ".", &dir, e);
	return r == 0 ? needed_ids_add_tree_attrs(c, dir, threads, e) : r;
}

static int cover_image(struct needed_ids *c, const struct check_args *a, struct err *e)
{
	scoped_strv struct strv layers = { .len = 0 }, specs = { .len = 0 };
	scoped_store struct store *store = NULL;
	int r = store_open(a->store, 0, &store, e);

	if (geteuid() != 0)
		log_verbose("the ids in ACLs and capabilities are read by root only");
	if (r == 0)
		r = store_image_layers(store, image_source_name(a->cover), &layers, &specs, e);
	/* A parent directory that no layer lists belongs to 0:0. */
	if (r == 0)
		r = needed_ids_add_owner(c, 0, 0, e);
	for (size_t i = 0; i < layers.len && r == 0; i++)
		r = cover_layer(c, store, layers.items[i], specs.items[i], a->threads, e);
	return r;
}

/* Report ids that are needed but that the map lacks. */
static int put_lacking(const struct iddiff *d, void *arg)
{
	struct differ *p = arg;

	if (d->second || !d->first)
		return 0;
	p->differs = true;
	out_begin(p->out, NULL);
	out_str(p->out, "class", "unmapped");
	out_str(p->out, "kind", p->kind);
	out_u64(p->out, "disk", d->disk);
	out_u64(p->out, "count", d->count);
	out_end(p->out);
	if (d->count == 1)
		out_line(p->out,
			"unmapped: %s id %" PRIu32 " is on disk, and the map has nothing for it",
			p->kind, d->disk);
	else
		out_line(p->out,
			"unmapped: %s ids %" PRIu32 "-%" PRIu32
			" are on disk, and the map has nothing for them",
			p->kind, d->disk, d->disk + (d->count - 1));
	return 0;
}

/* Print the part of the map that is needed, and report what it lacks. */
static int narrow(const struct check_args *a, struct out *out, const struct idmap *needed,
	const struct idmap *m, struct err *e)
{
	struct differ p = { .out = out, .kind = "user" };
	scoped_idmap struct idmap part = { .gid_assumed = false };
	int r;

	(void)idranges_diff(&needed->uid, &m->uid, put_lacking, &p); /* put_lacking never fails */
	p.kind = "group";
	(void)idranges_diff(&needed->gid, &m->gid, put_lacking, &p);
	r = idmap_compose(needed, m, &part, e);
	if (r == -ENODATA)
		return STATUS_FOUND; /* no part of the map is needed: all needed ids were reported
		                      */
	if (r == 0)
		r = put_map(a, out, &part, e);
	return r < 0 ? r : p.differs ? STATUS_FOUND : STATUS_DONE;
}

static int cover(const struct check_args *a, struct out *out, const struct idmap *m, struct err *e)
{
	scoped_idmap struct idmap needed = { .gid_assumed = false };
	struct needed_ids *c = needed_ids_new();
	uint64_t added = 0;
	int r;

	if (!c)
		return err_nomem(e);
	r = image_source_name(a->cover) ? cover_image(c, a, e) : cover_directory(c, a, e);
	if (r == 0)
		r = needed_ids_map(c, &needed, &added, e);
	if (r == 0)
		log_verbose("%" PRIu64 " %s read", needed_ids_entries(c),
			plural(needed_ids_entries(c), "file was", "files were"));
	needed_ids_free(c);
	if (r < 0)
		return r;
	if (added)
		log_warn("the ids are too scattered for one map: it covers %" PRIu64
			 " ids more than there are",
			added);
	return m ? narrow(a, out, &needed, m, e) : put_map(a, out, &needed, e);
}

/*
 * --- the subcommand --------------------------------------------------------------------------
 */

static int second_map(const char *text, struct idmap *ret, struct err *e)
{
	int r = idmap_parse_form(&text, 1, ret, e);

	if (r < 0)
		err_prefix(e, "the second map");
	return r;
}

/* Refuse what is nearly a map: "none", and the name of a form, as in "lxc +100000". */
static int check_words(char **words, size_t n, struct err *e)
{
	if (n == 1 && !strcmp(words[0], "none"))
		return err_usage_try(e,
			"write a map such as 1000:100033:1 (DISK:SEEN:COUNT), +100000, or "
			"user:NAME",
			"'none' is the absence of a map, and has no lines");
	if (opt_word_index(IDMAP_FORM_WORDS, words[0]) < 0)
		return 0;
	(void)err_usage(e, "'%s' is the syntax of another tool, and not a map", words[0]);
	err_try(e, "write --to %s %s", words[0], n > 1 ? words[1] : "MAP");
	return -EINVAL;
}

int check_map(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	scoped_idmap struct idmap m = { .gid_assumed = false }, other = { .gid_assumed = false },
				  made = { .gid_assumed = false };
	const char *text = a->compose ? a->compose : a->diff;
	size_t n = 0;
	int r;

	while (operands[n])
		n++;
	if (!n && a->cover)
		return cover(a, ctx->out, NULL, e);
	if (!n)
		return err_usage_try(e,
			text ? "two maps are needed: shiftbox shift-check map --diff MAP2 MAP (or "
			       "--compose)" :
			       "shiftbox shift-check map 1000:100033:1",
			"map needs MAP");
	r = check_words(operands, n, e);
	if (r == 0)
		r = idmap_parse_form((const char *const *)operands, n, &m, e);
	if (r == 0 && text)
		r = second_map(text, &other, e);
	if (r < 0)
		return r;

	if (a->cover)
		return cover(a, ctx->out, &m, e);
	if (a->diff)
		return diff(ctx->out, &m, &other, ctx->quiet, e);
	if (!a->compose && !a->invert)
		return put_map(a, ctx->out, &m, e);
	r = a->invert ? idmap_invert(&m, &made, e) : idmap_compose(&m, &other, &made, e);
	return r < 0 ? r : put_map(a, ctx->out, &made, e);
}
