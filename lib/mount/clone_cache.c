/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clone_cache: keep clones of sources that are cloned many times. */

#include "clone_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/log.h"
#include "../base/sys.h"
#include "clone.h"
#include "mount_attr.h"

/*
 * The source that was cloned last, for each slot. A source that was cloned once has no clone here.
 */
static struct copy {
	uint64_t mnt, ino; /* the mount's unique id, and the inode; 0: the slot is free */
	int fd;            /* 1 + the descriptor of the clone; 0: none */
	bool note;
} copies[64];

static bool useless; /* this kernel cannot clone detached mounts */

static int clone_of(int fd)
{
	return sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

static void forget(struct copy *c)
{
	int fd = c->fd - 1;

	cleanup_fd(&fd);
	*c = (struct copy){ 0 };
}

/* The cache is optional: log why it is not used, and return -1. */
static int without(int num)
{
	if (num == EINVAL) {
		useless = true;
		clone_cache_done();
		log_verbose(
			"this kernel (before Linux 6.15) cannot clone detached mounts: each line "
			"clones its source, which takes longer the more mounts there are");
	} else {
		log_verbose("no clone can be kept (%s): the source itself is cloned",
			strerrordesc_np(num));
	}
	return -1;
}

/* A clone that is not private would receive what is mounted on the source. Returns 0 or -errno. */
static int keep(struct copy *c, int fd)
{
	scoped_fd int copy = clone_of(fd);
	int r = copy < 0 ? -errno : mount_attr_set(copy, &mount_flags_private, -1);

	if (r == 0)
		c->fd = 1 + TAKE_FD(copy);
	return r;
}

static bool look(int fd, struct statx *ret)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT,
		       STATX_TYPE | STATX_INO | SYS_STATX_MNT_ID_UNIQUE, ret) == 0;
}

static struct copy *slot_of(const struct statx *stx)
{
	return &copies[(stx->stx_mnt_id * 31 + stx->stx_ino) % ARRAY_LEN(copies)];
}

static bool is_of(const struct copy *c, const struct statx *stx)
{
	return c->mnt == stx->stx_mnt_id && c->ino == stx->stx_ino;
}

int clone_cache_clone(int fd)
{
	struct statx stx;
	struct copy *c;
	int r;

	if (useless || !look(fd, &stx))
		return -1;
	if (!(stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE))
		return without(EINVAL); /* before Linux 6.8 */
	c = slot_of(&stx);
	if (!is_of(c, &stx)) {
		forget(c);
		*c = (struct copy){ .mnt = stx.stx_mnt_id, .ino = stx.stx_ino };
		return -1;
	}
	r = c->fd ? 0 : keep(c, fd);
	if (r < 0)
		return r == -EINVAL ?
			-1 :
			without(-r); /* the source cannot be cloned: the caller reports it */
	r = clone_of(c->fd - 1);
	return r < 0 ? without(errno) : r;
}

bool *clone_cache_note(int fd)
{
	struct statx stx;
	struct copy *c;

	/* A file can have several names, in directories with different modes. */
	if (useless || !look(fd, &stx) || !(stx.stx_mask & SYS_STATX_MNT_ID_UNIQUE) ||
		!S_ISDIR(stx.stx_mode))
		return NULL;
	c = slot_of(&stx);
	return is_of(c, &stx) && c->fd ? &c->note : NULL;
}

void clone_cache_done(void)
{
	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		forget(&copies[i]);
}
