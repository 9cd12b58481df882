/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layer_resolve: resolve what depends on the layers below, namely parents that the layer does not
 * list, whiteouts, and hard links.
 */

#include "layer_resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "../base/vec.h"
#include "layer_aside.h"
#include "layer_deps.h"
#include "layer_hide.h"
#include "layer_priv.h"
#include "layer_refuse.h"
#include "layer_replay.h"
#include "lowerdirs.h"

struct resolve {
	struct layer *l;
	struct lower_walk below;
	struct buf path;
	VEC(struct link_target) targets;
};

/* A hard link to a file of a lower layer. */
struct link_target {
	const char *path;
	struct node *node;
	bool make; /* the link must be created; else only its target must exist */
};

static int path_of(struct resolve *s, const struct node *n, struct err *e)
{
	buf_reset(&s->path);
	node_path(n, &s->path);
	return buf_get(&s->path) ? 0 : err_nomem(e);
}

/* The layer must be replayed before it can be resolved: a symbolic link below is in the way. */
enum { LINK_BELOW = 1 };

/* Does the layer hide what lower layers have in the directory (self), or have of its name? */
static bool hidden(const struct node *n, bool self)
{
	return n->flags & NODE_COVERED ||
		(self ? node_hides(n) : n->flags & (NODE_WHITEOUT | NODE_HIDES));
}

/*
 * Look up the node in the lower layers, and record the dependency. Returns 1 and *ret, 0 if nothing
 * is found, or -errno. Nothing is looked up below a directory that no lower layer has.
 */
static int ask(struct resolve *s, struct node *n, enum layer_dep kind, struct lower_hit *ret,
	struct err *e)
{
	int r, found;

	if (n->parent && n->parent->flags & NODE_BARE) {
		n->flags |= NODE_BARE;
		return 0;
	}
	r = path_of(s, n, e);
	if (r < 0)
		return r;
	found = lower_walk_find(&s->below, s->path.data, ret, e);
	if (found < 0)
		return found;
	r = layer_deps_add(&s->below, kind, s->path.data, found ? ret : NULL, &s->l->deps, e);
	if (!found || !S_ISDIR(ret->st.st_mode))
		n->flags |= NODE_BARE;
	return r < 0 ? r : found;
}

/* Determine NODE_BELOW: is the content of a lower directory visible in this one? */
static int ask_below(struct resolve *s, struct node *n, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	int r;

	if (n->flags & NODE_ASKED)
		return 0;
	n->flags |= NODE_ASKED;
	if (hidden(n, true))
		return 0;
	r = ask(s, n, LAYER_DEP_DIR, &hit, e);
	if (r > 0 && S_ISDIR(hit.st.st_mode))
		n->flags |= NODE_BELOW;
	return r < 0 ? r : 0;
}

/* ---- parents that the layer does not list ---- */

static int take_attributes(
	struct resolve *s, struct node *n, const struct lower_hit *hit, struct err *e)
{
	n->mode = S_IFDIR | (hit->st.st_mode & 07777);
	n->uid = hit->st.st_uid;
	n->gid = hit->st.st_gid;
	n->sec = hit->st.st_mtim.tv_sec;
	n->nsec = (uint32_t)hit->st.st_mtim.tv_nsec;
	xattrs_free(n->xattrs); /* of the root, if the layer is resolved again */
	n->xattrs = calloc(1, sizeof(*n->xattrs));
	if (!n->xattrs)
		return err_nomem(e);
	return xattrs_read(n->xattrs, hit->fd, hit->name, &s->l->o, s->path.data, e);
}

/* Create a directory that a lower layer has, with those above it. */
static int make_there(struct resolve *s, struct node *n, struct err *e)
{
	int r = 0;

	while (r == 0 && !(n->flags & NODE_MADE)) {
		struct node *top = n;

		while (!(top->parent->flags & NODE_MADE))
			top = top->parent;
		r = writer_mkdir(&s->l->w, top, e);
	}
	return r;
}

