/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* target: open or create the target of a mount. */

#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "mkdir_owned.h"
#include "probe.h"

/* Remove trailing slashes from path: "link/" would follow "link". */
static char *trimmed(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

static int remember(struct target *t, int dirfd, const char *name, bool dir, struct err *e)
{
	struct made m = {
		.dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3), .name = strdup(name), .dir = dir
	};

	if (m.dirfd >= 0 && m.name && VEC_ADD(&t->made, m) == 0)
		return 0;
	(void)unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0); /* it is new and empty */
	if (m.dirfd >= 0)
		(void)close(m.dirfd); /* only a reference */
	free(m.name);
	return err_nomem(e);
}

static int create_failed(int dirfd, const char *path, struct err *e)
{
	int r = err_set(e, errno, path, "cannot create the target");

	err_op(e, "mkdir");
	probe_create(dirfd, e);
	path_explain_mkdir(dirfd, "its parent", e);
	return r;
}

/*
 * If another process was faster, the directory is not noted for removal. The mode is not set by
 * name afterwards: see fd_make_dir().
 */
static int create_dir(struct target *t, int dirfd, const char *name, uint32_t mode,
	const char *path, struct err *e)
{
	if (fd_make_dir(dirfd, name, mode) == 0)
		return remember(t, dirfd, name, true, e);
	return errno == EEXIST ? 0 : create_failed(dirfd, path, e);
}

static int create_file(struct target *t, int dirfd, const char *name, uint32_t mode,
	const char *path, struct err *e)
{
	scoped_fd int fd = openat(
		dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0666);

	if (fd >= 0)
		return remember(t, dirfd, name, false, e);
	return errno == EEXIST ? 0 : create_failed(dirfd, path, e);
}

/*
 * --- the directory of a user -------------------------------------------------------------------
 */

/* In a directory that others can write, they could exchange the user's for another. */
int target_check_above(int dirfd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the directory above it");
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022))
		return 0;
	(void)err_say(e, EPERM, path,
		"the directory above it belongs to user %u with mode %04o, so others than root can "
		"write there",
		st.st_uid, st.st_mode & 07777);
	err_op(e, "view");
	err_try(e, "name a place in a directory of root's, with mode 0711 or 0755");
	return -EPERM;
}

int target_check_owned(int fd, const char *path, const struct owner_mode *b, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, path, "cannot stat the target");
	if (S_ISDIR(st.st_mode) && st.st_uid == b->uid && !(st.st_mode & 077))
		return 0;
	(void)err_say(e, EPERM, path,
		"is not a directory that user %u alone can enter: it belongs to user %u, with mode "
		"%04o",
		b->uid, st.st_uid, st.st_mode & 07777);
	err_op(e, "view");
	err_try(e,
		"name a directory of its own as TARGET, such as /run/shiftbox/users/%%u; or, if it "
		"is empty, rmdir it: it will be created anew");
	return -EPERM;
}

static int create_owned(struct target *t, const struct place *at, const struct target_how *how,
	const char *path, struct err *e)
{
	struct err own = ERR_INIT;
	int r = target_check_above(at->dirfd, path, e);

	if (r < 0)
		return r;
	r = mkdir_owned(at->dirfd, at->name, how->owner, path, &own);
	if (r == 0)
		return remember(t, at->dirfd, at->name, true, e);
	if (r == -EEXIST)
		return 0; /* another process was faster */
	if (e)
		*e = own;
	return r;
}

struct creation {
	struct target *t;
	const char *path;
	uint32_t mode;
};

static int create_parent(void *arg, int dirfd, const char *name, struct err *e)
{
	struct creation *c = arg;

	return create_dir(c->t, dirfd, name, c->mode, c->path, e);
}

/* Create the missing components of path. */
static int create_path(
	struct target *t, const char *path, const struct target_how *how, struct err *e)
{
	scoped_place struct place at = PLACE_INIT;
	struct creation c = { t, path, how->owner ? 0711 : 0755 };
	int r = path_find_or_make(path, how->follow, "cannot open a parent of the target",
		&(struct path_maker){ create_parent, &c }, &at, e);

	if (r == 0 && how->owner)
		r = create_owned(t, &at, how, path, e);
	else if (r == 0)
		r = how->want_dir ? create_dir(t, at.dirfd, at.name, how->mode, path, e) :
				    create_file(t, at.dirfd, at.name, how->mode, path, e);
	if (r < 0)
		return r;
	t->fd = openat(at.dirfd, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return t->fd < 0 ? err_path(e, errno, path, "cannot open the target") : 0;
}

static int check_type(
	const struct target *t, const char *path, const struct target_how *how, struct err *e)
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
		(void)err_say(e, ENOTDIR, path,
			"cannot mount a directory on something that is not a directory");
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

static int open_target(
	struct target *t, const char *path, const struct target_how *how, struct err *e)
{
	scoped_free char *copy = trimmed(path);
	scoped_place struct place at = PLACE_INIT;
	bool created = false;
	int r;

	if (!copy)
		return err_nomem(e);
	/* The kernel opens a path in one call, unless its place is asked for. */
	r = path_open(copy, O_PATH | (how->follow ? 0 : O_NOFOLLOW), "cannot open the target",
		how->owner ? &at : NULL, &t->fd, e);
	if (r == -ENOENT && how->create) {
		if (e)
			*e = ERR_INIT;
		created = true;
		r = create_path(t, copy, how, e);
	}
	if (r == -ENOENT && !how->create) {
		scoped_fd int above = path_open_existing(copy);

		err_try(e, "create it first, or give -o mkdir");
		path_explain_mkdir(above, "its parent", e);
	}
	if (r == 0)
		r = check_type(t, path, how, e);
	if (r == 0 && how->owner && !created)
		r = target_check_above(at.dirfd, path, e);
	return r == 0 && how->owner ? target_check_owned(t->fd, path, how->owner, e) : r;
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

int target_check(const char *path, const struct target_how *how, struct err *e)
{
	const struct target_how there = {
		.want_dir = how->want_dir, .follow = how->follow, .owner = how->owner
	};
	scoped_target struct target t = TARGET_INIT;
	struct err own = ERR_INIT;
	int r = open_target(&t, path, &there, &own);

	if (r == -ENOENT && how->create)
		return 0;
	if (r < 0 && e)
		*e = own;
	return r;
}

void target_undo(struct target *t)
{
	for (size_t i = t->made.len; i-- > 0;) {
		struct made *m = &t->made.items[i];

		/* A directory that is no longer empty is in use. */
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
