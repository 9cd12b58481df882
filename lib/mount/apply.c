/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* apply: carry out a plan. */

#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "clone_cache.h"
#include "device.h"
#include "exposure.h"
#include "inside.h"
#include "layer_image.h"
#include "mkdir_owned.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "overlay.h"
#include "overlay_settings.h"
#include "upper_stale.h"

/* Detach a mount that is attached already, even if it is busy. */
static void detach(int mnt)
{
	char path[32];

	if (sys_umount2(fd_proc_path(mnt, path), SYS_MNT_DETACH) < 0)
		log_warn("cannot detach a mount that is not as requested: %s",
			strerrordesc_np(errno));
}

static int move(int mnt, const struct target *target, const char *path, struct err *e)
{
	int r;

	if (sys_move_mount(mnt, "", target->fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0)
		return 0;
	r = err_set(e, errno, path, "cannot attach the mount");
	err_op(e, "move_mount");
	return r;
}

/*
 * A mount that is attached to a shared one becomes shared (mount_namespaces(7)), so the propagation
 * is set again after attaching.
 */
static int set_propagation(int mnt, const struct mount_plan *p, struct err *e)
{
	struct mount_flags flags = { .propagation = p->flags.propagation };
	int r = p->recursive || p->inside.len ? mount_attr_set_all(mnt, &flags, -1) :
						mount_attr_set(mnt, &flags, -1);

	if (r < 0) {
		(void)err_set(e, -r, p->target, "cannot make the mount %s",
			mount_propagation_name(flags.propagation));
		err_op(e, "mount_setattr");
	}
	return r;
}

/* An overlay mount has no map itself. */
static const struct mount_map *map_of(const struct mount_plan *p)
{
	return p->kind == MOUNT_OVERLAY ? NULL : &p->map;
}

static int verify_result(const struct mount_plan *p, const struct mount_result *res, struct err *e)
{
	int r = verify_info(&res->info, &p->flags, map_of(p), p->target, e);

	return r == 0 && p->kind == MOUNT_OVERLAY ?
		overlay_settings_verify(p, res->info.options, e) :
		r;
}

static int read_back(
	int mnt, const struct mount_plan *p, bool later, struct mount_result *ret, struct err *e)
{
	const struct clone_how how = { .name = p->target, .map = &p->map, .flags = &p->flags };
	int r = later ? mount_info_get_cheap(mnt, &ret->info, e) :
			mount_info_get(mnt, &ret->info, e);

	ret->unread = r == 1;
	if (r == 0)
		r = verify_result(p, ret, e);
	if (r >= 0 && ret->below.mounts.len)
		r = rbind_read_back(mnt, &how, &ret->below, e);
	if (r >= 0 && inside_verify(p, mnt, e) < 0)
		r = -EIO;
	return r < 0 ? r : 0;
}

static int read_flags(int mnt, const struct mount_plan *p, struct mount_flags *ret, struct err *e)
{
	struct mount_flags flags = { .propagation = p->flags.propagation };
	int r = mount_flags_get(mnt, &flags.set);

	if (r < 0)
		return err_set(e, -r, p->source, "cannot read back the flags");
	*ret = flags;
	return 0;
}

/* Returns 0 or -errno. mnt is an O_PATH descriptor, which fchmod(2) does not take. */
static int change_mode(int mnt, const struct stat *st, mode_t mode)
{
	scoped_fd int file = -1;
	char link[32];

	if (S_ISDIR(st->st_mode))
		return fchmodat(mnt, ".", mode, 0) < 0 ? -errno : 0;
	if (!S_ISREG(st->st_mode))
		return -EOPNOTSUPP; /* opening it may have effects */
	file = open(fd_proc_path(mnt, link), O_RDONLY | O_CLOEXEC);
	return file < 0 || fchmod(file, mode) < 0 ? -errno : 0;
}

/* X-mount.mode, which mount(8), too, sets on what is attached */
static int set_root_mode(int mnt, const struct mount_plan *p, struct err *e)
{
	struct stat st;
	int r;

	if (!p->set_mode)
		return 0;
	r = fstat(mnt, &st) < 0 ? -errno : change_mode(mnt, &st, p->root_mode);
	if (r < 0) {
		(void)err_set(e, -r, p->target, "cannot change the mode of the mount's root");
		err_op(e, "chmod");
		return r;
	}
	if (fstat(mnt, &st) < 0)
		return err_set(e, errno, p->target, "cannot read the mode of the mount's root");
	if ((st.st_mode & 07777) != p->root_mode)
		return err_set(e, EIO, p->target, "the mount's root has the mode %04o, not %04o",
			st.st_mode & 07777, p->root_mode);
	return 0;
}

/* Others reach a view by its path, past the directory that it covers. */
static int check_root(const struct mount_plan *p, const struct stat *st, struct err *e)
{
	scoped_buf struct buf word = BUF_INIT;

	if (!p->owned || p->public_ || !(st->st_mode & 077))
		return 0;
	(void)err_say(e, EPERM, p->source,
		"other users could enter the view: its mode is %04o, and the view would have the "
		"same mode",
		st->st_mode & 07777);
	err_op(e, "view");
	buf_shell_word(&word, p->source);
	if (p->kind == MOUNT_BIND && buf_get(&word))
		err_try(e, "chmod 0700 %s, or specify public if others may read it",
			buf_get(&word));
	else
		err_try(e, "specify public if others may read it");
	return -EPERM;
}

/* owner: is set for the result to refer to */
static struct target_how how_to_open(const struct mount_plan *p, struct owner_mode *owner)
{
	*owner = (struct owner_mode){ p->owner_uid, p->owner_gid, 0700 };
	return (struct target_how){
		.want_dir = true,
		.follow = p->follow,
		.create = p->mkdir || p->owned,
		.mode = p->mkdir_mode,
		.owner = p->owned ? owner : NULL,
	};
}

static int attach(
	int mnt, const struct mount_plan *p, bool later, struct mount_result *ret, struct err *e)
{
	scoped_target struct target target = TARGET_INIT;
	struct owner_mode owner;
	struct target_how how = how_to_open(p, &owner);
	struct stat st;
	int r;

	if (fstat(mnt, &st) < 0)
		return err_set(e, errno, p->source, "cannot stat the source");
	r = check_root(p, &st, e);
	if (r == 0)
		r = read_flags(mnt, p, &ret->flags, e);
	if (r < 0)
		return r;
	how.want_dir = S_ISDIR(st.st_mode);
	r = target_open(p->target, &how, &target, e);
	if (r < 0)
		return r;
	exposure_warn_target(p, target.fd, false, &ret->warnings);

	r = move(mnt, &target, p->target, e);
	if (r == 0) {
		r = set_propagation(mnt, p, e);
		if (r == 0)
			r = set_root_mode(mnt, p, e);
		if (r == 0)
			r = read_back(mnt, p, later, ret, e);
		if (r < 0)
			detach(mnt);
	}
	if (r < 0) {
		target_undo(&target);
		return r;
	}

	cleanup_fd(&target.fd);
	target.fd = -1;
	ret->target = target;
	target = TARGET_INIT;
	return 0;
}

static int assemble_bind(const struct mount_plan *p, struct mount_snapshot *before,
	struct mount_result *ret, int *ret_tree, struct err *e)
{
	scoped_fd int opened = -1, tree = -1;
	struct exposure_source exposed = {
		.name = p->source,
		.map = &p->map,
		.flags = &p->flags,
		.below = p->recursive ? &ret->below : NULL,
		.public_ = p->public_,
		.only_warn = p->only_warn,
		.own_mode_counts = true,
		.word = exposure_word(p),
		.warnings = &ret->warnings,
	};
	const struct clone_how how = {
		.name = p->source,
		.map = &p->map,
		.flags = &p->flags,
		.snapshot = p->recursive ? NULL : before,
		.skip_unsupported = p->skip_unsupported,
	};
	int source = p->source_fd, r = 0;

	if (!p->source_open) {
		r = clone_open_source(p->source, &opened, e);
		source = opened;
	}
	if (r == 0 && p->recursive)
		r = rbind_list(source, p->source, &ret->below, e);
	if (r == 0 && p->recursive)
		r = rbind_clone(source, &how, &ret->below, &tree, &ret->map_change, e);
	else if (r == 0)
		r = clone_mapped(source, &how, &tree, &ret->map_change, e);
	exposed.fd = source;
	exposed.closed = before ? clone_cache_note(source) : NULL;
	/*
	 * If the source cannot be mapped at all, that is reported first: no other place would help.
	 */
	if (r == 0)
		r = exposure_check(&exposed, e);
	if (r == 0)
		r = verify_flags(tree, &p->flags, p->source, e);
	if (r < 0)
		return r;
	*ret_tree = TAKE_FD(tree);
	return 0;
}

static int assemble_fs(
	const struct mount_plan *p, struct mount_result *ret, int *ret_mnt, struct err *e)
{
	scoped_device struct device d = DEVICE_INIT;
	scoped_fd int mnt = -1;
	int r = device_open(p, &d, e);

	if (r == 0)
		r = device_mount(p, &d, &mnt, e);
	if (r == 0)
		r = exposure_check_device(p, &d, &ret->warnings, e);
	if (r == 0)
		r = verify_flags(mnt, &p->flags, p->source, e);
	if (r < 0)
		return r;
	ret->map_change = p->map.wish == MAP_SET ? MAP_MADE : MAP_PLAIN;
	ret->read_only = d.read_only;
	if (d.fd >= 0)
		ret->device = TAKE_PTR(d.path);
	*ret_mnt = TAKE_FD(mnt);
	return 0;
}

static int assemble_overlay(
	const struct mount_plan *p, struct mount_result *ret, int *ret_mnt, struct err *e)
{
	scoped_overlay struct overlay o = OVERLAY_INIT;
	int r = overlay_assemble(p, &o, e);

	if (r == 0)
		r = verify_flags(o.fd, &p->flags, p->source, e);
	if (r < 0) {
		overlay_undo(&o);
		return r;
	}
	ret->method = o.method;
	ret->upper_plain = o.upper_plain;
	upper_close(&o.upper);
	ret->upper = o.upper;
	o.upper = UPPER_INIT;
	*ret_mnt = TAKE_FD(o.fd);
	return 0;
}

/* What was created for an upper is noted in ret, and removed by mount_apply() after a failure. */
static int assemble_one(const struct mount_plan *p, struct mount_snapshot *before,
	struct mount_result *ret, int *ret_mnt, struct err *e)
{
	return p->kind == MOUNT_BIND ? assemble_bind(p, before, ret, ret_mnt, e) :
		p->kind == MOUNT_FS  ? assemble_fs(p, ret, ret_mnt, e) :
				       assemble_overlay(p, ret, ret_mnt, e);
}

static void add_warnings(struct strv *to, const struct strv *from)
{
	for (size_t i = 0; i < from->len; i++)
		log_warn_later(to, "%s", from->items[i]);
}

/* ret: of the whole, which has one stack, at the top or inside */
static int assemble_inside(
	const struct mount_plan *p, struct mount_result *ret, struct inside *in, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++) {
		const struct mount_plan *part = p->inside.items[i].plan;
		struct mount_result other = MOUNT_RESULT_INIT;
		scoped_fd int fd = -1;

		r = assemble_one(part, NULL, part->kind == MOUNT_OVERLAY ? ret : &other, &fd, e);
		if (r == 0 && VEC_ADD(&in->fds, fd) < 0)
			r = err_nomem(e);
		if (r == 0)
			(void)TAKE_FD(fd);
		add_warnings(&ret->warnings, &other.warnings);
		mount_result_done(&other);
	}
	return r;
}

