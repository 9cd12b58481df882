/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage: a hidden mount namespace in which a privileged run makes the command's mounts. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../base/sys.h"
#include "../mount/newfs.h"

int run_stage_open(int *ret_stage, struct err *e)
{
	scoped_fd int stage = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0) {
		r = err_set(e, errno, NULL, "cannot create a mount namespace");
		err_op(e, "unshare");
		return r;
	}
	/* Mounts and above all unmounts of the host still propagate to here. */
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(
			e, errno, "/", "cannot keep mounts from propagating to other namespaces");
	r = newfs_tmpfs(0, &stage, e);
	if (r < 0)
		return r;
	if (fchmodat(stage, ".", 0711, 0) <
		0) /* root of the user namespace must be able to enter */
		return err_set(e, errno, NULL, "cannot set the mode of the stage of the mounts");
	*ret_stage = TAKE_FD(stage);
	return 0;
}

/*
 * The stage must be attached in the namespace, but must hide nothing. So attach it on /dev, which
 * every host has, and a clone of /dev on top of it. "/" would not do: the process would then count
 * as chrooted, and could not create a user namespace (kernel/user_namespace.c, create_user_ns()).
 */
static int stage_hide(int stage, struct err *e)
{
	static const struct mount_flags as_it_is = { .set = 0 };
	static const char path[] = "/dev";
	scoped_fd int before = -1;
	int r = run_mounts_clone(path, &as_it_is, &before, e);

	if (r < 0)
		return r;
	if (sys_move_mount(stage, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		sys_move_mount(before, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = err_set(e, errno, path, "cannot attach the stage of the mounts there");
		err_op(e, "move_mount");
		return r;
	}
	return 0;
}

static int stage_attach(int stage, int mnt, const char *name, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(mnt, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat a mount");
	r = S_ISDIR(st.st_mode) ? mkdirat(stage, name, 0700) :
				  mknodat(stage, name, S_IFREG | 0600, 0);
	if (r < 0)
		return err_set(e, errno, NULL, "cannot create a mount point in the stage");
	if (sys_move_mount(mnt, "", stage, name, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = err_set(e, errno, NULL, "cannot attach a mount");
		err_op(e, "move_mount");
		return r;
	}
	return 0;
}

/* The host's /sys with locked flags: its world-writable files belong to the host. */
static int stage_sys(int stage, struct err *e)
{
	const struct mount_flags flags = { .set = RUN_SYS_FLAGS, .propagation = MS_PRIVATE };
	scoped_fd int sys = -1;
	int r = run_mounts_clone("/sys", &flags, &sys, e);

	return r == 0 ? stage_attach(stage, sys, RUN_STAGE_SYS, e) : r;
}

int run_stage(const struct run_spec *s, int stage, struct err *e)
{
	scoped_run_mounts struct run_mounts m = { 0 };
	int r = run_mounts_make(s, NULL, &m, e);

	if (r == 0)
		r = stage_hide(stage, e);
	if (r == 0)
		r = stage_sys(stage, e);
	for (size_t i = 0; i < m.len && r == 0; i++) {
		char name[24];

		(void)snprintf(name, sizeof(name), "%zu", i); /* fits: 20 digits */
		r = stage_attach(stage, m.items[i], name, e);
	}
	return r;
}

int run_stage_take(const struct run_spec *s, struct run_mounts *ret, struct err *e)
{
	for (size_t i = 0; i <= s->binds.len; i++) {
		char name[24];
		int fd;

		(void)snprintf(name, sizeof(name), "%zu", i); /* fits: 20 digits */
		fd = sys_open_tree(
			AT_FDCWD, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (fd < 0)
			return err_set(e, errno, NULL,
				"cannot clone a mount that was made for the command");
		if (VEC_ADD(ret, fd) < 0) {
			cleanup_fd(&fd);
			return err_nomem(e);
		}
	}
	return 0;
}
