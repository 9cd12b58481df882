/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_links: follow symbolic links in the view of a layer over those below. */

#include "layer_links.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The limits of a lookup in Linux: include/linux/namei.h, MAXSYMLINKS; and on its components. */
enum { LINKS_MAX = 40, STEPS_MAX = PATH_MAX };

int links_begin(struct links *s, const struct layer_tree *own, const struct layer_tree *marks,
	const struct links_below *below, struct err *e)
{
	int r;

	*s = (struct links){ .own = own, .marks = marks, .below = below };
	r = layer_tree_init(&s->seen);
	return r < 0 ? err_set(e, -r, NULL, "cannot prepare to follow symbolic links") : 0;
}

void links_end(struct links *s)
{
	layer_tree_done(&s->seen);
	buf_done(&s->path);
	VEC_DONE(&s->steps);
}

/* A lookup in progress. */
struct link_walk {
	struct links *s;
	const char *on;
	struct buf rest; /* the components that follow */
	unsigned steps;
	bool own; /* the last object is one of the layer */
};

/* Push a directory. step.covered and step.marked are those of the directory above it. */
static int push(struct link_walk *w, struct links_step step)
{
	struct links *s = w->s;

	step.len = s->path.len;
	step.covered = step.covered || (step.own && node_hides(step.own));
	step.marked = step.marked || (step.mark && node_hides(step.mark));
	return VEC_ADD(&s->steps, step);
}

/* Go back to the root. */
static int restart(struct link_walk *w)
{
	w->s->steps.len = 0;
	buf_reset(&w->s->path);
	return push(w,
		(struct links_step){ .own = w->s->own->root,
			.seen = w->s->seen.root,
			.mark = w->s->marks ? w->s->marks->root : NULL });
}

static void cut_path(struct buf *path, size_t len)
{
	if (path->data)
		path->data[len] = '\0';
	path->len = len;
}

static void go_up(struct links *s)
{
	if (s->steps.len < 2)
		return;
	s->steps.len--;
	cut_path(&s->path, s->steps.items[s->steps.len - 1].len);
}

/* Look up a path in the layers below, for n. */
static int look_below(struct link_walk *w, const char *path, struct node *n, struct err *e)
{
	scoped_buf struct buf target = BUF_INIT;
	mode_t type = 0;
	int r;

	if (n->flags & NODE_ASKED)
		return 0;
	r = w->s->below->look(w->s->below->arg, path, &type, &target, e);
	if (r < 0)
		return r;
	if (S_ISLNK(type)) {
		n->link = buf_get(&target) ?
			layer_tree_string(&w->s->seen, target.data ? target.data : "", target.len) :
			NULL;
		if (!n->link)
			return err_nomem(e);
	}
	n->mode = type;
	n->flags |= NODE_ASKED;
	return 0;
}

/*
 * The layer has a hard link to this path of the layers below: set *ret to the object there, which
 * may be a symbolic link.
 */
static int look_at_target(
	struct link_walk *w, const char *path, const struct node **ret, struct err *e)
{
	struct layer_tree *seen = &w->s->seen;
	struct node *n = seen->root, *child;
	int r;

	for (const char *p = path, *end; *p; p = *end ? end + 1 : end, n = child) {
		end = strchrnul(p, '/');
		child = layer_tree_find(seen, n, p, (size_t)(end - p));
		if (!child)
			child = layer_tree_add(seen, n, p, (size_t)(end - p));
		if (!child)
			return err_nomem(e);
	}
	r = look_below(w, path, n, e);
	*ret = n;
	return r;
}

/*
 * Look up a name in the last directory, add it to s->path, and push it if it is a directory or
 * nothing. Sets *ret to the object, with mode 0 if there is nothing.
 */
static int step_down(
	struct link_walk *w, const char *name, size_t len, const struct node **ret, struct err *e)
{
	static const struct node nothing = { .mode = 0 };
	struct links *s = w->s;
	const struct links_step up = s->steps.items[s->steps.len - 1];
	const struct node *own = up.own ? layer_tree_find(s->own, up.own, name, len) : NULL;
	struct node *seen = layer_tree_find(&s->seen, up.seen, name, len);
	bool hidden = up.covered || (own && own->flags & (NODE_WHITEOUT | NODE_HIDES));
	struct links_step down = { .own = own, .marked = up.marked };
	int r = 0;

	if (!seen)
		seen = layer_tree_add(&s->seen, up.seen, name, len);
	if (s->path.len)
		buf_char(&s->path, '/');
	buf_add(&s->path, name, len);
	if (!seen || !buf_get(&s->path))
		return err_nomem(e);

