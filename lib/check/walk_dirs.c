/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* walk_dirs: a direct-mapped cache of open directories. */

#include "walk_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../base/cleanup.h"

/*
 * In a deep tree, directories whose depth is a multiple of FAR have slots of their own; those in
 * between are opened from them by path.
 */
enum { SLOTS_MIN = 8, SLOTS_MAX = 64, FAR = 512, FAR_SLOTS = 4 };

struct slot {
	struct walk_dir *d; /* owns one reference; NULL: the slot is free */
	unsigned tree;
	int fd;
};

struct walk_dirs {
	struct slot far[FAR_SLOTS];
	size_t n; /* number of slots, a power of 2; a directory's hash selects its slot */
	struct slot slots[];
};

struct walk_dirs *walk_dirs_new(unsigned threads)
{
	struct rlimit limit = { .rlim_cur = 0 };
	struct walk_dirs *c;
	size_t n = SLOTS_MIN;

	(void)getrlimit(RLIMIT_NOFILE, &limit); /* cannot fail */
	while (n < SLOTS_MAX && n * 2 <= limit.rlim_cur / 4 / (threads ? threads : 1))
		n *= 2;
	c = calloc(1, sizeof(*c) + n * sizeof(*c->slots));
	if (!c)
		return NULL;
	c->n = n;
	for (size_t i = 0; i < n; i++)
		c->slots[i].fd = -1;
	for (size_t i = 0; i < FAR_SLOTS; i++)
		c->far[i].fd = -1;
	return c;
}

static void forget(struct slot *s)
{
	walk_dir_unref(s->d);
	s->d = NULL;
	cleanup_fd(&s->fd);
	s->fd = -1;
}

static void forget_all(struct walk_dirs *c)
{
	for (size_t i = 0; i < c->n; i++)
		forget(&c->slots[i]);
	for (size_t i = 0; i < FAR_SLOTS; i++)
		forget(&c->far[i]);
}

void walk_dirs_free(struct walk_dirs *c)
{
	if (!c)
		return;
	forget_all(c);
	free(c);
}

static struct slot *slot_of(struct walk_dirs *c, unsigned tree, const struct walk_dir *d)
{
	uint64_t h = ((uint64_t)(uintptr_t)d + tree) * 0x9e3779b97f4a7c15ULL;

	return &c->slots[h >> 32 & (c->n - 1)];
}

static struct slot *far_slot_of(struct walk_dirs *c, unsigned tree, const struct walk_dir *d)
{
	return &c->far[(d->depth / FAR + tree * 2) % FAR_SLOTS];
}

static struct slot *find(struct walk_dirs *c, unsigned tree, const struct walk_dir *d)
{
	struct slot *s = slot_of(c, tree, d);

	if ((s->d != d || s->tree != tree) && d->depth % FAR == 0)
		s = far_slot_of(c, tree, d);
	return s->d == d && s->tree == tree ? s : NULL;
}

static void put(struct slot *s, unsigned tree, struct walk_dir *d, int fd)
{
	forget(s);
	*s = (struct slot){ .d = walk_dir_ref(d), .tree = tree, .fd = fd };
}

/* Open d by its path below up, an ancestor that is open as at. */
static int open_far(int at, const struct walk_dir *up, const struct walk_dir *d, int flags)
{
	scoped_buf struct buf path = BUF_INIT;

	walk_path(d, NULL, &path);
	if (!buf_get(&path))
		return -ENOMEM;
	return walk_open(at, buf_get(&path) + up->path_len + (up->path_len > 0), flags);
}

static int open_near(struct walk_dirs *c, unsigned tree, int root, struct walk_dir *d, int flags)
{
	struct walk_dir *way[SLOTS_MAX], *up = d,
					 *far = NULL; /* way: the directories from d upwards */
	struct slot *s = NULL;
	size_t n = 0, below = 0;
	int fd;

	if (!d->parent)
		return walk_open(root, "", flags);
	while (up->parent && !(s = find(c, tree, up))) {
		if (n < c->n)
			way[n++] = up;
		else if (!far && up->depth % FAR == 0)
			far = up;
		below++;
		up = up->parent;
	}
	if (up == d)
		return walk_open(s->fd, "", flags);
	fd = s ? s->fd : root;
	if (far) {
		fd = open_far(fd, up, far, O_PATH);
		if (fd < 0)
			return fd;
		put(far_slot_of(c, tree, far), tree, far, fd);
		up = far;
	}
	if (below > n) {
		fd = open_far(fd, up, way[--n], O_PATH);
		if (fd < 0)
			return fd;
		put(slot_of(c, tree, way[n]), tree, way[n], fd);
	}
	while (n > 1) {
		fd = walk_open(fd, way[--n]->name, O_PATH);
		if (fd < 0)
			return fd;
		put(slot_of(c, tree, way[n]), tree, way[n], fd);
	}
	return walk_open(fd, d->name, flags);
}

int walk_dirs_open(struct walk_dirs *c, unsigned tree, int root, struct walk_dir *d, int flags)
{
	const struct walk_dir *top = d;
	int fd = open_near(c, tree, root, d, flags);

	if (fd != -EMFILE && fd != -ENFILE)
		return fd;
	/* Out of descriptors: empty the cache and open it by its path from the root. */
	forget_all(c);
	while (top->parent)
		top = top->parent;
	return open_far(root, top, d, flags);
}

void walk_dirs_keep(struct walk_dirs *c, unsigned tree, struct walk_dir *d, int *fd)
{
	if (*fd >= 0 && walk_dir_is_wanted(d))
		put(slot_of(c, tree, d), tree, d, TAKE_FD(*fd));
	cleanup_fd(fd);
	*fd = -1;
}
