/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: is every inode seen as it should be? */

#include "shift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/check/expect.h"
#include "../lib/check/raw.h"
#include "../lib/check/verify.h"
#include "../lib/image/store.h"

struct job {
	const struct check_args *a;
	struct out *out;
	const char *path;       /* as given */
	int seen;               /* O_PATH */
	enum raw_kind kind;     /* of the mount that seen is on */
	struct idmap mount_map; /* with RAW_MAPPED */
	struct idmap map;       /* between the sides */
	int disk;               /* O_PATH: the raw tree, or -1 */
	struct expect *expect;  /* or what specifications say, */
	struct store *store;    /* and for an image its layers, which stay while the store is open */
	VEC(int) layers;        /* O_PATH, topmost first */
	bool found;             /* findings beside the walk's */
};

/* --- output ------------------------------------------------------------------------------------- */

static void put_meta(struct out *out, const char *side, const struct meta *m)
{
	static const struct { const char *key; unsigned bit; } ids[] = { { "uid", META_UID }, { "gid", META_GID } };
	char key[32];

	if (!m)
		return;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		(void)snprintf(key, sizeof(key), "%s_%s", side, ids[i].key); /* fits: our own words */
		if (m->known & ids[i].bit)
			out_u64(out, key, ids[i].bit == META_UID ? m->uid : m->gid);
	}
	(void)snprintf(key, sizeof(key), "%s_mode", side);
	if (m->known & META_MODE)
		out_mode(out, key, m->mode);
	(void)snprintf(key, sizeof(key), "%s_type", side);
	if (m->known & META_TYPE)
		out_str(out, key, compare_type_name(m->mode));
}

static void put_json(struct out *out, const struct finding *f, const char *path, size_t path_len)
{
	char name[16];

	out_begin(out, NULL);
	out_str(out, "class", finding_word(f->class));
	out_bytes(out, "path", path, path_len);
	put_meta(out, "disk", f->disk);
	put_meta(out, "seen", f->seen);
	if (f->has_uid)
		out_u64(out, "expected_uid", f->expected_uid);
	if (f->has_gid)
		out_u64(out, "expected_gid", f->expected_gid);
	if (f->errnum)
		out_str(out, "errno", err_name(f->errnum, name));
	out_str(out, "detail", f->detail);
	out_end(out);
}

/* One finding, as found. The path is PATH and what is below it, so that it can be used as it stands. */
static void put_finding(const struct finding *f, void *arg)
{
	struct job *j = arg;
	scoped_buf struct buf path = BUF_INIT, text = BUF_INIT;

	if (j->a->summary)
		return;
	buf_str(&path, j->path);
	if (*f->path && path.len && path.data[path.len - 1] != '/')
		buf_char(&path, '/');
	buf_str(&path, f->path);
	if (!buf_get(&path))
		return; /* the count and the exit status still tell of it */
	if (out_json(j->out)) {
		put_json(j->out, f, path.data, path.len);
		return;
	}
	buf_escaped(&text, path.data, path.len);
	if (buf_get(&text))
		out_line(j->out, "%s%s%s: %s: %s", out_color(j->out) ? "\033[1;31m" : "", finding_word(f->class),
			 out_color(j->out) ? "\033[0m" : "", text.data, f->detail);
}

static void put_summary(struct out *out, const struct verify_counts *c, bool quiet)
{
	scoped_buf struct buf b = BUF_INIT;
	uint64_t total = verify_total(c);

	out_begin(out, NULL);
	out_begin(out, "summary");
	out_u64(out, "entries", c->entries);
	out_u64(out, "vanished", c->vanished);
	out_u64(out, "mounts_not_entered", c->mounts);
	out_begin(out, "findings");
	for (size_t i = 0; i < FINDING_CLASSES; i++)
		out_u64(out, finding_word(i), c->findings[i]);
	out_end(out);
	out_end(out);
	out_end(out);

	buf_printf(&b, "%llu entr%s checked, ", (unsigned long long)c->entries, c->entries == 1 ? "y" : "ies");
	buf_printf(&b, total ? "%llu finding%s" : "nothing found", (unsigned long long)total, total == 1 ? "" : "s");
	for (size_t i = 0, n = 0; i < FINDING_CLASSES; i++)
		if (c->findings[i])
			buf_printf(&b, "%s%llu %s", n++ ? ", " : ": ", (unsigned long long)c->findings[i], finding_word(i));
	if (c->vanished)
		buf_printf(&b, " (%llu vanished meanwhile)", (unsigned long long)c->vanished);
	if (c->mounts)
		buf_printf(&b, " (%llu mount%s below not entered)", (unsigned long long)c->mounts, c->mounts == 1 ? "" : "s");
	if (buf_get(&b) && (total || !quiet))
		out_line(out, "%s", b.data);
}

