/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* newfs: mount filesystems, detached. */

#include "newfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "info.h"
#include "kernel_log.h"
#include "probe.h"

static int step_failed(const struct fs_how *how, const char *op, const char *what, struct err *e)
{
	int r = err_set(e, errno, how->name, "%s (%s)", what, how->type);

	err_op(e, op);
	return r;
}

/*
 * --- where else it is mounted -------------------------------------------------------------------
 */

struct mounted_at {
	const struct fs_how *how;
	struct stat st;
	char *target;
};

static int match_device(const struct mount_info *i, void *arg)
{
	struct mounted_at *x = arg;

	if (i->dev != x->st.st_rdev && strcmp(i->source, x->how->source))
		return 0;
	x->target = strdup(i->target);
	return 1;
}

/* Find a target where the device is mounted; "" if none is visible. */
static void find_elsewhere(const struct fs_how *how, struct buf *b)
{
	struct mounted_at x = { .how = how };

	if (path_stat(how->source, true, &x.st) == 0 && S_ISBLK(x.st.st_mode))
		(void)mount_info_each(
			NULL, match_device, &x, NULL); /* it only serves an explanation */
	if (x.target)
		buf_str(b, x.target);
	free(x.target);
}

/*
 * --- causes ------------------------------------------------------------------------------------
 */

