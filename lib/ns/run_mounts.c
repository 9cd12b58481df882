/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Make the mounts of the command's root and binds, detached. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "../mount/clone.h"
#include "../mount/dirent_at.h"
#include "../mount/exposure.h"
#include "../mount/fsids.h"
#include "../mount/mount_attr.h"
#include "../mount/mount_verify.h"
#include "../mount/overlay.h"

int run_mounts_clone(const char *path, const struct mount_flags *flags, int *ret_fd, struct err *e)
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

/*
 * Refuse a writable, ID-mapped root of the host that shows disk id 0: the command could change
 * every file of the host's root. No option allows it.
 */
static int check_host_root(int fd, const char *source, const struct mount_map *map,
	const struct mount_flags *flags, struct err *e)
{
	uint32_t seen;

	if (flags->set & MOUNT_ATTR_RDONLY || map->wish != MAP_SET || !is_host_root(fd))
		return 0;
	if (!idmap_uid_seen(&map->map, 0, &seen) && !idmap_gid_seen(&map->map, 0, &seen))
		return 0;
	(void)err_say(
		e, EINVAL, source, "is the host's own root, which a command cannot get writable");
	err_try(e, "make it read-only: --read-only for the root, :ro after a bind");
	return -EINVAL;
}

/* s: without fd, which is opened here. */
static int make_mapped(struct exposure_source s, int *ret_fd, struct err *e)
{
	scoped_fd int fd = -1, tree = -1;
	const struct clone_how how = { .name = s.name, .map = s.map, .flags = s.flags };
	enum map_change change;
	int r;

	r = clone_open_source(s.name, &fd, e);
	if (r == 0)
		r = clone_mapped(fd, &how, &tree, &change, e);
	/* Check this after cloning: the user learns first that the filesystem cannot be mapped. */
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
	struct mount_plan stack = s->root; /* shallow: the spec owns its members */

	/* In its own tree, mounts and above all unmounts of the host propagate to the command. */
	if (s->host_root)
		flags.propagation = MS_SLAVE;
	flags.set = with_read_only(flags.set, s->read_only);
	if (s->host_root)
		return run_mounts_clone("/", &flags, ret_fd, e);
	if (s->root.kind == MOUNT_OVERLAY) {
		stack.upper_in = want;
		return make_stack(&stack, ret_fd, e);
	}
	if (s->privileged)
		return make_mapped((struct exposure_source){ .name = s->root.source,
					   .map = &s->root.map,
					   .flags = &flags,
					   .public_ = s->root.public_,
					   .word = "-o public" },
			ret_fd, e);
	return run_mounts_clone(s->root.source, &flags, ret_fd, e);
}

static int make_bind(const struct run_spec *s, const struct run_bind *b, int *ret_fd, struct err *e)
{
	struct mount_flags flags = { .set = b->dev ? 0 : MOUNT_ATTR_NODEV,
		.propagation = MS_PRIVATE };
	struct mount_map map =
		b->own_map ? (struct mount_map){ .wish = MAP_SET, .map = s->map } : b->map;

	flags.set = with_read_only(flags.set, b->read_only);
	if (map.wish == MAP_KEEP)
		return run_mounts_clone(b->source, &flags, ret_fd, e);
	return make_mapped((struct exposure_source){ .name = b->source,
				   .map = &map,
				   .flags = &flags,
				   .public_ = b->public_,
				   .word = "public in the words of -b" },
		ret_fd, e);
}

/*
 * Create the mount points in the overlay, which does not change its layers, and make it read-only.
 */
static int make_stack_read_only(const struct run_spec *s, const struct run_mounts *m, struct err *e)
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

/*
 * Is this another directory than the one that run_check_own() checked (want), or than the one whose
 * owner the map refers to?
 */
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
			e, ESTALE, s->root.source, "was replaced by another directory meanwhile");
	return S_ISDIR(st.st_mode) ?
		0 :
		err_path(e, ENOTDIR, s->root.source, "cannot use this as the root of the command");
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
		make_stack_read_only(s, ret, e) :
		0;
}

void run_mounts_done(struct run_mounts *m)
{
	for (size_t i = 0; i < m->len; i++)
		cleanup_fd(&m->items[i]);
	VEC_DONE(m);
}
