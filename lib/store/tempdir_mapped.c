/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tempdir_mapped: make a directory and its ID-mapped view. */

#include "tempdir_mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../idmap/userns.h"
#include "../layer/entry_ids.h"
#include "../mount/clone.h"
#include "../mount/mkdir_owned.h"
#include "tempdir.h"

#define NAME "mapped"

static int open_dir(int dirfd, const char *path, int *ret_fd, struct err *e)
{
	*ret_fd = openat(dirfd, NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_set(e, errno, path, "cannot open the staging directory") : 0;
}

/*
 * The directory's owner must be covered by the map; otherwise not even root could write to the
 * view.
 */
static int make_owned(
	const struct tempdir *s, const struct idmap *map, int *ret_disk, struct err *e)
{
	const struct mount_map none = { .wish = MAP_NONE };
	struct owner_mode b = { .mode = 0700 };
	scoped_fd int view = -1;
	int r;

	(void)idmap_uid_seen(map, entry_ids_anchor(map, false), &b.uid);
	(void)idmap_gid_seen(map, entry_ids_anchor(map, true), &b.gid);
	r = clone_private(s->fd, s->path, &none, &view, e);
	if (r == 0)
		r = mkdir_owned(view, NAME, &b, s->path, e);
	return r == 0 ? open_dir(view, s->path, ret_disk, e) : r;
}

int tempdir_mapped_new(
	const struct tempdir *s, const struct idmap *map, struct tempdir_mapped *ret, struct err *e)
{
	struct tempdir_mapped v = TEMPDIR_MAPPED_INIT;
	struct mount_map inverse = { .wish = MAP_SET };
	int r, userns;

	/*
	 * Make the user namespace first: mkdir_owned() changes the fsuid, after which the process
	 * is not dumpable (prctl(2)). Then /proc/PID/uid_map of its children belongs to root of the
	 * initial namespace, which the caller may not be.
	 */
	r = idmap_invert(map, &inverse.map, e);
	if (r == 0)
		r = userns_get(&inverse.map, &userns, e); /* cached for clone_private() */
	if (r == 0)
		r = make_owned(s, map, &v.disk, e);
	if (r == 0)
		r = open_dir(s->fd, s->path, &v.plain, e);
	if (r == 0)
		r = clone_private(v.plain, s->path, &inverse, &v.view, e);
	idmap_done(&inverse.map);
	if (r < 0) {
		tempdir_mapped_done(&v);
		return r;
	}

	*ret = v;
	return 0;
}

void tempdir_mapped_done(struct tempdir_mapped *v)
{
	cleanup_fd(&v->view);
	cleanup_fd(&v->plain);
	cleanup_fd(&v->disk);
	*v = TEMPDIR_MAPPED_INIT;
}
