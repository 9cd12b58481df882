/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upper_user: find the overlay mount that uses an upper or a work directory. */

#include "upper_user.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "info.h"
#include "mntns.h"
#include "overlay_options.h"
#include "record_store.h"

struct upper_search {
	const struct upper_ids *ids;
	const struct mntns *ns;
	struct err *e;
	bool found;
};

static bool is_one_of(const struct upper_ids *a, uint64_t dev, uint64_t ino)
{
	return dev == a->dev && ino && (ino == a->ino[0] || ino == a->ino[1]);
}

static int match_dir(const struct overlay_dir *dir, void *arg)
{
	const struct upper_search *s = arg;
	scoped_fd int fd = -1;
	struct stat st;

	/* A relative path depends on the directory of the process that mounted the overlay. */
	if (dir->kind != OVERLAY_UPPER || dir->path[0] != '/')
		return 0;
	fd = mntns_open_path(s->ns, dir->path, O_PATH | O_DIRECTORY, 0);
	return fd >= 0 && fstat(fd, &st) == 0 && is_one_of(s->ids, st.st_dev, st.st_ino);
}

static bool uses(const struct upper_search *s, const struct mount_info *i)
{
	scoped_mount_record struct mount_record rec = { .mount = 0 };
	const struct upper_ids *r = &rec.upper_ids;

	if (record_store_find(i, s->ns, &rec) && r->dev)
		return is_one_of(s->ids, r->dev, r->ino[0]) || is_one_of(s->ids, r->dev, r->ino[1]);
	return overlay_dirs_each(i->options, match_dir, (void *)s) == 1;
}

static void say(const struct upper_search *s, const char *target)
{
	static const char what[] = "the upper or its work directory is in use by the overlay on";

	if (s->ns->ours) {
		err_why(s->e, "%s '%s'", what, target);
		err_try(s->e,
			"unmount that (shiftbox mount-idmapped -u '%s'), or use another upper",
			target);
		return;
	}
	err_why(s->e, "%s '%s' in the mount namespace of process %d (%s)", what, target,
		(int)s->ns->pid, s->ns->command);
	err_try(s->e, "unmount that (nsenter -m -t %d umount '%s'), or use another upper",
		(int)s->ns->pid, target);
}

static int look_at_mount(const struct mount_info *i, void *arg)
{
	struct upper_search *s = arg;

	if (strcmp(i->type, "overlay") != 0 || i->too_large || !uses(s, i))
		return 0;
	s->found = true;
	say(s, i->target);
	return 1;
}

static int look_into_namespace(const struct mntns *n, void *arg)
{
	struct upper_search *s = arg;

	s->ns = n;
	(void)mount_info_each(n, look_at_mount, s, NULL); /* others may have the mount */
	return s->found;
}

void upper_user_explain(const struct upper_ids *ids, struct err *e)
{
	scoped_mntns struct mntns own = MNTNS_INIT;
	struct upper_search s = { .ids = ids, .ns = &own, .e = e };
	size_t closed = 0;

	if (!e || mntns_own(&own, NULL) < 0)
		return;
	(void)mount_info_each(NULL, look_at_mount, &s, NULL); /* the text below is the fallback */
	if (!s.found)
		(void)mntns_each(false, look_into_namespace, &s, &closed, NULL);
	if (s.found)
		return;
	err_why(e,
		"the upper or its work directory is in use by an overlay that is not known: a "
		"mount of another mount namespace, or one that does not show its upper");
	err_try(e,
		"find it with 'lsns -t mnt' and 'findmnt -t overlay -N PID', or use another upper");
}
