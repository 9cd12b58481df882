/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay: assemble a stack of mapped layers. */

#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/env.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../idmap/userns_self.h"
#include "clone.h"
#include "flags.h"
#include "fs_limits.h"
#include "layer_image.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "newfs.h"
#include "overlay_create.h"
#include "overlay_overlap.h"
#include "probe.h"
#include "stored_layer.h"
#include "upper_stale.h"
#include "upper_user.h"

/* Is the layer that was opened the one that the plan was made from? */
static int check_seen(const struct mount_plan *p, size_t i, int fd, struct err *e)
{
	const struct mount_layer *l = &p->layers.items[i];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, l->dir, "cannot stat the layer");
	if (!l->seen || (st.st_dev == l->dev && st.st_ino == l->ino))
		return 0;
	(void)err_say(e, ESTALE, l->dir, "leads to another place than a moment ago");
	err_why(e,
		p->mstack ? "another process has changed the directory of the stack" :
			    "its map was made from the owner of what was there before");
	return -ESTALE;
}

static int open_layer(const struct stack *s, size_t i, int *ret, struct err *e)
{
	const struct mount_plan *p = s->plan;
	const struct mount_layer *l = &p->layers.items[i];
	const int flags = O_PATH | (l->image ? 0 : O_DIRECTORY);
	int r = p->stored ? stored_layer_open(s->store, overlay_layer_name(s, i), O_PATH, ret, e) :
			    path_open(l->dir, flags, "cannot open the layer", NULL, ret, e);

	if (r == -ENOENT && strchr(l->dir, ':'))
		err_try(e, "give each layer by an option of its own: lower=DIR,lower=DIR");
	if (r == 0)
		r = check_seen(p, i, *ret, e);
	if (r < 0)
		err_prefix(e, "layer %zu of %zu", i + 1, p->layers.len);
	return r;
}

/*
 * A layer cannot be mapped. What helps with a source would be the command that was just run, if the
 * layer is on an overlay or the store's.
 */
static void explain_layer(const struct mount_plan *p, size_t i, int source, struct err *e)
{
	static const char places[] =
		"a filesystem that can be ID-mapped, such as ext4, xfs, btrfs or tmpfs";
	enum fs_kind kind = fs_kind_of(source);

	if (!e || e->num != EINVAL || (kind != FS_OVERLAY && !p->stored))
		return;
	if (kind == FS_OVERLAY)
		err_why(e, "%s is on an overlay, which no kernel can ID-map",
			p->stored ? "the store" : "the layer");
	if (p->stored)
		err_try(e, "unpack the image into a store on %s: image-unpack --store DIR", places);
	else
		err_try(e,
			"give the directories that the overlay is made of as layers in its place "
			"(findmnt -T '%s' shows them), or copy the layer to %s",
			p->layers.items[i].dir, places);
}

static int clone_layer(
	const struct mount_plan *p, size_t i, int source, int *ret_clone, struct err *e)
{
	const struct mount_layer *l = &p->layers.items[i];
	int r = l->image ? layer_image_mount(p, i, source, ret_clone, e) :
			   clone_private(source, l->dir, mount_plan_layer_map(p, i), ret_clone, e);

	if (r < 0 && !l->image)
		explain_layer(p, i, source, e);
	if (r < 0)
		err_prefix(e, "layer %zu of %zu", i + 1, p->layers.len);
	return r;
}

static int open_in_tree(struct stack *s, struct err *e)
{
	const struct mount_plan *p = s->plan;

	for (size_t i = 0; i < p->layers.len; i++) {
		scoped_fd int fd = -1;
		int r = stored_layer_open(s->tree, overlay_layer_name(s, i), O_PATH, &fd, e);

		if (r == 0 && p->mstack)
			r = check_seen(p, i, fd, e);
		if (r < 0) {
			err_prefix(e, "layer %zu of %zu", i + 1, p->layers.len);
			return r;
		}
		if (VEC_ADD(&s->lowers, fd) < 0)
			return err_nomem(e);
		(void)TAKE_FD(fd);
	}
	return 0;
}

