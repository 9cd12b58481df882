/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check verify: compare what is seen on a mount with what is on disk. */

#include "shift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../lib/base/fd.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/base/proc.h"
#include "../lib/base/term.h"
#include "../lib/check/expect.h"
#include "../lib/check/mount_map.h"
#include "../lib/check/verify.h"
#include "../lib/check/verify_sides.h"
#include "../lib/check/walk.h"
#include "../lib/idmap/userns_self.h"
#include "../lib/store/image_store.h"
#include "../lib/store/store.h"
#include "../lib/store/store_base.h"
#include "../lib/store/store_image.h"
#include "../lib/store/store_layer.h"
#include "progress_line.h"
#include "shift_check_held.h"
#include "shift_check_marks.h"
#include "shift_check_stack.h"

/* A mount to be checked: that of PATH, or one below it. */
struct verify_job {
	const struct check_args *a;
	struct out *out;
	struct progress_line *meter;
	const char *path;         /* PATH as given, or the path of a mount below it */
	const char *rel;          /* path relative to PATH; "" is PATH itself */
	int seen;                 /* O_PATH */
	enum mount_map_kind kind; /* of the mount that seen is on */
	bool has_map;             /* mount_map is set: with MOUNT_MAP_KNOWN, or of a known stack */
	struct idmap mount_map;
	struct known_stack stack; /* with MOUNT_MAP_OVERLAY, if it has a record */
	bool images;              /* seen is an image store of podman */
	const char *image;        /* of --image (in the first job), or of the stack, or NULL */
	struct idmap map;         /* from the disk side to the seen side */
	unsigned doubt;           /* enum verify_doubt */
	int source;               /* O_PATH: the directory of --source, or -1 */
	int disk;                 /* O_PATH: the disk side, or -1 */
	struct expect *expect;    /* or the expected tree as the disk side, */
	struct store *store;      /* and for an image its store, which keeps its layers */
	VEC(int) layers;          /* O_PATH, topmost first; -1: the layer has no such directory */
	struct verify_counts own; /* findings about the mount as a whole */
	struct strv mounts;       /* in the first job: the mounts below, as rel */
	struct verify_job *first;
	uint64_t limit;             /* in the first job: of findings; 0: none */
	struct held_findings *held; /* in the first job; NULL: findings are printed at once */
	bool oom;
	bool partial; /* in the first job: a map that was used may have hidden lines */
};

/*
 * --- output ----------------------------------------------------------------------------------
 */

/* Print a finding. */
static void put_finding(const struct finding *f, void *arg)
{
	struct verify_job *j = arg;

	if (j->a->summary)
		return;
	if (j->first->held) {
		held_add(j->first->held, j->path, f);
		return;
	}
	progress_line_hide(j->meter);
	check_put_finding(j->out, j->path, f);
	progress_line_show(j->meter);
}

/* Count and print a finding that no comparison has found, about a path; "" is the mount. */
static void put_finding_at(struct finding *f, const char *path, void *arg)
{
	struct verify_job *j = arg;

	f->path = path;
	if (j->a->only && !(j->a->only & 1U << f->class))
		return;
	j->own.findings[f->class]++;
	put_finding(f, j);
}

/*
 * --- both sides, and the map between them ----------------------------------------------------
 */

/* Open the directory of --source that corresponds to the mount. */
static int open_source(struct verify_job *j, struct err *e)
{
	if (*j->rel)
		return fd_open_beneath(
			j->first->source, j->rel, O_PATH | O_NOFOLLOW, &j->source, e);
	return check_open(j->a->source, &j->source, e);
}

/* The directory of --source, without the map of its own mount if that has one. */
static int open_source_unmapped(struct verify_job *j, struct verify_subject *s, struct err *e)
{
	struct idmap ignored = { .gid_assumed = false };
	int r = open_source(j, e);

	if (r == 0)
		r = mount_map_read(j->source, j->a->source, &ignored, e);
	s->source_overlay = r == MOUNT_MAP_OVERLAY;
	if (r == MOUNT_MAP_KNOWN)
		idmap_done(&ignored);
	if (r == MOUNT_MAP_KNOWN || r == MOUNT_MAP_HIDDEN) {
		log_verbose("the source is on an ID-mapped mount: it is read without that map");
		return unmapped_clone(j->source, j->a->source, &j->disk, e);
	}
	if (r < 0)
		return r;
	j->disk = fcntl(j->source, F_DUPFD_CLOEXEC, 0);
	return j->disk < 0 ? err_set(e, errno, j->a->source, "cannot keep it open") : 0;
}

