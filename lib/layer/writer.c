/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer: create files with their owners, and keep their directories open. */

#include "writer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"

#define WRITE_PIECE ((size_t)256 * 1024)

int writer_init(struct writer *w, struct layer_tree *tree, const struct layer_dir *dir,
	const struct layer_options *o, struct err *e)
{
	*w = (struct writer){
		.tree = tree, .o = o, .parentfd = dir->parentfd, .root = -1, .aside = -1
	};
	for (size_t i = 0; i < WRITER_SLOTS; i++)
		w->slots[i].fd = -1;
	w->name = strdup(dir->name);
	return w->name ? 0 : err_nomem(e);
}

void writer_done(struct writer *w)
{
	for (size_t i = 0; i < WRITER_SLOTS; i++)
		cleanup_fd(&w->slots[i].fd);
	cleanup_fd(&w->root);
	cleanup_fd(&w->aside);
	free(w->name);
	w->name = NULL;
}

/* ---- owners ---- */

void writer_enter(struct writer *w)
{
	/* 4294967295 is not a valid id: the call changes nothing and returns the current id. */
	w->uid = w->home_uid = (uint32_t)sys_setfsuid(UINT32_MAX);
	w->gid = w->home_gid = (uint32_t)sys_setfsgid(UINT32_MAX);
	w->entered = true;
	w->unproven = true;
}

void writer_leave(struct writer *w)
{
	if (!w->entered)
		return;
	if (w->gid != w->home_gid)
		(void)sys_setfsgid(w->home_gid); /* cannot fail: the process's own ids */
	if (w->uid != w->home_uid)
		(void)sys_setfsuid(w->home_uid);
	w->entered = false;
}

static int own_failed(const struct node *n, const char *kind, uint32_t id, struct err *e)
{
	(void)node_err(n, EPERM, e, "cannot create it with its owner");
	err_op(e, "setfsuid");
	err_why(e,
		"the %s id %u cannot be used: the user namespace does not map it, or the process "
		"lacks %s",
		kind, id, strcmp(kind, "user") ? "CAP_SETGID" : "CAP_SETUID");
	return -EPERM;
}

/* setfsuid(2) does not report failure, so the ids are read back. */
int writer_become(struct writer *w, uint32_t uid, uint32_t gid, const struct node *n, struct err *e)
{
	if (w->gid != gid) {
		(void)sys_setfsgid(gid);
		w->gid = (uint32_t)sys_setfsgid(UINT32_MAX);
		if (w->gid != gid)
			return own_failed(n, "group", gid, e);
		w->unproven = true;
	}
	if (w->uid != uid) {
		(void)sys_setfsuid(uid);
		w->uid = (uint32_t)sys_setfsuid(UINT32_MAX);
		if (w->uid != uid)
			return own_failed(n, "user", uid, e);
		w->unproven = true;
	}
	return 0;
}

