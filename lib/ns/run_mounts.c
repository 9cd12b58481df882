/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run_mounts: what the command's root is made of, detached, and the way to it. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "../mount/clone.h"
#include "../mount/dirent_at.h"
#include "../mount/exposure.h"
#include "../mount/fsids.h"
#include "../mount/mount_attr.h"
#include "../mount/mount_verify.h"
#include "../mount/newfs.h"
#include "../mount/overlay.h"

/*
 * --- making ------------------------------------------------------------------------------------
 */

/*
 * A clone with all that is mounted below it. Without privileges nothing less can be had: what is
 * mounted below hides something that is not the caller's to see.
 */
static int clone_all(const char *path, const struct mount_flags *flags, int *ret_fd, struct err *e)
{
	struct mount_attr attr = { .attr_set = flags->set, .propagation = flags->propagation };
	scoped_fd int source = -1, fd = -1;
	int r = clone_open_source(path, &source, e);

	if (r < 0)
		return r;
	fd = sys_open_tree(
		source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

	if (fd < 0) {
		r = err_path(e, errno, path, "cannot clone the mounts");
		if (r == -EPERM)
			err_op(e, "open_tree");
		return r;
	}
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0) {
		r = err_set(e, errno, path, "cannot set the flags of the mounts");
		err_op(e, "mount_setattr");
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static uint64_t with_read_only(uint64_t set, bool read_only)
{
	return read_only ? set | MOUNT_ATTR_RDONLY : set;
}

static bool is_host_root(int fd)
{
	struct stat st, root;

	return fstat(fd, &st) == 0 && stat("/", &root) == 0 && same_file(&st, &root);
}

/* What of it may be written to as disk id 0 would be the host itself: no word makes that right. */
static int check_host_root(int fd, const char *source, const struct mount_map *map,
	const struct mount_flags *flags, struct err *e)
{
	uint32_t seen;

	if (flags->set & MOUNT_ATTR_RDONLY || map->wish != MAP_SET || !is_host_root(fd))
		return 0;
	if (!idmap_uid_seen(&map->map, 0, &seen) && !idmap_gid_seen(&map->map, 0, &seen))
		return 0;
	return err_say(e, EINVAL, source, "is the host's own root, which cannot be given away");
}

/* s: all but its descriptor. */
static int make_mapped(struct exposure_source s, int *ret_fd, struct err *e)
{
	scoped_fd int fd = -1, tree = -1;
	const struct clone_how how = { .name = s.name, .map = s.map, .flags = s.flags };
	enum map_change change;
	int r;

	r = clone_open_source(s.name, &fd, e);
	if (r == 0)
		r = clone_mapped(fd, &how, &tree, &change, e);
	/* What cannot be mapped at all is told first: no other place would help. */
	if (r == 0)
		r = check_host_root(fd, s.name, s.map, s.flags, e);
	s.fd = fd;
	if (r == 0)
		r = exposure_check(&s, e);
	if (r == 0)
		r = verify_flags(tree, s.flags, s.name, e);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(tree);
	return 0;
}

static int make_stack(const struct mount_plan *p, int *ret_fd, struct err *e)
{
	scoped_overlay struct overlay o = OVERLAY_INIT;
	int r;

	r = mount_plan_check(p, e);
	if (r == 0)
		r = overlay_assemble(p, &o, e);
	if (r < 0)
		return r;
	r = verify_flags(o.fd, &p->flags, p->source, e);
	if (r < 0) {
		overlay_undo(&o);
		return r;
	}
	*ret_fd = TAKE_FD(o.fd);
	return 0;
}

static int make_root(const struct run_spec *s, const struct stat *want, int *ret_fd, struct err *e)
{
	struct mount_flags flags = s->root.flags;
	struct mount_plan stack = s->root; /* what it points to stays the spec's */

	/*
	 * Mounts of the host arrive in its own tree and, what matters more, go. A plan is private.
	 */
	if (s->host_root)
		flags.propagation = MS_SLAVE;
	flags.set = with_read_only(flags.set, s->read_only);
	if (s->host_root)
		return clone_all("/", &flags, ret_fd, e);
	if (s->root.kind == MOUNT_OVERLAY) {
		stack.upper_in = want;
		return make_stack(&stack, ret_fd, e);
	}
	if (s->privileged)
		return make_mapped((struct exposure_source){ .name = s->root.source,
					   .map = &s->root.map,
					   .flags = &flags,
					   .meant = s->root.meant,
					   .word = "-o public" },
			ret_fd, e);
	return clone_all(s->root.source, &flags, ret_fd, e);
}

static int make_bind(const struct run_spec *s, const struct run_bind *b, int *ret_fd, struct err *e)
{
	struct mount_flags flags = { .set = b->dev ? 0 : MOUNT_ATTR_NODEV,
		.propagation = MS_PRIVATE };
	struct mount_map map =
		b->own_map ? (struct mount_map){ .wish = MAP_SET, .map = s->map } : b->map;

	flags.set = with_read_only(flags.set, b->read_only);
	if (map.wish == MAP_KEEP)
		return clone_all(b->source, &flags, ret_fd, e);
	return make_mapped((struct exposure_source){ .name = b->source,
				   .map = &map,
				   .flags = &flags,
				   .meant = b->meant,
				   .word = "public in the words of -b" },
		ret_fd, e);
}

/*
 * Changes to a stack do not touch its layers: what is to be mounted on is created in it before it
 * becomes read-only.
 */
static int seal_stack(const struct run_spec *s, const struct run_mounts *m, struct err *e)
{
	struct mount_flags flags = { .set = MOUNT_ATTR_RDONLY };
	scoped_fsids struct fsids ids = FSIDS_INIT;
	uint32_t uid, gid;
	int r = 0;

	if (s->root.upper_kind != UPPER_NONE) {
		if (s->privileged && idmap_uid_seen(&s->map, 0, &uid) &&
			idmap_gid_seen(&s->map, 0, &gid))
			r = fsids_enter(&ids, uid, gid, e);
		if (r == 0)
			r = run_root_places(s, m, e);
	}
	if (r < 0)
		return r;
	r = mount_attr_set(m->items[0], &flags, -1);
	return r < 0 ? err_set(e, -r, s->root.source, "cannot make the stack read-only") : 0;
}

/* Than the one that was asked whether others can reach it, or that the map was made for. */
static bool is_another_root(
	const struct run_spec *s, const struct stat *want, const struct stat *st)
{
	const struct mount_plan *p = &s->root;

	return p->kind == MOUNT_BIND &&
		((want && !same_file(st, want)) ||
			(p->source_seen &&
				(st->st_dev != p->source_dev || st->st_ino != p->source_ino)));
}

static int check_root(const struct run_spec *s, const struct stat *want, int root, struct err *e)
{
	struct stat st;

	if (fstat(root, &st) < 0)
		return err_set(e, errno, s->root.source, "cannot stat the root of the command");
	if (is_another_root(s, want, &st))
		return err_say(
			e, ESTALE, s->root.source, "was exchanged for another directory meanwhile");
	return S_ISDIR(st.st_mode) ?
		0 :
		err_path(e, ENOTDIR, s->root.source, "cannot make this the root of the command");
}

int run_mounts_make(const struct run_spec *s, const struct stat *want_root, struct run_mounts *ret,
	struct err *e)
{
	for (size_t i = 0; i <= s->binds.len; i++) {
		scoped_fd int fd = -1;
		int r = i ? make_bind(s, &s->binds.items[i - 1], &fd, e) :
			    make_root(s, want_root, &fd, e);

		if (r == 0 && i == 0)
			r = check_root(s, want_root, fd, e);
		if (r < 0)
			return r;
		if (VEC_ADD(ret, fd) < 0)
			return err_nomem(e);
		(void)TAKE_FD(fd);
	}
	return s->read_only && !s->host_root && s->root.kind == MOUNT_OVERLAY ?
		seal_stack(s, ret, e) :
		0;
}

void run_mounts_done(struct run_mounts *m)
{
	for (size_t i = 0; i < m->len; i++)
		cleanup_fd(&m->items[i]);
	VEC_DONE(m);
}

/*
 * --- the stage ---------------------------------------------------------------------------------
 */

int run_stage_open(int *ret_stage, struct err *e)
{
	scoped_fd int stage = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0) {
		r = err_set(e, errno, NULL, "cannot make a mount namespace");
		err_op(e, "unshare");
		return r;
	}
	/* Mounts of others still arrive and, what matters more, go. */
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(e, errno, "/", "cannot keep mounts from being seen elsewhere");
	r = newfs_tmpfs(0, &stage, e);
	if (r < 0)
		return r;
	if (fchmodat(stage, ".", 0711, 0) < 0) /* root of the namespace must be able to enter */
		return err_set(
			e, errno, NULL, "cannot open a directory in memory to the command's root");
	*ret_stage = TAKE_FD(stage);
	return 0;
}

/*
 * It must be somewhere in the namespace, but in nobody's way: so it goes onto a directory that is
 * there everywhere, and on top of it what was there before. (On top of "/" would do as well, but
 * then the caller counts as in a chroot, and may make no user namespace.)
 */
static int stage_hide(int stage, struct err *e)
{
	static const struct mount_flags as_it_is = { .set = 0 };
	static const char path[] = "/dev";
	scoped_fd int before = -1;
	int r = clone_all(path, &as_it_is, &before, e);

	if (r < 0)
		return r;
	if (sys_move_mount(stage, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		sys_move_mount(before, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = err_set(
			e, errno, path, "cannot attach a directory in memory for the mounts there");
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
		return err_set(e, errno, NULL, "cannot make a place for a mount");
	if (sys_move_mount(mnt, "", stage, name, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = err_set(e, errno, NULL, "cannot attach a mount");
		err_op(e, "move_mount");
		return r;
	}
	return 0;
}

/* The host's /sys, read-only for good: what is world-writable there is the host's. */
static int stage_sys(int stage, struct err *e)
{
	const struct mount_flags flags = { .set = RUN_SYS_FLAGS, .propagation = MS_PRIVATE };
	scoped_fd int sys = -1;
	int r = clone_all("/sys", &flags, &sys, e);

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

int run_mounts_take(const struct run_spec *s, struct run_mounts *ret, struct err *e)
{
	for (size_t i = 0; i <= s->binds.len; i++) {
		char name[24];
		int fd;

		(void)snprintf(name, sizeof(name), "%zu", i); /* fits: 20 digits */
		fd = sys_open_tree(
			AT_FDCWD, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (fd < 0)
			return err_set(e, errno, NULL,
				"cannot take over a mount that was made for the command");
		if (VEC_ADD(ret, fd) < 0) {
			cleanup_fd(&fd);
			return err_nomem(e);
		}
	}
	return 0;
}