static int read_spec(struct verify_job *j, const char *path, struct err *e)
{
	scoped_fd int fd = -1;
	unsigned threads = j->a->threads ? j->a->threads : proc_processors();
	int r = j->store ? store_layer_open_spec(j->store, path, &fd, e) :
			   path_open_regular(path, &fd, e);

	if (r == 0)
		r = mtree_read(&(struct mtree_input){ fd, path, MTREE_OWNER, threads }, expect_add,
			j->expect, e);
	if (r < 0 && e && !e->set)
		r = r == -ENOMEM ? err_nomem(e) :
				   err_say(e, -r, path, "names a path that leaves its root");
	return r;
}

static int open_layer(struct verify_job *j, const char *path, struct err *e)
{
	scoped_fd int fd = -1;
	struct finding f;
	int r = store_base_open_layer(j->store, path, &fd, e);

	if (r < 0 || VEC_ADD(&j->layers, fd) < 0)
		return r < 0 ? r : err_nomem(e);
	(void)TAKE_FD(fd); /* owned by the vector */
	r = check_layer_marks(j->store, path, &f, e);
	if (r > 0)
		put_finding_at(&f, "", j);
	return r < 0 ? r : 0;
}

static int read_image(struct verify_job *j, struct err *e)
{
	scoped_strv struct strv layers = { .len = 0 }, specs = { .len = 0 };
	int r = store_open(
		j->a->store || j->a->image ? j->a->store : j->stack.store, 0, &j->store, e);

	if (r == 0)
		r = store_image_layers(j->store, j->image, &layers, &specs, e);
	if (r == 0 && !j->a->image)
		r = check_stack_layers(&j->stack, j->image, &layers, e);
	else if (r == -ENOENT && !j->a->image)
		err_try(e, "specify the store that it was mounted from with --store");
	for (size_t i = 0; r == 0 && i < layers.len; i++) {
		if (i && expect_next_layer(j->expect) < 0)
			return err_say(e, E2BIG, j->image, "has too many layers");
		r = read_spec(j, specs.items[i], e);
		if (r == 0)
			r = open_layer(j, layers.items[i], e);
	}
	return r;
}

/* Read the expected tree from specifications. */
static int read_expected(struct verify_job *j, struct err *e)
{
	int r;

	j->expect = expect_new(j->image != NULL);
	if (!j->expect)
		return err_nomem(e);
	r = j->image ? read_image(j, e) : read_spec(j, j->a->spec, e);
	if (r == 0 && !expect_root(j->expect))
		r = err_say(
			e, ENODATA, j->image ? j->image : j->a->spec, "the specification is empty");
	return r;
}

/* Report that the mount has another map than the one given; inodes are checked with its own map. */
static int other_map(struct verify_job *j, bool partial, struct err *e)
{
	scoped_buf struct buf has = BUF_INIT, wants = BUF_INIT;
	struct finding f = { .class = FINDING_MISMATCH };

	if (j->has_map) {
		buf_str(&has, partial ? "(as far as it can be read here) the map " : "the map ");
		idmap_print(&j->mount_map, &has);
	} else {
		buf_str(&has, "no map");
	}
	idmap_print(&j->map, &wants);
	if (!buf_get(&has) || !buf_get(&wants))
		return err_nomem(e);
	/* Truncated if long. */
	(void)snprintf(
		f.detail, sizeof(f.detail), "the mount has %s, expected %s", has.data, wants.data);
	put_finding_at(&f, "", j);
	if (!j->has_map)
		return 0;
	idmap_done(&j->map);
	return idmap_copy(&j->mount_map, &j->map, e);
}

/* The directories of the layers at the mount. */
static int open_layers(struct verify_job *j, struct err *e)
{
	for (size_t i = 0; i < j->first->layers.len; i++) {
		scoped_fd int fd = -1;

		(void)fd_open_beneath(j->first->layers.items[i], j->rel, O_PATH | O_NOFOLLOW, &fd,
			NULL); /* most layers do not have it */
		if (VEC_ADD(&j->layers, fd) < 0)
			return err_nomem(e);
		(void)TAKE_FD(fd); /* the vector's now */
	}
	return 0;
}

