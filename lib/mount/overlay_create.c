/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay_create: pass layers to OverlayFS, by either of two methods. */

#include "overlay_create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/sys.h"
#include "fsids.h"
#include "kernel_log.h"
#include "overlay_settings.h"
#include "privns.h"
#include "probe.h"

const char *overlay_layer_name(const struct stack *s, size_t i)
{
	const char *dir = s->plan->layers.items[i].dir, *slash = strrchr(dir, '/');

	if (i < s->names.len)
		return s->names.items[i];
	return slash ? slash + 1 : dir;
}

struct overlay_word {
	const char *key, *value;
}; /* value NULL: the option is a flag */

enum { PARAMS_MAX = 6 };

/* The options that are not directories, for both methods. Returns their number. */
static size_t word_params(const struct stack *s, bool trial, struct overlay_word ret[PARAMS_MAX])
{
	const struct mount_plan *p = s->plan;
	size_t n = 0;

	if (p->metacopy)
		ret[n++] = (struct overlay_word){ "metacopy", "on" };
	if (p->redirect_dir)
		ret[n++] = (struct overlay_word){ "redirect_dir", "on" };
	if (p->volatile_ && !trial)
		ret[n++] = (struct overlay_word){ "volatile", NULL };
	if (s->userxattr)
		ret[n++] = (struct overlay_word){ "userxattr", NULL };
	if (trial)
		ret[n++] = (struct overlay_word){ "index", "on" };
	return n;
}

/*
 * Both methods create the superblock with ids that the upper's map can store; otherwise OverlayFS
 * mounts read-only.
 */
static int enter(const struct stack *s, struct fsids *ids, struct err *e)
{
	return s->upper && s->upper->switch_ids ?
		fsids_enter(ids, s->upper->uid, s->upper->gid, e) :
		0;
}

/*
 * With index=off, the default, the kernel only logs a warning if another overlay uses the same
 * upper or work directory, and both are damaged. With index=on it refuses (EBUSY). So if that is
 * possible, an overlay with index=on is tried first, whose only layer is the upper itself, so that
 * it can never be created.
 */
static int in_use(const struct stack *s, struct err *e)
{
	(void)err_set(e, EBUSY, s->plan->upper, "cannot keep changes there");
	err_op(e, "upper");
	return -EBUSY;
}

/*
 * --- by descriptor: Linux 6.13, detached mounts 6.15 -------------------------------------------
 */

static int config_failed(int fs, const struct stack *s, const char *key, struct err *e)
{
	int r = err_set(e, errno, s->plan->source, "cannot set up the overlay (%s)", key);

	err_op(e, "fsconfig");
	kernel_log_explain(fs, -1, NULL, e);
	if (strstr(key, "context"))
		err_try(e, "omit it: it is for kernels with SELinux");
	return r;
}

static int set_fd(int fs, const struct stack *s, const char *key, int fd, struct err *e)
{
	if (sys_fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd) == 0)
		return 0;
	return config_failed(fs, s, key, e);
}

/* Everything but the layers: a failure here does not depend on the method. */
static int set_words(int fs, const struct stack *s, bool trial, struct err *e)
{
	struct overlay_word params[PARAMS_MAX];
	size_t n = word_params(s, trial, params);

	for (size_t i = 0; i < n; i++)
		if (sys_fsconfig(fs, params[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    params[i].key, params[i].value, 0) < 0)
			return config_failed(fs, s, params[i].key, e);
	for (size_t i = 0; i < s->plan->fs_options.len && !trial; i++) {
		const struct fs_option *o = &s->plan->fs_options.items[i];

		if (overlay_setting_is(o) &&
			sys_fsconfig(fs, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
				o->name, o->value, 0) < 0)
			return config_failed(fs, s, o->name, e);
	}
	return 0;
}

static int set_layers(int fs, const struct stack *s, bool trial, struct err *e)
{
	int r = 0;

	/* It must not be longer than 255 bytes: else the other method is used. */
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", s->plan->source, 0) < 0)
		return config_failed(fs, s, "source", e);
	if (trial)
		r = set_fd(fs, s, "lowerdir+", s->upper->upper, e);
	for (size_t i = 0; i < s->lowers.len && r == 0 && !trial; i++)
		r = set_fd(fs, s, "lowerdir+", s->lowers.items[i], e);
	if (r == 0 && s->upper)
		r = set_fd(fs, s, "upperdir", s->upper->upper, e);
	if (r == 0 && s->upper)
		r = set_fd(fs, s, "workdir", s->upper->work, e);
	return r;
}

static int create_superblock(int fs, const struct stack *s, struct err *e)
{
	scoped_fsids struct fsids ids = FSIDS_INIT;
	int r = enter(s, &ids, e);

	if (r < 0)
		return r;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		r = err_set(e, errno, s->plan->source, "cannot stack the layers");
		err_op(e, "fsconfig");
		kernel_log_explain(fs, -1, NULL, e);
		return r;
	}
	return 0;
}

