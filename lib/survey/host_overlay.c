/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_overlay: try the features of OverlayFS on layers in a tmpfs. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "../mount/newfs.h"

/* A parameter for fsconfig(2): a string, a descriptor, or (if both are missing) a flag. */
struct overlay_param {
	const char *key, *value;
	int fd;
};

#define STRING(k, v) { k, v, -1 }
#define FLAG(k) { k, NULL, -1 }
#define BY_FD(k, d) { k, NULL, d }

struct trial {
	struct host *h;
	int scratch;        /* a tmpfs, the working directory, which only this process sees */
	const char *prefix; /* of the attributes: "trusted." or, in a user namespace, "user." */
	char said[256];     /* the kernel's message about the last failure */
};

static void read_kernel_text(int fs, struct trial *t)
{
	ssize_t n = read(fs, t->said, sizeof(t->said) - 1);

	t->said[n < 0 ? 0 : n] = '\0';
	t->said[strcspn(t->said, "\n")] = '\0';
	if (t->said[0] && t->said[1] == ' ') /* "e overlay: ..." */
		memmove(t->said, t->said + 2, strlen(t->said + 2) + 1);
}

/*
 * Mount an overlay, detached. A NULL key ends the parameters. Returns a descriptor, or -errno with
 * the kernel's message in t->said.
 */