static int use_identity(struct verify_job *j, struct err *e)
{
	log_verbose(j->kind == MOUNT_MAP_OVERLAY ?
			"an overlay in a user namespace: seen ids should be the image's" :
			"the mount has no map: seen ids should be disk ids");
	return idmap_identity(&j->map, e);
}

/* The map between the sides, after both are open: maps that name files need the disk side. */
static int find_map(struct verify_job *j, struct verify_subject *s, struct err *e)
{
	char disk[32];
	const struct idmap_context context = {
		.source = j->disk >= 0 ? fd_proc_path(j->disk, disk) : NULL
	};

	if (j->a->maps.len) {
		int r = idmap_parse((const char *const *)j->a->maps.items, j->a->maps.len, &context,
			&j->map, e);

		if (r < 0)
			return r;
		s->given = &j->map;
	}
	switch (verify_sides_map(s)) {
	case USE_MOUNT:
		j->first->partial |= verify_sides_partial(s);
		return idmap_copy(&j->mount_map, &j->map, e);
	case USE_IDENTITY:
		return use_identity(j, e);
	case MAP_DIFFERS:
		return other_map(j, verify_sides_partial(s), e);
	case MAP_TRUNCATED:
		return check_map_part(j->path, &j->mount_map, e);
	case MAP_UNKNOWN:
		return check_map_missing(j->path, j->kind, j->stack.why, e);
	case USE_GIVEN:
		break;
	}
	return 0;
}

/* Read the map of the mount that j->seen is on, or look up the stack. */
static int look_at_mount(struct verify_job *j, struct err *e)
{
	int r = mount_map_read(j->seen, j->path, &j->mount_map, e);

	if (r < 0)
		return r;
	j->kind = (enum mount_map_kind)r;
	j->has_map = r == MOUNT_MAP_KNOWN;
	if (r == MOUNT_MAP_OVERLAY)
		r = check_stack_look(j->seen, j->a->maps.len > 0, &j->stack, e);
	if (!*j->rel)
		j->image = j->a->image;
	if (!j->a->image && !j->a->spec && !j->a->source && j->stack.at_root)
		j->image = j->stack.image;
	return r < 0 ? r : 0;
}

/* The job whose expected tree this one is compared with: its own, or that of PATH. */
static struct verify_job *expecting(struct verify_job *j)
{
	return j->expect ? j : j->first;
}

static int find_stack_map(struct verify_job *j, struct err *e)
{
	bool given = j->a->maps.len > 0;
	int r = check_stack_map(&j->stack, expecting(j)->store, given, &j->mount_map, e);

	j->has_map = j->has_map || r > 0;
	return r < 0 ? r : 0;
}

/* Find out about the mount that j->seen is on, open the other side, and find the map. */
static int open_sides(struct verify_job *j, enum verify_side *ret, struct err *e)
{
	int r = look_at_mount(j, e);
	struct verify_subject s = {
		.kind = j->kind,
		.below = *j->rel,
		.expected = j->a->spec || j->image || j->first->image,
		.source = j->a->source,
		.initial_userns = userns_is_initial(),
		.nested_userns = userns_is_nested(),
	};

	if (r == 0 && j->a->store && !j->first->image && !j->stack.image)
		r = err_usage(e, "option '--store' needs --image");
	if (r < 0)
		return r;
	*ret = verify_sides_disk(&s);
	switch (*ret) {
	case SIDE_EXPECTED:
		r = s.below && !j->image ? open_layers(j, e) : read_expected(j, e);
		break;
	case SIDE_SOURCE:
		r = verify_sides_mixed(&s) ? check_map_numbers(j->seen, j->path, e) : 0;
		r = r < 0 ? r : open_source_unmapped(j, &s, e);
		break;
	case SIDE_UNMAPPED:
		r = unmapped_clone(j->seen, j->path, &j->disk, e);
		break;
	case SIDE_MISSING:
		return j->images ? 0 : check_side_missing(&j->stack, j->path, j->kind, e);
	case SIDE_NONE:
		if (!j->a->maps.len)
			return 0;
		r = 0;
		break;
	}
	if (r == 0)
		r = find_stack_map(j, e);
	s.map = j->has_map ? &j->mount_map : NULL;
	j->doubt = verify_sides_doubt(&s);
	return r < 0 ? r : find_map(j, &s, e);
}

/*
 * --- comparison ------------------------------------------------------------------------------
 */

