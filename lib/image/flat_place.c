/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* flat_place: where a tree is published by one rename. */

#include "flat_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "../mount/info.h"
#include "store_priv.h"

static int resolve_there(const char *dir, char **ret, struct err *e)
{
	*ret = realpath(dir, NULL);
	return *ret ? 0 : err_set(e, errno, dir, "cannot find the path of the directory");
}

/* Of what does not exist: the directory it shall be in must. */
static int resolve_missing(const char *dir, char **ret, struct err *e)
{
	scoped_free char *up = strdup(dir), *parent = NULL;
	struct stat st;
	char *slash;
	size_t n = strlen(dir);

	if (!up)
		return err_nomem(e);
	if (lstat(dir, &st) == 0)
		return err_say(e, ENOENT, dir, "is a symbolic link to nothing");
	while (n > 1 && up[n - 1] == '/')
		up[--n] = '\0';
	slash = strrchr(up, '/');
	parent = realpath(!slash ? "." : slash == up ? "/" : (*slash = '\0', up), NULL);
	if (!parent) {
		int r = err_set(e, errno, dir, "cannot find the directory that it shall be in");

		if (r == -ENOENT)
			err_try(e, "mkdir -p '%s'", up);
		return r;
	}
	if (asprintf(ret, "%s/%s", strcmp(parent, "/") ? parent : "", slash ? slash + 1 : up) < 0) {
		*ret = NULL;
		return err_nomem(e);
	}
	return 0;
}

static int refuse_mount(const char *dir, struct err *e)
{
	int r = err_say(e, EBUSY, dir, "is a mount point");

	err_why(e, "the whole tree appears there by one rename, which cannot take the place of a mount");
	err_try(e, "name a directory in it: '%s/rootfs'", strcmp(dir, "/") ? dir : "");
	return r;
}

/* A mount below what is to be removed would stay with it, or be in the way. */
static int no_mount_below(const struct mount_info *m, void *arg)
{
	const char *path = arg;
	size_t n = strlen(path);

	return !strncmp(m->target, path, n) && m->target[n] == '/' ? -EBUSY : 0;
}

static int check_content(int fd, const struct flat_place *p, const char *dir, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_list_dir(fd, dir, &names, e);

	if (r < 0 || !names.len)
		return r;
	if (!p->replace) {
		r = err_say(e, ENOTEMPTY, dir, "is not empty");
		err_try(e, "name a directory that is not there yet, or let --replace remove what '%s' holds", dir);
		return r;
	}
	r = mount_info_each(NULL, no_mount_below, p->path, e);
	if (r == -EBUSY && !(e && e->set)) {
		r = err_say(e, EBUSY, dir, "cannot be replaced while something is mounted in it");
		err_try(e, "unmount it: findmnt -R '%s' shows what", p->path);
	}
	return r;
}

/* What is there must be one that can be renamed over, and that nobody (we know of) stands in. */
static int check_there(const struct flat_place *p, const char *dir, struct err *e)
{
	scoped_fd int fd = openat(p->parent, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statx at, up, here;
	int r;

	if (fd < 0)
		return err_path(e, errno, dir, "cannot open the directory");
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &at) < 0 || statx(p->parent, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &up) < 0)
		return err_path(e, errno, dir, "cannot stat the directory");
	if (at.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return refuse_mount(p->path, e);
	if (at.stx_dev_major != up.stx_dev_major || at.stx_dev_minor != up.stx_dev_minor)
		return err_say(e, EXDEV, dir, "is the root of a filesystem or subvolume of its own, which cannot be renamed over");
	if (statx(AT_FDCWD, ".", 0, STATX_BASIC_STATS, &here) == 0 && here.stx_ino == at.stx_ino &&
	    here.stx_dev_major == at.stx_dev_major && here.stx_dev_minor == at.stx_dev_minor) {
		r = err_say(e, EBUSY, dir, "is the working directory");
		err_why(e, "another directory takes its place, and you would go on standing in the old one");
		err_try(e, "cd .. and name it from there");
		return r;
	}
	return check_content(fd, p, dir, e);
}

/* What was resolved has no links in it: should one appear meanwhile, it is not followed. */
static int open_parent(struct flat_place *p, struct err *e)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	p->parent_path = strndup(p->path, p->name - p->path > 1 ? (size_t)(p->name - p->path - 1) : 1);
	if (!p->parent_path)
		return err_nomem(e);
	p->parent = sys_openat2(AT_FDCWD, p->parent_path, &how);
	return p->parent < 0 ? err_path(e, errno, p->parent_path, "cannot open the directory that it shall be in") : 0;
}

int flat_place_find(const char *dir, bool replace, struct flat_place *ret, struct err *e)
{
	struct flat_place p = { .parent = -1, .replace = replace };
	struct stat st;
	bool there;
	int r;

	if (!*dir)
		return err_usage(e, "the directory's path is empty");
	there = stat(dir, &st) == 0;
	if (!there && errno != ENOENT)
		return err_path(e, errno, dir, "cannot stat the directory");
	if (there && !S_ISDIR(st.st_mode)) {
		(void)err_say(e, ENOTDIR, dir, "is no directory");
		err_try(e, "name a directory, or a path where nothing is");
		return -ENOTDIR;
	}
	r = there ? resolve_there(dir, &p.path, e) : resolve_missing(dir, &p.path, e);
	if (r < 0)
		return r;
	if (!strcmp(p.path, "/")) {
		free(p.path);
		return refuse_mount("/", e);
	}
	p.name = strrchr(p.path, '/') + 1;
	r = open_parent(&p, e);
	if (r == 0 && there)
		r = check_there(&p, dir, e);
	if (r < 0) {
		flat_place_done(&p);
		return r;
	}

	*ret = p;
	return 0;
}

/* An empty directory of that name gives way to rename(2) itself. */
static int rename_there(const struct flat_place *p, int dirfd, const char *name)
{
	if (renameat(dirfd, name, p->parent, p->name) == 0)
		return 0;
	if (p->replace && (errno == ENOTEMPTY || errno == EEXIST) &&
	    renameat2(dirfd, name, p->parent, p->name, RENAME_EXCHANGE) == 0)
		return 0;
	return -errno;
}

int flat_place_publish(const struct flat_place *p, int dirfd, const char *name, struct err *e)
{
	struct stat ours, there;
	int r;

	if (fstatat(dirfd, name, &ours, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, p->path, "cannot stat what was made for it");
	r = rename_there(p, dirfd, name);
	if (r < 0) {
		(void)err_set(e, -r, p->path, "cannot rename the finished tree to it");
		if (r == -ENOTEMPTY || r == -EEXIST)
			err_why(e, "somebody has put something there meanwhile");
		return r;
	}
	if (fstatat(p->parent, p->name, &there, AT_SYMLINK_NOFOLLOW) < 0 || there.st_ino != ours.st_ino || there.st_dev != ours.st_dev)
		return err_say(e, EIO, p->path, "is not what was renamed to it: somebody else is at work there");
	return 0;
}

void flat_place_done(struct flat_place *p)
{
	if (p->parent >= 0)
		(void)close(p->parent); /* was only read */
	free(p->path);
	free(p->parent_path);
}