static int stack(struct trial *t, const struct overlay_param *p)
{
	scoped_fd int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	int r = fs < 0 ? -errno : 0;

	t->said[0] = '\0';
	if (r == 0 && t->h->in_userns &&
		sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		r = -errno;
	for (; r == 0 && p->key; p++) {
		unsigned cmd = p->value ? FSCONFIG_SET_STRING :
			p->fd >= 0      ? FSCONFIG_SET_FD :
					  FSCONFIG_SET_FLAG;

		if (sys_fsconfig(fs, cmd, p->key, p->value, p->fd >= 0 ? p->fd : 0) < 0)
			r = -errno;
	}
	if (r == 0 && sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r < 0) {
		if (fs >= 0)
			read_kernel_text(fs, t);
		return r;
	}
	r = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return r < 0 ? -errno : r;
}

static struct host_feature feature(const char *name, const char *since)
{
	return (struct host_feature){ "overlay", name, since };
}

static void put(struct trial *t, struct host_feature f, int r)
{
	if (r < 0 && t->said[0])
		host_row(t->h, f, HOST_NO, "%s: %s", strerrordesc_np(-r), t->said);
	else
		host_row_result(t->h, f, r);
}

/*
 * --- layers ----------------------------------------------------------------------------------
 */

static int make_file(const char *path, size_t size)
{
	scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd_write_all(fd, "x", size);
}

/* Attach an ID-mapped clone of the directory as name. */
static int attach_mapped(const struct trial *t, const char *dir, const char *name)
{
	scoped_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), clone = -1;

	if (fd < 0)
		return -errno;
	clone = host_mapped_clone(t->h, fd);
	if (clone < 0)
		return clone;
	if ((mkdir(name, 0755) < 0 && errno != EEXIST) ||
		sys_move_mount(clone, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* Make the layers "a" and "b", and "u1", "w1" ... for one writable overlay each. */
static int make_layers(struct trial *t)
{
	static const char *const dirs[] = {
		"a",
		"b",
		"a/dir",
		"a/whiteouts",
		"b/whiteouts",
		"a/xattr",
		"b/xattr",
		"a/escaped",
		"u1",
		"w1",
		"u2",
		"w2",
		"u3",
		"w3",
		"p",
		"p/u",
		"p/w",
	};
	static const struct {
		const char *path;
		size_t size;
	} files[] = {
		{ "a/file", 1 }, { "b/whiteouts/hidden", 1 }, { "b/xattr/hidden", 1 },
		{ "a/xattr/hidden",
			0 }, /* a whiteout that is an attribute must be on an empty file */
	};
	int r;

	r = newfs_tmpfs(0, &t->scratch, NULL);
	if (r < 0)
		return r;
	/* Mounted on the root directory, it is reachable only through the descriptor. */
	if (sys_move_mount(t->scratch, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		fchdir(t->scratch) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++)
		r = make_file(files[i].path, files[i].size);
	return r;
}

/*
 * --- trials ----------------------------------------------------------------------------------
 */

static void try_mapping_itself(struct trial *t, int mnt)
{
	scoped_fd int mapped = mnt < 0 ? mnt : host_mapped_clone(t->h, mnt);

	if (mapped >= 0)
		put(t, feature("ID-mapping the overlay itself", NULL), mapped);
	else if (mnt >= 0)
		host_row(t->h, feature("ID-mapping the overlay itself", NULL), HOST_NO,
			"%s: map its layers instead", strerrordesc_np(-mapped));
}

static void try_layers(struct trial *t)
{
	const struct overlay_param names[] = { STRING("lowerdir", "a:b"), { 0 } };
	const struct overlay_param mapped[] = { STRING("lowerdir", "m:b"), { 0 } };
	const struct overlay_param plus[] = { STRING("lowerdir+", "a"), STRING("lowerdir+", "b"),
		{ 0 } };
	scoped_fd int a = open("a", O_PATH | O_DIRECTORY | O_CLOEXEC),
		      b = open("b", O_PATH | O_DIRECTORY | O_CLOEXEC);
	scoped_fd int clone = -1, one = -1, two = -1, three = -1, four = -1, five = -1;
	int r;

	one = stack(t, names);
	put(t, feature("stacking directories", t->h->in_userns ? "5.11" : "3.18"), one);
	try_mapping_itself(t, one);
	r = attach_mapped(t, "a", "m");
	if (r < 0 &&
		t->h->mappable[0]) /* before Linux 6.3 a tmpfs cannot; nothing is written there */
		r = attach_mapped(t, t->h->mappable, "m");
	if (r < 0) {
		host_row(t->h, feature("ID-mapped layers", "5.19"), HOST_NOT_TRIED,
			"there is no filesystem here that can be ID-mapped");
	} else {
		two = stack(t, mapped);
		put(t, feature("ID-mapped layers", "5.19"), two);
	}
	three = stack(t, plus);
	put(t, feature("layers one by one (lowerdir+)", "6.8"), three);
	four = stack(t,
		(const struct overlay_param[]){
			BY_FD("lowerdir+", a), BY_FD("lowerdir+", b), { 0 } });
	put(t, feature("layers by descriptor", "6.13"), four);
	clone = sys_open_tree(a, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	five = stack(t,
		(const struct overlay_param[]){
			BY_FD("lowerdir+", clone), BY_FD("lowerdir+", b), { 0 } });
	put(t, feature("layers that are detached mounts", "6.15"), five);
}

static bool is_there(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The path of a file in a detached mount, for calls that do not accept O_PATH descriptors. */
static void path_in(int mnt, const char *name, char ret[static 64])
{
	(void)snprintf(ret, 64, "/proc/self/fd/%d/%s", mnt, name); /* fits: the names are short */
}

static int new_file(int mnt)
{
	scoped_fd int fd = openat(mnt, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : 0;
}

/* Each trial uses the feature: mounting also succeeds where the kernel falls back to less. */
static void try_upper(struct trial *t)
{
	const struct overlay_param upper[] = { STRING("lowerdir", "a"), STRING("upperdir", "u1"),
		STRING("workdir", "w1"), { 0 } };
	const struct overlay_param portable[] = { STRING("lowerdir", "b"),
		STRING("upperdir", "pm/u"), STRING("workdir", "pm/w"), { 0 } };
	scoped_fd int one = stack(t, upper), two = -1;
	int r = one < 0 ? one : new_file(one);

	put(t, feature("writable (upperdir, workdir)", t->h->in_userns ? "5.11" : "3.18"), r);
	if (attach_mapped(t, "p", "pm") < 0) {
		host_row(t->h, feature("writable under an ID-mapped mount", "5.19"), HOST_NOT_TRIED,
			"it would have to be written to, and tmpfs cannot be ID-mapped here (Linux "
			"6.3)");
		return;
	}
	two = stack(t, portable);
	put(t, feature("writable under an ID-mapped mount", "5.19"), two < 0 ? two : new_file(two));
}

static void try_metacopy(struct trial *t)
{
	const struct overlay_param p[] = {
		STRING("lowerdir", "a"),
		STRING("upperdir", "u2"),
		STRING("workdir", "w2"),
		STRING("metacopy", "on"),
		{ 0 },
	};
	scoped_fd int mnt = stack(t, p);
	struct stat st;
	int r = mnt;

	/* A change of the mode copies the file up, with or without its content. */
	if (r >= 0 && (fchmodat(mnt, "file", 0600, 0) < 0 || stat("u2/file", &st) < 0))
		r = -errno;
	if (r >= 0 && st.st_blocks != 0)
		host_row(t->h, feature("metacopy", "4.19"), HOST_NO,
			"the option is accepted and has no effect");
	else
		put(t, feature("metacopy", "4.19"), r);
}

static void try_redirect(struct trial *t)
{
	const struct overlay_param p[] = {
		STRING("lowerdir", "a"),
		STRING("upperdir", "u3"),
		STRING("workdir", "w3"),
		STRING("redirect_dir", "on"),
		{ 0 },
	};
	scoped_fd int mnt = stack(t, p);
	int r = mnt;

	if (r >= 0 && renameat(mnt, "dir", mnt, "renamed") < 0)
		r = -errno; /* EXDEV: the option has no effect */
	put(t, feature("renaming directories of layers (redirect_dir)", "4.10"), r);
}

static int set_attr(const struct trial *t, const char *path, const char *name, const char *value)
{
	char attr[64];

	(void)snprintf(attr, sizeof(attr), "%soverlay.%s", t->prefix, name); /* fits */
	return setxattr(path, attr, value, strlen(value), 0) < 0 ? -errno : 0;
}

static void row_of_hiding(
	struct trial *t, const char *name, const char *since, int mnt, const char *dir)
{
	char hidden[64];

	(void)snprintf(hidden, sizeof(hidden), "%s/hidden", dir); /* fits */
	if (mnt >= 0 && is_there(mnt, hidden))
		host_row(t->h, feature(name, since), HOST_NO, "it hides nothing");
	else
		put(t, feature(name, since), mnt);
}

static void try_whiteouts(struct trial *t)
{
	static const char escaped[] = "attributes in escaped form",
			  in_attr[] = "whiteouts as attributes";
	const struct overlay_param p[] = { STRING("lowerdir", "a:b"), { 0 } };
	bool device = mknod("a/whiteouts/hidden", S_IFCHR, 0) == 0;
	int num = errno;
	bool attrs = set_attr(t, "a/xattr", "opaque", "x") == 0 &&
		set_attr(t, "a/xattr/hidden", "whiteout", "y") == 0;
	bool escape = set_attr(t, "a/escaped", "overlay.opaque", "y") == 0;
	scoped_fd int mnt = stack(t, p);
	char path[64], attr[64], value[4];

	if (device)
		row_of_hiding(t, "whiteouts as devices", t->h->in_userns ? "5.8" : "3.18", mnt,
			"whiteouts");
	else
		host_row(t->h, feature("whiteouts as devices", "5.8"), HOST_NO, "mknod: %s",
			strerrordesc_np(num));
	if (attrs)
		row_of_hiding(t, in_attr, "6.7", mnt, "xattr");
	else
		host_row(t->h, feature(in_attr, "6.7"), HOST_NOT_TRIED,
			"tmpfs does not accept such attributes here");
	if (!escape) {
		host_row(t->h, feature(escaped, "6.7"), HOST_NOT_TRIED,
			"tmpfs does not accept such attributes here");
		return;
	}
	path_in(mnt, "escaped", path);
	(void)snprintf(attr, sizeof(attr), "%soverlay.opaque", t->prefix); /* fits */
	if (mnt >= 0 && getxattr(path, attr, value, sizeof(value)) != 1)
		host_row(t->h, feature(escaped, "6.7"), HOST_NO,
			"they are not shown in unescaped form");
	else
		put(t, feature(escaped, "6.7"), mnt);
}

/* In a user namespace, stack() always sets the option. */
static void try_userxattr(struct trial *t)
{
	const struct overlay_param with[] = { STRING("lowerdir", "a:b"), FLAG("userxattr"), { 0 } };
	const struct overlay_param without[] = { STRING("lowerdir", "a:b"), { 0 } };
	scoped_fd int mnt = stack(t, t->h->in_userns ? without : with);

	put(t, feature("attributes of ordinary users (userxattr)", "5.11"), mnt);
}

void host_overlay(struct host *h)
{
	struct trial t = { .h = h, .prefix = h->in_userns ? "user." : "trusted." };
	int r;

	if (!h->may_attach) {
		host_row(h, feature("all", NULL), HOST_NOT_TRIED, "%s", h->refused);
		return;
	}
	r = make_layers(&t);
	if (r < 0) {
		host_row(h, feature("all", NULL), HOST_NOT_TRIED, "no tmpfs to try it on: %s",
			strerrordesc_np(-r));
		return;
	}
	try_layers(&t);
	try_upper(&t);
	try_userxattr(&t);
	try_metacopy(&t);
	try_redirect(&t);
	try_whiteouts(&t);
}