static int compare_sides(
	struct verify_job *j, struct verify_options *o, struct verify_counts *counts, struct err *e)
{
	const struct verify_job *x = expecting(j);

	if (x->expect)
		return verify_expect(
			j->seen, x->expect, x->store ? j->layers.items : NULL, o, counts, e);
	return verify_trees(j->seen, j->disk, o, counts, e);
}

static void add_mount(const char *path, void *arg)
{
	struct verify_job *j = arg;
	scoped_buf struct buf rel = BUF_INIT;

	buf_printf(&rel, "%s%s%s", j->rel, *j->rel ? "/" : "", path);
	if (!buf_get(&rel) || strv_add(&j->first->mounts, rel.data) < 0)
		j->oom = true;
}

/* Compare both sides, and add to the counts of all mounts. */
static int compare(
	struct verify_job *j, struct expect_node *at, struct verify_counts *all, struct err *e)
{
	struct verify_counts counts = { .entries = 0 };
	uint64_t limit = j->first->limit;
	struct verify_options o = {
		.map = &j->map,
		.doubt = j->doubt,
		.threads = j->a->threads,
		.classes = j->a->only,
		.found = put_finding,
		.mount = j->a->submounts ? add_mount : NULL,
		.arg = j,
		.at = at,
		.progress = progress_line_progress(j->meter),
		.name = j->path,
	};
	int r;

	verify_counts_add(all, &j->own);
	if (limit && verify_total(all) >= limit)
		return 0;
	o.max_findings = limit ? limit - verify_total(all) : 0;
	r = compare_sides(j, &o, &counts, e);
	verify_counts_add(all, &counts);
	if (!j->a->submounts)
		all->mounts += counts.mounts;
	return r == 0 && j->oom ? err_nomem(e) : r;
}

static void job_done(struct verify_job *j)
{
	cleanup_fd(&j->seen);
	cleanup_fd(&j->source);
	cleanup_fd(&j->disk);
	for (size_t i = 0; i < j->layers.len; i++)
		cleanup_fd(&j->layers.items[i]);
	VEC_DONE(&j->layers);
	expect_free(j->expect);
	store_close(j->store);
	strv_done(&j->mounts);
	idmap_done(&j->mount_map);
	known_stack_done(&j->stack);
	idmap_done(&j->map);
}

/*
 * --- mounts below ----------------------------------------------------------------------------
 */

static void put_mount(const struct verify_job *j, const char *detail, const char *words)
{
	check_put_mount(
		j->out, j->path, &j->map, &(struct mount_words){ detail, words, j->a->summary });
}

/*
 * Open both sides of a mount below PATH. Returns 1 if there is something to compare, 0 if it needs
 * no comparison, -errno.
 */
static int open_below(struct verify_job *j, struct err *e)
{
	enum verify_side side = SIDE_NONE;
	int r = fd_open_beneath(j->first->seen, j->rel, O_PATH | O_NOFOLLOW, &j->seen, e);

	if (r == 0)
		r = open_sides(j, &side, e);
	/* A mount without a map shows what is on disk; an overlay, what its layers show. */
	if (r == 0 && side == SIDE_NONE && j->kind == MOUNT_MAP_OVERLAY)
		r = check_side_missing(&j->stack, j->path, j->kind, e);
	return r < 0 ? r : side != SIDE_NONE;
}

/* Report a mount that cannot be compared: whether what is below is right is not known. */
static void put_unknown(struct verify_job *j, int r, struct err *why)
{
	struct finding f = { .class = FINDING_UNREADABLE, .errnum = -r };

	if (j->kind == MOUNT_MAP_OVERLAY && !j->stack.image)
		err_try(why, "check it by itself: shift-check verify %s--source DIR %s",
			j->stack.has_map ? "" : "-m MAP ", j->path);
	(void)snprintf(f.detail, sizeof(f.detail), "%.110s%s%.110s%s%.150s", why->what,
		why->why[0] ? ": " : "", why->why, why->hint[0] ? "; try: " : "",
		why->hint); /* truncated if long */
	put_mount(j, f.detail, "not compared");
	put_finding_at(&f, "", j);
}

/*
 * Check an opened mount below PATH, or report why it cannot be. found: the result of open_below(),
 * why: its error.
 */