/*
 * Kernels that have the call but do not accept descriptors (before 6.13), or those of detached
 * mounts (before 6.15), return EOPNOTSUPP, EBADF or EINVAL. EINVAL may have other causes.
 */
static enum fallback fallback_after(int r)
{
	if (r == -EOPNOTSUPP || r == -EBADF)
		return FALLBACK_YES;
	if (r == -EINVAL)
		return probe_kernel_at_least(6, 15) ? FALLBACK_MAYBE : FALLBACK_YES;
	return FALLBACK_NO;
}

/* Make a filesystem context and create its superblock. */
static int make_superblock(
	const struct stack *s, bool trial, int *ret_fs, enum fallback *ret_fallback, struct err *e)
{
	scoped_fd int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0) {
		*ret_fallback = errno == ENOSYS ? FALLBACK_YES : FALLBACK_NO;
		r = err_set(e, errno, s->plan->source, "cannot make an overlay");
		err_op(e, "fsopen");
		return r;
	}
	r = set_words(fs, s, trial, e);
	if (r < 0)
		return r;
	r = set_layers(fs, s, trial, e);
	*ret_fallback = fallback_after(r);
	if (r < 0)
		return r;
	r = create_superblock(fs, s, e);
	*ret_fallback = r == -EINVAL ? fallback_after(r) : FALLBACK_NO;
	if (r < 0)
		return r;

	*ret_fs = TAKE_FD(fs);
	return 0;
}

static int create_by_fds(
	const struct stack *s, int *ret_fd, enum fallback *ret_fallback, struct err *e)
{
	scoped_fd int fs = -1;
	int r;

	*ret_fallback = FALLBACK_NO;
	if (s->check_unused && make_superblock(s, true, &fs, ret_fallback, NULL) == -EBUSY)
		return in_use(s, e);
	r = make_superblock(s, false, &fs, ret_fallback, e);
	if (r < 0)
		return r;

	*ret_fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (*ret_fd < 0) {
		r = err_set(e, errno, s->plan->source, "cannot make a mount of the overlay");
		err_op(e, "fsmount");
		return r;
	}
	return 0;
}

/*
 * --- by name, for older kernels ----------------------------------------------------------------
 */

enum { NAME_SIZE = 96, FULL_NAMES = 3584 };

/*
 * In a private mount namespace, the clones are attached to a tmpfs under names that need no
 * escaping: 0, 1, 2 ... Upper and work directory are named by their descriptors, which work because
 * their mount is attached, and which require no permissions on a path. The overlay is mounted by
 * mount(2), since fsconfig(2) accepts only strings of up to 255 bytes. A clone of the mount is
 * returned as a descriptor.
 */
struct by_names {
	const struct stack *s;
	int fd; /* the mount */
	struct err *e;
};

static int step_failed(struct by_names *j, const char *op, const char *what)
{
	int r = err_set(j->e, errno, j->s->plan->source, "%s", what);

	err_op(j->e, op);
	return r;
}

