/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inside: put mounts into the root of another one. */

#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "mkdir_owned.h"
#include "mount_verify.h"
#include "privns.h"

struct assembly {
	const struct mount_plan *p;
	const struct inside *in;
	int top, tree;
};

/*
 * --- places ------------------------------------------------------------------------------------
 */

static int no_place(const struct mount_plan *p, const char *place, int num, struct err *e)
{
	(void)err_set(e, num, p->source, "cannot open '%s' in it, to mount something there", place);
	err_op(e, "inside");
	if (num == ELOOP)
		err_why(e, "a symbolic link on the way is not followed");
	else if (num == EROFS)
		err_why(e, "it is missing, and the stack is read-only");
	if (num == EROFS)
		err_try(e,
			"create the directory in a layer, or add the directory rw to make the "
			"stack writable");
	return -num;
}

/* Create name in dir, which it resembles in owner, but not in mode. */
static int make_place(
	const struct assembly *a, int dir, const char *name, const char *place, struct err *e)
{
	struct err own = ERR_INIT;
	struct owner_mode owner = { .mode = 0755 };
	struct stat st;
	int r;

	if (fstat(dir, &st) < 0)
		return no_place(a->p, place, errno, e);
	owner.uid = st.st_uid;
	owner.gid = st.st_gid;
	r = mkdir_owned(dir, name, &owner, place, &own);
	if (r == 0 || r == -EEXIST)
		return 0;
	if (r == -EROFS)
		return no_place(a->p, place, EROFS, e);
	*e = own;
	return r;
}

/* Open, or create, the next component of a place. */
static int step(
	const struct assembly *a, int *dir, const char *name, const char *place, struct err *e)
{
	int fd = -1, r = fd_open_beneath(*dir, name, O_PATH | O_DIRECTORY, &fd, NULL);

	if (r == -ENOENT) {
		r = make_place(a, *dir, name, place, e);
		if (r < 0)
			return r;
		r = fd_open_beneath(*dir, name, O_PATH | O_DIRECTORY, &fd, NULL);
	}
	if (r < 0)
		return no_place(a->p, place, -r, e);
	cleanup_fd(dir);
	*dir = fd;
	return 0;
}

static int open_place(const struct assembly *a, const char *place, int *ret, struct err *e)
{
	scoped_fd int dir = fcntl(a->top, F_DUPFD_CLOEXEC, 3);
	scoped_free char *copy = strdup(place);
	char *rest, *name;
	int r = 0;

	if (!copy)
		return err_nomem(e);
	if (dir < 0)
		return no_place(a->p, place, errno, e);
	for (name = strtok_r(copy, "/", &rest); name && r == 0; name = strtok_r(NULL, "/", &rest))
		r = step(a, &dir, name, place, e);
	if (r == 0)
		*ret = TAKE_FD(dir);
	return r;
}

/*
 * --- the tree ----------------------------------------------------------------------------------
 */

static int failed(const struct assembly *a, const char *op, const char *what, struct err *e)
{
	int r = err_set(e, errno, a->p->source, "%s", what);

	err_op(e, op);
	return r;
}

/* Runs in the private namespace. */
static int assemble(void *arg, struct err *e)
{
	struct assembly *a = arg;

	if (mkdir("m", 0700) < 0 ||
		sys_move_mount(a->top, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return failed(a, "move_mount", "cannot assemble the mounts", e);
	for (size_t i = 0; i < a->in->fds.len; i++) {
		scoped_fd int at = -1;
		int r = open_place(a, a->p->inside.items[i].place, &at, e);

		if (r < 0)
			return r;
		if (sys_move_mount(a->in->fds.items[i], "", at, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
			return failed(a, "move_mount", "cannot attach a mount inside", e);
	}
	a->tree = sys_open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return a->tree < 0 ?
		failed(a, "open_tree", "cannot take the mounts out of their mount namespace", e) :
		0;
}

int inside_attach(const struct mount_plan *p, struct inside *in, int *top, struct err *e)
{
	struct assembly a = { .p = p, .in = in, .top = *top, .tree = -1 };
	int r = run_in_private_mntns(p->source, assemble, &a, e);

	if (r < 0)
		return r;
	cleanup_fd(top);
	*top = a.tree;
	return 0;
}

static int verify_one(const struct mount_inside *x, int top, struct err *e)
{
	scoped_fd int fd = -1;
	struct statx stx;
	int r = fd_open_beneath(top, x->place, O_PATH | O_DIRECTORY, &fd, NULL);

	if (r == 0 && statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
		r = -errno;
	if (r < 0 || !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		(void)err_say(e, EIO, x->plan->target, "nothing is mounted there");
		err_op(e, "verify");
		return -EIO;
	}
	return verify_flags(fd, &x->plan->flags, x->plan->target, e);
}

int inside_verify(const struct mount_plan *p, int top, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		r = verify_one(&p->inside.items[i], top, e);
	return r;
}

void inside_done(struct inside *in)
{
	for (size_t i = 0; i < in->fds.len; i++)
		cleanup_fd(&in->fds.items[i]);
	VEC_DONE(&in->fds);
}