static const char *way_around_recovery(const char *type)
{
	static const struct {
		const char *type, *option;
	} ways[] = {
		{ "ext", "noload" },
		{ "xfs", "norecovery" },
		{ "btrfs", "rescue=nologreplay" },
		{ "f2fs", "norecovery" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (!strncmp(type, ways[i].type, strlen(ways[i].type)))
			return ways[i].option;
	return NULL;
}

static void explain_busy(const struct fs_how *how, struct err *e)
{
	scoped_buf struct buf at = BUF_INIT;

	find_elsewhere(how, &at);
	if (at.len && buf_get(&at)) {
		err_why(e, "it is mounted %s on '%s', and one filesystem cannot be both",
			how->read_only ? "writable" : "read-only", buf_get(&at));
		err_try(e,
			how->read_only ? "unmount that first" :
					 "unmount that first, or give -o ro");
	} else {
		err_why(e,
			"something else uses the device: a mount in another mount namespace, RAID, "
			"LVM or dm-crypt");
		err_try(e, "lsblk %s shows what is built on it", how->source);
	}
}

/* The kernel's messages come first, where there are any. */
static void explain_create(const struct fs_how *how, int fs, int log, struct err *e)
{
	const char *way = way_around_recovery(how->type);

	if (!e)
		return;
	kernel_log_explain(fs, log, how->device ? how->source : NULL, e);
	if (e->num == EBUSY && how->device)
		explain_busy(how, e);
	else if (strstr(e->why, "duplicate UUID"))
		err_try(e,
			"it is a copy of a filesystem that is mounted: -o nouuid permits to "
			"mount both");
	else if ((e->num == EROFS || e->num == EACCES) && !how->read_only)
		err_try(e, "mount it read-only: -o ro");
	else if ((e->num == EROFS || e->num == EACCES) && way)
		err_try(e,
			"mount it writable once, which recovers it, or read it as it is: -o ro,%s",
			way);
	else if (how->device && e->num != EPERM)
		err_try(e, "if it is damaged, fsck -n shows how%s",
			e->why[0] ? "" : "; the kernel's log (dmesg) may say more");
}

/*
 * --- the context --------------------------------------------------------------------------------
 */

static int open_context(const struct fs_how *how, int *ret, struct err *e)
{
	int r;

	*ret = sys_fsopen(how->type, FSOPEN_CLOEXEC);
	if (*ret >= 0)
		return 0;
	r = step_failed(how, "fsopen", "cannot mount the filesystem", e);
	if (r == -ENODEV) {
		err_why(e, "this kernel does not support %s (module missing?)", how->type);
		err_try(e, "grep %s /proc/filesystems; modprobe %s", how->type, how->type);
	} else if (r == -EPERM) {
		err_try(e,
			"run as root; in a user namespace of your own only few types can be "
			"mounted, such as tmpfs");
	}
	return r;
}

static int set(const struct fs_how *how, int fs, const char *key, const char *value, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const struct fs_option shown = { (char *)key, (char *)value };
	int r;

	if (sys_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) == 0)
		return 0;
	r = -errno;
	mount_fs_options_print(&shown, 1, &b);
	(void)err_set(e, -r, how->name, "cannot set the option '%s' of the filesystem (%s)",
		buf_get(&b) ? buf_get(&b) : key, how->type);
	err_op(e, "fsconfig");
	if (value && strlen(value) > 255)
		err_why(e, "a value must not have more than 255 bytes");
	kernel_log_explain(fs, -1, NULL, e);
	if (!e->hint[0] && r == -EINVAL)
		err_try(e,
			strstr(key, "size") ? "a size has digits and K, M or G, as in %s=1G" :
					      "see the options of %s in the manual of its type",
			strstr(key, "size") ? key : how->type);
	return r;
}

static int configure(const struct fs_how *how, int fs, struct err *e)
{
	int r = set(how, fs, "source", how->source, e);

	if (r == 0 && how->read_only)
		r = set(how, fs, "ro", NULL, e);
	for (size_t i = 0; i < how->n_options && r == 0; i++) {
		r = set(how, fs, how->options[i].name, how->options[i].value, e);
		if (r != -EINVAL || !how->sloppy)
			continue;
		log_verbose("'%s': the option '%s' is not known, and ignored", how->name,
			how->options[i].name);
		if (e)
			*e = ERR_INIT;
		r = 0;
	}
	return r;
}

/*
 * A context can be used once; after a failure, make another one. exclusive: fail if the filesystem
 * is mounted already.
 */
static int create(const struct fs_how *how, bool exclusive, int *ret_fs, struct err *e)
{
	scoped_fd int fs = -1, log = kernel_log_open();
	int r = open_context(how, &fs, e);

	if (r == 0)
		r = configure(how, fs, e);
	if (r < 0)
		return r;
	if (sys_fsconfig(fs, exclusive ? FSCONFIG_CMD_CREATE_EXCL : FSCONFIG_CMD_CREATE, NULL, NULL,
		    0) < 0) {
		r = step_failed(how, "fsconfig", "cannot mount the filesystem", e);
		explain_create(how, fs, log, e);
		return r;
	}
	*ret_fs = TAKE_FD(fs);
	return 0;
}

int fs_trial(const struct fs_how *how, struct err *e)
{
	scoped_fd int fs = -1;
	int r = open_context(how, &fs, e);

	return r == 0 ? configure(how, fs, e) : r;
}

static void say_shared(const struct fs_how *how)
{
	scoped_buf struct buf at = BUF_INIT, options = BUF_INIT;

	find_elsewhere(how, &at);
	mount_fs_options_print(how->options, how->n_options, &options);
	log_warn("'%s' is mounted already%s%s%s: its filesystem keeps the options that it has, and "
		 "these have no effect: %s",
		how->name, at.len ? " (on '" : "", at.len && buf_get(&at) ? buf_get(&at) : "",
		at.len ? "')" : "", buf_get(&options) ? buf_get(&options) : "?");
}

/* Options that select a part of a btrfs do not concern its superblock. */
static bool options_matter(const struct fs_how *how)
{
	for (size_t i = 0; i < how->n_options; i++)
		if (strcmp(how->options[i].name, "subvol") &&
			strcmp(how->options[i].name, "subvolid"))
			return true;
	return false;
}

/*
 * If a device is mounted already, the kernel ignores the options. So if there are options, an
 * exclusive mount (Linux 6.6) is tried first.
 */
static int create_or_share(const struct fs_how *how, int *ret_fs, struct err *e)
{
	struct err first = ERR_INIT;
	int r;

	if (!how->device || !options_matter(how))
		return create(how, false, ret_fs, e);
	r = create(how, true, ret_fs, &first);
	if (r == -EOPNOTSUPP)
		log_verbose("this kernel (before Linux 6.6) does not report whether the filesystem "
			    "is mounted already");
	if (r != -EBUSY && r != -EOPNOTSUPP) {
		if (r < 0 && e)
			*e = first;
		return r;
	}
	if (r == -EBUSY) {
		r = create(how, false, ret_fs, e);
		if (r == 0)
			say_shared(how);
		return r;
	}
	return create(how, false, ret_fs, e);
}

int fs_mount(const struct fs_how *how, int *ret_mnt, bool *ret_read_only, struct err *e)
{
	struct fs_how writable = *how;
	struct err first = ERR_INIT;
	scoped_fd int fs = -1;
	int r = create_or_share(how, &fs, &first);

	*ret_read_only = how->read_only;
	/*
	 * A filesystem that is mounted writable elsewhere can be mounted read-only: this makes the
	 * mount read-only, not the filesystem.
	 */
	writable.read_only = false;
	if (r == -EBUSY && how->ro_wanted && how->device &&
		create_or_share(&writable, &fs, NULL) == 0) {
		log_verbose("the filesystem is mounted writable elsewhere: only this mount of it "
			    "is read-only");
		*ret_read_only = false;
		r = 0;
	}
	if (r < 0) {
		if (e)
			*e = first;
		return r;
	}
	*ret_mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return *ret_mnt < 0 ?
		step_failed(how, "fsmount", "cannot make a mount of the filesystem", e) :
		0;
}

/*
 * --- a directory of it -------------------------------------------------------------------------
 */

/*
 * Before Linux 6.15 only attached mounts can be cloned: a thread attaches the mount in a namespace
 * of its own.
 */
struct clone_job {
	int mnt, dir, fd, num;
	const char *op;
};

static bool clone_attached(struct clone_job *j)
{
	j->op = "unshare";
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	j->op = "mount";
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	j->op = "move_mount";
	if (sys_move_mount(j->mnt, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	j->op = "open_tree";
	j->fd = sys_open_tree(j->dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return j->fd >= 0;
}

static void *clone_thread(void *arg)
{
	struct clone_job *j = arg;

	if (!clone_attached(j))
		j->num = errno;
	return NULL;
}

static int clone_by_thread(int mnt, int dir, const char *name, int *ret, struct err *e)
{
	struct clone_job j = { .mnt = mnt, .dir = dir, .fd = -1, .op = "clone" };
	pthread_t thread;
	int r;

	log_verbose(
		"this kernel (before Linux 6.15) cannot clone detached mounts: it is attached for "
		"that in a private mount namespace");
	j.num = pthread_create(&thread, NULL, clone_thread, &j);
	if (j.num == 0)
		(void)pthread_join(thread, NULL); /* cannot fail: it is joinable and ours */
	if (j.fd >= 0) {
		*ret = j.fd;
		return 0;
	}
	r = err_set(e, j.num ? j.num : EIO, name, "cannot clone the directory of the filesystem");
	err_op(e, j.op);
	return r;
}

int fs_clone_subdir(int mnt, const char *dir, const char *name, int *ret_tree, struct err *e)
{
	const char *rel = dir + strspn(dir, "/");
	scoped_fd int fd = -1;
	int r = fd_open_beneath(mnt, *rel ? rel : ".", O_PATH | O_DIRECTORY, &fd, e);

	if (r < 0) {
		err_prefix(e, "the directory in '%s'", name);
		err_op(e, "subdir");
		if (r == -ELOOP)
			err_why(e,
				"there is a symbolic link on the way, which is not followed here");
		else if (r == -EXDEV)
			err_why(e, "it leads out of the filesystem");
		else if (r == -ENOENT)
			err_try(e,
				"name a directory by its path from the root of the filesystem; "
				"without subdir= the whole filesystem is mounted");
		return r;
	}
	*ret_tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (*ret_tree >= 0)
		return 0;
	if (errno == EINVAL)
		return clone_by_thread(mnt, fd, name, ret_tree, e);
	r = err_set(e, errno, name, "cannot clone the directory of the filesystem");
	err_op(e, "open_tree");
	return r;
}

/*
 * --- tmpfs -------------------------------------------------------------------------------------
 */

static int no_tmpfs(const char *op, struct err *e)
{
	int r = err_set(e, errno, "tmpfs", "cannot make a filesystem in memory");

	err_op(e, op);
	return r;
}

int newfs_tmpfs_default(int *ret_mnt, struct err *e)
{
	scoped_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return no_tmpfs("fsopen", e);
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return no_tmpfs("fsconfig", e);
	*ret_mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return *ret_mnt < 0 ? no_tmpfs("fsmount", e) : 0;
}

int newfs_tmpfs(uint64_t bytes, int *ret_mnt, struct err *e)
{
	scoped_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	char size[32];

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes); /* fits: 20 digits */
	if (fs < 0)
		return no_tmpfs("fsopen", e);
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "shiftbox", 0) < 0 ||
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
		(bytes && sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0) ||
		sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return no_tmpfs("fsconfig", e);
	*ret_mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return *ret_mnt < 0 ? no_tmpfs("fsmount", e) : 0;
}
