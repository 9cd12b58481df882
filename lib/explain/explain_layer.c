/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain_layer: find the overlay layer that a file comes from. */

#include "explain_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/path.h"
#include "../base/sys.h"
#include "../mount/overlay_options.h"

/* The directories of one kind among an overlay's options. */
struct dirs_of_kind {
	enum overlay_dir_kind kind;
	struct strv *ret;
};

static int add_dir(const struct overlay_dir *dir, void *arg)
{
	struct dirs_of_kind *d = arg;

	return dir->kind == d->kind ? strv_add(d->ret, dir->path) : 0;
}

/* The upper directory first, then the lower ones, topmost first. */
static int dirs_of_options(const char *options, struct strv *ret)
{
	static const enum overlay_dir_kind order[] = { OVERLAY_UPPER, OVERLAY_LOWER };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(order) && r == 0; i++)
		r = overlay_dirs_each(options, add_dir, &(struct dirs_of_kind){ order[i], ret });
	return r;
}

/*
 * Do both have the same change time? OverlayFS keeps the inode number of a file that it has copied
 * up, and whose owner may have changed since; it cannot keep the change time.
 */
static bool same_ctime(int fd, const char *path)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx a, b;

	return statx(fd, "", flags | AT_EMPTY_PATH, STATX_CTIME, &a) == 0 &&
		statx(AT_FDCWD, path, flags, STATX_CTIME, &b) == 0 &&
		a.stx_ctime.tv_sec == b.stx_ctime.tv_sec &&
		a.stx_ctime.tv_nsec == b.stx_ctime.tv_nsec;
}

/*
 * Look for the file n in one layer. Returns 1 with *ret filled, 0 if it is not there, and -1 if the
 * layer has another file or a whiteout, which hide lower layers.
 */
static int look_in_layer(
	const char *layer, const char *below, const struct explain_inode *n, struct meta *ret)
{
	scoped_fd int dir = -1, fd = -1;
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int has;

	if (path_open(layer, O_PATH | O_DIRECTORY, "cannot open the layer", NULL, &dir, NULL) == 0)
		fd = sys_openat2(dir, *below ? below : ".", &how);
	if (fd < 0 || meta_stat(fd, "", ret) < 0)
		return 0;
	if (S_ISCHR(ret->mode) && !ret->rdev_major && !ret->rdev_minor)
		return -1; /* a whiteout */
	/* OverlayFS shows the inode number of the layer where it can. */
	if ((!S_ISDIR(ret->mode) && ret->ino != n->seen.ino) || !same_ctime(fd, n->path))
		return -1;
	has = S_ISLNK(ret->mode) ? 0 : meta_list_xattrs(fd, "");
	if (has > 0)
		/* Attributes that cannot be read are not compared. */
		(void)meta_read_xattrs(fd, "", (unsigned)has, ret);
	return 1;
}

static bool all_reachable(const struct strv *dirs)
{
	struct stat st;

	for (size_t i = 0; i < dirs->len; i++)
		if (dirs->items[i][0] != '/' || !dirs->items[i][1] ||
			path_stat(dirs->items[i], true, &st) < 0)
			return false;
	return dirs->len > 0;
}

int explain_layer_find(struct explanation *x, const struct strv *layers, struct err *e)
{
	struct explain_inode *n = &x->inodes.items[x->inodes.len - 1];
	const struct explain_mount *m = &x->mounts.items[n->mount];
	size_t prefix = strlen(m->target);
	scoped_strv struct strv named = { .len = 0 };
	const char *below;

	if (!layers && dirs_of_options(m->fs_options, &named) < 0)
		return err_nomem(e);
	if (x->detached || (!layers && !all_reachable(&named))) {
		x->layer_unknown =
			"its layers were given as descriptors, or cannot be reached from here";
		return 0;
	}
	layers = layers ? layers : &named;
	below = strncmp(n->path, m->target, prefix) ? "" : n->path + prefix;
	below += strspn(below, "/");
	for (size_t i = 0; i < layers->len; i++) {
		struct meta found = { .known = 0 };
		int r = look_in_layer(layers->items[i], below, n, &found);

		if (r == 0)
			continue;
		if (r < 0) {
			meta_done(&found);
			x->layer_unknown = "what is found in the layers is another file: it was "
					   "changed since, or is in a writable layer";
			return 0;
		}
		meta_done(&n->disk);
		n->disk = found;
		n->how = DISK_LAYER;
		/* Seen as the overflow id but stored as another id: a map has lost it. */
		n->uid_lost = n->uid_shown && found.uid != x->overflow_uid;
		n->gid_lost = n->gid_shown && found.gid != x->overflow_gid;
		n->uid_shown = n->uid_shown && !n->uid_lost;
		n->gid_shown = n->gid_shown && !n->gid_lost;
		x->layer = strdup(layers->items[i]);
		return x->layer ? 0 : err_nomem(e);
	}
	x->layer_unknown = "it is in none of the layers: it may be in a writable layer";
	return 0;
}