static int resolve_parent(struct resolve *s, struct node *n, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	bool found;
	int r = 0;

	/* A directory that only whiteouts need is created only if its parent exists. */
	if (n->parent && !node_is_made_dir(n->parent) && !(n->parent->flags & NODE_THERE))
		return 0;
	if (!hidden(n, false))
		r = ask(s, n, LAYER_DEP_META, &hit, e);
	if (r < 0)
		return r;
	r = 0;
	found = hit.fd >= 0 && S_ISDIR(hit.st.st_mode);
	/* Even a file may be hidden by a whiteout that is behind a link. */
	if (hit.fd >= 0 && !found && !s->l->settled &&
		(S_ISLNK(hit.st.st_mode) || n->flags & NODE_MADE))
		return LINK_BELOW;
	if (hit.fd >= 0 && !found && n->flags & NODE_MADE)
		return layer_refuse_parent(n, e);
	if (found)
		r = take_attributes(s, n, &hit, e);
	else if (n->flags & NODE_MADE)
		n->flags |= NODE_LISTED; /* 0:0, 0755, and the epoch as a reproducible time */
	if (r == 0 && found && !(n->flags & NODE_MADE)) {
		n->flags |= NODE_THERE;
		if (n->flags & NODE_OPAQUE)
			r = make_there(s, n, e);
	}
	return r;
}

/* ---- whiteouts ---- */

/*
 * A whiteout is created only where a lower directory is visible. Anywhere else, overlayfs would
 * list it as a file that cannot be opened.
 */
static int resolve_whiteout(struct resolve *s, struct node *n, struct err *e)
{
	struct node *dir = n->parent;
	int r = node_is_made_dir(dir) || dir->flags & NODE_THERE ? ask_below(s, dir, e) : 0;

	if (r < 0)
		return r;
	if (!(dir->flags & NODE_BELOW)) {
		layer_count(s->l, dropped, 1);
		return 0;
	}
	r = make_there(s, dir, e);
	if (r < 0)
		return r;
	n->mode = 0;
	layer_count(s->l, whiteouts, 1);
	return writer_whiteout(&s->l->w, n, e);
}

/* ---- hard links to files below ---- */

static int copy_range(int from, int to, off_t at, off_t end, const struct node *n, struct err *e)
{
	char piece[65536];

	while (at < end) {
		ssize_t want = end - at < (off_t)sizeof(piece) ? (ssize_t)(end - at) :
								 (ssize_t)sizeof(piece);
		ssize_t got;
		int r = stop_check(e);

		if (r < 0)
			return r;
		got = pread(from, piece, (size_t)want, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return node_err(
				n, got ? errno : EIO, e, "cannot read the file in the layer below");
		r = writer_file_data(to, piece, (size_t)got, (uint64_t)at, n, e);
		if (r < 0)
			return r;
		at += got;
	}
	return 0;
}

/* Copy the data, but not the holes. The limit was checked when the digest was computed. */
static int copy_content(
	struct resolve *s, struct node *n, int from, int to, uint64_t *ret_end, struct err *e)
{
	off_t size = (off_t)n->size, at = 0;

	*ret_end = 0;
	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), end;
		int r;

		if (data < 0 && errno == ENXIO)
			break; /* no data follows */
		end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return node_err(n, errno, e, "cannot read the file in the layer below");
		r = copy_range(from, to, data, end, n, e);
		if (r < 0)
			return r;
		layer_count(s->l, bytes, (uint64_t)(end - data));
		at = end;
		*ret_end = (uint64_t)end;
	}
	return 0;
}

static int copy_regular(struct resolve *s, struct node *n, const struct lower_hit *hit,
	const struct xattrs *x, struct err *e)
{
	scoped_fd int from = -1, to = -1;
	uint64_t end = 0;
	int r;

	n->size = (uint64_t)hit->st.st_size;
	r = lower_open(hit, s->path.data, &from, e);
	if (r == 0)
		r = writer_file_begin(&s->l->w, n, &to, e);
	if (r == 0)
		r = copy_content(s, n, from, to, &end, e);
	return r < 0 ? r : writer_file_end(&s->l->w, n, &to, end, x, e);
}

static int copy_symlink(struct resolve *s, struct node *n, const struct lower_hit *hit,
	const struct xattrs *x, struct err *e)
{
	char target[4096];
	ssize_t len = readlinkat(hit->fd, hit->name, target, sizeof(target));

	if (len < 0)
		return node_err(n, errno, e, "cannot read the symbolic link in the layer below");
	n->link = layer_tree_string(&s->l->tree, target, (size_t)len);
	return n->link ? writer_symlink(&s->l->w, n, x, e) : err_nomem(e);
}

static int copy_up(struct resolve *s, struct node *n, const struct lower_hit *hit, struct err *e)
{
	struct xattrs x = { .items = NULL };
	int r = xattrs_read(&x, hit->fd, hit->name, &s->l->o, s->path.data, e);

	n->flags &= (uint16_t)~NODE_PENDING;
	n->mode = hit->st.st_mode;
	n->uid = hit->st.st_uid;
	n->gid = hit->st.st_gid;
	n->sec = hit->st.st_mtim.tv_sec;
	n->nsec = (uint32_t)hit->st.st_mtim.tv_nsec;
	n->link = NULL;
	if (r == 0 && S_ISREG(n->mode)) {
		r = copy_regular(s, n, hit, &x, e);
	} else if (r == 0 && S_ISLNK(n->mode)) {
		r = copy_symlink(s, n, hit, &x, e);
	} else if (r == 0) {
		n->rdev = hit->st.st_rdev;
		r = writer_special(&s->l->w, n, &x, e);
	}
	xattrs_done(&x);
	return r;
}