int writer_prove(struct writer *w, int fd, const char *name, const struct node *n, struct err *e)
{
	struct stat st;

	if (!w->unproven)
		return 0;
	if (fstatat(fd, name ? name : "", &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return node_err(n, errno, e, "cannot stat the new file");
	if (st.st_uid != w->uid || st.st_gid != w->gid) {
		(void)node_err(n, EPERM, e, "the file was created with the wrong owner");
		err_why(e, "the filesystem gave it to %u:%u, not %u:%u", st.st_uid, st.st_gid,
			w->uid, w->gid);
		return -EPERM;
	}
	w->unproven = false;
	return 0;
}

/* ---- directories ---- */

void writer_forget(struct writer *w, struct node *n)
{
	if (n->slot < 0)
		return;
	cleanup_fd(&w->slots[n->slot].fd);
	w->slots[n->slot].fd = -1;
	w->slots[n->slot].dir = NULL;
	n->slot = -1;
}

/* Return a free slot, or the least recently used one after closing it. */
static int slot_take(struct writer *w)
{
	int best = 0;

	for (int i = 0; i < WRITER_SLOTS; i++) {
		if (!w->slots[i].dir)
			return i;
		if (w->slots[i].used < w->slots[best].used)
			best = i;
	}
	writer_forget(w, w->slots[best].dir);
	return best;
}

/* Put fd, which w then owns, into a slot. */
static void keep_open(struct writer *w, struct node *n, int fd)
{
	int slot = slot_take(w);

	w->slots[slot].dir = n;
	w->slots[slot].fd = fd;
	w->slots[slot].used = ++w->clock;
	n->slot = (int16_t)slot;
}

/* The descriptor of the root that n is below. */
static int root_of(const struct writer *w, const struct node *n)
{
	while (n->parent)
		n = n->parent;
	return n == w->tree->root ? w->root : w->aside;
}

static int open_child(struct writer *w, int fd, struct node *n, int *ret_fd, struct err *e)
{
	int child = openat(fd, n->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (child < 0)
		return node_err(n, errno, e, "cannot open the directory");
	keep_open(w, n, child);
	*ret_fd = child;
	return 0;
}

/*
 * If dir is far below the nearest open directory, open a directory not far above it in one call.
 * Opening so many levels one by one would evict all other directories from the slots; for files
 * that alternate between two deep directories, every level would be opened again for each file.
 */
static int open_between(struct writer *w, struct node *dir, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	struct node *far = dir, *n = dir;
	size_t levels = 0;
	int fd, r;

	for (; n->parent && n->slot < 0; n = n->parent)
		if (++levels <= JUMP_LEVELS)
			far = far->parent;
	if (levels < 2 * JUMP_LEVELS)
		return 0;
	node_path(far, &path);
	if (!buf_get(&path))
		return err_nomem(e);
	r = fd_open_beneath(root_of(w, far), buf_get(&path), O_PATH | O_DIRECTORY, &fd, e);
	if (r == 0)
		keep_open(w, far, fd);
	return r;
}

int writer_dir(struct writer *w, struct node *dir, int *ret_fd, struct err *e)
{
	int r;

	if (!dir->parent) {
		*ret_fd = root_of(w, dir);
		return 0;
	}
	if (dir->slot >= 0) {
		w->slots[dir->slot].used = ++w->clock;
		*ret_fd = w->slots[dir->slot].fd;
		return 0;
	}
	r = open_between(w, dir, e);
	/* Go down from the nearest open directory, one component at a time. */
	while (r == 0 && dir->slot < 0) {
		struct node *n = dir;
		int fd;

		while (n->parent->parent && n->parent->slot < 0)
			n = n->parent;
		fd = n->parent->parent ? w->slots[n->parent->slot].fd : root_of(w, n);
		if (n->parent->parent)
			w->slots[n->parent->slot].used = ++w->clock;
		r = open_child(w, fd, n, ret_fd, e);
	}
	return r;
}

int writer_prepare(struct writer *w, struct node *n, int *ret_fd, struct err *e)
{
	int r = writer_dir(w, n->parent, ret_fd, e);

	return r < 0 ? r : writer_become(w, n->uid, n->gid, n, e);
}

int writer_times(int fd, const char *name, const struct node *n, struct err *e)
{
	struct timespec t = { .tv_sec = n->sec, .tv_nsec = n->nsec };
	struct timespec both[2] = { t, t };
	int r = name ? utimensat(fd, name, both, AT_SYMLINK_NOFOLLOW) : futimens(fd, both);

	return r < 0 ? node_err(n, errno, e, "cannot set the times") : 0;
}

int writer_xattrs(struct writer *w, const struct xattrs *x, int fd, const char *name,
	const struct node *n, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	if (!x || !x->len)
		return 0;
	node_path(n, &b);
	if (!buf_get(&b))
		return err_nomem(e);
	return xattrs_set(x, fd, name, w->o, *buf_get(&b) ? buf_get(&b) : ".", e);
}

/* ---- links, devices, FIFOs, whiteouts ---- */

/* Finish an entry that was created by its name. */
static int made(struct writer *w, int fd, struct node *n, const struct xattrs *x, struct err *e)
{
	int r;

	n->flags |= NODE_MADE;
	r = writer_prove(w, fd, n->name, n, e);
	if (r == 0)
		r = writer_xattrs(w, x, fd, n->name, n, e);
	return r < 0 ? r : writer_times(fd, n->name, n, e);
}

int writer_symlink(struct writer *w, struct node *n, const struct xattrs *x, struct err *e)
{
	int fd, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = writer_prepare(w, n, &fd, e);
	if (r < 0)
		return r;
	if (symlinkat(n->link, fd, n->name) < 0)
		return node_err(n, errno, e, "cannot create the symbolic link");
	return made(w, fd, n, x, e);
}

static int special_failed(const struct node *n, int num, struct err *e)
{
	(void)node_err(n, num, e,
		S_ISFIFO(n->mode) ? "cannot create the FIFO" : "cannot create the device");
	err_op(e, "mknod");
	if (num == EPERM && !S_ISFIFO(n->mode)) {
		err_why(e,
			"only root of the host can create devices, with CAP_MKNOD: ordinary users "
			"cannot, even in a user namespace");
		err_try(e, "--devices=skip skips devices; a container gets its own /dev anyway");
	}
	return -num;
}

int writer_special(struct writer *w, struct node *n, const struct xattrs *x, struct err *e)
{
	int fd, r;

	if (w->o->dry && w->o->user_xattr && !S_ISFIFO(n->mode))
		return special_failed(n, EPERM, e); /* as mknod(2) would in a user namespace */
	if (w->o->dry)
		return writer_pretend(n);
	r = writer_prepare(w, n, &fd, e);
	if (r < 0)
		return r;
	if (mknodat(fd, n->name, n->mode, S_ISFIFO(n->mode) ? 0 : n->rdev) < 0)
		return special_failed(n, errno, e);
	return made(w, fd, n, x, e);
}

/* A node and the writer that it belongs to. */
struct owned_node {
	struct writer *w;
	struct node *n;
};

/*
 * Open the directories of both nodes. Opening one may evict the other from its slot, so that of old
 * is duplicated into *ret_from, which the caller closes; if both are in one directory, it is -1.
 * The writer of new owns *ret_to.
 */
static int open_parents(
	struct owned_node old, struct owned_node new, int *ret_from, int *ret_to, struct err *e)
{
	int r = writer_dir(old.w, old.n->parent, ret_to, e);

	if (r < 0 || old.n->parent == new.n->parent)
		return r;
	*ret_from = fcntl(*ret_to, F_DUPFD_CLOEXEC, 0);
	if (*ret_from < 0)
		return node_err(old.n, errno, e, "cannot keep the directory open");
	return writer_dir(new.w, new.n->parent, ret_to, e);
}

int writer_link(
	struct writer *w, struct node *n, struct writer *of, struct node *target, struct err *e)
{
	scoped_fd int from = -1;
	int fd, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = open_parents(
		(struct owned_node){ of, target }, (struct owned_node){ w, n }, &from, &fd, e);
	if (r < 0)
		return r;
	/* With protected_hardlinks (proc(5)), this needs the owner's id, or CAP_FOWNER. */
	if (linkat(from >= 0 ? from : fd, target->name, fd, n->name, 0) < 0)
		return node_err(n, errno, e, "cannot create the hard link");
	n->flags |= NODE_MADE;
	return 0;
}

/*
 * Set an attribute of overlayfs that says where whiteouts are. Root sets that of mounts in user
 * namespaces, too, so that they show the same; without it such a mount would not look for whiteouts
 * here. Copied up as an ordinary attribute, neither hides anything.
 */
int writer_ghost_mark(const struct writer *w, int fd, const char *what, const char *value)
{
	char name[64];

	if (!w->o->user_xattr)
		(void)fsetxattr(fd, xattr_overlay(true, what, name), value, 1,
			0); /* not every filesystem has user.* attributes */
	return fsetxattr(fd, xattr_overlay(w->o->user_xattr, what, name), value, 1, 0);
}

/*
 * Create a whiteout in overlayfs's second form (Linux 6.7): an empty file with an attribute, in a
 * directory that is marked as opaque "x".
 */
static int whiteout_file(struct writer *w, int fd, struct node *n, struct err *e)
{
	scoped_fd int file =
		openat(fd, n->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);

	if (file < 0)
		return node_err(n, errno, e, "cannot create the whiteout");
	n->flags |= NODE_MADE;
	if (writer_ghost_mark(w, file, "whiteout", "y") < 0)
		return node_err(n, errno, e, "cannot mark the whiteout");
	n->parent->flags |= NODE_GHOSTS;
	return 0;
}

int writer_whiteout(struct writer *w, struct node *n, struct err *e)
{
	int fd, r = writer_dir(w, n->parent, &fd, e);

	if (r < 0)
		return r;
	r = writer_become(w, w->home_uid, w->home_gid, n, e);
	if (r < 0)
		return r;
	if (mknodat(fd, n->name, S_IFCHR, makedev(0, 0)) == 0) {
		n->flags |= NODE_MADE;
		return 0;
	}
	if (errno != EPERM)
		return node_err(n, errno, e, "cannot create the whiteout");
	log_verbose("cannot create a device 0:0 here: using a file with an attribute as whiteout");
	return whiteout_file(w, fd, n, e);
}

/* ---- regular files ---- */

int writer_file_begin(struct writer *w, struct node *n, int *ret_fd, struct err *e)
{
	scoped_fd int fd = -1;
	int dir, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = writer_prepare(w, n, &dir, e);
	if (r < 0)
		return r;
	fd = openat(dir, n->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		n->mode & 07777);
	if (fd < 0)
		return node_err(n, errno, e, "cannot create the file");
	n->flags |= NODE_MADE;
	r = writer_prove(w, fd, NULL, n, e);
	if (r < 0)
		return r;

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int writer_file_data(
	int fd, const void *p, size_t n, uint64_t off, const struct node *node, struct err *e)
{
	while (n) {
		ssize_t x = pwrite(fd, p, n < WRITE_PIECE ? n : WRITE_PIECE, (off_t)off);

		if (x < 0 && errno == EINTR)
			continue;
		if (x < 0)
			return node_err(node, errno, e, "cannot write the file");
		p = (const char *)p + x;
		off += (uint64_t)x;
		n -= (size_t)x;
	}
	return 0;
}

/*
 * Writing clears set-id bits, unless the process has CAP_FSETID in the initial user namespace, and
 * setting an ACL changes the mode.
 */
static int restore_mode(int fd, const struct node *n, const struct xattrs *x, struct err *e)
{
	struct stat st;

	if (!(n->mode & (S_ISUID | S_ISGID)) && !(x && x->len))
		return 0;
	if (fstat(fd, &st) < 0)
		return node_err(n, errno, e, "cannot stat the file");
	if ((st.st_mode & 07777) != (n->mode & 07777) && fchmod(fd, n->mode & 07777) < 0)
		return node_err(n, errno, e, "cannot set the mode");
	return 0;
}

int writer_file_end(struct writer *w, struct node *n, int *fd, uint64_t written,
	const struct xattrs *x, struct err *e)
{
	int r;

	if (w->o->dry)
		return 0;
	if (written < n->size && ftruncate(*fd, (off_t)n->size) < 0)
		return node_err(n, errno, e, "cannot give the file its size");
	r = writer_xattrs(w, x, *fd, NULL, n, e);
	if (r == 0)
		r = restore_mode(*fd, n, x, e);
	if (r == 0)
		r = writer_times(*fd, NULL, n, e);
	if (r < 0)
		return r;
	/* close(2) reports errors of delayed writes (a quota, a server). */
	if (close(TAKE_FD(*fd)) < 0 && errno != EINTR)
		return node_err(n, errno, e, "cannot finish writing the file");
	return 0;
}

/* ---- moving and removing ---- */

int writer_move(
	struct writer *w, struct node *n, struct writer *of, struct node *from, struct err *e)
{
	scoped_fd int old = -1;
	int fd, r;

	for (struct node *i = from; i; i = layer_tree_next(from, i))
		writer_forget(of, i);
	if (w->o->dry)
		return writer_pretend(n);
	r = open_parents(
		(struct owned_node){ of, from }, (struct owned_node){ w, n }, &old, &fd, e);
	if (r < 0)
		return r;
	if (renameat(old >= 0 ? old : fd, from->name, fd, n->name) < 0)
		return node_err(n, errno, e, "cannot move it to its place");
	n->flags |= NODE_MADE;
	return 0;
}

int writer_remove(struct writer *w, struct node *n, struct err *e)
{
	int fd, r;

	for (struct node *i = n; i; i = layer_tree_next(n, i))
		writer_forget(w, i);
	if (!(n->flags & NODE_MADE))
		return 0;
	if (w->o->dry) {
		n->flags &= (uint16_t)~NODE_MADE;
		return 0;
	}
	r = writer_dir(w, n->parent, &fd, e);
	if (r < 0)
		return r;
	if (node_is_dir(n)) {
		r = fd_remove_tree(fd, n->name, e);
		if (r < 0)
			return r;
	} else if (unlinkat(fd, n->name, 0) < 0) {
		return node_err(n, errno, e, "cannot remove what a later entry replaces");
	}
	n->flags &= (uint16_t)~NODE_MADE;
	return 0;
}
