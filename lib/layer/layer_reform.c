/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_reform: make a finished layer again, with whiteouts where it has opaque marks. */

#include "layer_reform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/stop.h"
#include "layer_limits.h"
#include "layer_priv.h"
#include "lowerdirs.h"

struct reform {
	struct layer *l;
	int from;        /* the directory of the old layer */
	struct buf path; /* of the current directory */
};

static int link_file(struct reform *f, struct node *n, int from, struct err *e)
{
	int to, r;

	n->flags |= NODE_MADE;
	if (f->l->o.dry)
		return 0;
	r = writer_dir(&f->l->w, n->parent, &to, e);
	if (r < 0 || linkat(from, n->name, to, n->name, 0) == 0)
		return r;
	(void)node_err(n, errno, e, "cannot link the file of the stored layer");
	err_try(e, "remove the image, and unpack it again");
	return e ? -e->num : -EIO;
}

/* Directories are made when their own turn comes, with the owner that they then get to know. */
static int add_entry(struct reform *f, struct node *dir, int fd, const char *name, struct err *e)
{
	struct stat st;
	struct node *n;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, name, "cannot stat the file of the layer");
	n = layer_tree_add(&f->l->tree, dir, name, strlen(name));
	if (!n)
		return err_nomem(e);
	n->mode = st.st_mode;
	n->flags |= NODE_LISTED;
	return S_ISDIR(st.st_mode) ? 0 : link_file(f, n, fd, e);
}

static int add_entries(struct reform *f, struct node *dir, int fd, struct err *e)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r = stop_check(e);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		r = node_err(dir, errno, e, "cannot list the directory of the layer");
		cleanup_fd(&copy);
		return r;
	}
	while (r == 0) {
		const struct dirent *x;

		errno = 0;
		x = readdir(d);
		if (!x)
			break;
		r = add_entry(f, dir, fd, x->d_name, e);
		if (r == 0)
			r = stop_check(e);
		errno = 0;
	}
	if (r == 0 && errno)
		r = node_err(dir, errno, e, "cannot list the directory of the layer");
	(void)closedir(d);
	return r;
}

static int take_attributes(struct reform *f, struct node *n, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return node_err(n, errno, e, "cannot stat the directory of the layer");
	n->mode = st.st_mode;
	n->uid = st.st_uid;
	n->gid = st.st_gid;
	n->sec = st.st_mtim.tv_sec;
	n->nsec = (uint32_t)st.st_mtim.tv_nsec;
	n->flags |= NODE_LISTED;
	n->xattrs = calloc(1, sizeof(*n->xattrs));
	return n->xattrs ? xattrs_read(n->xattrs, fd, ".", &f->l->o, f->path.data, e) :
			   err_nomem(e);
}

static void take_marks(struct node *n, int fd)
{
	/* Root may upgrade what its own user namespace has unpacked. */
	if (lower_has_mark(fd, ".", false, "opaque", 'x') ||
		lower_has_mark(fd, ".", true, "opaque", 'x'))
		n->flags |= NODE_GHOSTS;
	if (!n->parent)
		return; /* overlayfs reads no mark there */
	if (lower_has_mark(fd, ".", false, "opaque", 'y') ||
		lower_has_mark(fd, ".", true, "opaque", 'y'))
		n->flags |= NODE_HIDES;
}

static int reform_dir(struct reform *f, struct node *n, struct err *e)
{
	scoped_fd int fd = -1;
	int r;

	buf_reset(&f->path);
	node_path(n, &f->path);
	if (!buf_get(&f->path))
		return err_nomem(e);
	r = fd_open_beneath(
		f->from, f->path.len ? f->path.data : ".", O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = take_attributes(f, n, fd, e);
	if (r < 0)
		return r;
	take_marks(n, fd);
	r = n->parent ? writer_mkdir(&f->l->w, n, e) : 0;
	return r < 0 ? r : add_entries(f, n, fd, e);
}

static int reform_all(struct reform *f, struct err *e)
{
	struct node *root = f->l->tree.root;
	int r = 0;

	writer_enter(&f->l->w);
	/* Children are added while their directory is visited, so they come next. */
	for (struct node *n = root; r == 0 && n; n = layer_tree_next(root, n))
		if (S_ISDIR(n->mode))
			r = reform_dir(f, n, e);
	writer_leave(&f->l->w);
	buf_done(&f->path);
	return r;
}

static int begin(struct reform *f, const struct layer_dir *dir, const struct layer_options *opts,
	struct err *e)
{
	struct layer_options o = *opts;

	o.keep_security = true; /* what the old layer has was wanted */
	return layer_new(dir, &o, &f->l, e);
}

int layer_reform(const struct layer_finished *old, const struct layer_dir *dir,
	const struct layer_options *opts, struct layer **ret, struct err *e)
{
	struct reform f = { .from = old->fd };
	int r = begin(&f, dir, opts, e);

	if (r < 0)
		return r;
	f.l->root_opaque = old->root_opaque;
	r = reform_all(&f, e);
	if (r < 0) {
		layer_free(f.l);
		return r;
	}

	*ret = f.l;
	return 0;
}