static int check_opened(
	struct verify_job *j, int found, struct err *why, struct verify_counts *all, struct err *e)
{
	static const char plain[] = "no map, so nothing to compare";
	const bool inside = !j->expect && j->first->expect;
	struct expect_node *at = inside ? expect_find(j->first->expect, j->rel) : NULL;

	if (found < 0) {
		put_unknown(j, found, why);
	} else if (inside && !at) {
		struct finding f = { .class = FINDING_EXTRA,
			.detail = "seen a mount, with what is below" };

		put_finding_at(&f, "", j);
	} else {
		put_mount(j, found > 0 ? NULL : plain, plain);
		if (found > 0)
			return compare(j, at, all, e);
	}
	verify_counts_add(all, &j->own);
	all->mounts++;
	return 0;
}

/* Check a mount below PATH with its own map. One that cannot be opened is a finding, not an error.
 */
static int check_below(
	struct verify_job *first, const char *rel, struct verify_counts *all, struct err *e)
{
	struct verify_job j = {
		.a = first->a,
		.out = first->out,
		.meter = first->meter,
		.rel = rel,
		.seen = -1,
		.source = -1,
		.disk = -1,
		.first = first,
	};
	scoped_buf struct buf path = BUF_INIT;
	struct err why = ERR_INIT;
	int r;

	buf_printf(&path, "%s%s%s", first->path,
		first->path[strlen(first->path) - 1] == '/' ? "" : "/", rel);
	j.path = buf_get(&path);
	if (!j.path)
		return err_nomem(e);
	r = open_below(&j, &why);
	r = r == -ENOMEM ? err_nomem(e) : check_opened(&j, r, &why, all, e);
	job_done(&j);
	return r;
}

/*
 * --- the subcommand --------------------------------------------------------------------------
 */

static int run(struct verify_job *j, struct ctx *ctx, struct err *e)
{
	struct verify_counts counts = { .entries = 0 };
	enum verify_side side = SIDE_NONE;
	int r = check_open(j->path, &j->seen, e);

	j->images = r == 0 && (!j->a->only || j->a->only & 1U << FINDING_MARKS) &&
		image_store_is(j->seen);
	if (r == 0)
		r = open_sides(j, &side, e);
	if (r == 0 && j->images)
		r = check_store_marks(j->seen, j->path, put_finding_at, j,
			side == SIDE_MISSING ? &counts.entries : NULL, e);
	if (r == 0 && j->disk >= 0)
		check_misfit_warn(j->disk, &j->map, j->path);
	if (r == 0 && side == SIDE_MISSING)
		verify_counts_add(&counts, &j->own);
	else if (r == 0)
		r = compare(j, NULL, &counts, e);
	for (size_t i = 0; r == 0 && i < j->mounts.len; i++) {
		scoped_free char *rel = strdup(j->mounts.items[i]); /* the list may move */

		if (j->limit && verify_total(&counts) >= j->limit)
			break;
		r = rel ? check_below(j, rel, &counts, e) : err_nomem(e);
	}
	if (r < 0)
		return r;

	if (j->held)
		held_print(j->held, j->path, j->a->maps.len ? &j->map : NULL);
	check_put_summary(ctx->out, &counts, j->partial, ctx->quiet);
	return verify_total(&counts) ? STATUS_FOUND : STATUS_DONE;
}

int check_verify(const struct check_args *a, struct ctx *ctx, char **operands, struct err *e)
{
	struct held_findings held = { .out = ctx->out };
	bool draw = !ctx->json && !ctx->quiet && !ctx->verbose && term_moves(STDERR_FILENO);
	struct verify_job j = {
		.a = a,
		.out = ctx->out,
		.path = operands[0],
		.rel = "",
		.seen = -1,
		.source = -1,
		.disk = -1,
		.first = &j,
		.limit = a->max_findings == FINDINGS_FIRST ? 0 : a->max_findings,
		.held = a->max_findings == FINDINGS_FIRST && !ctx->json ? &held : NULL,
		.meter = progress_line_new(draw ? PROGRESS_LINE_COUNT : PROGRESS_LINE_SILENT,
			STDERR_FILENO, ctx->color_err, NULL),
	};
	int r;

	if (a->threads > 1024)
		r = err_usage_try(
			e, "omit --threads for one per processor", "--threads is at most 1024");
	else
		r = j.meter ? run(&j, ctx, e) : err_nomem(e);
	progress_line_free(j.meter);
	held_done(&held);
	job_done(&j);
	return r;
}
