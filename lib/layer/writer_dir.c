/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer_dir: create directories, replace those with a wrong owner, and set their attributes. */

#include "writer_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "entry_ids.h"
#include "writer_priv.h"

/* Remove a set-gid bit and ACLs, which the layer's root may inherit from the staging directory. */
static int make_plain(int fd, struct err *e)
{
	static const char *const acls[] = { "system.posix_acl_default", "system.posix_acl_access" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(acls); i++)
		if (fremovexattr(fd, acls[i]) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return err_set(
				e, errno, NULL, "cannot remove an inherited access control list");
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat the layer's directory");
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_set(e, errno, NULL, "cannot change the mode of the layer's directory");
	return 0;
}

/*
 * Choose a provisional owner. An implied parent belongs to 0:0 at first, which the map of the
 * layer's mount may not cover; its final owner may be another one.
 */
static int become_first_owner(struct writer *w, struct node *n, struct err *e)
{
	const struct idmap *m = w->o->through;

	n->born_uid =
		!m || entry_ids_covered(m, false, n->uid) ? n->uid : entry_ids_anchor(m, false);
	n->born_gid = !m || entry_ids_covered(m, true, n->gid) ? n->gid : entry_ids_anchor(m, true);
	return writer_become(w, n->born_uid, n->born_gid, n, e);
}

static int check_owner(const struct writer *w, const struct node *n, struct err *e)
{
	const struct idmap *m = w->o->through;
	scoped_buf struct buf path = BUF_INIT;
	bool user;

	if (!m ||
		((user = entry_ids_covered(m, false, n->uid)) &&
			entry_ids_covered(m, true, n->gid)))
		return 0;
	node_path(n, &path);
	if (!buf_get(&path))
		return err_nomem(e);
	return entry_ids_refuse(
		m, user, user ? n->gid : n->uid, NULL, path.len ? path.data : ".", e);
}

static int make_root(struct writer *w, const char *name, struct err *e)
{
	struct node *root = w->tree->root;
	scoped_fd int fd = -1;
	int r = become_first_owner(w, root, e);

	if (r < 0)
		return r;
	if (mkdirat(w->parentfd, name, 0700) < 0)
		return err_set(e, errno, name, "cannot create the layer's directory");
	fd = openat(w->parentfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, name, "cannot open the layer's directory");
	r = make_plain(fd, e);
	if (r == 0)
		r = writer_prove(w, fd, NULL, root, e);
	if (r < 0)
		return r;

	cleanup_fd(&w->root);
	w->root = TAKE_FD(fd);
	return 0;
}

int writer_root(struct writer *w, struct err *e)
{
	int r = w->o->dry ? 0 : make_root(w, w->name, e);

	if (r == 0)
		w->tree->root->flags |= NODE_MADE;
	return r;
}

static int aside_name(const struct writer *w, struct buf *ret, struct err *e)
{
	buf_printf(ret, "%s.aside", w->name); /* other layers may be staged beside it */
	return buf_get(ret) ? 0 : err_nomem(e);
}

int writer_aside(struct writer *w, struct err *e)
{
	struct node *n = w->tree->aside;
	scoped_buf struct buf name = BUF_INIT;
	int r = aside_name(w, &name, e);

	n->flags |= NODE_MADE;
	if (r == 0 && !w->o->dry)
		r = become_first_owner(w, n, e);
	if (r < 0 || w->o->dry)
		return r;
	if (mkdirat(w->parentfd, buf_get(&name), 0700) < 0)
		return err_set(e, errno, buf_get(&name), "cannot create the directory");
	w->aside =
		openat(w->parentfd, buf_get(&name), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->aside < 0)
		return err_set(e, errno, buf_get(&name), "cannot open the directory");
	return 0;
}

int writer_remove_aside(struct writer *w, struct err *e)
{
	scoped_buf struct buf name = BUF_INIT;
	int r;

	if (w->aside < 0)
		return 0;
	cleanup_fd(&w->aside);
	w->aside = -1;
	r = aside_name(w, &name, e);
	return r < 0 ? r : fd_remove_tree(w->parentfd, buf_get(&name), e);
}

int writer_mkdir(struct writer *w, struct node *n, struct err *e)
{
	int fd, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = writer_dir(w, n->parent, &fd, e);
	if (r == 0)
		r = become_first_owner(w, n, e);
	if (r < 0)
		return r;
	if (mkdirat(fd, n->name, 0700) < 0)
		return node_err(n, errno, e, "cannot create the directory");
	n->flags |= NODE_MADE;
	return writer_prove(w, fd, n->name, n, e);
}

/* Move those children that are on disk into the new directory. */
static int move_children(struct node *n, int old, int new, struct err *e)
{
	for (struct node *c = n->children; c; c = c->next)
		if (c->flags & NODE_MADE && renameat(old, c->name, new, c->name) < 0)
			return node_err(c, errno, e, "cannot move it into its new directory");
	return 0;
}

/* Choose a name that is not in the directory. */
static void temp_name(struct writer *w, const struct node *parent, char buf[static 64])
{
	do
		(void)snprintf(buf, 64, ".shiftbox-new-%u", w->temps++);
	while (layer_tree_find(w->tree, parent, buf, strlen(buf)));
}

static int own_root(struct writer *w, struct err *e)
{
	struct node *root = w->tree->root;
	scoped_fd int old = TAKE_FD(w->root);
	scoped_buf struct buf temp = BUF_INIT;
	int r;

	buf_printf(&temp, "%s.new", w->name); /* other layers may be staged beside it */
	if (!buf_get(&temp))
		return err_nomem(e);
	r = make_root(w, buf_get(&temp), e);
	if (r == 0)
		r = move_children(root, old, w->root, e);
	if (r == 0 && renameat(w->parentfd, buf_get(&temp), w->parentfd, w->name) < 0)
		r = err_set(e, errno, w->name,
			"cannot replace the layer's directory with one that has its owner");
	return r;
}

int writer_dir_own(struct writer *w, struct node *n, struct err *e)
{
	scoped_fd int old = -1, new = -1;
	char temp[64];
	int fd, r;

	if (n->born_uid == n->uid && n->born_gid == n->gid)
		return 0;
	r = check_owner(w, n, e);
	if (r < 0)
		return r;
	if (!n->parent)
		return own_root(w, e);
	r = writer_prepare(w, n, &fd, e);
	if (r < 0)
		return r;

	temp_name(w, n->parent, temp);
	writer_forget(w, n);
	old = openat(fd, n->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (old < 0)
		return node_err(n, errno, e, "cannot open the directory");
	if (mkdirat(fd, temp, 0700) < 0)
		return node_err(n, errno, e, "cannot create the directory with its owner");
	new = openat(fd, temp, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (new < 0)
		return node_err(n, errno, e, "cannot open the directory");
	r = writer_prove(w, new, NULL, n, e);
	if (r == 0)
		r = move_children(n, old, new, e);
	if (r == 0 && renameat(fd, temp, fd, n->name) < 0)
		r = node_err(
			n, errno, e, "cannot replace the directory with one that has its owner");
	if (r < 0)
		return r;

	n->born_uid = n->uid;
	n->born_gid = n->gid;
	return 0;
}

/*
 * Mark a directory that has whiteouts in their second form, for which overlayfs otherwise does not
 * look. A directory that hides what is below it has whiteouts instead of a mark (layer_hide.h).
 */
static int mark_ghosts(struct writer *w, int fd, const struct node *n, struct err *e)
{
	if (!(n->flags & NODE_GHOSTS) || writer_ghost_mark(w, fd, "opaque", "x") == 0)
		return 0;
	(void)node_err(n, errno, e, "cannot mark the directory, which has whiteouts");
	if (e && e->num == EOPNOTSUPP)
		err_why(e, "the filesystem does not support the attribute overlay.opaque");
	return e ? -e->num : -EIO;
}

int writer_dir_finish(struct writer *w, struct node *n, struct err *e)
{
	scoped_fd int fd = -1;
	int up, r;

	if (n->parent) {
		r = writer_prepare(w, n, &up, e);
		if (r < 0)
			return r;
		fd = openat(up, n->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} else {
		r = writer_become(w, n->uid, n->gid, n, e);
		if (r < 0)
			return r;
		fd = openat(w->parentfd, w->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return node_err(n, errno, e, "cannot open the directory");

	r = writer_xattrs(w, n->xattrs, fd, NULL, n, e);
	if (r == 0)
		r = mark_ghosts(w, fd, n, e);
	/* Setting an ACL changes the mode, so the mode of the header is set afterwards. */
	if (r == 0 && ((n->mode & 07777) != 0700 || n->xattrs) && fchmod(fd, n->mode & 07777) < 0)
		r = node_err(n, errno, e, "cannot set the mode");
	return r < 0 ? r : writer_times(fd, NULL, n, e);
}