/* --- the two sides, and the map between them ------------------------------------------------------ */

static int open_path(const char *path, int *ret, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, path, "cannot open");
	*ret = fd;
	return 0;
}

static int no_other_side(const struct job *j, struct err *e)
{
	if (j->kind == RAW_OVERLAY) {
		(void)err_say(e, EINVAL, j->path, "is on an overlay, which has no map of its own: its layers may have");
		err_try(e, "give the image with --image NAME and the map with -m MAP");
		return -EINVAL;
	}
	(void)err_say(e, EINVAL, j->path, "is not on an ID-mapped mount: there is nothing to compare it with");
	err_try(e, "give the other side with --source DIR, --spec FILE or --image NAME");
	return -EINVAL;
}

/* The raw view of the mount itself, or of --source (whose own map, if it has one, is taken off too). */
static int open_disk(struct job *j, struct err *e)
{
	scoped_fd int fd = -1;
	struct idmap ignored = { .gid_assumed = false };
	int r;

	if (!j->a->source)
		return j->kind == RAW_PLAIN || j->kind == RAW_OVERLAY
			? no_other_side(j, e) : raw_open(j->seen, j->path, &j->disk, e);

	r = open_path(j->a->source, &fd, e);
	if (r == 0)
		r = raw_map(fd, j->a->source, &ignored, e);
	if (r == RAW_MAPPED)
		idmap_done(&ignored);
	if (r == RAW_MAPPED || r == RAW_HIDDEN) {
		log_verbose("the source is on an ID-mapped mount: its map is taken off");
		return raw_open(fd, j->a->source, &j->disk, e);
	}
	if (r < 0)
		return r;
	j->disk = TAKE_FD(fd);
	return 0;
}

static int read_spec(struct job *j, const char *path, struct err *e)
{
	scoped_fd int fd = -1;
	int r = fd_open_regular(AT_FDCWD, path, 0, &fd, e);

	if (r == 0)
		r = spec_read(fd, path, expect_add, j->expect, e);
	if (r < 0 && e && !e->set)
		r = r == -ENOMEM ? err_nomem(e) : err_say(e, -r, path, "names a path that leaves its root");
	return r;
}

static int open_layer(struct job *j, const char *path, struct err *e)
{
	scoped_fd int fd = -1;
	int r = open_path(path, &fd, e);

	if (r < 0)
		return r;
	r = VEC_ADD(&j->layers, fd);
	if (r < 0)
		return err_nomem(e);
	(void)TAKE_FD(fd); /* the vector's now */
	return 0;
}

static int read_image(struct job *j, struct err *e)
{
	scoped_strv struct strv layers = { .len = 0 }, specs = { .len = 0 };
	int r = store_open(j->a->store, 0, &j->store, e);

	if (r == 0)
		r = store_image_layers(j->store, j->a->image, &layers, &specs, e);
	for (size_t i = 0; r == 0 && i < layers.len; i++) {
		if (i && expect_next_layer(j->expect) < 0)
			return err_say(e, E2BIG, j->a->image, "has too many layers");
		r = read_spec(j, specs.items[i], e);
		if (r == 0)
			r = open_layer(j, layers.items[i], e);
	}
	return r;
}

/* What should be there, from specifications. */
static int read_expected(struct job *j, struct err *e)
{
	int r;

	j->expect = expect_new(j->a->image != NULL);
	if (!j->expect)
		return err_nomem(e);
	r = j->a->image ? read_image(j, e) : read_spec(j, j->a->spec, e);
	if (r == 0 && !expect_root(j->expect))
		r = err_say(e, ENODATA, j->a->image ? j->a->image : j->a->spec, "the specification is empty");
	return r;
}