static int link_to_copy(struct resolve *s, struct node *n, struct node *first, struct err *e)
{
	n->flags &= (uint16_t)~NODE_PENDING;
	node_take_after(n, first);
	return writer_link(&s->l->w, n, &s->l->w, first, e);
}

/* Find the target of a hard link below. Returns 0, LINK_BELOW, or -errno with e filled. */
static int find_target(
	struct resolve *s, const struct link_target *t, struct lower_hit *hit, struct err *e)
{
	static const struct node directory = { .mode = S_IFDIR };
	int r = layer_tree_hides(&s->l->tree, t->path) ?
		0 :
		lower_walk_find(&s->below, t->path, hit, e);

	if (r < 0)
		return r;
	if (r == 0 && !s->l->settled)
		return LINK_BELOW;
	return layer_check_link(t->node, t->path,
		r == 0                           ? layer_tree_look_up(&s->l->tree, t->path) :
			S_ISDIR(hit->st.st_mode) ? &directory :
						   NULL,
		r > 0, e);
}

static int by_path(const void *a, const void *b)
{
	const struct link_target *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : x->make - y->make;
}

/* Create a hard link; the first link to a file is a copy of it. */
static int make_link(struct resolve *s, struct node *n, const struct lower_hit *hit, struct err *e)
{
	struct lower_file *file;
	int r = lower_walk_file(&s->below, hit, &file, e);

	if (r < 0)
		return r;
	if (file->copy)
		return link_to_copy(s, n, file->copy, e);
	file->copy = n;
	r = path_of(s, n, e);
	return r < 0 ? r : copy_up(s, n, hit, e);
}

/* Links are sorted by target, since looking up neighbours in a row is cheap. */
static int sort_targets(struct resolve *s, struct err *e)
{
	for (size_t i = 0; i < s->l->lost.len; i++) {
		const struct lost_link *w = &s->l->lost.items[i];

		if (VEC_ADD(&s->targets,
			    (struct link_target){ .path = w->target, .node = w->node }) < 0)
			return err_nomem(e);
	}
	if (s->targets.len)
		qsort(s->targets.items, s->targets.len, sizeof(*s->targets.items), by_path);
	return 0;
}

/* Find all targets, before a file is copied. */
static int find_targets(struct resolve *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->targets.len; i++) {
		scoped_hit struct lower_hit hit = LOWER_HIT_INIT;

		r = find_target(s, &s->targets.items[i], &hit, e);
	}
	return r;
}

static int resolve_links(struct resolve *s, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	struct link_target *t;
	int r = sort_targets(s, e);

	if (r == 0)
		r = find_targets(s, e);
	t = s->targets.items;
	for (size_t i = 0; r == 0 && i < s->targets.len; i++) {
		r = stop_check(e);
		if (r == 0 && (!i || strcmp(t[i].path, t[i - 1].path) != 0)) {
			cleanup_lower_hit(&hit);
			r = find_target(s, &t[i], &hit, e);
			if (r == 0)
				r = layer_deps_add(
					&s->below, LAYER_DEP_FILE, t[i].path, &hit, &s->l->deps, e);
		}
		if (r == 0 && t[i].make)
			r = make_link(s, t[i].node, &hit, e);
	}
	return r;
}

/*
 * Is the directory, with entries before the one that lists it, a symbolic link below? Then these
 * entries are behind the link.
 */
static int resolve_late(struct resolve *s, struct node *n, const char *path, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	int r;

	if (layer_tree_hides(&s->l->tree, path))
		return 0;
	r = lower_walk_find(&s->below, path, &hit, e);
	if (r < 0)
		return r;
	r = layer_deps_add(&s->below, LAYER_DEP_LINK, path, r ? &hit : NULL, &s->l->deps, e);
	if (hit.fd < 0)
		n->flags |= NODE_BARE;
	return r == 0 && hit.fd >= 0 && S_ISLNK(hit.st.st_mode) ? LINK_BELOW : r;
}

static bool is_late(const struct node *n)
{
	return node_is_dir(n) && n->flags & NODE_LATE && n->parent &&
		!(n->parent->flags & NODE_BARE);
}

