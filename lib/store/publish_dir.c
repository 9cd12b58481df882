/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* publish_dir: find the place where a directory is to appear, and rename it there. */

#include "publish_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../mount/info.h"
#include "store_dir.h"

static int refuse_mount(const char *dir, struct err *e)
{
	int r = err_say(e, EBUSY, dir, "is a mount point");

	err_why(e,
		"the whole tree appears there by one rename, which cannot take the place of a "
		"mount");
	err_try(e, "name a directory in it: '%s/rootfs'", strcmp(dir, "/") ? dir : "");
	return r;
}

/* Mounts below the directory to be replaced would move with it, and prevent its removal. */
static int no_mount_below(const struct mount_info *m, void *arg)
{
	const char *rest = path_below(m->target, arg);

	return rest && *rest ? -EBUSY : 0;
}

static int check_content(int fd, const struct publish_dir *p, const char *dir, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(fd, dir, &names, e);

	if (r < 0 || !names.len)
		return r;
	if (!p->replace) {
		r = err_say(e, ENOTEMPTY, dir, "is not empty");
		err_try(e,
			"name a directory that does not exist yet, or let --replace remove what "
			"'%s' holds",
			dir);
		return r;
	}
	r = mount_info_each(NULL, no_mount_below, p->path, e);
	if (r == -EBUSY && !(e && e->set)) {
		r = err_say(e, EBUSY, dir, "cannot be replaced while something is mounted in it");
		err_try(e, "unmount it: findmnt -R '%s' shows what", p->path);
	}
	return r;
}

/*
 * Check that the existing directory fd can be renamed over, and that it is not the working
 * directory.
 */
static int check_there(struct publish_dir *p, int fd, const char *dir, struct err *e)
{
	struct statx at, up, here;
	int r;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &at) < 0 ||
		statx(p->parent, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &up) < 0 ||
		fstat(fd, &p->there) < 0)
		return err_path(e, errno, dir, "cannot stat the directory");
	if (at.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return refuse_mount(p->path, e);
	if (at.stx_dev_major != up.stx_dev_major || at.stx_dev_minor != up.stx_dev_minor)
		return err_say(e, EXDEV, dir,
			"is the root of a filesystem or subvolume of its own, which cannot be "
			"renamed over");
	if (statx(AT_FDCWD, ".", 0, STATX_BASIC_STATS, &here) == 0 && here.stx_ino == at.stx_ino &&
		here.stx_dev_major == at.stx_dev_major && here.stx_dev_minor == at.stx_dev_minor) {
		r = err_say(e, EBUSY, dir, "is the working directory");
		err_why(e,
			"another directory takes its place, and your shell would remain in the "
			"old one");
		err_try(e, "cd .. and name it from there");
		return r;
	}
	return check_content(fd, p, dir, e);
}

/*
 * Find the parent and name of a directory that was named by "..", ".", "/" or a link of /proc. The
 * name is "" if it is the root.
 */
static int find_name(int fd, struct place *at, const char *dir, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	scoped_fd int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *slash;

	path_of_fd(fd, &path);
	slash = path.len ? strrchr(path.data, '/') : NULL;
	if (up < 0 || !buf_get(&path) || !slash || strlen(slash + 1) > NAME_MAX)
		return err_say(e, ENOENT, dir, "cannot find the name of the directory");
	(void)snprintf(at->name, sizeof(at->name), "%s", slash + 1); /* fits: checked */
	cleanup_fd(&at->dirfd);
	at->dirfd = TAKE_FD(up);
	return 0;
}

/* Open the existing directory, and find its parent and name. */
static int find_there(const char *dir, struct place *at, int *ret_fd, struct err *e)
{
	int r = path_open(dir, O_RDONLY | O_DIRECTORY, "cannot open the directory", at, ret_fd, e);

	if (r == -ENOTDIR) { /* dir itself, or a component of its path? */
		r = path_find(dir, true, "cannot open the directory", at, e);
		if (r < 0)
			return r;
		r = err_say(e, ENOTDIR, dir, "is not a directory");
		err_try(e, "name a directory, or a path that does not exist");
	}
	if (r == 0 && !strcmp(at->name, "."))
		r = find_name(*ret_fd, at, dir, e);
	return r;
}