static int no_map(const struct job *j, struct err *e)
{
	const char *why = j->kind == RAW_OVERLAY
		? "a merged overlay does not tell the maps of its layers"
		: "this kernel does not tell the map of a mount (Linux 6.15 does), or none of its ids is one here";

	(void)err_say(e, EINVAL, j->path, "its map is not known");
	err_why(e, "%s", why);
	err_try(e, "give the map that it was mounted with: -m MAP (identity: -m 0:0:4294967295)");
	return -EINVAL;
}

/* Another map than the one asked for is a finding; the rest is then checked with the mount's own. */
static int other_map(struct job *j, struct err *e)
{
	scoped_buf struct buf has = BUF_INIT, wants = BUF_INIT;
	struct finding f = { .class = FINDING_MISMATCH, .path = "" };

	idmap_print(&j->mount_map, &has);
	idmap_print(&j->map, &wants);
	if (!buf_get(&has) || !buf_get(&wants))
		return err_nomem(e);
	/* Cut when it is long. */
	(void)snprintf(f.detail, sizeof(f.detail), "the mount has the map %s, expected %s", has.data, wants.data);
	j->found = !j->a->only || j->a->only & 1U << FINDING_MISMATCH;
	if (j->found)
		put_finding(&f, j);
	idmap_done(&j->map);
	return idmap_copy(&j->mount_map, &j->map, e);
}

static int find_map(struct job *j, struct err *e)
{
	char disk[32];
	const struct idmap_context context = { .source = j->disk >= 0 ? fd_proc_path(j->disk, disk) : NULL };
	int r;

	if (j->a->maps.len) {
		r = idmap_parse((const char *const *)j->a->maps.items, j->a->maps.len, &context, &j->map, e);
		if (r < 0 || j->kind != RAW_MAPPED || idmap_equal(&j->map, &j->mount_map))
			return r;
		return other_map(j, e);
	}
	if (j->kind == RAW_MAPPED)
		return idmap_copy(&j->mount_map, &j->map, e);
	if (j->kind != RAW_PLAIN)
		return no_map(j, e);
	log_verbose("the mount has no map: seen ids should be disk ids");
	return idmap_identity(&j->map, e);
}

/* --- the whole ------------------------------------------------------------------------------------ */

static int compare_sides(struct job *j, struct verify_counts *counts, struct err *e)
{
	struct verify_options o = {
		.map = &j->map, .threads = j->a->threads, .classes = j->a->only, .max_findings = j->a->max_findings,
		.found = put_finding, .arg = j,
	};

	if (j->expect)
		return verify_expect(j->seen, j->expect, j->store ? j->layers.items : NULL, &o, counts, e);
	return verify_trees(j->seen, j->disk, &o, counts, e);
}

static int run(struct job *j, struct ctx *ctx, struct err *e)
{
	struct verify_counts counts = { .entries = 0 };
	int r = open_path(j->path, &j->seen, e);

	if (r < 0)
		return r;
	r = raw_map(j->seen, j->path, &j->mount_map, e);
	if (r < 0)
		return r;
	j->kind = r;
	r = j->a->spec || j->a->image ? read_expected(j, e) : open_disk(j, e);
	if (r == 0)
		r = find_map(j, e);
	if (r == 0)
		r = compare_sides(j, &counts, e);
	if (r < 0)
		return r;

	counts.findings[FINDING_MISMATCH] += j->found;
	put_summary(ctx->out, &counts, ctx->quiet);
	return verify_total(&counts) ? STATUS_FOUND : STATUS_DONE;
}

int check_verify(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	struct job j = { .a = a, .out = ctx->out, .path = operands[0], .seen = -1, .disk = -1 };
	int r;

	if (a->store && !a->image)
		return err_usage(e, "--store is where --image looks: it is of no use without it");
	if (a->threads > 1024)
		return err_usage(e, "--threads is at most 1024");
	r = run(&j, ctx, e);
	cleanup_fd(&j.seen);
	cleanup_fd(&j.disk);
	for (size_t i = 0; i < j.layers.len; i++)
		cleanup_fd(&j.layers.items[i]);
	VEC_DONE(&j.layers);
	expect_free(j.expect);
	store_close(j.store);
	idmap_done(&j.mount_map);
	idmap_done(&j.map);
	return r;
}