/* Call resolve_late() for directories that later entries replaced. */
static int resolve_aside(struct resolve *s, struct err *e)
{
	struct node *top = s->l->tree.aside;
	int r = 0;

	for (struct node *n = top; r == 0 && n; n = layer_tree_next(top, n)) {
		scoped_buf struct buf path = BUF_INIT;

		if (n == top || n->parent == top || !node_is_dir(n) ||
			(n->flags & NODE_LISTED && !(n->flags & NODE_LATE)))
			continue;
		r = layer_aside_path(s->l, n, &path, e);
		if (r == 0)
			r = resolve_late(s, n, buf_get(&path), e);
	}
	return r;
}

static int resolve_node(struct resolve *s, struct node *n, struct err *e)
{
	int r = stop_check(e);

	if (n->parent && (n->parent->flags & NODE_COVERED || node_hides(n->parent)))
		n->flags |= NODE_COVERED;
	if (r == 0 && n->flags & NODE_PENDING)
		return VEC_ADD(&s->targets,
			       (struct link_target){ .path = n->link, .node = n, .make = true }) <
				0 ?
			err_nomem(e) :
			0;
	if (r == 0 && node_is_dir(n) && !(n->flags & NODE_LISTED))
		r = resolve_parent(s, n, e);
	else if (r == 0 && is_late(n) && !s->l->settled)
		r = path_of(s, n, e) < 0 ? -ENOMEM : resolve_late(s, n, s->path.data, e);
	if (r == 0 && n->flags & NODE_WHITEOUT && !(n->flags & NODE_MADE))
		r = resolve_whiteout(s, n, e);
	return r;
}

/* Returns 0, LINK_BELOW, or -errno with e filled. */
static int resolve_all(struct resolve *s, struct err *e)
{
	struct layer *l = s->l;
	int r = 0;

	if (l->held)
		return LINK_BELOW;
	if (l->root_opaque)
		s->below.lower.n = 0;
	writer_enter(&l->w);
	for (struct node *n = l->tree.root; r == 0 && n; n = layer_tree_next(l->tree.root, n))
		r = resolve_node(s, n, e);
	if (r == 0 && l->tree.aside && !l->settled)
		r = resolve_aside(s, e);
	if (r == 0)
		r = resolve_links(s, e);
	if (r == 0)
		r = layer_hide(l, &s->below, e);
	writer_leave(&l->w);
	return r;
}

/* A links_below.look: every answer is a dependency. */
static int look_below(
	void *arg, const char *path, mode_t *ret_type, struct buf *ret_target, struct err *e)
{
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	struct resolve *s = arg;
	char target[4096];
	ssize_t n;
	int r = lower_walk_find(&s->below, path, &hit, e);

	if (r < 0)
		return r;
	*ret_type = r ? hit.st.st_mode & S_IFMT : 0;
	r = layer_deps_add(&s->below, LAYER_DEP_LINK, path, r ? &hit : NULL, &s->l->deps, e);
	if (r < 0 || !S_ISLNK(*ret_type))
		return r;
	n = readlinkat(hit.fd, hit.name, target, sizeof(target));
	if (n < 0)
		return err_set(e, errno, path, "cannot read the symbolic link in the layer below");
	buf_add(ret_target, target, (size_t)n);
	return 0;
}

/*
 * Move the entries to the places where links lead, and resolve the layer again from the beginning.
 */
static int resolve_again(struct resolve *s, const struct layer_counts *before, struct err *e)
{
	const struct links_below below = { look_below, s };
	struct layer *l = s->l;
	int r;

	l->o.counts->whiteouts = before->whiteouts;
	l->o.counts->dropped = before->dropped;
	buf_reset(&l->deps);
	s->targets.len = 0;
	r = layer_replay(l, &below, e);
	return r < 0 ? r : resolve_all(s, e);
}

int layer_resolve_lower(struct layer *l, const struct lower *lower, struct err *e)
{
	const struct layer_counts before = *l->o.counts;
	struct resolve s = { .l = l };
	int r;

	lower_walk_begin(&s.below, lower);
	s.below.limit = l->o.limits.bytes;
	s.below.read = __atomic_load_n(&l->o.totals->bytes, __ATOMIC_RELAXED);
	r = resolve_all(&s, e);
	if (r == LINK_BELOW)
		r = resolve_again(&s, &before, e);
	if (r == 0)
		r = writer_remove_aside(&l->w, e);
	buf_done(&s.path);
	VEC_DONE(&s.targets);
	lower_walk_end(&s.below);
	return r;
}
