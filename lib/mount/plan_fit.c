/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_fit: compare the map of a plan with the owners of the tree that it will show. */

#include "plan.h"

#include <errno.h>
#include <fcntl.h>

#include "../base/log.h"
#include "../base/path.h"
#include "../idmap/map_fit.h"
#include "../idmap/userns_self.h"
#include "fs_limits.h"
#include "info.h"
#include "rbind.h"

int mount_plan_add_misfit(struct mount_plan *p, const struct err *misfit, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	log_err_words(misfit, &b);
	return buf_get(&b) && strv_add(&p->misfits, buf_get(&b)) == 0 ? 0 : err_nomem(e);
}

/*
 * If the mount of fd has a map, translate the owner in st to disk ids. Returns false if these are
 * unknown, because the map is not known or has no line for them.
 */
static bool on_disk(int fd, struct stat *st)
{
	scoped_mount_info struct mount_info info = { .id = -1 };

	if (mount_info_get(fd, &info, NULL) < 0 ||
		(!userns_is_initial() &&
			(st->st_uid == IDMAP_OVERFLOW || st->st_gid == IDMAP_OVERFLOW)))
		return false;
	return !info.mapped ||
		(info.map_known && idmap_uid_disk(&info.map, st->st_uid, &st->st_uid) &&
			idmap_gid_disk(&info.map, st->st_gid, &st->st_gid));
}

bool mount_map_misfits(int fd, const struct idmap *map, const char *name, struct err *misfit)
{
	struct stat st;

	/* The mount is looked at only if the owner does not fit as it is seen, which is rare. */
	return fstat(fd, &st) == 0 &&
		map_fit_owner(map, st.st_uid, st.st_gid, name, misfit) != MAP_FITS &&
		on_disk(fd, &st) &&
		map_fit_owner(map, st.st_uid, st.st_gid, name, misfit) != MAP_FITS;
}

static int fit_owner(
	struct mount_plan *p, int fd, const struct idmap *map, const char *name, struct err *e)
{
	struct err misfit = ERR_INIT;

	return mount_map_misfits(fd, map, name, &misfit) ? mount_plan_add_misfit(p, &misfit, e) : 0;
}

/* Does the map not suit the owner of a mount below the source? */
static bool below_misfits(const struct mount_plan *p, const struct submount *m, struct err *misfit)
{
	scoped_free char *path = submount_path(p->source, m);
	scoped_fd int fd = -1;

	/* One that cannot be opened is covered by another, or mounting reports it. */
	return path && submount_open(p->source_fd, m, path, &fd, NULL) == 0 &&
		(!p->skip_unsupported || fs_can_be_mapped(fd)) &&
		mount_map_misfits(fd, &p->map.map, path, misfit);
}

/* Judge the mounts below by the owners of their roots, in one sentence for all. */
static int fit_below(struct mount_plan *p, struct err *e)
{
	scoped_submounts struct submounts below = { .mounts = { 0 } };
	struct err first = ERR_INIT, other = ERR_INIT, all = ERR_INIT;
	size_t bad = 0;

	if (rbind_list(p->source_fd, p->source, &below, NULL) < 0)
		return 0; /* mounting reports it */
	for (size_t i = 0; i < below.mounts.len; i++)
		bad += below_misfits(p, &below.mounts.items[i], bad ? &other : &first);
	if (bad <= 1)
		return bad ? mount_plan_add_misfit(p, &first, e) : 0;
	(void)err_say(&all, EOVERFLOW, p->source,
		"the map does not suit %zu mounts below; the first is '%s': %s", bad, first.on,
		first.what);
	err_why(&all, "%s", first.why);
	err_try(&all, "%s", first.hint);
	return mount_plan_add_misfit(p, &all, e);
}

static int fit_layer(struct mount_plan *p, size_t i, struct err *e)
{
	const struct mount_layer *l = &p->layers.items[i];
	const struct mount_map *m = l->own_map ? &l->map : &p->map;
	scoped_fd int fd = -1;
	int r;

	if (m->wish != MAP_SET || l->image) /* of an image, mounting reports it */
		return 0;
	r = path_open(l->dir, O_PATH | O_DIRECTORY, "cannot open the layer", NULL, &fd, e);
	if (r == -ENOENT)
		return 0; /* mounting reports it */
	if (r < 0) {
		err_prefix(e, "layer %zu of %zu", i + 1, p->layers.len);
		return r;
	}
	return fit_owner(p, fd, &m->map, l->dir, e);
}

int mount_plan_fit(struct mount_plan *p, struct err *e)
{
	int r = 0;

	if (p->kind == MOUNT_BIND && p->map.wish == MAP_SET && p->source_open) {
		r = fit_owner(p, p->source_fd, &p->map.map, p->source, e);
		return r == 0 && p->recursive ? fit_below(p, e) : r;
	}
	for (size_t i = 0; r == 0 && !p->stored && i < p->layers.len; i++)
		r = fit_layer(p, i, e);
	return r;
}