/* Find the parent of a directory that does not exist. */
static int find_missing(const char *dir, struct place *at, struct err *e)
{
	size_t n = strlen(dir);
	struct stat st;
	int r = path_find(dir, false, "cannot find its parent directory", at, e);

	n -= n > 1 && dir[n - 1] == '/';
	while (n > 1 && dir[n - 1] != '/')
		n--;
	n -= n > 1;
	if (r == -ENOENT)
		err_try(e, "mkdir -p '%.*s'", (int)n, dir);
	if (r < 0)
		return r;
	if (fstatat(at->dirfd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISLNK(st.st_mode) ?
			err_say(e, ENOENT, dir, "is a symbolic link to nothing") :
			err_say(e, EBUSY, dir, "was created by another process meanwhile");
	return 0;
}

/*
 * From here on the place is used by descriptor. The paths are for messages and for comparison with
 * the mount table.
 */
static int take_place(struct publish_dir *p, const struct place *at, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t n;

	path_of_fd(at->dirfd, &b);
	n = b.len;
	if (n > 1 || !n)
		buf_char(&b, '/');
	buf_str(&b, at->name);
	p->path = buf_take(&b);
	p->parent_path = p->path ? strndup(p->path, n ? n : 1) : NULL;
	if (!p->parent_path)
		return err_nomem(e);
	p->name = strrchr(p->path, '/') + 1;
	p->parent = openat(at->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->parent < 0 ?
		err_path(e, errno, p->parent_path, "cannot open its parent directory") :
		0;
}

int publish_dir_find(const char *dir, bool replace, struct publish_dir *ret, struct err *e)
{
	struct publish_dir p = { .parent = -1, .replace = replace };
	scoped_place struct place at = PLACE_INIT;
	scoped_fd int fd = -1;
	int r;

	if (!*dir)
		return err_usage(e, "the directory's path is empty");
	r = find_there(dir, &at, &fd, e);
	if (r == -ENOENT && fd < 0) {
		if (e)
			*e = ERR_INIT;
		r = find_missing(dir, &at, e);
	}
	if (r < 0)
		return r;
	if (!*at.name)
		return refuse_mount("/", e);
	r = take_place(&p, &at, e);
	if (r == 0 && fd >= 0)
		r = check_there(&p, fd, dir, e);
	if (r < 0) {
		publish_dir_done(&p);
		return r;
	}

	*ret = p;
	return 0;
}

/*
 * Exchange name for the existing directory, and check that it is the one that was checked before:
 * the caller will remove its content.
 */
static int exchange(const struct publish_dir *p, int dirfd, const char *name)
{
	struct stat old;

	if (renameat2(dirfd, name, p->parent, p->name, RENAME_EXCHANGE) < 0)
		return -errno;
	if (fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&old, &p->there))
		return 0;
	return renameat2(dirfd, name, p->parent, p->name, RENAME_EXCHANGE) < 0 ? -errno : -ESTALE;
}

/* rename(2) replaces an empty directory. */
static int rename_there(const struct publish_dir *p, int dirfd, const char *name)
{
	if (renameat(dirfd, name, p->parent, p->name) == 0)
		return 0;
	if (p->replace && (errno == ENOTEMPTY || errno == EEXIST))
		return exchange(p, dirfd, name);
	return -errno;
}

int publish_dir_rename(const struct publish_dir *p, int dirfd, const char *name, struct err *e)
{
	struct stat ours, there;
	int r;

	if (fstatat(dirfd, name, &ours, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, p->path, "cannot stat what was made for it");
	r = rename_there(p, dirfd, name);
	if (r < 0) {
		(void)err_set(e, -r, p->path, "cannot rename the finished tree to it");
		if (r == -ENOTEMPTY || r == -EEXIST || r == -ESTALE)
			err_why(e, "another process has created something there meanwhile");
		return r;
	}
	if (fstatat(p->parent, p->name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
		!same_file(&there, &ours))
		return err_say(e, EIO, p->path,
			"is not what was renamed to it: another process is changing it");
	return 0;
}

void publish_dir_done(struct publish_dir *p)
{
	if (p->parent >= 0)
		(void)close(p->parent); /* only read from */
	free(p->path);
	free(p->parent_path);
}
