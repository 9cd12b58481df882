/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stage: directories that go with their process. */

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/stop.h"
#include "store_priv.h"

enum { DIGITS = 16, TRIES = 100 };

static bool is_ours(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(name, prefix, n) && strlen(name) == n + DIGITS && strspn(name + n, "0123456789abcdef") == DIGITS;
}

/* Lock what nobody alive holds: -EWOULDBLOCK for what somebody does, -EPERM for what another user made. */
static int lock_dead(int parent, const char *name, int *ret_fd)
{
	scoped_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int stage_sweep(int parent, const char *path, const char *prefix, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_list_dir(parent, path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		struct err own = ERR_INIT;
		scoped_fd int fd = -1; /* locked while removing, so that nobody takes what is going for a stage */

		if (!is_ours(names.items[i], prefix) || lock_dead(parent, names.items[i], &fd) < 0)
			continue;
		log_verbose("sweeping the staging directory '%s' of a dead process", names.items[i]);
		if (fd_remove_tree(parent, names.items[i], &own) < 0 && (r = stop_check(e)) == 0)
			log_warn("cannot remove the old staging directory '%s/%s': %s", path, names.items[i], strerrordesc_np(own.num));
	}
	return r;
}

/*
 * 1: made and locked. 0: somebody who sweeps took it for a dead one, between the two; then it is theirs. There is no lock
 * on the parent: of --flat it may be a directory that others can read, and who can read it can lock it for ever.
 */
static int try_new(struct stage *s, const char *prefix, struct err *e)
{
	scoped_fd int fd = -1;
	struct stat st, there;
	uint64_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(e, errno, s->path, "cannot get a random name");
	(void)snprintf(s->name, sizeof(s->name), "%s%016" PRIx64, prefix, id); /* fits: our own prefixes */
	if (mkdirat(s->parent, s->name, 0700) < 0)
		return err_set(e, errno, s->path, "cannot create a staging directory in it");
	fd = openat(s->parent, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, s->path, "cannot open the staging directory");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : err_set(e, errno, s->path, "cannot lock the staging directory");
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, s->path, "cannot stat the staging directory");
	if (fstatat(s->parent, s->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, s->path, "cannot stat the staging directory");
	if (there.st_dev != st.st_dev || there.st_ino != st.st_ino)
		return err_say(e, EEXIST, s->path, "somebody else's directory is where the staging directory was made");

	s->fd = TAKE_FD(fd);
	return 1;
}

int stage_new(int parent, const char *path, const char *prefix, struct stage *ret, struct err *e)
{
	struct stage s = { .parent = parent, .path = path, .fd = -1 };
	int r = stage_sweep(parent, path, prefix, e);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < TRIES; i++)
		r = try_new(&s, prefix, e);
	if (r == 0)
		return err_say(e, EAGAIN, path, "each staging directory that is made in it is taken away again");
	if (r < 0)
		return r;

	*ret = s;
	return 0;
}

void stage_done(struct stage *s)
{
	struct err own = ERR_INIT;
	int r;

	if (s->fd < 0)
		return;
	/* The lock is held while removing: nobody else needs to. */
	r = fd_remove_tree(s->parent, s->name, &own);
	if (r == -ECANCELED)
		log_warn("the staging directory '%s/%s' is left to the next run, which removes it", s->path, s->name);
	else if (r < 0)
		log_warn("cannot remove the staging directory '%s/%s': %s", s->path, s->name, strerrordesc_np(own.num));
	(void)close(s->fd);
	s->fd = -1;
}