	w->own = own && node_exists(own);
	down.seen = seen;
	down.mark = up.mark ? layer_tree_find(s->marks, up.mark, name, len) : NULL;
	if (!w->own && !hidden)
		hidden = up.marked || (down.mark && down.mark->flags & NODE_WHITEOUT);
	/* The layers below are known to have no directory here, so that nothing can be in it. */
	if (!w->own && !hidden && up.seen->flags & NODE_ASKED && !node_is_dir(up.seen))
		hidden = true;
	*ret = w->own ? own : hidden ? &nothing : seen;
	if (!w->own && !hidden)
		r = look_below(w, s->path.data, seen, e);
	else if (w->own && own->flags & NODE_PENDING)
		r = look_at_target(w, own->link, ret, e);
	if (r < 0)
		return r;
	down.covered = hidden;
	if (!w->own && (hidden || !(*ret)->mode)) {
		down.own = NULL;
		down.covered = true;
	} else if (!node_is_dir(*ret)) {
		return 0;
	}
	return push(w, down) < 0 ? err_nomem(e) : 0;
}

/* Replace the rest by a link's target and the rest. */
static int expand(struct link_walk *w, const char *target, const char *rest, struct err *e)
{
	struct buf next = BUF_INIT;

	if (++w->s->followed > LINKS_MAX) {
		(void)err_say(e, ELOOP, w->on, "its path leads through too many symbolic links");
		err_why(e,
			"Linux follows no more than %d (path_resolution(7)); they may form a loop",
			LINKS_MAX);
		err_try(e, "rebuild the image: every program refuses it");
		return -ELOOP;
	}
	buf_str(&next, target);
	buf_char(&next, '/');
	buf_str(&next, rest);
	if (!buf_get(&next)) {
		buf_done(&next);
		return err_nomem(e);
	}
	buf_done(&w->rest);
	w->rest = next;
	cut_path(&w->s->path, w->s->steps.items[w->s->steps.len - 1].len);
	return *target == '/' && restart(w) < 0 ? err_nomem(e) : 0;
}

static int refuse_long(const struct link_walk *w, struct err *e)
{
	(void)err_say(e, ENAMETOOLONG, w->on,
		"the symbolic links in its path lead to a name that is too long");
	err_try(e, "rebuild the image without it");
	return -ENAMETOOLONG;
}

static int refuse_file(const struct link_walk *w, struct err *e)
{
	(void)err_say(e, ENOTDIR, w->on, "its parent '%s' is not a directory in %s",
		w->s->path.data, w->own ? "this layer" : "a layer below");
	err_why(e,
		w->own ? "an earlier entry of the layer makes a file of that name" :
			 "only an entry for the directory itself, or a whiteout, would replace the "
			 "file");
	err_try(e, "rebuild the image: every program refuses it");
	return -ENOTDIR;
}

/* Handle the component at *p of w->rest, and advance *p. */
static int component(struct link_walk *w, size_t *p, struct err *e)
{
	const char *name = w->rest.data + *p, *end = strchrnul(name, '/');
	const size_t len = (size_t)(end - name);
	const struct node *n = NULL;
	int r;

	*p += len + (*end == '/');
	if (len == 0 || (len == 1 && *name == '.'))
		return 0;
	if (len == 2 && !memcmp(name, "..", 2)) {
		go_up(w->s);
		return 0;
	}
	if (len > NAME_MAX || ++w->steps > STEPS_MAX)
		return refuse_long(w, e);
	r = step_down(w, name, len, &n, e);
	if (r < 0)
		return r;
	if (S_ISLNK(n->mode)) {
		r = expand(w, n->link, w->rest.data + *p, e);
		*p = 0;
	} else if (node_exists(n) && !node_is_dir(n)) {
		r = refuse_file(w, e);
	}
	return r;
}

int links_follow(
	struct links *s, const char *path, size_t len, const char *on, bool *ret_own, struct err *e)
{
	struct link_walk w = { .s = s, .on = on };
	size_t p = 0;
	int r = 0;

	s->followed = 0;
	buf_add(&w.rest, path, len);
	if (restart(&w) < 0 || !buf_get(&w.rest))
		r = err_nomem(e);
	while (r == 0 && w.rest.data && w.rest.data[p])
		r = component(&w, &p, e);
	if (r == 0 && s->path.len >= PATH_MAX)
		r = refuse_long(&w, e);
	if (ret_own)
		*ret_own = w.own;
	buf_done(&w.rest);
	return r;
}
