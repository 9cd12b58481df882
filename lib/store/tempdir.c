/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tempdir: private directories that are removed after their process has ended. */

#include "tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/stop.h"
#include "../mount/fs_limits.h"
#include "store_dir.h"

enum { DIGITS = 16, TRIES = 100 };

static bool is_ours(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(name, prefix, n) && strlen(name) == n + DIGITS &&
		strspn(name + n, "0123456789abcdef") == DIGITS;
}

/* The name of the mark of a tempdir. The mark exists before the directory. */
static const char *mark_name(const char *name, char buf[static MARK_NAME_MAX])
{
	(void)snprintf(buf, MARK_NAME_MAX, "%.48s.lock", name); /* fits: struct tempdir */
	return buf;
}

/*
 * Is the directory the caller's, and has its process ended? The lock on *ret_fd keeps concurrent
 * sweeps apart, and older versions, which had no marks and locked the directory. If there is a
 * mark, it alone decides.
 */
static bool is_dead(int parent, const char *name, int *ret_fd)
{
	scoped_fd int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char mark[MARK_NAME_MAX];
	struct stat st;
	int state, r;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return false;
	state = mark_look(parent, mark_name(name, mark));
	if (state != MARK_DEAD && state != MARK_GONE)
		return false;
	r = lock_try(fd, LOCK_EXCLUSIVE);
	if (state == MARK_GONE && r < 0)
		return false;
	/* Of concurrent sweeps, the one that unlinks the mark continues. */
	if (state == MARK_DEAD && unlinkat(parent, mark, 0) < 0)
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

/*
 * Remove a mark without a directory: its process ended before it made the directory, or after it
 * removed it.
 */
static void sweep_mark(int parent, const char *name, const char *prefix)
{
	size_t n = strlen(prefix) + DIGITS;
	char stage[MARK_NAME_MAX];

	if (strlen(name) < n || (strcmp(name + n, ".lock") && strcmp(name + n, ".lock~")))
		return;
	(void)snprintf(stage, sizeof(stage), "%.*s", (int)n, name); /* fits: our own prefixes */
	if (is_ours(stage, prefix) && faccessat(parent, stage, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		mark_look(parent, name) == MARK_DEAD)
		(void)unlinkat(parent, name, 0); /* otherwise the next sweep removes it */
}

static int sweep(int parent, const char *path, const char *prefix, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r;

	/*
	 * A user who can rename entries of the parent could move other files of the caller to such
	 * a name, to have them removed.
	 */
	if (!path_is_kept(parent))
		return 0;
	r = store_dir_list(parent, path, &names, e);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		struct err own = ERR_INIT;
		scoped_fd int fd = -1;

		sweep_mark(parent, names.items[i], prefix);
		if (!is_ours(names.items[i], prefix) || !is_dead(parent, names.items[i], &fd))
			continue;
		log_verbose("sweeping the staging directory '%s' of a process that has ended",
			names.items[i]);
		if (fd_remove_tree(parent, names.items[i], &own) < 0 && (r = stop_check(e)) == 0)
			log_warn("cannot remove the old staging directory '%s/%s': %s", path,
				names.items[i], strerrordesc_np(own.num));
	}
	return r;
}

/* /proc and /sys refuse to create anything, with ENOENT and EPERM. */
static int refuse_create(const struct tempdir *s, int num, struct err *e)
{
	int r = err_set(e, num, s->path, "cannot create a staging directory in it");

	path_explain_mkdir(s->parent, "it", e);
	return r;
}

/* What was just created is another user's, or not new. */
static int not_ours(const struct tempdir *s, const struct stat *st, struct err *e)
{
	char type[64];
	int r;

	if (fs_kind_of(s->parent) == FS_COMPLETE || st->st_uid == geteuid())
		return err_say(e, EEXIST, s->path,
			"another user's directory has replaced the staging directory");
	(void)unlinkat(s->parent, s->name, AT_REMOVEDIR); /* only an empty directory is removed */
	r = err_say(e, EEXIST, s->path,
		"a directory that is created in it belongs to user %u, not to the caller",
		st->st_uid);
	err_why(e, "its filesystem (%s) gives files owners of its own",
		fs_type_name(s->parent, type));
	err_try(e, "use a directory on another filesystem, such as ext4, xfs, btrfs or tmpfs");
	return r;
}

/* Choose a name, and make the mark before the directory. 0: try another name. */
static int make_mark(struct tempdir *s, const char *prefix, struct err *e)
{
	char mark[MARK_NAME_MAX];
	uint64_t id;
	int r;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(e, errno, s->path, "cannot get a random name");
	(void)snprintf(
		s->name, sizeof(s->name), "%s%016" PRIx64, prefix, id); /* fits: our own prefixes */
	r = mark_new(s->parent, mark_name(s->name, mark), &s->mark);
	if (r == 0 || r == -EAGAIN)
		return r == 0;
	if (r != -EINVAL && r != -ENOLCK && r != -EOPNOTSUPP)
		return refuse_create(s, -r, e);
	log_verbose("the filesystem of '%s' has no locks for files (%s): the staging directory "
		    "itself is locked",
		s->path, strerrordesc_np(-r));
	return 1;
}

/*
 * Is it the directory that was made, or as good? In a directory of another user it can be exchanged
 * before it is opened.
 */
static bool is_new(int fd, const struct stat *st)
{
	scoped_strv struct strv names = { 0 };

	return st->st_uid == geteuid() && !(st->st_mode & 077) &&
		store_dir_list(fd, "", &names, NULL) == 0 && !names.len;
}

/*
 * Returns 1 if the directory was created and locked, 0 if another process removed or locked it
 * between mkdir(2) and flock(2); then the caller tries another name. The parent is not locked: with
 * --flat it may be readable by other users, and any reader could hold the lock forever.
 */
static int try_new(struct tempdir *s, const char *prefix, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st, there;
	int r = make_mark(s, prefix, e);

	if (r <= 0)
		return r;
	if (mkdirat(s->parent, s->name, 0700) < 0)
		return refuse_create(s, errno, e);
	fd = openat(s->parent, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ?
			0 :
			err_set(e, errno, s->path, "cannot open the staging directory");
	/*
	 * Older versions would remove an unlocked directory. If there is a mark, it does not matter
	 * whether another process holds this lock.
	 */
	r = lock_try(fd, LOCK_EXCLUSIVE);
	if (r < 0 && s->mark < 0)
		return r == -EWOULDBLOCK ?
			0 :
			err_set(e, -r, s->path, "cannot lock the staging directory");
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the staging directory");
	if (fstatat(s->parent, s->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ?
			0 :
			err_set(e, errno, s->path, "cannot stat the staging directory");
	if (there.st_dev != st.st_dev || there.st_ino != st.st_ino || !is_new(fd, &st))
		return not_ours(s, &st, e);

	s->fd = TAKE_FD(fd);
	return 1;
}

static void drop_mark(struct tempdir *s)
{
	char mark[MARK_NAME_MAX];

	mark_drop(s->parent, mark_name(s->name, mark), &s->mark);
}

int tempdir_check(int parent, const char *path, struct err *e)
{
	const struct tempdir s = { .parent = parent, .path = path };
	int r = path_may_create(parent);

	return r < 0 ? refuse_create(&s, -r, e) : 0;
}

int tempdir_new(
	int parent, const char *path, const char *prefix, struct tempdir *ret, struct err *e)
{
	struct tempdir s = { .parent = parent, .path = path, .fd = -1, .mark = -1 };
	int r = sweep(parent, path, prefix, e);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < TRIES; i++) {
		r = try_new(&s, prefix, e);
		if (r <= 0)
			drop_mark(&s);
	}
	if (r == 0)
		return err_say(e, EAGAIN, path,
			"each staging directory that is made in it is removed by another process");
	if (r < 0)
		return r;

	*ret = s;
	return 0;
}

void tempdir_done(struct tempdir *s)
{
	struct err own = ERR_INIT;
	int r;

	if (s->fd < 0)
		return;
	/* The mark is held until the directory is removed, so no sweep interferes. */
	r = fd_remove_opened(s->parent, s->name, s->fd, &own);
	if (r == -ECANCELED)
		log_verbose(
			"the staging directory '%s/%s' is left to the next run, which removes it",
			s->path, s->name); /* after stop_hurry(): the program has said so */
	else if (r < 0)
		log_warn("cannot remove the staging directory '%s/%s': %s", s->path, s->name,
			strerrordesc_np(own.num));
	if (r == 0)
		drop_mark(s);
	cleanup_fd(&s->mark); /* a directory that remains is thereby marked as dead */
	s->mark = -1;
	(void)close(s->fd);
	s->fd = -1;
}

const char *tempdir_entry(size_t i, const char *suffix, char buf[static 32])
{
	(void)snprintf(buf, 32, "%zu%s", i, suffix); /* fits: 20 digits and a short suffix */
	return buf;
}
