/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assemble the tree that the command sees, in init. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "../mount/fsids.h"
#include "untrusted_root.h"

struct run_tree {
	const struct run_spec *spec;
	int root;     /* attached on top of the host's root */
	int dev, pts; /* filesystems made here, so their content is trusted */
};

static int attach(int mnt, int place, const char *path, struct err *e)
{
	int r;

	if (sys_move_mount(mnt, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) ==
		0)
		return 0;
	r = err_set(e, errno, path, "cannot attach a mount in the root of the command");
	err_op(e, "move_mount");
	return r;
}

/* --- new filesystems --- */

struct fs_param {
	const char *key, *value;
};

enum { FS_PARAMS_MAX = 3 };

/* A filesystem to create. */
struct new_fs {
	const char *type;
	unsigned flags;                            /* MOUNT_ATTR_* of the mount */
	struct fs_param params[FS_PARAMS_MAX + 1]; /* up to a NULL key */
};

static int fs_failed(const char *type, const char *op, struct err *e)
{
	int r = err_set(e, errno, type, "cannot create the filesystem");

	err_op(e, op);
	if (r == -EPERM && !strcmp(type, "proc")) {
		err_why(e,
			"root of a user namespace may mount it only where nothing is mounted over "
			"parts of /proc, which is how containers hide these parts");
		err_try(e, "run shiftbox outside of the container");
	}
	return r;
}

/* Create the filesystem and mount it, detached. */
static int make_fs(const struct new_fs *new, int *ret_mnt, struct err *e)
{
	scoped_fd int fs = sys_fsopen(new->type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return fs_failed(new->type, "fsopen", e);
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", new->type, 0) < 0)
		return fs_failed(new->type, "fsconfig", e);
	for (const struct fs_param *p = new->params; p->key; p++)
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, p->key, p->value, 0) < 0)
			return fs_failed(new->type, "fsconfig", e);
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_failed(new->type, "fsconfig", e);
	*ret_mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, new->flags);
	return *ret_mnt < 0 ? fs_failed(new->type, "fsmount", e) : 0;
}

enum { HARMLESS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, DATA = HARMLESS | MOUNT_ATTR_NOEXEC };

/*
 * A sysfs belongs to a network namespace. If the command has the host's, or if mounts cover parts
 * of the host's /sys, sysfs cannot be mounted, and the command gets the host's /sys, read-only.
 */