/*
 * Assemble a plan with all that is inside it. To create places inside is the first thing that is
 * not undone after a failure, so a target that is missing is noticed before.
 */
static int assemble(const struct mount_plan *p, struct mount_snapshot *before,
	struct mount_result *ret, int *ret_mnt, struct err *e)
{
	scoped_inside struct inside in = { .fds = { 0 } };
	struct mount_plan top = *p; /* what it points to is borrowed */
	struct owner_mode owner;
	const struct target_how how = how_to_open(p, &owner);
	int r;

	if (!p->inside.len)
		return assemble_one(p, before, ret, ret_mnt, e);
	top.flags.propagation = MS_PRIVATE; /* attach() sets that of the plan */
	r = assemble_one(&top, before, ret, ret_mnt, e);
	if (r == 0)
		r = assemble_inside(p, ret, &in, e);
	if (r == 0)
		r = target_check(p->target, &how, e);
	return r == 0 ? inside_attach(p, &in, ret_mnt, e) : r;
}

int mount_apply(const struct mount_plan *p, struct mount_snapshot *before, struct mount_result *ret,
	struct err *e)
{
	struct mount_result result = MOUNT_RESULT_INIT;
	scoped_fd int mnt = -1;
	int r = mount_plan_check(p, e);

	if (r == 0)
		r = assemble(p, before, &result, &mnt, e);
	if (r == 0)
		r = attach(mnt, p, before != NULL, &result, e);
	if (r < 0) {
		cleanup_fd(&mnt); /* directories that are in use cannot be removed */
		mnt = -1;
		upper_undo(&result.upper);
		mount_result_done(&result);
		return r;
	}

