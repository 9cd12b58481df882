/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer: files, born with their owners. */

#include "writer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"

#define WRITE_PIECE ((size_t)256 * 1024)

int node_err(const struct node *n, int num, struct err *e, const char *what)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *path;

	node_path(n, &b);
	path = buf_get(&b);
	if (path && !*path)
		path = ".";
	return err_set(e, num, path, "%s", what);
}

int writer_init(struct writer *w, struct layer_tree *tree, int parentfd, const char *name,
	const struct layer_options *o, struct err *e)
{
	*w = (struct writer){ .tree = tree, .o = o, .parentfd = parentfd, .root = -1 };
	for (size_t i = 0; i < WRITER_SLOTS; i++)
		w->slots[i].fd = -1;
	w->name = strdup(name);
	return w->name ? 0 : err_nomem(e);
}

void writer_done(struct writer *w)
{
	for (size_t i = 0; i < WRITER_SLOTS; i++)
		cleanup_fd(&w->slots[i].fd);
	cleanup_fd(&w->root);
	free(w->name);
	w->name = NULL;
}

/* ---- owners ---- */

int layer_prepare_process(struct err *e)
{
	int bits = prctl(PR_GET_SECUREBITS);

	(void)umask(0); /* cannot fail */
	if (bits < 0)
		return err_set(e, errno, NULL, "cannot read the process's secure bits");
	if (bits & SECBIT_NO_SETUID_FIXUP)
		return 0;
	if (prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP) < 0) {
		(void)err_set(e, errno, NULL, "cannot create files with their owners");
		err_op(e, "securebits");
		err_why(e,
			"keeping the capabilities while creating as another user needs "
			"CAP_SETPCAP: root, or a user namespace of one's own");
		return e ? -e->num : -EPERM;
	}
	return 0;
}

void writer_enter(struct writer *w)
{
	/* 4294967295 is no id: asking for it changes nothing and tells the current one. */
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
		(void)sys_setfsgid(w->home_gid); /* our own ids: always allowed */
	if (w->uid != w->home_uid)
		(void)sys_setfsuid(w->home_uid);
	w->entered = false;
}

static int own_failed(const struct node *n, const char *kind, uint32_t id, struct err *e)
{
	(void)node_err(n, EPERM, e, "cannot create it with its owner");
	err_op(e, "setfsuid");
	err_why(e,
		"the %s id %u cannot be taken: the user namespace does not map it, or the process "
		"lacks %s",
		kind, id, strcmp(kind, "user") ? "CAP_SETGID" : "CAP_SETUID");
	return -EPERM;
}

/*
 * Whoever creates now is uid:gid. Capabilities stay (SECBIT_NO_SETUID_FIXUP), so no directory is in
 * the way.
 */
