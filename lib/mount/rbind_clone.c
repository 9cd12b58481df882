/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rbind_clone: clone and map a directory with the mounts below it. */

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
 * --- all in one call ---------------------------------------------------------------------------
 */

/*
 * The kernel silently omits unbindable mounts, and has no call that drops maps only where there are
 * some.
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
 * Returns 0 or -errno and fills no struct err: the mounts are cloned one by one to find the cause.
 * *ret_cloned: the failure came after cloning.
 */
static int clone_whole(
	int fd, const struct clone_how *how, int userns, int *ret_fd, bool *ret_cloned)
{
	scoped_fd int tree = sys_open_tree(
		fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	int r;

	if (tree < 0)
		return -errno;
	*ret_cloned = true;
	r = mount_attr_set_all(tree, how->flags, how->map->wish == MAP_SET ? userns : -1);
	if (r == 0)
		*ret_fd = TAKE_FD(tree);
	return r;
}

static int verify_part(
	int fd, int tree, const struct clone_how *how, const struct submount *m, struct err *e)
{
	scoped_free char *path = submount_path(how->name, m);
	scoped_fd int source = -1, clone = -1;
	int r;

	if (!path)
		return err_nomem(e);
	r = submount_open(fd, m, path, &source, e);
	if (r == -ESTALE)
		return 0; /* it is covered in the clone as well */
	if (r == 0)
		r = fd_open_beneath(tree, m->rel, O_PATH, &clone, e);
	if (r == 0)
		r = verify_flags(clone, how->flags, path, e);
	if (r == 0 && how->map->wish == MAP_SET)
		r = verify_owner(clone, source, NULL, &how->map->map, path, e);
	return r;
}

/* Each mount of the detached tree must have the flags, and the owner of its root must be mapped. */
static int verify_whole(
	int fd, int tree, const struct clone_how *how, const struct submounts *t, struct err *e)
{
	const struct mount_map *map = how->map;
	int r = map->wish == MAP_SET ? verify_owner(tree, fd, NULL, &map->map, how->name, e) : 0;

	for (size_t i = 0; i < t->mounts.len && r == 0; i++)
		r = verify_part(fd, tree, how, &t->mounts.items[i], e);
	return r;
}

/*
 * --- one by one --------------------------------------------------------------------------------
 */

/* The clones before they are assembled. */
struct parts {
	const char *name;
	int top;
	int *fds; /* the clone of each submount; -1: skipped */
	const struct submounts *t;
	int fd; /* the assembled tree */
};

static int skip(struct submount *m, const char *why, struct err *e)
{
	m->skipped = true;
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
 * Clone one mount, or skip it and note the reason. Only a failure that the mount itself did
 * not cause is returned. how: for the submount, without its name.
 */
static int clone_part(int fd, struct clone_how how, const struct submounts *t, struct submount *m,
	int *ret_fd, struct err *e)
{
	const struct submount *parent = parent_of(t, m);
	scoped_free char *path = submount_path(how.name, m);
	struct err own = ERR_INIT;
	scoped_fd int sub = -1;
	int r;

	if (!path)
		return err_nomem(e);
	if (parent && parent->skipped && !parent->covered)
		return skip(m, "what it is mounted on is skipped", e);
	r = submount_open(fd, m, path, &sub, e);
	if (r == -ESTALE) {
		m->covered = true;
		return skip(m, "another mount covers it", e);
	}
	if (r < 0)
		return r;
	how.name = path;
	r = clone_mapped(sub, &how, ret_fd, &m->map_change, &own);
	if (r == -EINVAL || r == -EPERM || r == -ENOSYS)
		return skip(m, own.why[0] ? own.why : own.what, e);
	if (r < 0 && e)
		*e = own;
	return r;
}

static int assemble_failed(const char *on, struct err *e)
{
	int r = err_set(e, errno, on, "cannot assemble the tree of mounts");

	err_op(e, "move_mount");
	return r;
}

/* Runs in the private namespace: attach the clones to each other, and clone the result as one. */
static int assemble(void *arg, struct err *e)
{
	struct parts *p = arg;

	if (mkdir("m", 0700) < 0 ||
		sys_move_mount(p->top, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return assemble_failed(p->name, e);
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
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
			return assemble_failed(rel, e);
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

/* The error names all mounts that cannot be cloned, with their types and reasons. */
static int refuse(const char *name, const struct submounts *t, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < t->mounts.len; i++) {
		const struct submount *m = &t->mounts.items[i];

		if (!m->skipped || m->covered)
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
		"cannot bind all of it: of %zu mounts below, %zu cannot be bound", t->mounts.len,
		n);
	err_op(e, "rbind");
	err_why(e, "%s", buf_get(&b) ? buf_get(&b) : "");
	err_try(e, "omit these mounts: -o rbind,skip-unsupported; or all mounts below: no rbind");
	return -EINVAL;
}

static void log_skipped(const char *name, const struct submounts *t)
{
	for (size_t i = 0; i < t->mounts.len; i++) {
		const struct submount *m = &t->mounts.items[i];

		if (m->skipped)
			log_verbose(
				"'%s/%s' (%s) is skipped: %s", name, m->rel, m->info.type, m->why);
	}
}

static int clone_each(int fd, const struct clone_how *how, struct submounts *t, struct parts *p,
	enum map_change *ret_change, struct err *e)
{
	struct mount_flags flags = *how->flags;
	const struct clone_how one = { .name = how->name, .map = how->map, .flags = &flags };
	size_t skipped = 0;
	int r;

	/* A mount that is attached to a shared one would appear on the source, too. */
	flags.propagation = how->flags->propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
	r = clone_mapped(fd, &one, &p->top, ret_change, e);
	for (size_t i = 0; i < t->mounts.len && r == 0; i++) {
		struct submount *m = &t->mounts.items[i];

		r = clone_part(fd, one, t, m, &p->fds[i], e);
		skipped += m->skipped && !m->covered;
		if (r == 0 && p->fds[i] >= 0)
			r = verify_flags(p->fds[i], &flags, m->rel, e);
	}
	if (r == 0 && skipped && !how->skip_unsupported)
		return refuse(how->name, t, e);
	if (r == 0 && how->flags->propagation & MS_SHARED) {
		r = err_say(e, EINVAL, how->name,
			"cannot be shared with its source: it is not the whole tree of mounts, or "
			"has other maps");
		err_try(e, "omit the option shared");
	}
	return r;
}

static int clone_parts(int fd, const struct clone_how *how, struct submounts *t, int *ret_fd,
	enum map_change *ret_change, struct err *e)
{
	struct mount_flags propagation = { .propagation = how->flags->propagation };
	struct parts p = { .name = how->name, .top = -1, .t = t, .fd = -1 };
	int r;

	p.fds = malloc((t->mounts.len + 1) * sizeof(*p.fds));
	if (!p.fds)
		return err_nomem(e);
	for (size_t i = 0; i < t->mounts.len; i++)
		p.fds[i] = -1;

	r = clone_each(fd, how, t, &p, ret_change, e);
	if (r == 0)
		r = run_in_private_mntns(how->name, assemble, &p, e);
	if (r == 0 && (r = mount_attr_set_all(p.fd, &propagation, -1)) < 0) {
		(void)err_set(e, -r, how->name, "cannot set the propagation of the mounts");
		err_op(e, "mount_setattr");
	}
	if (r == 0) {
		log_skipped(how->name, t);
		*ret_fd = TAKE_FD(p.fd);
	}
	for (size_t i = 0; i < t->mounts.len; i++)
		cleanup_fd(&p.fds[i]);
	free(p.fds);
	cleanup_fd(&p.top);
	cleanup_fd(&p.fd);
	return r;
}

/*
 * --- both --------------------------------------------------------------------------------------
 */

/* How the maps have changed when all was done in one call. */
static int note_changes(int fd, const struct mount_map *map, struct submounts *t,
	enum map_change *ret_change, struct err *e)
{
	scoped_mount_info struct mount_info top = { .id = -1 };
	int r = map->wish == MAP_KEEP ? mount_info_get(fd, &top, e) : 0;

	*ret_change = map->wish == MAP_SET ? MAP_MADE : top.mapped ? MAP_KEPT : MAP_PLAIN;
	for (size_t i = 0; i < t->mounts.len; i++)
		t->mounts.items[i].map_change = map->wish == MAP_SET ? MAP_MADE :
			t->mounts.items[i].info.mapped               ? MAP_KEPT :
								       MAP_PLAIN;
	return r;
}

static int whole_failed(
	int r, bool cloned, int fd, const struct clone_how *how, int userns, struct err *e)
{
	if (!cloned) {
		(void)err_set(e, -r, how->name, "cannot clone the mount and those below");
		err_op(e, "open_tree");
		probe_clone(fd, how->map->wish == MAP_SET, e);
		return r;
	}
	(void)err_set(
		e, -r, how->name, "cannot set the ID mapping or the flags of all mounts below");
	err_op(e, "mount_setattr");
	probe_idmap(fd, userns, how->flags, e);
	return r;
}

int rbind_clone(int fd, const struct clone_how *how, struct submounts *t, int *ret_fd,
	enum map_change *ret_change, struct err *e)
{
	int userns = -1, whole = 0, r = 0;
	bool cloned = false;

	if (!t->mounts.len)
		return clone_mapped(fd, how, ret_fd, ret_change, e);
	if (how->map->wish == MAP_SET)
		r = userns_get(&how->map->map, &userns, e);
	if (r < 0)
		return r;
	if (!needs_parts(fd, t, how->map)) {
		whole = clone_whole(fd, how, userns, ret_fd, &cloned);
		if (whole == 0) {
			r = note_changes(fd, how->map, t, ret_change, e);
			return r == 0 ? verify_whole(fd, *ret_fd, how, t, e) : r;
		}
		if (whole != -EINVAL && whole != -EPERM) /* no single mount is the cause */
			return whole_failed(whole, cloned, fd, how, userns, e);
		log_verbose("the mounts cannot be bound in one call (%s): one by one",
			strerrorname_np(-whole));
	}
	r = clone_parts(fd, how, t, ret_fd, ret_change, e);
	/*
	 * Mounts that came into a user namespace together with their parents cannot be cloned
	 * without them: then the failure of the whole tree is the one to report.
	 */
	if (r == -EINVAL && cloned && e && !strcmp(e->op, "open_tree"))
		r = whole_failed(whole, cloned, fd, how, userns, e);
	return r;
}