	*ret = result;
	return 0;
}

static int try_bind(const struct mount_plan *p, struct mount_flags *ret_flags, mode_t *ret_type,
	struct strv *warnings, struct err *e)
{
	struct mount_result res = MOUNT_RESULT_INIT;
	scoped_fd int tree = -1;
	struct stat st;
	int r = assemble_bind(p, NULL, &res, &tree, e);

	if (r == 0 && fstat(tree, &st) < 0)
		r = err_set(e, errno, p->source, "cannot stat the source");
	if (r == 0)
		r = check_root(p, &st, e);
	if (r == 0)
		r = read_flags(tree, p, ret_flags, e);
	if (r == 0)
		*ret_type = st.st_mode & S_IFMT;
	if (r == 0)
		add_warnings(warnings, &res.warnings);
	mount_result_done(&res);
	return r;
}

/* An upper would be changed by mounting it, so the stack is assembled without it. */
static int try_overlay(const struct mount_plan *p, struct mount_flags *ret_flags, struct err *e)
{
	scoped_overlay struct overlay o = OVERLAY_INIT;
	struct mount_plan lower = *p; /* what it points to is borrowed */
	int r;

	lower.upper_kind = UPPER_NONE;
	lower.volatile_ = false;
	if (layer_images(p)) { /* to assemble them takes loop devices */
		r = layer_images_try(p, e);
		*ret_flags = mount_plan_flags(&lower);
	} else {
		r = overlay_assemble(&lower, &o, e);
		if (r == 0)
			r = read_flags(o.fd, p, ret_flags, e);
	}
	if (r == 0 && p->upper_kind != UPPER_NONE)
		ret_flags->set = (ret_flags->set & ~(uint64_t)MOUNT_ATTR_RDONLY) |
			(p->flags.set & MOUNT_ATTR_RDONLY);
	if (r == 0)
		r = upper_check(p, e);
	return r == 0 ? upper_stale_check(p, e) : r;
}