static void close_tree(struct stack *s)
{
	for (size_t i = 0; i < s->lowers.len; i++)
		cleanup_fd(&s->lowers.items[i]);
	s->lowers.len = 0;
	cleanup_fd(&s->tree);
	s->tree = -1;
}

/*
 * Map the clone of the whole store. 1: done; 0: it failed, and the layers are mapped one by one,
 * which reports the cause.
 */
static int map_store(struct stack *s, struct err *e)
{
	const struct idmap *map = &s->plan->map.map;
	scoped_fd int layer = -1;
	int r;

	if (clone_set_map(s->tree, s->store, s->plan->source, map, NULL) < 0)
		return 0;
	r = open_layer(s, 0, &layer, e);
	if (r == 0)
		r = verify_owner(
			s->lowers.items[0], layer, NULL, map, s->plan->layers.items[0].dir, e);
	return r < 0 ? r : 1;
}

/*
 * Open the directory above layers/, which must be the one that the store was opened with.
 */
static int open_store(struct stack *s, struct err *e)
{
	const struct mount_plan *p = s->plan;
	const char *dir = p->layers.items[0].dir;
	scoped_free char *above = strndup(dir, (size_t)(overlay_layer_name(s, 0) - dir));
	scoped_fd int layers = -1;
	struct stat st;
	int r;

	if (!above)
		return err_nomem(e);
	r = path_open(above, O_PATH | O_DIRECTORY, "cannot open the layers of the store", NULL,
		&layers, e);
	if (r < 0)
		return r;
	if (fstat(layers, &st) < 0)
		return err_set(e, errno, above, "cannot stat the layers of the store");
	if (p->store_seen && (st.st_dev != p->store_dev || st.st_ino != p->store_ino))
		return err_say(e, ESTALE, above, "is no longer the store that was opened before");
	s->store = openat(layers, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->store < 0 ? err_set(e, errno, above, "cannot open the store") : 0;
}

/* Is the layer in the store s->store, which the first layer decides? Then note its name there. */
static bool is_in_store(struct stack *s, size_t i)
{
	char name[STORED_LAYER_NAME];
	scoped_fd int fd = -1, store = -1;
	struct stat st, there;

	if (s->plan->layers.items[i].image || open_layer(s, i, &fd, NULL) < 0 ||
		!stored_layer_find(fd, &store, name) || strv_add(&s->names, name) < 0)
		return false;
	if (!i) {
		s->store = TAKE_FD(store);
		return true;
	}
	return fstat(s->store, &st) == 0 && fstat(store, &there) == 0 && same_file(&st, &there);
}

/*
 * The entries of a directory NAME.mstack may lead to layers of one store. Returns 1 if they do, and
 * names them, or 0: the layers are then cloned one by one.
 */
static int find_store(struct stack *s)
{
	size_t i = 0;

	while (i < s->plan->layers.len && is_in_store(s, i))
		i++;
	if (i && i == s->plan->layers.len)
		return 1;
	strv_done(&s->names);
	cleanup_fd(&s->store);
	s->store = -1;
	return 0;
}

/*
 * All layers of an image are in its store (stored_layer.h), so one clone of the store serves
 * all. This also makes mountinfo show which layers are in use, which --prune needs; a clone of a
 * layer itself would be shown as "/". The layers are opened before the map is set: with a map in
 * which the directory's owner has no id, not even root could traverse it. 1: done; 0: not possible,
 * because the store is on an ID-mapped mount, whose map only a new clone can replace.
 */
static int clone_store(struct stack *s, struct err *e)
{
	const struct mount_plan *p = s->plan;
	int r = p->stored ? open_store(s, e) : 0;

	if (r == 0 && p->map.wish == MAP_SET)
		r = clone_plain(s->store, p->source, true, &s->tree, e);
	else if (r == 0)
		r = clone_private(s->store, p->source, &p->map, &s->tree, e);
	if (r == 0)
		r = open_in_tree(s, e);
	if (r == 0)
		r = p->map.wish == MAP_SET ? map_store(s, e) : 1;
	if (r == 0)
		close_tree(s);
	s->n_in_tree = s->lowers.len;
	return r;
}

/* ret_top: the topmost layer without its clone. */
static int clone_layers(struct stack *s, struct overlap *overlap, int *ret_top, struct err *e)
{
	const struct mount_plan *p = s->plan;
	int cloned = p->stored || (p->mstack && find_store(s)) ? clone_store(s, e) : 0;

	if (cloned < 0)
		return cloned;
	for (size_t i = 0; i < p->layers.len; i++) {
		scoped_fd int source = -1, tree = -1;
		int r = open_layer(s, i, &source, e);

		if (r == 0 && !cloned)
			r = clone_layer(p, i, source, &tree, e);
		if (r == 0 && p->upper_kind == UPPER_DIR)
			r = overlap_add(overlap, source, i, e);
		if (r < 0)
			return r;
		if (!cloned && VEC_ADD(&s->lowers, tree) < 0)
			return err_nomem(e);
		(void)TAKE_FD(tree);
		if (i == 0)
			*ret_top = TAKE_FD(source);
	}
	return 0;
}

/*
 * Without an upper, OverlayFS requires two layers (EINVAL, "at least 2 lowerdir are needed"): an
 * empty one makes no difference.
 */
static int add_empty_layer(struct stack *s, struct err *e)
{
	scoped_fd int empty = -1;
	int r;

	if (s->plan->upper_kind != UPPER_NONE || s->lowers.len != 1)
		return 0;
	r = newfs_tmpfs(0, &empty, e);
	if (r < 0)
		return r;
	if (VEC_ADD(&s->lowers, empty) < 0)
		return err_nomem(e);
	(void)TAKE_FD(empty);
	return 0;
}

/*
 * When a detached mount is closed, the kernel waits for a grace period: 2 ms for each of up to 500
 * clones. So the clones, which are no longer needed, are attached to one detached tmpfs (Linux
 * 6.15), which goes with a single wait. If that fails, they are closed one by one.
 */
static void gather(const struct stack *s)
{
	scoped_fd int dir = -1;
	char name[24];

	if (s->tree >= 0 || s->lowers.len < 3)
		return;
	if (newfs_tmpfs_default(&dir, NULL) < 0)
		return;
	for (size_t i = 0; i < s->lowers.len; i++) {
		(void)snprintf(name, sizeof(name), "%zu", i); /* fits: 20 digits */
		if (mkdirat(dir, name, 0700) < 0 ||
			sys_move_mount(s->lowers.items[i], "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) <
				0)
			return;
	}
	/*
	 * The mounts outlive the tmpfs only as long as their descriptors, and are no longer
	 * detached.
	 */
}

static void stack_done(struct stack *s)
{
	for (size_t i = 0; i < s->lowers.len; i++)
		cleanup_fd(&s->lowers.items[i]);
	VEC_DONE(&s->lowers);
	strv_done(&s->names);
	cleanup_fd(&s->tree);
	cleanup_fd(&s->store);
}

/*
 * --- causes ------------------------------------------------------------------------------------
 */

static bool exists(int dirfd, const char *rel)
{
	return dirfd >= 0 && faccessat(dirfd, rel, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void explain(const struct stack *s, int num, struct err *e)
{
	if (!e)
		return;
	if (num == EBUSY && s->upper && !strcmp(e->op, "upper")) {
		upper_user_explain(&s->upper->ids, e);
	} else if (num == ESTALE && s->upper && s->plan->upper_kind == UPPER_DIR) {
		upper_stale_explain(
			s->plan, upper_marks_read(s->upper, s->lowers.items[0], s->userxattr), e);
	} else if (num == ENODEV) {
		err_why(e, "this kernel has no OverlayFS");
		err_try(e, "modprobe overlay");
	} else if (num == ELOOP) {
		err_why(e,
			"two of the layers are the same directory, or one lies inside another "
			"(dmesg says which)");
		err_try(e, "name each layer once, and none below another");
	} else if (num == EBUSY && !e->why[0]) {
		err_why(e,
			"a layer is the upper or work directory of another overlay mount, or lies "
			"inside one, and with index=on OverlayFS refuses that (dmesg says which)");
		err_try(e, "unmount the other one, or give another layer");
	} else if (num == EINVAL && s->upper && exists(s->upper->work, "work/incompat/volatile")) {
		err_why(e,
			"the upper was mounted volatile: after a crash of the system it may be "
			"incomplete");
		err_try(e,
			"if the system did not crash since, remove work/incompat/volatile in the "
			"work directory");
	} else if (num == EINVAL && s->upper && !e->why[0]) {
		err_why(e,
			"OverlayFS does not accept the upper: its filesystem may lack extended "
			"attributes or file types in directory entries, or it may be an overlay "
			"itself (dmesg says which)");
	} else if (num == EPERM && !userns_is_initial() && !probe_kernel_at_least(5, 11)) {
		err_why(e, "OverlayFS in a user namespace needs Linux 5.11");
	}
}

static int verify_stack(const struct stack *s, int mnt, struct err *e)
{
	int top = s->upper ? s->upper->upper : s->lowers.items[0];
	const char *name = s->plan->source;
	struct stat have, want;
	uint64_t flags;
	int r = mount_flags_get(mnt, &flags);

	if (r < 0 || fstat(mnt, &have) < 0 || fstat(top, &want) < 0)
		return err_set(e, r < 0 ? -r : errno, name, "cannot read back the stack");
	if (have.st_uid != want.st_uid || have.st_gid != want.st_gid) {
		(void)err_say(e, EIO, name,
			"the stack is not as requested: its root is owned by %u:%u, not "
			"%u:%u",
			have.st_uid, have.st_gid, want.st_uid, want.st_gid);
		err_op(e, "verify");
		return -EIO;
	}
	if (s->upper && flags & MOUNT_ATTR_RDONLY) {
		(void)err_set(e, EROFS, name, "cannot make the stack writable");
		err_op(e, "verify");
		err_why(e,
			"OverlayFS could not use the work directory and fell back to read-only "
			"(dmesg says more)");
		err_try(e,
			"look at the filesystem of the upper: is it writable, not full, and does "
			"it have extended attributes?");
		return -EROFS;
	}
	return 0;
}

/*
 * --- together ----------------------------------------------------------------------------------
 */

static bool allowed(const struct overlay_method *method)
{
	const char *only = env_get("SHIFTBOX_OVERLAY_WAY");

	return !only || !*only || !strcmp(only, method->name);
}

/* Try each method that is allowed until one succeeds. */
static int create(struct stack *s, int *ret_fd, const char **ret_method, struct err *e)
{
	enum fallback fallback = FALLBACK_YES;
	int r = -EINVAL;

	for (size_t i = 0; i < ARRAY_LEN(overlay_methods) && fallback != FALLBACK_NO; i++) {
		const struct overlay_method *method = &overlay_methods[i];
		bool keep = fallback == FALLBACK_MAYBE; /* the error of the method before */
		int now;

		if (!allowed(method))
			continue;
		now = method->create(s, ret_fd, &fallback, keep ? NULL : e);
		if (now == 0) {
			*ret_method = method->name;
			return 0;
		}
		r = keep ? r : now;
		if (fallback != FALLBACK_NO && i + 1 < ARRAY_LEN(overlay_methods) &&
			allowed(method + 1))
			log_verbose(
				"OverlayFS does not accept its layers as descriptors here (%s): "
				"passing them by name, in a private mount namespace",
				strerrorname_np(-now));
	}
	if (fallback == FALLBACK_YES) { /* but the other method is not allowed */
		err_why(e, "this kernel does not accept layers as descriptors (Linux 6.15 does)");
		err_try(e, "unset SHIFTBOX_OVERLAY_WAY");
	}
	explain(s, -r, e);
	return r;
}

static int check_way(struct err *e)
{
	const char *only = env_get("SHIFTBOX_OVERLAY_WAY");

	if (!only || !*only)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(overlay_methods); i++)
		if (!strcmp(only, overlay_methods[i].name))
			return 0;
	return err_usage(e, "SHIFTBOX_OVERLAY_WAY is '%s', neither 'fds' nor 'names'", only);
}

/* With index=off OverlayFS does not look at the marks, and mounts what does not fit together. */
static void warn_of_marks(const struct stack *s)
{
	upper_stale_warn(s->plan, upper_marks_read(s->upper, s->lowers.items[0], s->userxattr));
}

static int assemble(struct stack *s, struct overlap *overlap, struct overlay *o, struct err *e)
{
	const struct mount_plan *p = s->plan;
	scoped_fd int top = -1;
	int r;

	r = clone_layers(s, overlap, &top, e);
	if (r == 0)
		r = add_empty_layer(s, e);
	if (r == 0 && p->upper_kind != UPPER_NONE)
		r = upper_prepare(p, s->lowers.items[0], top, &o->upper, e);
	if (r == 0 && p->upper_kind == UPPER_DIR)
		r = overlap_check(overlap, p, o->upper.found[0], p->upper, e);
	if (r == 0 && p->upper_kind == UPPER_DIR)
		r = overlap_check(overlap, p, o->upper.found[1], p->work, e);
	if (r < 0)
		return r;

	if (p->upper_kind != UPPER_NONE) {
		s->upper = &o->upper;
		s->check_unused = p->upper_kind == UPPER_DIR && upper_existed(&o->upper);
		o->upper_plain = o->upper.plain;
	}
	r = create(s, &o->fd, &o->method, e);
	if (r == 0 && s->check_unused)
		warn_of_marks(s);
	return r == 0 ? verify_stack(s, o->fd, e) : r;
}

/* Only a directory of the stack is wanted. */
static int take_subdir(const struct mount_plan *p, int *mnt, struct err *e)
{
	int tree = -1, r = fs_clone_subdir(*mnt, p->subdir, p->source, &tree, e);

	cleanup_fd(mnt);
	*mnt = tree;
	return r;
}

static int build(struct stack *s, struct overlay *o, struct err *e)
{
	struct overlap overlap = { 0 };
	int r = assemble(s, &overlap, o, e);

	overlap_done(&overlap);
	if (r < 0)
		return r;
	r = mount_attr_set(o->fd, &s->plan->flags, -1);
	if (r < 0) {
		(void)err_set(e, -r, s->plan->source, "cannot set the flags of the mount");
		err_op(e, "mount_setattr");
	}
	return r == 0 && s->plan->subdir ? take_subdir(s->plan, &o->fd, e) : r;
}

int overlay_assemble(const struct mount_plan *p, struct overlay *ret, struct err *e)
{
	struct overlay o = OVERLAY_INIT;
	struct stack s = { .plan = p, .tree = -1, .store = -1, .userxattr = p->userxattr };
	int r = check_way(e);

	if (r == 0 && !s.userxattr && !userns_is_initial()) {
		log_verbose("in a user namespace: OverlayFS stores its metadata in user.overlay. "
			    "attributes (userxattr)");
		s.userxattr = true;
	}
	if (r == 0)
		r = build(&s, &o, e);
	if (o.method == overlay_methods[0].name) /* the other method has attached them already */
		gather(&s);
	stack_done(&s);
	if (r < 0) {
		overlay_undo(&o);
		overlay_done(&o);
		return r;
	}

	*ret = o;
	return 0;
}

void overlay_undo(struct overlay *o)
{
	cleanup_fd(&o->fd); /* directories that are in use cannot be removed */
	o->fd = -1;
	upper_undo(&o->upper);
}

void overlay_done(struct overlay *o)
{
	cleanup_fd(&o->fd);
	upper_done(&o->upper);
	*o = OVERLAY_INIT;
}
