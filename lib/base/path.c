/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path: look up a path once, component by component. */

#include "path_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fd.h"

enum {
	LINKS_MAX = 40, /* the kernel's limit (include/linux/namei.h, MAXSYMLINKS) */
	CREATED = 0600, /* the mode of new files */
};

void place_done(struct place *p)
{
	cleanup_fd(&p->dirfd);
	p->dirfd = -1;
}

void path_of_fd(int fd, struct buf *ret)
{
	char link[32], text[PATH_MAX];
	ssize_t n = readlink(fd_proc_path(fd, link), text, sizeof(text));

	if (n > 0 && (size_t)n < sizeof(text))
		buf_add(ret, text, (size_t)n);
}

const char *path_below(const char *path, const char *dir)
{
	size_t n = strcmp(dir, "/") ? strlen(dir) : 0;

	if (strncmp(path, dir, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] && path[n + 1] ? path + n : "";
}

struct path_walk {
	const char *path, *what; /* for messages */
	int dir;                 /* the directory reached so far */
	char *rest;              /* the rest of the path */
	int found; /* -1, or the file that a link of /proc as the last component led to */
	char name[NAME_MAX + 1]; /* the first component of rest, or "" */
	const char *after;       /* what follows it in rest */
	unsigned links;
	const struct path_maker *maker; /* NULL: missing directories are an error */
	struct err *e;
};

static void walk_done(struct path_walk *w)
{
	cleanup_fd(&w->dir);
	cleanup_fd(&w->found);
	free(w->rest);
}

static int failed(const struct path_walk *w, int num)
{
	return err_path(w->e, num, w->path, "%s", w->what);
}

static int go(struct path_walk *w, int fd)
{
	if (fd < 0)
		return failed(w, errno);
	cleanup_fd(&w->dir);
	w->dir = fd;
	return 0;
}

/* Set name to the first component of the rest, and after. */
static int first_component(struct path_walk *w)
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");

	if (n > NAME_MAX)
		return failed(w, ENAMETOOLONG);
	memcpy(w->name, p, n);
	w->name[n] = '\0';
	w->after = p + n;
	return 0;
}

static bool is_last(const struct path_walk *w)
{
	return !w->after[strspn(w->after, "/")];
}

/* Follow a link of /proc. A file ends the walk, and has no place of its own. */
static int follow_magic(struct path_walk *w)
{
	scoped_fd int fd = openat(w->dir, w->name, O_PATH | O_CLOEXEC);
	char *rest = strdup(w->after);
	struct stat st;

	if (fd < 0 || !rest || fstat(fd, &st) < 0) {
		int num = rest ? errno : ENOMEM;

		free(rest);
		return failed(w, num);
	}
	free(w->rest);
	w->rest = rest;
	if (S_ISDIR(st.st_mode))
		return go(w, TAKE_FD(fd));
	if (*rest)
		return failed(w, ENOTDIR);
	w->found = TAKE_FD(fd);
	return 0;
}

/* Follow a link: the rest becomes its text, followed by after. */
static int follow(struct path_walk *w, int link)
{
	char text[PATH_MAX];
	scoped_buf struct buf b = BUF_INIT;
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(link, &st) < 0)
		return failed(w, errno);
	r = path_link_check(w->dir, &st, w->name, w->path, w->e);
	if (r < 0)
		return r;
	if (++w->links > LINKS_MAX)
		return failed(w, ELOOP);
	if (path_link_is_magic(w->dir, w->name))
		return follow_magic(w);

	n = readlinkat(link, "", text, sizeof(text));
	if (n <= 0 || (size_t)n == sizeof(text))
		return failed(w, n < 0 ? errno : n ? ENAMETOOLONG : ENOENT);
	buf_add(&b, text, (size_t)n);
	buf_str(&b, w->after);
	if (!buf_get(&b))
		return err_nomem(w->e);
	free(w->rest);
	w->rest = buf_take(&b);
	return *text == '/' ? go(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) : 0;
}