static int attach_as(struct by_names *j, int mnt, const char *name)
{
	if (mkdir(name, 0755) < 0)
		return step_failed(j, "mkdir", "cannot make a place for a layer");
	if (mnt >= 0 && sys_move_mount(mnt, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return step_failed(j, "move_mount", "cannot attach a layer");
	return 0;
}

/*
 * Layers in a tree that is attached are named by their descriptors, which require no permissions on
 * a path.
 */
static int link_as(struct by_names *j, int fd, const char *name)
{
	char path[32];

	if (symlink(fd_proc_path(fd, path), name) < 0)
		return step_failed(j, "symlink", "cannot make a name for a layer");
	return 0;
}

/*
 * The name of layer i in mountinfo. The options of mount(2) are limited to one page, so that many
 * full names do not fit.
 */
static void name_layer(const struct stack *s, size_t i, char ret[static NAME_SIZE])
{
	const char *full = i < s->n_in_tree ? overlay_layer_name(s, i) : NULL;

	if (full && strlen(full) < NAME_SIZE && s->n_in_tree * NAME_SIZE < FULL_NAMES)
		(void)snprintf(ret, NAME_SIZE, "%s", full);
	else
		(void)snprintf(ret, NAME_SIZE, "%zu", i); /* fits: 20 digits */
}

static int attach_all(struct by_names *j)
{
	const struct stack *s = j->s;
	char name[NAME_SIZE];
	int r = attach_as(j, -1, "m");

	if (r == 0 && s->tree >= 0)
		r = attach_as(j, s->tree, "store");
	for (size_t i = 0; i < s->lowers.len && r == 0; i++) {
		name_layer(s, i, name);
		r = i < s->n_in_tree ? link_as(j, s->lowers.items[i], name) :
				       attach_as(j, s->lowers.items[i], name);
	}
	return r == 0 && s->upper ? attach_as(j, s->upper->mnt, "u") : r;
}

/* A context may have commas, which quotes protect (security/selinux/hooks.c). */
static void add_setting(struct buf *b, const struct fs_option *o)
{
	if (!overlay_setting_is(o))
		return;
	if (o->value)
		buf_printf(b, strchr(o->value, ',') ? ",%s=\"%s\"" : ",%s=%s", o->name, o->value);
	else
		buf_printf(b, ",%s", o->name);
}

/* Mount the stack, or the trial, on "m". Returns 0 or -errno. */
static int mount_stack(struct by_names *j, bool trial)
{
	scoped_buf struct buf b = BUF_INIT;
	const struct stack *s = j->s;
	struct overlay_word params[PARAMS_MAX];
	size_t n = word_params(s, trial, params);

	if (trial)
		buf_printf(&b, "lowerdir=/proc/self/fd/%d", s->upper->upper);
	else
		buf_str(&b, "lowerdir=");
	for (size_t i = 0; i < s->lowers.len && !trial; i++) {
		char name[NAME_SIZE];

		name_layer(s, i, name);
		buf_printf(&b, "%s%s", i ? ":" : "", name);
	}
	if (s->upper)
		buf_printf(&b, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d",
			s->upper->upper, s->upper->work);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, params[i].value ? ",%s=%s" : ",%s", params[i].key, params[i].value);
	for (size_t i = 0; i < s->plan->fs_options.len && !trial; i++)
		add_setting(&b, &s->plan->fs_options.items[i]);
	if (!buf_get(&b))
		return -ENOMEM;
	return sys_mount(s->plan->source, "m", "overlay", 0, buf_get(&b)) < 0 ? -errno : 0;
}

static int mount_by_names(void *arg, struct err *e)
{
	scoped_fsids struct fsids ids = FSIDS_INIT;
	struct by_names *j = arg;
	int r;

	j->e = e;
	r = attach_all(j);
	if (r == 0)
		r = enter(j->s, &ids, j->e);
	if (r < 0)
		return r;
	if (j->s->check_unused && mount_stack(j, true) == -EBUSY)
		return in_use(j->s, j->e);
	r = mount_stack(j, false);
	if (r < 0) {
		errno = -r;
		return step_failed(j, "mount", "cannot stack the layers");
	}
	j->fd = sys_open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (j->fd < 0)
		return step_failed(
			j, "open_tree", "cannot take the overlay out of its mount namespace");
	return 0;
}

static int create_by_names(
	const struct stack *s, int *ret_fd, enum fallback *ret_fallback, struct err *e)
{
	struct by_names j = { .s = s, .fd = -1 };
	int r;

	*ret_fallback = FALLBACK_NO;
	r = run_in_private_mntns(s->plan->source, mount_by_names, &j, e);
	if (r == 0)
		*ret_fd = j.fd;
	return r;
}

const struct overlay_method overlay_methods[2] = {
	{ "fds", create_by_fds },
	{ "names", create_by_names },
};
