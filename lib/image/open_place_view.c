/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* open_place_view: find files of a stored image that give rights to other users. */

#include "open_place_view.h"

#include <errno.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "../base/fd.h"
#include "../base/filecap.h"
#include "../layer/xattr.h"
#include "../store/store_view.h"

struct exposed_search {
	struct lower_walk stack;
	const struct open_place *x;
	enum exposed what;
	struct buf *path;
	struct err *e;
};

static bool has_capability(const struct lower_hit *hit)
{
	char dir[32], path[32 + sizeof(hit->name)];

	(void)snprintf(
		path, sizeof(path), "%s/%s", fd_proc_path(hit->fd, dir), hit->name); /* fits */
	return lgetxattr(path, FILECAP_XATTR, NULL, 0) >= 0;
}

/*
 * The specification does not list file capabilities, so they are looked up for each executable
 * file. Returns 1 to end the search.
 */
static int look_at(const struct mtree_entry *s, void *arg)
{
	struct exposed_search *f = arg;
	scoped_hit struct lower_hit hit = LOWER_HIT_INIT;
	int r;

	if (open_place_exposes(f->x, s->type | s->mode, s->mode & 0111) == EXPOSED_NOTHING)
		return 0;
	r = lower_walk_find(&f->stack, s->path, &hit, f->e);
	if (r == -EACCES) /* an ordinary user, whose layers contain files of other ids */
		f->what = open_place_exposes(f->x, s->type | s->mode, false);
	else if (r <= 0)
		return r;
	else
		f->what = open_place_exposes(f->x, hit.st.st_mode, has_capability(&hit));
	if (f->what == EXPOSED_NOTHING)
		return 0;
	buf_str(f->path, s->path);
	return buf_get(f->path) ? 1 : err_nomem(f->e);
}

int open_place_find(const struct store_view *v, const struct open_place *x, enum exposed *ret,
	struct buf *ret_path, struct err *e)
{
	const struct lower stack = {
		.dirfds = v->fds.items, .n = v->fds.len, .user_xattr = v->user_xattr
	};
	struct exposed_search f = { .x = x, .what = EXPOSED_NOTHING, .path = ret_path, .e = e };
	int r;

	lower_walk_begin(&f.stack, &stack);
	r = open_place_gives(x) ? store_view_entries(v, look_at, &f, e) : 0;
	lower_walk_end(&f.stack);
	if (r < 0)
		return r;
	*ret = f.what;
	return 0;
}
