/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* infer_map: infer an ID map from the owners of files on both of its sides. */

#include "infer_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/vec.h"
#include "dirlist.h"
#include "meta.h"
#include "walk_dirs.h"

/* One id on both sides. unmapped: it has no seen id, so that no range may span it. */
struct sample {
	uint32_t disk, seen;
	bool unmapped;
};

typedef VEC(struct sample) samples;

struct infer {
	int seen, disk;
	size_t max;
	size_t files;
	samples uid, gid;
	char *buf;
	struct walk_dirs *dirs;
};

enum { TREE_SEEN, TREE_DISK };

static int by_disk(const void *pa, const void *pb)
{
	const struct sample *a = pa, *b = pb;

	return (a->disk > b->disk) - (a->disk < b->disk);
}

/* A linear search suffices: most trees have few distinct owners. */
static int add(samples *v, uint32_t disk, uint32_t seen)
{
	for (size_t i = 0; i < v->len; i++)
		if (v->items[i].disk == disk)
			return 0;
	/* An unmapped id is seen as the overflow id, and so may be the id 65534 itself. */
	return VEC_ADD(v,
		((struct sample){ disk, seen, seen == IDMAP_OVERFLOW && disk != IDMAP_OVERFLOW }));
}

static int sample_inode(struct infer *x, int seen, int disk, const char *name, struct meta *ret)
{
	struct meta other;

	if (meta_stat(seen, name, ret) < 0 || meta_stat(disk, name, &other) < 0 ||
		!meta_same_inode(ret, &other))
		return 1; /* it vanished, is on another mount, or is not accessible: use other files
		           */
	x->files++;
	return add(&x->uid, other.uid, ret->uid) < 0 || add(&x->gid, other.gid, ret->gid) < 0 ?
		-ENOMEM :
		0;
}

static int visit(
	struct walk_worker *w, unsigned index, struct walk_dir *d, void *arg, struct err *e)
{
	struct infer *x = arg;
	scoped_fd int seen = walk_dirs_open(x->dirs, TREE_SEEN, x->seen, d, O_RDONLY);
	scoped_fd int disk = walk_dirs_open(x->dirs, TREE_DISK, x->disk, d, O_PATH);
	struct dirlist_reader s = { .buf = x->buf };
	const char *name;
	int r;

	(void)index;
	if (seen < 0 || disk < 0)
		return 0;
	s.fd = seen;
	while (x->files < x->max && dirlist_next(&s, &name) > 0) {
		struct meta m;

		r = sample_inode(x, seen, disk, name, &m);
		if (r == 0 && S_ISDIR(m.mode))
			r = walk_push(w, d, name, NULL);
		if (r < 0)
			return err_nomem(e);
	}
	if (x->files >= x->max)
		walk_stop(w);
	walk_dirs_keep(x->dirs, TREE_SEEN, d, &seen);
	walk_dirs_keep(x->dirs, TREE_DISK, d, &disk);
	return 0;
}

static int make_ranges(samples *v, struct idrange **ret, size_t *ret_n)
{
	struct idrange *r = calloc(v->len ? v->len : 1, sizeof(*r));
	bool open = false;
	size_t n = 0;

	if (!r)
		return -ENOMEM;
	if (v->len)
		qsort(v->items, v->len, sizeof(*v->items), by_disk);
	for (size_t i = 0; i < v->len; i++) {
		const struct sample *s = &v->items[i];

		if (s->unmapped) {
			open = false;
		} else if (open && s->seen - s->disk == r[n - 1].seen - r[n - 1].disk) {
			r[n - 1].count = s->disk - r[n - 1].disk + 1;
		} else {
			r[n++] = (struct idrange){ s->disk, s->seen, 1 };
			open = true;
		}
	}
	*ret = r;
	*ret_n = n;
	return 0;
}

static int make_map(struct infer *x, struct idmap *ret, struct err *e)
{
	scoped_free struct idrange *uid = NULL, *gid = NULL;
	size_t n_uid = 0, n_gid = 0;
	int r;

	if (make_ranges(&x->uid, &uid, &n_uid) < 0 || make_ranges(&x->gid, &gid, &n_gid) < 0)
		return err_nomem(e);
	if (!n_uid || !n_gid)
		return 0; /* a map without users or groups would stand for the identity */
	r = idmap_from_ranges(uid, n_uid, gid, n_gid, ret, NULL);
	if (r == -ENOMEM)
		return err_nomem(e);
	return r == 0; /* too many ranges, or two disk ids that are seen as one: no map */
}

ssize_t infer_map(int seen, int disk, size_t max, struct idmap *ret, struct err *e)
{
	struct infer x = { .seen = seen, .disk = disk, .max = max };
	struct meta top;
	int r = sample_inode(&x, seen, disk, "", &top);

	if (r > 0)
		return 0;
	x.buf = malloc(DIRLIST_BUFFER);
	x.dirs = walk_dirs_new(1);
	r = r < 0 || !x.buf || !x.dirs ? err_nomem(e) :
		S_ISDIR(top.mode)      ? walk_run(1, NULL, visit, &x, e) :
					 0;
	if (r == 0)
		r = make_map(&x, ret, e);
	free(x.buf);
	walk_dirs_free(x.dirs);
	VEC_DONE(&x.uid);
	VEC_DONE(&x.gid);
	return r > 0 ? (ssize_t)x.files : r;
}
