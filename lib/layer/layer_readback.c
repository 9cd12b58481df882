/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_readback: verify types and owners on disk. */

#include "layer_readback.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../base/stop.h"
#include "layer_priv.h"
#include "writer_priv.h"

static int check_node(
	struct writer *view, const struct node *n, const struct idmap *map, struct err *e)
{
	uint32_t uid, gid;
	struct stat st;
	int fd, r = 0;

	if (n->parent)
		r = writer_dir(view, n->parent, &fd, e);
	else
		fd = view->root;
	if (r < 0)
		return r;
	if (fstatat(fd, n->name, &st, AT_SYMLINK_NOFOLLOW | (n->parent ? 0 : AT_EMPTY_PATH)) < 0)
		return node_err(n, errno, e, "cannot stat the new file");
	if (!idmap_uid_seen(map, n->uid, &uid) || !idmap_gid_seen(map, n->gid, &gid))
		return node_err(n, EOVERFLOW, e, "the map does not cover its owner");
	if (st.st_uid == uid && st.st_gid == gid && (st.st_mode & S_IFMT) == (n->mode & S_IFMT))
		return 0;
	(void)node_err(n, EIO, e, "was stored with the wrong owner");
	err_op(e, "verify");
	err_why(e, "it is %u:%u on disk, and should be %u:%u", st.st_uid, st.st_gid, uid, gid);
	return -EIO;
}

int layer_read_back(
	struct layer *l, const struct layer_dir *dir, const struct idmap *map, struct err *e)
{
	struct writer view;
	int r;

	/* A node refers to its descriptor in one writer, so the other one must forget it. */
	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		writer_forget(&l->w, n);
	r = writer_init(&view, &l->tree, dir, &l->o, e);
	if (r < 0)
		return r;
	view.root = openat(dir->parentfd, dir->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (view.root < 0)
		r = err_set(e, errno, dir->name, "cannot open the layer's directory");
	for (struct node *n = l->tree.root; r == 0 && n; n = layer_tree_next(l->tree.root, n)) {
		r = stop_check(e);
		if (r == 0 && n->flags & NODE_MADE &&
			n->mode) /* the owner of a whiteout does not matter */
			r = check_node(&view, n, map, e);
	}
	for (struct node *n = l->tree.root; n; n = layer_tree_next(l->tree.root, n))
		writer_forget(&view, n);
	writer_done(&view);
	return r;
}
