/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verify: compare the seen side with the disk side, directory by directory. */

#include "verify_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/proc.h"

/* walk_dir.tag of a directory that is the same inode on both sides; NULL for other directories. */
static char same_tag;

void verify_counts_add(struct verify_counts *all, const struct verify_counts *one)
{
	all->entries += one->entries;
	all->vanished += one->vanished;
	for (size_t i = 0; i < FINDING_CLASSES; i++)
		all->findings[i] += one->findings[i];
}

uint64_t verify_total(const struct verify_counts *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < FINDING_CLASSES; i++)
		n += c->findings[i];
	return n;
}

/*
 * --- names -----------------------------------------------------------------------------------
 */

/* Returns 0, 1 if the other names in the directory need not be tried, or -errno. */
static int check_name(
	struct verify_entry *p, const char *name, struct expect_node *node, struct err *e)
{
	int r;

	p->name = name;
	p->node = node;
	if (node)
		expect_mark(node);
	r = verify_pair_check(p, e);
	if (r < 0)
		return r;
	if (r == PAIR_SHUT) {
		r = verify_pair_unreadable(p, NULL, EACCES, "cannot search the directory", e);
		return r < 0 ? r : 1;
	}
	if (r == PAIR_DONE)
		return 0;
	r = walk_push(p->w, p->d, name,
		p->v->x                        ? (void *)node :
			r == PAIR_DESCEND_SAME ? &same_tag :
						 NULL);
	return r < 0 ? err_nomem(e) : 0;
}

/*
 * --- directories -----------------------------------------------------------------------------
 */

static bool is_gone(int r)
{
	/* Not ESTALE: the kernel has looked it up again (LOOKUP_REVAL), and it is still there. */
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV;
}

static int open_failed(const struct verify_entry *p, int num, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;

	walk_path(p->d, NULL, &path);
	return buf_get(&path) ? err_set(e, num, path.data, "cannot open the directory") :
				err_nomem(e);
}

/* Open the directory on one side. Returns 1, 0 if it vanished or is unreadable, or -errno. */
static int open_side(
	struct verify_entry *p, unsigned tree, int root, int flags, int *ret, struct err *e)
{
	int fd = walk_dirs_open(p->t->dirs, tree, root, p->d, flags);

	if (fd >= 0) {
		*ret = fd;
		return 1;
	}
	if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
		return open_failed(p, -fd, e);
	if (is_gone(fd)) {
		p->t->counts.vanished++;
		return 0;
	}
	return verify_pair_unreadable(p, NULL, -fd, "cannot open the directory", e);
}

static int list_failed(struct verify_entry *p, int r, struct err *e)
{
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r == -ENOENT) { /* it was removed after it was opened */
		p->t->counts.vanished++;
		return 0;
	}
	return verify_pair_unreadable(p, NULL, -r, "cannot list the directory", e);
}

/* Check a directory that is the same inode on both sides: its names are read once. */
static int check_same(struct verify_entry *p, struct err *e)
{
	struct dirlist_reader s = { .fd = p->disk, .buf = p->t->scan };
	const char *name;
	int r;

	while ((r = dirlist_next(&s, &name)) > 0) {
		r = check_name(p, name, NULL, e);
		if (r)
			return r < 0 ? r : 0;
	}
	return r < 0 ? list_failed(p, r, e) : 0;
}

/* Check two directories: compare their sorted lists of names. */
static int check_two(struct verify_entry *p, struct err *e)
{
	struct dirlist *a = &p->t->seen, *b = &p->t->disk;
	size_t i = 0, k = 0;
	int r = dirlist_read(a, p->seen, p->t->scan);

	if (r == 0)
		r = dirlist_read(b, p->disk, p->t->scan);
	if (r < 0)
		return list_failed(p, r, e);

	while (i < a->len || k < b->len) {
		int o = i == a->len ? 1 :
			k == b->len ? -1 :
				      strcmp(dirlist_get(a, i), dirlist_get(b, k));

		r = check_name(p, o <= 0 ? dirlist_get(a, i) : dirlist_get(b, k), NULL, e);
		if (r)
			return r < 0 ? r : 0;
		i += o <= 0;
		k += o >= 0;
	}
	dirlist_trim(a);
	dirlist_trim(b);
	return 0;
}

/* Check a directory against the expected tree. */
static int check_expected(struct verify_entry *p, struct err *e)
{
	struct dirlist_reader s = { .fd = p->seen, .buf = p->t->scan };
	struct expect_node *d = p->d->tag;
	const char *name;
	int r;

	expect_index(p->v->x, d, &p->t->index);
	while ((r = dirlist_next(&s, &name)) > 0) {
		r = check_name(p, name, expect_indexed(p->v->x, d, &p->t->index, name), e);
		if (r)
			return r < 0 ? r : 0;
	}
	if (r < 0)
		return list_failed(p, r, e);

	for (struct expect_node *n = expect_next(p->v->x, d, NULL); n;
		n = expect_next(p->v->x, d, n)) {
		if (expect_marked(n))
			continue;
		r = check_name(p, expect_name(n), n, e);
		if (r)
			return r < 0 ? r : 0;
	}
	return 0;
}