static int open_dir(const struct path_walk *w)
{
	return openat(w->dir, w->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Walk one component that is not the last: a directory, or a link. */
static int step(struct path_walk *w)
{
	scoped_fd int fd = open_dir(w), link = -1;
	char *rest;
	struct stat st;

	if (fd < 0 && errno == ENOENT && w->maker) {
		int r = w->maker->make(w->maker->arg, w->dir, w->name, w->e);

		if (r < 0)
			return r;
		fd = open_dir(w);
	}
	if (fd < 0 && errno == ENOTDIR) {
		link = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (link >= 0 && fstat(link, &st) == 0 && S_ISLNK(st.st_mode))
			return follow(w, link);
		return failed(w, ENOTDIR);
	}
	if (fd < 0)
		return failed(w, errno);
	rest = strdup(w->after);
	if (!rest)
		return err_nomem(w->e);
	free(w->rest);
	w->rest = rest;
	return go(w, TAKE_FD(fd));
}

/*
 * Walk to the directory that contains the last component. The rest is then that component ("name",
 * or "name/"), or empty if the path ends in the directory itself. to_end: also follow the last
 * component while it is a link.
 */
static int walk(struct path_walk *w, bool to_end)
{
	while (w->found < 0) {
		int r = first_component(w);

		if (r < 0)
			return r;
		if (!*w->name)
			return 0;
		if (is_last(w) && strcmp(w->name, ".") && strcmp(w->name, "..")) {
			scoped_fd int fd = -1;
			struct stat st;

			if (!to_end && !*w->after)
				return 0;
			fd = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
				return 0;
			r = follow(w, fd);
		} else {
			r = step(w);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* dirfd: where a relative path begins. */
static int begin_in(
	struct path_walk *w, int dirfd, const char *path, const char *what, struct err *e)
{
	*w = (struct path_walk){
		.path = path, .what = what, .dir = -1, .found = -1, .e = e, .rest = strdup(path)
	};
	if (!w->rest)
		return err_nomem(e);
	if (!*path)
		return failed(w, ENOENT);
	return go(w, openat(dirfd, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int begin(struct path_walk *w, const char *path, const char *what, struct err *e)
{
	return begin_in(w, AT_FDCWD, path, what, e);
}

static int tell_place(struct path_walk *w, struct place *ret)
{
	int r = first_component(w);

	if (r < 0)
		return r;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", *w->name ? w->name : "."); /* fits */
	ret->dirfd = w->found < 0 ? TAKE_FD(w->dir) : -1;
	return 0;
}

int path_find_or_make(const char *path, bool follow, const char *what,
	const struct path_maker *maker, struct place *ret, struct err *e)
{
	__attribute__((cleanup(walk_done))) struct path_walk w;
	int r = begin(&w, path, what, e);

	w.maker = maker;
	if (r == 0)
		r = walk(&w, follow);
	if (r == 0 && w.found >= 0)
		r = failed(&w, ENOTDIR); /* an open file has no place */
	return r == 0 ? tell_place(&w, ret) : r;
}

int path_find(const char *path, bool follow, const char *what, struct place *ret, struct err *e)
{
	return path_find_or_make(path, follow, what, NULL, ret, e);
}

void path_explain_mkdir(int dirfd, const char *dir, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (!e || fstatfs(dirfd, &fs) < 0 || fstat(dirfd, &st) < 0)
		return;
	if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC) {
		err_why(e,
			"%s is in a filesystem of the kernel (%s), in which no directory can be "
			"created",
			dir, fs.f_type == PROC_SUPER_MAGIC ? "proc" : "sysfs");
		err_try(e, "name a directory in a filesystem that stores files");
	} else if (e->num == ENOENT && !st.st_nlink) {
		err_why(e, "%s has been removed", dir);
		err_try(e, "name a directory below one that exists");
	} else if (e->num == EACCES) {
		err_why(e, "%s (mode %04o) cannot be written to by the caller", dir,
			st.st_mode & 07777);
		err_try(e, "name a directory below one that the caller may write to");
	}
}

struct making {
	const char *path, *what;
};

static int make_dir(const struct making *m, int dirfd, const char *name, mode_t mode, struct err *e)
{
	int r;

	if (mkdirat(dirfd, name, mode) == 0 || errno == EEXIST)
		return 0;
	r = err_set(e, errno, m->path, "%s", m->what);
	err_op(e, "mkdir");
	path_explain_mkdir(dirfd, "its parent", e);
	return r;
}

static int make_parent(void *arg, int dirfd, const char *name, struct err *e)
{
	return make_dir(arg, dirfd, name, 0755, e);
}

int path_make_dir(const char *path, mode_t mode, const char *what, int *ret_fd, struct err *e)
{
	struct making m = { path, what };
	scoped_place struct place at = PLACE_INIT;
	int r = path_find_or_make(
		path, true, what, &(struct path_maker){ make_parent, &m }, &at, e);

	if (r == 0)
		r = make_dir(&m, at.dirfd, at.name, mode, e);
	if (r < 0)
		return r;
	*ret_fd = openat(at.dirfd, at.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_path(e, errno, path, "%s", what) : 0;
}

/*
 * --- opening -----------------------------------------------------------------------------------
 */

/* Without links there is nothing to check, and the kernel is faster. -ELOOP: there is a link. */
static int open_without_links(const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? CREATED : 0,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = sys_openat2(AT_FDCWD, path, &how);

	return fd < 0 ? -errno : fd;
}

/*
 * Open the file that a link of /proc leads to again, with the flags: it is the same file, whatever
 * its name.
 */
static int open_found(struct path_walk *w, int flags)
{
	char path[32];
	struct stat st;

	if (flags & O_PATH)
		return TAKE_FD(w->found);
	if (flags & O_DIRECTORY && (fstat(w->found, &st) < 0 || !S_ISDIR(st.st_mode))) {
		errno = ENOTDIR;
		return -1;
	}
	return open(fd_proc_path(w->found, path),
		(flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC);
}

/* Open the last component. If another process has replaced it with a link, that is not followed. */
static int open_last(struct path_walk *w, int flags)
{
	int r = first_component(w);

	if (r < 0)
		return r;
	if (!*w->name)
		return openat(w->dir, ".", (flags & ~O_CREAT) | O_CLOEXEC);
	return openat(w->dir, w->name,
		flags | (*w->after ? O_DIRECTORY : 0) | O_NOFOLLOW | O_CLOEXEC, CREATED);
}

static int walk_and_open(struct path_walk *w, int flags, int *ret_fd)
{
	struct stat st;
	int r = walk(w, !(flags & O_NOFOLLOW)), fd;

	if (r < 0)
		return r;
	fd = w->found >= 0 ? open_found(w, flags) : open_last(w, flags);
	if (fd < 0)
		return failed(w, errno);
	if (flags & O_PATH && !(flags & O_NOFOLLOW) && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		cleanup_fd(&fd);
		return failed(w, ELOOP); /* the link appeared after the walk */
	}
	*ret_fd = fd;
	return 0;
}

int path_open(const char *path, int flags, const char *what, struct place *ret_place, int *ret_fd,
	struct err *e)
{
	__attribute__((cleanup(walk_done))) struct path_walk w = { .dir = -1, .found = -1 };
	scoped_fd int fd = -1;
	int r;

	if (!ret_place) {
		r = open_without_links(path, flags);
		if (r >= 0) {
			*ret_fd = r;
			return 0;
		}
		/*
		 * Errors are those of the walk, except for links and for a missing openat2(2)
		 * (EPERM: a seccomp filter).
		 */
		if (r != -ELOOP && r != -ENOSYS && r != -EPERM && r != -EINVAL)
			return err_path(e, -r, path, "%s", what);
	}
	r = begin(&w, path, what, e);
	if (r == 0)
		r = walk_and_open(&w, flags, &fd);
	if (r == 0 && ret_place)
		r = tell_place(&w, ret_place);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int path_open_in(
	int dirfd, const char *path, int flags, const char *what, int *ret_fd, struct err *e)
{
	__attribute__((cleanup(walk_done))) struct path_walk w = { .dir = -1, .found = -1 };
	int r = begin_in(&w, dirfd, path, what, e);

	return r == 0 ? walk_and_open(&w, flags, ret_fd) : r;
}

int path_stat(const char *path, bool follow, struct stat *ret)
{
	scoped_fd int fd = -1;
	int r = path_open(
		path, O_PATH | (follow ? 0 : O_NOFOLLOW), "cannot open it", NULL, &fd, NULL);

	if (r < 0)
		return r;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int path_open_regular(const char *path, int *ret_fd, struct err *e)
{
	scoped_fd int fd = -1;
	int r = path_open(
		path, O_RDONLY | O_NONBLOCK | O_NOCTTY, "cannot open the file", NULL, &fd, e);

	fd_explain_lease(r, e);
	if (r == 0)
		r = fd_check_regular(fd, path, e);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* The name is only a hint: it counts if it leads to the same file. */
int path_place_of(int fd, struct place *ret)
{
	scoped_buf struct buf b = BUF_INIT;
	struct stat st, there;
	char *slash;
	int dir;

	path_of_fd(fd, &b);
	slash = buf_get(&b) && b.len ? strrchr(b.data, '/') : NULL;
	if (!slash || !slash[1] || strlen(slash + 1) > NAME_MAX || fstat(fd, &st) < 0)
		return -ENOENT;
	*slash = '\0';
	dir = open_without_links(slash == b.data ? "/" : b.data, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return -ENOENT;
	if (fstatat(dir, slash + 1, &there, AT_SYMLINK_NOFOLLOW) < 0 || !same_file(&st, &there)) {
		cleanup_fd(&dir);
		return -ENOENT;
	}
	(void)snprintf(ret->name, sizeof(ret->name), "%s", slash + 1); /* fits: checked */
	ret->dirfd = dir;
	return 0;
}

int path_open_existing(const char *dir)
{
	scoped_free char *path = strdup(dir);
	int fd = -1;

	while (path &&
		path_open(*path ? path : ".", O_PATH | O_DIRECTORY, "cannot open the directory",
			NULL, &fd, NULL) == -ENOENT) {
		char *slash = strrchr(path, '/');

		if (!*path)
			return -1;
		if (slash == path && path[1])
			slash++;
		*(slash ? slash : path) = '\0';
	}
	return fd;
}

int path_may_create(int dirfd)
{
	struct statfs fs;

	if (faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	if (fstatfs(dirfd, &fs) < 0)
		return 0;
	return fs.f_type == PROC_SUPER_MAGIC ? -ENOENT : fs.f_type == SYSFS_MAGIC ? -EPERM : 0;
}
