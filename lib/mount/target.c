/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* target: where a mount is attached. */

#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

/* path without trailing slashes: "link/" would follow the link that "link" names. */
static char *trimmed(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

static int remember(struct target *t, int dirfd, const char *name, bool dir, struct err *e)
{
	struct made m = { .dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3), .name = strdup(name), .dir = dir };

	if (m.dirfd >= 0 && m.name && VEC_ADD(&t->made, m) == 0)
		return 0;
	(void)unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0); /* it is ours and empty */
	if (m.dirfd >= 0)
		(void)close(m.dirfd); /* only a reference */
	free(m.name);
	return err_nomem(e);
}

/* Create name in dirfd. Somebody else may be quicker: then it is not ours to remove. */
static int create(struct target *t, int dirfd, const char *name, bool dir, uint32_t mode, const char *path, struct err *e)
{
	int fd = -1, r;

	if (dir)
		r = mkdirat(dirfd, name, mode);
	else
		r = fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0666);
	if (r < 0 && errno == EEXIST)
		return 0;
	if (r < 0) {
		r = err_set(e, errno, path, "cannot create the target");
		err_op(e, "mkdir");
		probe_create(dirfd, e);
		return r;
	}
	if (fd >= 0)
		(void)close(fd); /* empty: nothing to lose */
	r = remember(t, dirfd, name, dir, e);
	/* The mode that was asked for, whatever the umask. */
	if (r == 0 && dir && fchmodat(dirfd, name, mode, 0) < 0)
		r = err_set(e, errno, path, "cannot set the mode of the target");
	return r;
}

static int open_failed(const char *path, bool create, struct err *e)
{
	int r = err_path(e, errno, path, "cannot open the target");

	if (r == -ENOENT && !create)
		err_try(e, "create it first, or give -o mkdir");
	return r;
}

/* Create what is missing of path, component by component, each opened once: the last one, too, as the target. */
static int create_path(struct target *t, char *path, const struct target_how *how, int flags, struct err *e)
{
	scoped_fd int dir = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *p = path + strspn(path, "/");

	while (dir >= 0) {
		size_t n = strcspn(p, "/"), gap = strspn(p + n, "/");
		bool last = !p[n + gap];
		char slash = p[n];
		int r, next;

		p[n] = '\0';
		r = faccessat(dir, p, F_OK, AT_SYMLINK_NOFOLLOW);
		if (r < 0 && errno == ENOENT)
			r = create(t, dir, p, !last || how->want_dir, last ? how->mode : 0755, path, e);
		else
			r = 0;
		if (r < 0)
			return r;
		if (last) {
			t->fd = openat(dir, p, flags);
			return t->fd < 0 ? open_failed(path, true, e) : 0;
		}
		next = openat(dir, p, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return err_path(e, errno, path, "cannot open a parent of the target");
		cleanup_fd(&dir);
		dir = next;
		p[n] = slash;
		p += n + gap;
	}
	return err_set(e, errno, path, "cannot open the directory to start from");
}

static int check_type(const struct target *t, const char *path, const struct target_how *how, struct err *e)
{
	struct stat st;

	if (fstat(t->fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the target");
	if (S_ISLNK(st.st_mode)) {
		(void)err_say(e, ELOOP, path, "the target is a symbolic link");
		err_why(e, "what it points to would be covered, and it could be changed meanwhile");
		err_try(e, "name the place itself, or give -o follow");
		return -ELOOP;
	}
	if (how->want_dir && !S_ISDIR(st.st_mode)) {
		(void)err_say(e, ENOTDIR, path, "cannot mount a directory on something that is none");
		err_try(e, "name a directory as the target");
		return -ENOTDIR;
	}
	if (!how->want_dir && S_ISDIR(st.st_mode)) {
		(void)err_say(e, EISDIR, path, "cannot mount a file on a directory");
		err_try(e, "name a file as the target, an empty one will do (touch, or -o mkdir)");
		return -EISDIR;
	}
	return 0;
}

static int open_target(struct target *t, const char *path, const struct target_how *how, struct err *e)
{
	scoped_free char *copy = trimmed(path);
	int flags = O_PATH | O_CLOEXEC | (how->follow ? 0 : O_NOFOLLOW);
	int r;

	if (!copy)
		return err_nomem(e);
	t->fd = open(copy, flags);
	if (t->fd < 0 && errno == ENOENT && how->create)
		r = create_path(t, copy, how, flags, e);
	else
		r = t->fd < 0 ? open_failed(path, how->create, e) : 0;
	if (r < 0)
		return r;
	return check_type(t, path, how, e);
}

int target_open(const char *path, const struct target_how *how, struct target *ret, struct err *e)
{
	struct target t = TARGET_INIT;
	int r = open_target(&t, path, how, e);

	if (r < 0) {
		target_undo(&t);
		target_done(&t);
		return r;
	}

	*ret = t;
	return 0;
}

void target_undo(struct target *t)
{
	for (size_t i = t->made.len; i-- > 0;) {
		struct made *m = &t->made.items[i];

		/* What is not empty any more has become somebody's. */
		(void)unlinkat(m->dirfd, m->name, m->dir ? AT_REMOVEDIR : 0);
	}
}

void target_done(struct target *t)
{
	for (size_t i = 0; i < t->made.len; i++) {
		(void)close(t->made.items[i].dirfd); /* only a reference */
		free(t->made.items[i].name);
	}
	VEC_DONE(&t->made);
	cleanup_fd(&t->fd);
	*t = TARGET_INIT;
}
