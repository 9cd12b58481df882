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
#include "store_priv.h"

enum { DIGITS = 16 };

static int lock(int fd, const char *path, int how, struct err *e)
{
	return flock(fd, how) < 0 ? err_set(e, errno, path, "cannot lock the directory") : 0;
}

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
	VEC(int) held = { 0 };
	VEC(char *) dead = { 0 };
	int r;

	/* No one may be between making a directory and locking it while we look for unlocked ones. */
	r = lock(parent, path, LOCK_EX, e);
	if (r < 0)
		return r;
	r = store_list_dir(parent, path, &names, e);
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		int fd = -1;

		if (!is_ours(names.items[i], prefix) || lock_dead(parent, names.items[i], &fd) < 0)
			continue;
		if (VEC_ADD(&held, fd) < 0 || VEC_ADD(&dead, names.items[i]) < 0)
			r = err_nomem(e);
	}
	(void)lock(parent, path, LOCK_UN, NULL); /* unlocking does not fail */

	for (size_t i = 0; r == 0 && i < dead.len; i++) {
		struct err own = ERR_INIT;

		log_verbose("sweeping the staging directory '%s' of a dead process", dead.items[i]);
		if (fd_remove_tree(parent, dead.items[i], &own) < 0)
			log_warn("cannot remove the old staging directory '%s/%s': %s", path, dead.items[i], strerrordesc_np(own.num));
	}
	for (size_t i = 0; i < held.len; i++)
		(void)close(held.items[i]);
	VEC_DONE(&held);
	VEC_DONE(&dead);
	return r;
}

int stage_new(int parent, const char *path, const char *prefix, struct stage *ret, struct err *e)
{
	struct stage s = { .parent = parent, .path = path, .fd = -1 };
	uint64_t id;
	int r;

	r = stage_sweep(parent, path, prefix, e);
	if (r < 0)
		return r;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(e, errno, path, "cannot get a random name");
	(void)snprintf(s.name, sizeof(s.name), "%s%016" PRIx64, prefix, id); /* fits: our own prefixes */
	r = lock(parent, path, LOCK_EX, e);
	if (r < 0)
		return r;
	if (mkdirat(parent, s.name, 0700) < 0)
		r = err_set(e, errno, path, "cannot create a staging directory in it");
	if (r == 0)
		r = fd_open_beneath(parent, s.name, O_RDONLY | O_DIRECTORY, &s.fd, e);
	if (r == 0)
		r = lock(s.fd, path, LOCK_EX, e);
	(void)lock(parent, path, LOCK_UN, NULL); /* unlocking does not fail */
	if (r < 0) {
		stage_done(&s);
		return r;
	}

	*ret = s;
	return 0;
}

void stage_done(struct stage *s)
{
	struct err own = ERR_INIT;

	if (s->fd < 0)
		return;
	/* The lock is held while removing: nobody else needs to. */
	if (fd_remove_tree(s->parent, s->name, &own) < 0)
		log_warn("cannot remove the staging directory '%s/%s': %s", s->path, s->name, strerrordesc_np(own.num));
	(void)close(s->fd);
	s->fd = -1;
}