int writer_become(struct writer *w, uint32_t uid, uint32_t gid, const struct node *n, struct err *e)
{
	if (w->gid != gid) {
		(void)sys_setfsgid(gid); /* says nothing of success: asked for below */
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

/*
 * The first file of each owner is looked at: a filesystem may have its own idea of owners (a mount
 * with grpid, a squashing server, an ID-mapped mount). fd: the file (name NULL), or its directory.
 */
int writer_prove(struct writer *w, int fd, const char *name, const struct node *n, struct err *e)
{
	struct stat st;

	if (!w->unproven)
		return 0;
	if (fstatat(fd, name ? name : "", &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return node_err(n, errno, e, "cannot look at what was created");
	if (st.st_uid != w->uid || st.st_gid != w->gid) {
		(void)node_err(n, EPERM, e, "the file was born with the wrong owner");
		err_why(e, "the store's filesystem gave it to %u:%u, not %u:%u", st.st_uid,
			st.st_gid, w->uid, w->gid);
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

/* The free or least recently used slot. */
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

/* fd becomes the writer's. */
static void keep_open(struct writer *w, struct node *n, int fd)
{
	int slot = slot_take(w);

	w->slots[slot].dir = n;
	w->slots[slot].fd = fd;
	w->slots[slot].used = ++w->clock;
	n->slot = (int16_t)slot;
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
 * Far below the nearest open directory, open one not far above dir in one call. Opened one by one,
 * so many levels would push all others out of their slots, and the next file, in another deep
 * directory, would have to open all of its own.
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
	r = fd_open_beneath(w->root, buf_get(&path), O_PATH | O_DIRECTORY, &fd, e);
	if (r == 0)
		keep_open(w, far, fd);
	return r;
}

int writer_dir(struct writer *w, struct node *dir, int *ret_fd, struct err *e)
{
	int r;

	if (!dir->parent) {
		*ret_fd = w->root;
		return 0;
	}
	if (dir->slot >= 0) {
		w->slots[dir->slot].used = ++w->clock;
		*ret_fd = w->slots[dir->slot].fd;
		return 0;
	}
	r = open_between(w, dir, e);
	/* Down from the nearest one that is open, one component at a time. */
	while (r == 0 && dir->slot < 0) {
		struct node *n = dir;
		int fd;

		while (n->parent->parent && n->parent->slot < 0)
			n = n->parent;
		fd = n->parent->parent ? w->slots[n->parent->slot].fd : w->root;
		if (n->parent->parent)
			w->slots[n->parent->slot].used = ++w->clock;
		r = open_child(w, fd, n, ret_fd, e);
	}
	return r;
}

/* In the parent's open directory, as the owner. */
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

/* ---- everything else ---- */

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
	n->flags |= NODE_MADE;
	r = writer_prove(w, fd, n->name, n, e);
	if (r == 0)
		r = writer_xattrs(w, x, fd, n->name, n, e);
	return r < 0 ? r : writer_times(fd, n->name, n, e);
}

static int special_failed(const struct node *n, int num, struct err *e)
{
	(void)node_err(n, num, e,
		S_ISFIFO(n->mode) ? "cannot create the FIFO" : "cannot create the device");
	err_op(e, "mknod");
	if (num == EPERM && !S_ISFIFO(n->mode)) {
		err_why(e,
			"only the host's root can make devices, with CAP_MKNOD: no ordinary user "
			"can, in no user namespace");
		err_try(e,
			"--devices=skip leaves devices out; a container gets its own /dev anyway");
	}
	return -num;
}

int writer_special(struct writer *w, struct node *n, const struct xattrs *x, struct err *e)
{
	int fd, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = writer_prepare(w, n, &fd, e);
	if (r < 0)
		return r;
	if (mknodat(fd, n->name, n->mode, S_ISFIFO(n->mode) ? 0 : n->rdev) < 0)
		return special_failed(n, errno, e);
	n->flags |= NODE_MADE;
	r = writer_prove(w, fd, n->name, n, e);
	if (r == 0)
		r = writer_xattrs(w, x, fd, n->name, n, e);
	return r < 0 ? r : writer_times(fd, n->name, n, e);
}

int writer_link(
	struct writer *w, struct node *n, struct writer *of, struct node *target, struct err *e)
{
	/* The one descriptor may push the other out of its slot, so the first is made our own. */
	scoped_fd int from = -1;
	int fd, r;

	if (w->o->dry)
		return writer_pretend(n);
	r = writer_dir(of, target->parent, &fd, e);
	if (r < 0)
		return r;
	if (target->parent != n->parent) {
		from = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (from < 0)
			return node_err(target, errno, e, "cannot keep the directory open");
		r = writer_dir(w, n->parent, &fd, e);
		if (r < 0)
			return r;
	}
	/* protected_hardlinks(proc(5)) asks for the owner, or CAP_FOWNER over it. */
	if (linkat(from >= 0 ? from : fd, target->name, fd, n->name, 0) < 0)
		return node_err(n, errno, e, "cannot create the hard link");
	n->flags |= NODE_MADE;
	return 0;
}

/*
 * overlayfs's second form, Linux 6.7: an empty file with an attribute, in a directory that is
 * opaque "x".
 */
static int whiteout_file(struct writer *w, int fd, struct node *n, struct err *e)
{
	scoped_fd int file =
		openat(fd, n->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	char name[64];

	if (file < 0)
		return node_err(n, errno, e, "cannot create the whiteout");
	n->flags |= NODE_MADE;
	if (fsetxattr(file, xattr_overlay(w->o->user_xattr, "whiteout", name), "y", 1, 0) < 0)
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
	log_verbose("no device 0:0 can be made here: whiteouts become files with an attribute");
	return whiteout_file(w, fd, n, e);
}

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
 * Writing may take set-id bits away (not from a process with CAP_FSETID over the host), and an ACL
 * changes the mode.
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
	/* The errors of late writes (a quota, a server) show here. */
	if (close(TAKE_FD(*fd)) < 0 && errno != EINTR)
		return node_err(n, errno, e, "cannot finish writing the file");
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
