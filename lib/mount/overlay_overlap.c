/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overlay_overlap: find an upper that is inside a layer, or contains one. */

#include "overlay_overlap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static bool is(const struct overlap_dir *d, const struct stat *st)
{
	return d->dev == st->st_dev && d->ino == st->st_ino;
}

static bool known_above(const struct overlap *o, const struct stat *st)
{
	/* Layers of one image are in one directory, which is usually among the last ones added. */
	for (size_t i = o->dirs.len; i-- > 0;)
		if (o->dirs.items[i].above && is(&o->dirs.items[i], st))
			return true;
	return false;
}

static int add(struct overlap *o, const struct stat *st, size_t layer, bool above, struct err *e)
{
	struct overlap_dir d = {
		.dev = st->st_dev, .ino = st->st_ino, .layer = layer, .above = above
	};

	return VEC_ADD(&o->dirs, d) < 0 ? err_nomem(e) : 0;
}

int overlap_add(struct overlap *o, int layer, size_t index, struct err *e)
{
	scoped_fd int dir = -1;
	struct stat st;
	int r, up;

	if (fstat(layer, &st) < 0)
		return err_set(e, errno, NULL, "cannot stat a layer");
	r = add(o, &st, index, false, e);
	if (r < 0)
		return r;
	dir = openat(layer, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/*
	 * The root directory is its own parent. A directory that cannot be examined cannot be
	 * compared.
	 */
	while (dir >= 0 && fstat(dir, &st) == 0 && !known_above(o, &st)) {
		r = add(o, &st, index, true, e);
		if (r < 0)
			return r;
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&dir);
		dir = up;
	}
	return 0;
}

static int overlapping(
	const struct mount_plan *p, const char *path, const char *how, size_t layer, struct err *e)
{
	(void)err_say(e, ELOOP, path, "%s layer %zu of %zu, '%s'", how, layer + 1, p->layers.len,
		p->layers.items[layer].dir);
	err_op(e, "upper");
	err_try(e, "give the upper and the work directory a place outside of all layers");
	return -ELOOP;
}

int overlap_check(const struct overlap *o, const struct mount_plan *p, int fd, const char *path,
	struct err *e)
{
	scoped_fd int dir = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct stat st, last = { .st_ino = 0 };

	for (int depth = 0; dir >= 0 && fstat(dir, &st) == 0; depth++) {
		int up;

		if (depth && st.st_dev == last.st_dev && st.st_ino == last.st_ino)
			break;
		last = st;
		for (size_t i = 0; i < o->dirs.len; i++) {
			const struct overlap_dir *d = &o->dirs.items[i];

			if (!is(d, &st) || (depth && d->above))
				continue;
			return overlapping(p, path,
				depth            ? "lies inside" :
					d->above ? "contains" :
						   "is the same directory as",
				d->layer, e);
		}
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_fd(&dir);
		dir = up;
	}
	return 0;
}

void overlap_done(struct overlap *o)
{
	VEC_DONE(&o->dirs);
}
