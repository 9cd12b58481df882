/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rbind_clone: a directory and what is mounted below it, cloned and mapped. */

#include "rbind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "privns.h"
#include "probe.h"

/*
 * --- all at once -------------------------------------------------------------------------------
 */

/*
 * The kernel leaves out unbindable mounts without a word, and has no call that drops only the maps
 * that are there.
 */
static bool needs_parts(int fd, const struct submounts *t, const struct mount_map *map)
{
	scoped_mount_info struct mount_info top = { .id = -1 };

	for (size_t i = 0; i < t->mounts.len; i++) {
		const struct mount_info *m = &t->mounts.items[i].info;

		if (m->propagation & MS_UNBINDABLE || (map->wish != MAP_KEEP && m->mapped))
			return true;
	}
	return map->wish != MAP_KEEP && mount_info_get(fd, &top, NULL) == 0 && top.mapped;
}

/*
 * Returns 0 or -errno, and fills nothing: what is wrong is found out one by one. ret_cloned: it
 * failed after cloning.
 */
static int clone_whole(int fd, const struct mount_map *map, const struct mount_flags *flags,
	int userns, int *ret_fd, bool *ret_cloned)
{
	scoped_fd int tree = sys_open_tree(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	int r;

	if (tree < 0)
		return -errno;
	*ret_cloned = true;
	r = mount_attr_set_all(tree, flags, map->wish == MAP_SET ? userns : -1);
	if (r == 0)
		*ret_fd = TAKE_FD(tree);
	return r;
}

/* The submount as the source shows it: -ESTALE when something else covers it. */
static int open_submount(
	int fd, const struct submount *m, const char *path, int *ret, struct err *e)
{
	scoped_fd int sub = -1;
	struct statx stx;
	int r;

	r = fd_open_beneath(fd, m->rel, O_PATH, &sub, NULL);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ?
			-ESTALE :
			err_set(e, -r, path, "cannot open what is mounted there");
	if (statx(sub, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, path, "cannot ask which mount this is");
	if (stx.stx_mnt_id != (uint64_t)m->info.id)
		return -ESTALE;
	*ret = TAKE_FD(sub);
	return 0;
}

bool rbind_all(
	int fd, const struct submounts *t, bool (*is)(int fd, const void *arg), const void *arg)
{
	for (size_t i = 0; i < t->mounts.len; i++) {
		scoped_fd int sub = -1;
		int r;

		if (t->mounts.items[i].left_out)
			continue;
		r = open_submount(fd, &t->mounts.items[i], "", &sub, NULL);
		if (r == -ESTALE)
			continue; /* covered */
		if (r < 0 || !is(sub, arg))
			return false;
	}
	return true;
}

/*
 * Every mount of the detached tree has the flags, and its root the owner that the map makes of it.
 */
static int verify_whole(int fd, int tree, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, const struct submounts *t, struct err *e)
{
	int r = map->wish == MAP_SET ? verify_owner(tree, fd, NULL, &map->map, name, e) : 0;

	for (size_t i = 0; i < t->mounts.len && r == 0; i++) {
		const struct submount *m = &t->mounts.items[i];
		scoped_free char *path = submount_path(name, m);
		scoped_fd int source = -1, clone = -1;

		if (!path)
			return err_nomem(e);
		r = open_submount(fd, m, path, &source, e);
		if (r == -ESTALE) {
			r = 0; /* covered in the clone as well */
			continue;
		}
		if (r == 0)
			r = fd_open_beneath(tree, m->rel, O_PATH, &clone, e);
		if (r == 0)
			r = verify_flags(clone, flags, path, e);
		if (r == 0 && map->wish == MAP_SET)
			r = verify_owner(clone, source, NULL, &map->map, path, e);
	}
	return r;
}

/*
 * --- one by one --------------------------------------------------------------------------------
 */

struct parts {
	const char *name;
	int top;
	int *fds; /* of each submount's clone; -1: left out */
	const struct submounts *t;
	int fd; /* the result */
};

static int leave_out(struct submount *m, const char *why, struct err *e)
{
	m->left_out = true;
	m->why = strdup(why);
	return m->why ? 0 : err_nomem(e);
}

static const struct submount *parent_of(const struct submounts *t, const struct submount *m)
{
	for (size_t i = 0; i < t->mounts.len; i++)
		if (t->mounts.items[i].info.id == m->info.parent)
			return &t->mounts.items[i];
	return NULL;
}

/*
 * Clone one of them, or leave it out and say why. Only a failure that is not the mount's own is one
 * here.
 */
static int clone_part(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, const struct submounts *t, struct submount *m, int *ret_fd,
	struct err *e)
{
	const struct submount *parent = parent_of(t, m);
	scoped_free char *path = submount_path(name, m);
	struct err own = ERR_INIT;
	scoped_fd int sub = -1;
	int r;

	if (!path)
		return err_nomem(e);
	if (parent && parent->left_out && !parent->covered)
		return leave_out(m, "what it is mounted on is left out", e);
	r = open_submount(fd, m, path, &sub, e);
	if (r == -ESTALE) {
		m->covered = true;
		return leave_out(m, "another mount covers it", e);
	}
	if (r < 0)
		return r;
	r = clone_mapped(sub, path, map, flags, NULL, ret_fd, &m->done, &own);
	if (r == -EINVAL || r == -EPERM || r == -ENOSYS)
		return leave_out(m, own.why[0] ? own.why : own.what, e);
	if (r < 0 && e)
		*e = own;
	return r;
}

/* In the namespace: put the tree together, and take it out as one. */
static int assemble(void *arg, struct err *e)
{
	struct parts *p = arg;

	if (mkdir("m", 0700) < 0 ||
		sys_move_mount(p->top, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		int r = err_set(e, errno, p->name, "cannot assemble the tree of mounts");

		err_op(e, "move_mount");
		return r;
	}
	for (size_t i = 0; i < p->t->mounts.len; i++) {
		const char *rel = p->t->mounts.items[i].rel;
		scoped_fd int at = -1;
		int r;

		if (p->fds[i] < 0)
			continue;
		r = fd_open_beneath(p->top, rel, O_PATH, &at, e);
		if (r < 0)
			return r;
		if (sys_move_mount(p->fds[i], "", at, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
			r = err_set(e, errno, rel, "cannot assemble the tree of mounts");
			err_op(e, "move_mount");
			return r;
		}
	}
	p->fd = sys_open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (p->fd < 0) {
		int r = err_set(e, errno, p->name,
			"cannot take the tree of mounts out of its mount namespace");

		err_op(e, "open_tree");
		return r;
	}
	return 0;
}

/* The mounts that cannot: all of them, with their types and reasons. */
static int refuse(const char *name, const struct submounts *t, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < t->mounts.len; i++) {
		const struct submount *m = &t->mounts.items[i];

		if (!m->left_out || m->covered)
			continue;
		if (last && strcmp(last, m->why))
			buf_printf(&b, ": %s; ", last);
		else if (last)
			buf_str(&b, ", ");
		buf_printf(&b, "'%s' (%s)", m->rel, m->info.type);
		last = m->why;
		n++;
	}
	buf_printf(&b, ": %s", last ? last : "");
	(void)err_say(e, EINVAL, name,
		"cannot bind all of it: of %zu mounts below, %zu cannot come along", t->mounts.len,
		n);
	err_op(e, "rbind");
	err_why(e, "%s", buf_get(&b) ? buf_get(&b) : "");
	err_try(e, "leave such mounts out: -o rbind,skip-unsupported; or all of them: no rbind");
	return -EINVAL;
}

static void say_left_out(const char *name, const struct submounts *t)
{
	for (size_t i = 0; i < t->mounts.len; i++) {
		const struct submount *m = &t->mounts.items[i];

		if (m->left_out)
			log_verbose(
				"'%s/%s' (%s) is left out: %s", name, m->rel, m->info.type, m->why);
	}
}

static int clone_each(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, bool skip, struct submounts *t, struct parts *p,
	enum map_done *ret_done, struct err *e)
{
	struct mount_flags one = *flags;
	size_t left_out = 0;
	int r;

	/* A mount on a shared one would appear on the source, too. */
	one.propagation = flags->propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
	r = clone_mapped(fd, name, map, &one, NULL, &p->top, ret_done, e);
	for (size_t i = 0; i < t->mounts.len && r == 0; i++) {
		r = clone_part(fd, name, map, &one, t, &t->mounts.items[i], &p->fds[i], e);
		left_out += t->mounts.items[i].left_out && !t->mounts.items[i].covered;
		if (r == 0 && p->fds[i] >= 0)
			r = verify_flags(p->fds[i], &one, t->mounts.items[i].rel, e);
	}
	if (r == 0 && left_out && !skip)
		return refuse(name, t, e);
	if (r == 0 && flags->propagation & MS_SHARED) {
		r = err_say(e, EINVAL, name,
			"cannot be shared with its source: it is not the whole tree of mounts, or "
			"has other maps");
		err_try(e, "leave out the option shared");
	}
	return r;
}

static int clone_parts(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, bool skip, struct submounts *t, int *ret_fd,
	enum map_done *ret_done, struct err *e)
{
	struct mount_flags propagation = { .propagation = flags->propagation };
	struct parts p = { .name = name, .top = -1, .t = t, .fd = -1 };
	int r;

	p.fds = malloc((t->mounts.len + 1) * sizeof(*p.fds));
	if (!p.fds)
		return err_nomem(e);
	for (size_t i = 0; i < t->mounts.len; i++)
		p.fds[i] = -1;

	r = clone_each(fd, name, map, flags, skip, t, &p, ret_done, e);
	if (r == 0)
		r = run_in_private_mntns(name, assemble, &p, e);
	if (r == 0 && (r = mount_attr_set_all(p.fd, &propagation, -1)) < 0) {
		(void)err_set(e, -r, name, "cannot set the propagation of the mounts");
		err_op(e, "mount_setattr");
	}
	if (r == 0) {
		say_left_out(name, t);
		*ret_fd = TAKE_FD(p.fd);
	}
	for (size_t i = 0; i < t->mounts.len; i++)
		cleanup_fd(&p.fds[i]);
	free(p.fds);
	cleanup_fd(&p.top);
	cleanup_fd(&p.fd);
	return r;
}

/* What has become of the maps when all was done in one call. */
static int note_whole(int fd, const struct mount_map *map, struct submounts *t,
	enum map_done *ret_done, struct err *e)
{
	scoped_mount_info struct mount_info top = { .id = -1 };
	int r = map->wish == MAP_KEEP ? mount_info_get(fd, &top, e) : 0;

	*ret_done = map->wish == MAP_SET ? MAP_MADE : top.mapped ? MAP_KEPT : MAP_PLAIN;
	for (size_t i = 0; i < t->mounts.len; i++)
		t->mounts.items[i].done = map->wish == MAP_SET ? MAP_MADE :
			t->mounts.items[i].info.mapped         ? MAP_KEPT :
								 MAP_PLAIN;
	return r;
}

static int explain_whole(int whole, bool cloned, int fd, const char *name, int userns,
	const struct mount_flags *flags, struct err *e)
{
	if (!cloned) {
		(void)err_set(e, -whole, name, "cannot clone the mount and those below");
		err_op(e, "open_tree");
		probe_clone(fd, e);
		return whole;
	}
	(void)err_set(
		e, -whole, name, "cannot set the ID mapping or the flags of all mounts below");
	err_op(e, "mount_setattr");
	probe_idmap(fd, userns, flags, e);
	return whole;
}

int rbind_clone(int fd, const char *name, const struct mount_map *map,
	const struct mount_flags *flags, bool skip, struct submounts *t, int *ret_fd,
	enum map_done *ret_done, struct err *e)
{
	int userns = -1, whole = 0, r = 0;
	bool cloned = false;

	if (!t->mounts.len)
		return clone_mapped(fd, name, map, flags, NULL, ret_fd, ret_done, e);
	if (map->wish == MAP_SET)
		r = userns_get(&map->map, &userns, e);
	if (r < 0)
		return r;
	if (!needs_parts(fd, t, map)) {
		whole = clone_whole(fd, map, flags, userns, ret_fd, &cloned);
		if (whole == 0) {
			r = note_whole(fd, map, t, ret_done, e);
			return r == 0 ? verify_whole(fd, *ret_fd, name, map, flags, t, e) : r;
		}
		if (whole != -EINVAL && whole != -EPERM) /* not the fault of one of them */
			return explain_whole(whole, cloned, fd, name, userns, flags, e);
		log_verbose("the mounts cannot be bound in one call (%s): one by one",
			strerrorname_np(-whole));
	}
	r = clone_parts(fd, name, map, flags, skip, t, ret_fd, ret_done, e);
	/*
	 * Mounts that came into a user namespace with their parents cannot be taken apart: then the
	 * failure of the whole counts.
	 */
	if (r == -EINVAL && cloned && e && !strcmp(e->op, "open_tree"))
		r = explain_whole(whole, cloned, fd, name, userns, flags, e);
	return r;
}