static int try_inside(const struct mount_plan *p, struct strv *warnings, struct err *e)
{
	struct mount_flags flags;
	int r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		r = mount_trial(p->inside.items[i].plan, false, &flags, warnings, e);
	return r;
}

int mount_trial(const struct mount_plan *p, bool target, struct mount_flags *ret,
	struct strv *warnings, struct err *e)
{
	struct mount_flags flags = mount_plan_flags(p);
	struct owner_mode owner;
	struct target_how how = how_to_open(p, &owner);
	mode_t type = S_IFDIR;
	int r = mount_plan_check(p, e);

	if (r == 0 && p->kind == MOUNT_BIND)
		r = try_bind(p, &flags, &type, warnings, e);
	else if (r == 0 && p->kind == MOUNT_OVERLAY)
		r = try_overlay(p, &flags, e);
	if (r == 0)
		r = try_inside(p, warnings, e);
	how.want_dir = type == S_IFDIR;
	if (r == 0 && target)
		r = target_check(p->target, &how, e);
	if (r == 0)
		*ret = flags;
	return r;
}

int mount_read_back(
	const struct mount_plan *p, struct mount_result *r, struct mount_snapshot *s, struct err *e)
{
	uint64_t unique = r->info.unique;
	int found;

	if (!r->unread)
		return 0;
	found = mount_info_find(r->info.id, s, &r->info, e);
	r->info.unique = unique;
	if (found < 0)
		return found;
	r->unread = false;
	return verify_result(p, r, e);
}

int mount_unmount(const struct mount_plan *p, int id, enum umount_how how, struct err *e)
{
	return umount_id(p->target, p->follow, id, how, e);
}

void mount_undo(const struct mount_plan *p, struct mount_result *r)
{
	struct err e = ERR_INIT;

	if (mount_unmount(p, r->info.id, UMOUNT_DETACH, &e) < 0) {
		log_warn("'%s': cannot undo the mount: %s", p->target,
			e.num ? strerrordesc_np(e.num) : e.what);
		return;
	}
	target_undo(&r->target);
	upper_undo(&r->upper);
}

void mount_result_done(struct mount_result *r)
{
	mount_info_done(&r->info);
	free(r->device);
	r->device = NULL;
	submounts_done(&r->below);
	strv_done(&r->warnings);
	target_done(&r->target);
	upper_done(&r->upper);
}