static int check_dir(struct verify_entry *p, struct err *e)
{
	scoped_fd int seen = -1, disk = -1;
	int r;

	p->same = p->d->tag == &same_tag;
	/* Read permission is required only on the side that is listed. */
	r = open_side(p, TREE_SEEN, p->v->seen, p->same ? O_PATH : O_RDONLY, &seen, e);
	if (r > 0 && !p->v->x)
		r = open_side(p, TREE_DISK, p->v->disk, O_RDONLY, &disk, e);
	if (r <= 0)
		return r;

	p->seen = seen;
	p->disk = disk;
	r = p->v->x ? check_expected(p, e) : p->same ? check_same(p, e) : check_two(p, e);
	walk_dirs_keep(p->t->dirs, TREE_SEEN, p->d, &seen);
	walk_dirs_keep(p->t->dirs, TREE_DISK, p->d, &disk);
	return r;
}

/* Check the root itself, which need not be a directory. */
static int check_root(struct verify_entry *p, struct err *e)
{
	int r;

	p->seen = p->v->seen;
	p->disk = p->v->disk;
	p->name = "";
	p->node = p->v->at;
	r = verify_pair_check(p, e);
	if (r == PAIR_DESCEND_SAME)
		p->d->tag = &same_tag;
	return r;
}

static int visit(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e)
{
	struct verify *v = arg;
	struct verify_entry p = { .v = v, .t = &v->threads[index], .w = w, .d = d };
	uint64_t before = p.t->counts.entries;
	int r;

	if (!d->parent) {
		r = check_root(&p, e);
		if (r < 0 || r == PAIR_DONE || r == PAIR_SHUT)
			return r < 0 ? r : 0;
	}
	r = check_dir(&p, e);
	verify_pair_leave_layer(&p);
	__atomic_fetch_add(&v->item.entries, p.t->counts.entries - before, __ATOMIC_RELAXED);
	return r;
}

/*
 * --- the whole tree --------------------------------------------------------------------------
 */

static void threads_done(struct verify *v, unsigned n, struct verify_counts *ret)
{
	*ret = (struct verify_counts){ .entries = 0 };
	memcpy(ret->findings, v->findings, sizeof(ret->findings));
	for (unsigned i = 0; i < n; i++) {
		struct verify_thread *t = &v->threads[i];

		ret->entries += t->counts.entries;
		ret->vanished += t->counts.vanished;
		ret->mounts += t->counts.mounts;
		free(t->scan);
		dirlist_done(&t->seen);
		dirlist_done(&t->disk);
		buf_done(&t->path);
		walk_dirs_free(t->dirs);
		cleanup_fd(&t->layer_fd);
	}
	free(v->threads);
}

static int root_mount(int fd, uint64_t *ret, struct err *e)
{
	struct meta m;
	int r = meta_stat(fd, "", &m);

	if (r < 0)
		return err_set(e, -r, NULL, "cannot stat the root of the check");
	*ret = m.mount;
	return 0;
}

static void put_progress(struct verify *v, enum progress_state state)
{
	struct progress *p = v->o->progress;

	if (!p || !p->changed)
		return;
	p->items = &v->item;
	p->n = 1;
	if (state == PROGRESS_RUNNING)
		p->changed(p, NULL);
	__atomic_store_n(&v->item.state, state, __ATOMIC_RELAXED);
	p->changed(p, &v->item);
	if (state != PROGRESS_RUNNING)
		p->changed(p, NULL);
}

static int run(struct verify *v, struct verify_counts *ret, struct err *e)
{
	unsigned n = v->o->threads ? v->o->threads : proc_processors();
	int r = root_mount(v->seen, &v->seen_mount, e);

	ids_real_init(&v->real);
	if (r == 0 && !v->x)
		r = root_mount(v->disk, &v->disk_mount, e);
	if (r < 0)
		return r;
	v->threads = calloc(n, sizeof(*v->threads));
	if (!v->threads)
		return err_nomem(e);

	for (unsigned i = 0; i < n; i++) {
		v->threads[i].layer_fd = -1;
		v->threads[i].scan = malloc(DIRLIST_BUFFER);
		v->threads[i].dirs = walk_dirs_new(n);
		if (!v->threads[i].scan || !v->threads[i].dirs)
			r = err_nomem(e);
	}
	(void)pthread_mutex_init(&v->lock, NULL); /* never fails on Linux */
	v->item.name = v->o->name ? v->o->name : "";
	put_progress(v, PROGRESS_RUNNING);
	if (r == 0)
		r = walk_run(n, v->at, visit, v, e);
	put_progress(v, r < 0 ? PROGRESS_FAILED : PROGRESS_DONE);
	(void)pthread_mutex_destroy(&v->lock);
	threads_done(v, n, ret);
	return r;
}

int verify_trees(int seen, int disk, const struct verify_options *o, struct verify_counts *ret,
	struct err *e)
{
	struct verify v = { .o = o, .seen = seen, .disk = disk };

	return run(&v, ret, e);
}

int verify_expect(int seen, struct expect *x, const int *layers, const struct verify_options *o,
	struct verify_counts *ret, struct err *e)
{
	struct verify v = {
		.o = o,
		.seen = seen,
		.disk = -1,
		.x = x,
		.at = o->at ? o->at : expect_root(x),
		.layers = layers,
	};

	return run(&v, ret, e);
}