static int make_sys(const struct run_spec *s, int *ret_mnt, struct err *e)
{
	struct mount_attr attr = { .attr_set = RUN_SYS_FLAGS };
	static const struct new_fs own = { .type = "sysfs", .flags = DATA | MOUNT_ATTR_RDONLY };
	int r = s->own_net ? make_fs(&own, ret_mnt, NULL) : -EPERM;

	if (r != -EPERM)
		return r < 0 ? fs_failed("sysfs", "fsconfig", e) : 0;
	log_verbose("/sys is the host's, read-only%s",
		s->own_net ? ": no new sysfs can be mounted here" : "");
	/* With privileges from the stage, the working directory, where its flags are locked. */
	*ret_mnt = sys_open_tree(AT_FDCWD, s->privileged ? RUN_STAGE_SYS : "/sys",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (*ret_mnt < 0)
		return err_set(e, errno, "/sys", "cannot clone the mounts");
	if (sys_mount_setattr(*ret_mnt, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
		return err_set(e, errno, "/sys", "cannot make the mounts read-only");
	return 0;
}

/* The mounts of every root. On the host's own tree, those with hides set are omitted. */
static const struct {
	const char *path;
	struct new_fs fs; /* type NULL: make_sys() */
	bool hides;
} system_mounts[] = {
	{ "/proc", { "proc", DATA, { { NULL, NULL } } }, false },
	{ "/sys", { NULL, 0, { { NULL, NULL } } }, false },
	{ "/dev", { "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, { { "mode", "0755" } } },
		false },
	{ "/tmp", { "tmpfs", HARMLESS, { { "mode", "1777" } } }, true },
	{ "/run", { "tmpfs", HARMLESS, { { "mode", "0755" } } }, true },
};

static int mount_system(struct run_tree *t, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(system_mounts); i++) {
		const char *path = system_mounts[i].path;
		scoped_fd int mnt = -1, place = -1;
		int r;

		if (system_mounts[i].hides && t->spec->host_root)
			continue;
		r = system_mounts[i].fs.type ? make_fs(&system_mounts[i].fs, &mnt, e) :
					       make_sys(t->spec, &mnt, e);
		if (r == 0)
			r = untrusted_root_place(t->root, path, true, &place, e);
		if (r == 0)
			r = attach(mnt, place, path, e);
		if (r < 0)
			return r;
		if (!strcmp(path, "/dev"))
			t->dev = TAKE_FD(mnt);
	}
	return 0;
}

/* --- /dev --- */

static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* Attach mnt to a new file in /dev. */
static int attach_node(const struct run_tree *t, int mnt, const char *name, struct err *e)
{
	scoped_fd int made =
		openat(t->dev, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (made < 0)
		return err_set(e, errno, name, "cannot create a mount point in /dev");
	return attach(mnt, made, name, e);
}

/* Bind the host's node: root of a user namespace cannot create device nodes that work. */
static int bind_node(
	const struct run_tree *t, const char *name, unsigned maj, unsigned min, struct err *e)
{
	scoped_fd int mnt = -1;
	struct stat st;
	char path[32];

	(void)snprintf(path, sizeof(path), "/dev/%s", name); /* fits */
	mnt = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mnt < 0 || fstat(mnt, &st) < 0)
		return err_set(e, errno, path, "cannot clone the device node for the command");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(maj, min))
		return err_say(
			e, EINVAL, path, "is not the device %u:%u that has this name", maj, min);
	return attach_node(t, mnt, name, e);
}

static int mount_in_dev(const struct run_tree *t, const char *name, const struct new_fs *fs,
	int *ret_mnt, struct err *e)
{
	scoped_fd int place = -1;
	int r;

	r = make_fs(fs, ret_mnt, e);
	if (r < 0)
		return r;
	if (mkdirat(t->dev, name, 0755) < 0)
		return err_set(e, errno, name, "cannot create a mount point in /dev");
	place = openat(t->dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0)
		return err_set(e, errno, name, "cannot open a mount point in /dev");
	return attach(*ret_mnt, place, name, e);
}

/* Group tty (5), if the map has it: then write(1), which is setgid tty, can write to a terminal. */
static int mount_pts(struct run_tree *t, struct err *e)
{
	struct new_fs fs = { "devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
		{ { "mode", "0620" }, { "ptmxmode", "0666" } } };
	uint32_t seen;

	if (idmap_gid_seen(&t->spec->map, 5, &seen))
		fs.params[2] = (struct fs_param){ "gid", "5" };
	return mount_in_dev(t, "pts", &fs, &t->pts, e);
}

static int fill_dev(struct run_tree *t, struct err *e)
{
	static const struct new_fs shm_fs = { "tmpfs", DATA, { { "mode", "1777" } } };
	static const struct new_fs mqueue_fs = { .type = "mqueue", .flags = DATA };
	scoped_fd int shm = -1, mqueue = -1;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(nodes) && r == 0; i++)
		r = bind_node(t, nodes[i].name, nodes[i].major, nodes[i].minor, e);
	for (size_t i = 0; i < ARRAY_LEN(links) && r == 0; i++)
		if (symlinkat(links[i].target, t->dev, links[i].name) < 0)
			r = err_set(
				e, errno, links[i].name, "cannot create a symbolic link in /dev");
	if (r == 0)
		r = mount_pts(t, e);
	if (r == 0)
		r = mount_in_dev(t, "shm", &shm_fs, &shm, e);
	if (r == 0)
		r = mount_in_dev(t, "mqueue", &mqueue_fs, &mqueue, e);
	return r;
}

/*
 * Open ptmx with the target user's fsuid, so that the pty belongs to that user, who otherwise could
 * not open /dev/stdout. If the user is not found in the container's passwd, the pty belongs to
 * root, and the error is reported when the command changes to that user.
 */
static int open_ptmx(const struct run_tree *t)
{
	scoped_fsids struct fsids ids = FSIDS_INIT;
	struct err e = ERR_INIT;
	static struct run_user user;
	uint32_t seen;
	int fd;

	if (t->spec->user && run_user_find(t->root, t->spec->user, &user, &e) == 0 &&
		idmap_uid_seen(&t->spec->map, user.uid, &seen) &&
		idmap_gid_seen(&t->spec->map, user.gid, &seen) &&
		fsids_enter(&ids, user.uid, user.gid, &e) < 0)
		return -1;
	fd = openat(t->pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	fsids_leave(&ids);
	(void)prctl(
		PR_SET_PDEATHSIG, SIGKILL); /* the change of the fsuid cleared it; cannot fail */
	return fd;
}

/* Create the terminal in the command's devpts, so that ttyname(3) works there. */
static int make_tty(const struct run_tree *t, struct run_tty *ret, struct err *e)
{
	scoped_fd int master = open_ptmx(t), slave = -1, console = -1;
	int unlock = 0, n = -1, r;
	char name[16];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &n) < 0)
		return err_set(e, errno, NULL, "cannot create a terminal for the command");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(e, errno, NULL, "cannot open the command's side of its terminal");
	(void)snprintf(name, sizeof(name), "%d", n); /* fits */
	console = sys_open_tree(t->pts, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (console < 0)
		return err_set(
			e, errno, NULL, "cannot clone the command's terminal for /dev/console");
	r = attach_node(t, console, "console", e);
	if (r < 0)
		return r;
	*ret = (struct run_tty){ .master = TAKE_FD(master), .slave = TAKE_FD(slave) };
	return 0;
}

/* --- assembling --- */

static int attach_binds(const struct run_tree *t, const struct run_mounts *m, struct err *e)
{
	for (size_t i = 0; i < t->spec->binds.len; i++) {
		const char *path = t->spec->binds.items[i].target;
		scoped_fd int place = -1;
		struct stat st;
		int r;

		if (fstat(m->items[i + 1], &st) < 0)
			return err_set(
				e, errno, t->spec->binds.items[i].source, "cannot stat the source");
		r = untrusted_root_place(t->root, path, S_ISDIR(st.st_mode), &place, e);
		if (r == 0)
			r = attach(m->items[i + 1], place, path, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * pivot_root(".", ".") stacks the old root on top of the new one, from where it is detached with
 * all mounts below it (pivot_root(2)).
 */
static int pivot(int root, struct err *e)
{
	scoped_fd int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (old < 0 || fchdir(root) < 0)
		return err_set(e, errno, NULL, "cannot enter the root of the command");
	if (sys_pivot_root(".", ".") < 0) {
		r = err_set(e, errno, NULL, "cannot change the root of the mount namespace");
		err_op(e, "pivot_root");
		if (r == -EINVAL)
			err_why(e,
				"the root directory is not a mount point (a chroot), or it is the "
				"initial RAM disk");
		return r;
	}
	if (fchdir(old) < 0 || sys_umount2(".", SYS_MNT_DETACH) < 0 || chdir("/") < 0)
		return err_set(e, errno, NULL, "cannot leave the host's root");
	return 0;
}

static int build(struct run_tree *t, const struct run_mounts *m, bool want_tty, struct run_tty *tty,
	struct err *e)
{
	int r;

	if (sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(
			e, errno, "/", "cannot keep mounts from propagating to other namespaces");
	if (sys_move_mount(t->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		r = err_set(e, errno, NULL, "cannot attach the root of the command");
		err_op(e, "move_mount");
		return r;
	}
	r = mount_system(t, e);
	if (r == 0)
		r = fill_dev(t, e);
	if (r == 0 && want_tty)
		r = make_tty(t, tty, e);
	if (r == 0)
		r = attach_binds(t, m, e);
	return r == 0 ? pivot(t->root, e) : r;
}

/* Is path at or below one of the mounts of every root? */
static bool is_in_system_mount(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(system_mounts); i++)
		if (path_below(path, system_mounts[i].path))
			return true;
	return false;
}

static int make_place(int root, const char *path, bool dir, struct err *e)
{
	scoped_fd int place = -1;

	return untrusted_root_place(root, path, dir, &place, e);
}

static int make_places(const struct run_spec *s, const struct run_mounts *m, struct err *e)
{
	int root = m->items[0], r = 0;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(system_mounts) && r == 0; i++)
		r = make_place(root, system_mounts[i].path, true, e);
	for (size_t i = 0; i < s->binds.len && r == 0; i++) {
		if (is_in_system_mount(s->binds.items[i].target))
			continue;
		if (fstat(m->items[i + 1], &st) < 0)
			return err_set(
				e, errno, s->binds.items[i].source, "cannot stat the source");
		r = make_place(root, s->binds.items[i].target, S_ISDIR(st.st_mode), e);
	}
	return r;
}

/* Clear the umask: every user in the namespace must be able to enter the directories. */
int run_root_places(const struct run_spec *s, const struct run_mounts *m, struct err *e)
{
	mode_t mask = umask(0);
	int r = make_places(s, m, e);

	(void)umask(mask); /* cannot fail */
	return r;
}

int run_root_enter(const struct run_spec *s, const struct run_mounts *m, bool want_tty,
	struct run_tty *ret, struct err *e)
{
	struct run_tree t = { .spec = s, .root = m->items[0], .dev = -1, .pts = -1 };
	struct run_tty tty = { -1, -1 };
	mode_t mask = umask(0);
	int r = build(&t, m, want_tty, &tty, e);

	(void)umask(mask); /* cannot fail */
	cleanup_fd(&t.dev);
	cleanup_fd(&t.pts);
	if (r < 0) {
		cleanup_fd(&tty.master);
		cleanup_fd(&tty.slave);
		return r;
	}
	*ret = tty;
	return 0;
}
