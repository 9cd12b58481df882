/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* umount: unmount a target, or report what keeps it busy. */

#include "umount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/sys.h"
#include "busy.h"
#include "dirent_at.h"
#include "info.h"
#include "known.h"
#include "loop.h"
#include "rbind.h"

/* Find the target's directory entry, and the id of the mount on top of it, as in mountinfo. */
static int find(const char *target, bool follow, struct place *p, uint64_t *ret_id, struct err *e)
{
	struct statx stx;
	int r = follow ? path_find(target, true, "cannot open the directory above it", p, e) :
			 dirent_at_open(target, "be unmounted", p, e);

	if (r < 0)
		return r;
	if (!strcmp(p->name, "."))
		return err_say(e, EINVAL, target, "must end in a name");
	if (statx(p->dirfd, p->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		    STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return err_path(e, errno, target, "cannot look at the target");
	if (S_ISLNK(stx.stx_mode)) {
		(void)err_say(e, EINVAL, target, "is a symbolic link, which is not followed here");
		err_try(e, "name the place itself: readlink -f shows it");
		return -EINVAL;
	}
	if (!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		(void)err_say(e, EINVAL, target, "nothing is mounted there");
		err_op(e, "umount");
		err_try(e,
			"shiftbox shift-check list shows what has a map, findmnt(8) all that is "
			"mounted");
		return -EINVAL;
	}
	*ret_id = stx.stx_mnt_id;
	return 0;
}

/* What is known of a mount before it goes. */
struct departure {
	struct loop_watch watch;
	bool watched; /* it is on a loop device that will free itself */
	struct mount_info info;
};

/* Is the mount of fd on a loop device that will free itself? The table of mounts is not read. */
static bool watch_loop(int fd, const struct mount_info *info, struct loop_watch *w)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (loop_watch(st.st_dev, w))
		return true;
	/* Filesystems that may have several devices have a device number of their own. */
	if (major(st.st_dev) || !info->source || strncmp(info->source, "/dev/", 5))
		return false;
	return path_stat(info->source, true, &st) == 0 && S_ISBLK(st.st_mode) &&
		loop_watch(st.st_rdev, w);
}

/* Look at the mount at path. No descriptor stays open. */
static void look_before(const char *path, struct departure *d)
{
	scoped_fd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (mount_info_get_cheap(fd, &d->info, NULL) < 0)
		d->info = (struct mount_info){ .id = -1 };
	d->watched = watch_loop(fd, &d->info, &d->watch);
}

static void look_after(int dirfd, const char *name, int flags, struct departure *d)
{
	scoped_buf struct buf path = BUF_INIT;

	if (d->watched)
		loop_watch_end(&d->watch);
	path_of_fd(dirfd, &path);
	if (!path.len)
		return;
	buf_printf(&path, "%s%s", path.data[path.len - 1] == '/' ? "" : "/", name);
	if (buf_get(&path))
		known_remove(path.data, &d->info, flags & SYS_MNT_DETACH);
}

/*
 * Unmount dirfd/name; path is for messages. dirfd is on another mount: a descriptor on the mount
 * itself would keep it busy.
 */
static int unmount(int dirfd, const char *name, const char *path, int id, int flags, struct err *e)
{
	struct departure d = { .watch = { .file = NULL }, .info = { .id = -1 } };
	scoped_buf struct buf b = BUF_INIT;
	char dir[32];
	int r;

	buf_printf(&b, "%s/%s", fd_proc_path(dirfd, dir), name);
	if (!buf_get(&b))
		return err_nomem(e);
	look_before(buf_get(&b), &d);
	r = sys_umount2(buf_get(&b), SYS_UMOUNT_NOFOLLOW | flags) == 0 ? 0 : -errno;
	if (r == 0)
		look_after(dirfd, name, flags, &d);
	mount_info_done(&d.info);
	if (r == 0)
		return 0;
	free(d.watch.file);
	r = err_set(e, -r, path, "cannot unmount");
	err_op(e, "umount");
	if (r == -EBUSY)
		busy_explain(id, e);
	else if (r == -EPERM)
		err_why(e,
			"the caller lacks CAP_SYS_ADMIN in the user namespace of this mount "
			"namespace");
	else if (r == -EINVAL)
		err_why(e,
			"the mount came with its parent into this mount namespace, and cannot be "
			"taken off alone");
	return r;
}

/*
 * --- what is below -----------------------------------------------------------------------------
 */

/* List the mounts below the one at p. No descriptor stays open. */
static int list_below(
	const struct place *p, const char *target, struct submounts *ret, struct err *e)
{
	scoped_fd int fd = openat(p->dirfd, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, target, "cannot open what is mounted there");
	return rbind_list(fd, target, ret, e);
}

static int another(const char *path, struct err *e)
{
	return err_say(e, EAGAIN, path, "another mount is there by now");
}

/*
 * Unmount one of them. Its parent directory is on another mount, except if unmounting fails anyway.
 */
static int unmount_below(
	const struct place *p, const char *target, const struct submount *m, struct err *e)
{
	scoped_buf struct buf dir = BUF_INIT, path = BUF_INIT;
	const char *slash = strrchr(m->rel, '/');
	scoped_fd int parent = -1;
	struct statx stx;
	int r;

	buf_str(&dir, p->name);
	if (slash) {
		buf_char(&dir, '/');
		buf_add(&dir, m->rel, (size_t)(slash - m->rel));
	}
	buf_printf(&path, "%s/%s", target, m->rel);
	if (!buf_get(&dir) || !buf_get(&path))
		return err_nomem(e);
	r = fd_open_beneath(p->dirfd, buf_get(&dir), O_PATH | O_DIRECTORY, &parent, e);
	if (r < 0)
		return r;
	slash = slash ? slash + 1 : m->rel;
	if (statx(parent, slash, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, buf_get(&path), "cannot look at what is mounted there");
	if (stx.stx_mnt_id != (uint64_t)m->info.id)
		return another(buf_get(&path), e);
	r = unmount(parent, slash, buf_get(&path), m->info.id, 0, e);
	if (r == 0)
		log_verbose("unmounted below '%s': '%s' (%s)", target, m->rel, m->info.type);
	return r;
}

static int unmount_all_below(const struct place *p, const char *target, struct err *e)
{
	scoped_submounts struct submounts t = { 0 };
	size_t n;
	int r = list_below(p, target, &t, e);

	/* Children come after their parents in the list, so it is processed backwards. */
	for (n = t.mounts.len; n > 0 && r == 0; n--)
		r = unmount_below(p, target, &t.mounts.items[n - 1], e);
	if (r < 0 && t.mounts.len - n > 1)
		err_prefix(e, "after unmounting %zu below it", t.mounts.len - n - 1);
	return r;
}

/*
 * --- the entries -------------------------------------------------------------------------------
 */

static int unmount_how(
	const char *target, const struct place *p, uint64_t id, enum umount_how how, struct err *e)
{
	int r = how == UMOUNT_TREE ? unmount_all_below(p, target, e) : 0;

	return r == 0 ? unmount(p->dirfd, p->name, target, (int)id,
				how == UMOUNT_DETACH ? SYS_MNT_DETACH : 0, e) :
			r;
}

int umount_target(const char *target, enum umount_how how, struct err *e)
{
	scoped_place struct place p = PLACE_INIT;
	uint64_t id;
	int r = find(target, false, &p, &id, e);

	return r == 0 ? unmount_how(target, &p, id, how, e) : r;
}

int umount_id(const char *target, bool follow, int id, enum umount_how how, struct err *e)
{
	scoped_place struct place p = PLACE_INIT;
	uint64_t there;
	int r = find(target, follow, &p, &there, e);

	if (r < 0)
		return r;
	if (there != (uint64_t)id)
		return another(target, e);
	return unmount_how(target, &p, there, how, e);
}

int umount_check(const char *target, struct strv *ret_below, struct err *e)
{
	scoped_submounts struct submounts t = { 0 };
	scoped_place struct place p = PLACE_INIT;
	uint64_t id;
	int r = find(target, false, &p, &id, e);

	if (r == 0 && ret_below)
		r = list_below(&p, target, &t, e);
	for (size_t i = t.mounts.len; i-- > 0 && r == 0;)
		r = strv_add(ret_below, t.mounts.items[i].rel) == 0 ? 0 : err_nomem(e);
	return r;
}
