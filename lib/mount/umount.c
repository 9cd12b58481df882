/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* umount: take a mount off its target, or say who is in the way. */

#include "umount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/sys.h"
#include "info.h"
#include "lm.h"
#include "loop.h"
#include "place.h"

enum { HOLDERS_MAX = 5 };

/* The place, and the mount that is on top of it (its id, as in mountinfo). */
static int find(const char *target, struct place *p, uint64_t *ret_id, struct err *e)
{
	struct statx stx;
	int r = place_open(target, p, e);

	if (r < 0)
		return r;
	if (statx(p->dirfd, p->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return err_set(e, errno, target, "cannot look at the target");
	if (S_ISLNK(stx.stx_mode)) {
		(void)err_say(e, EINVAL, target, "is a symbolic link, which is not followed here");
		err_try(e, "name the place itself: readlink -f shows it");
		return -EINVAL;
	}
	if (!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		(void)err_say(e, EINVAL, target, "nothing is mounted there");
		err_op(e, "umount");
		return -EINVAL;
	}
	*ret_id = stx.stx_mnt_id;
	return 0;
}

/* --- who holds it ------------------------------------------------------------------------------ */

struct search {
	uint64_t id;
	struct buf text;
	int found;
};

static int match_child(const struct lm_mount *m, void *arg)
{
	struct search *s = arg;

	if ((uint64_t)m->parent == s->id && s->found++ < HOLDERS_MAX) {
		buf_printf(&s->text, "%s'", s->text.len ? ", " : "");
		buf_escaped(&s->text, m->target, strlen(m->target));
		buf_char(&s->text, '\'');
	}
	return 0;
}

static bool is_on(int dirfd, const char *name, uint64_t id)
{
	struct statx stx;

	return statx(dirfd, name, AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) == 0 && stx.stx_mnt_id == id;
}

/* Does any of the links in this directory of a process lead there? */
static bool any_on(int procfd, const char *dir, uint64_t id)
{
	int fd = openat(procfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	if (!d) {
		cleanup_fd(&fd);
		return false;
	}
	while (!found && (entry = readdir(d)))
		found = entry->d_name[0] != '.' && is_on(dirfd(d), entry->d_name, id);
	(void)closedir(d); /* only read */
	return found;
}

static void describe(int procfd, const char *pid, const char *how, struct search *s)
{
	scoped_buf struct buf comm = BUF_INIT;

	if (s->found++ >= HOLDERS_MAX)
		return;
	if (fd_read_file(procfd, "comm", 64, &comm, NULL) < 0 || !comm.len)
		buf_str(&comm, "?\n");
	buf_printf(&s->text, "%sprocess %s (", s->text.len ? ", " : "", pid);
	buf_escaped(&s->text, comm.data, comm.len - 1);
	buf_printf(&s->text, ": %s)", how);
}

static void look_at_process(int proc, const char *pid, struct search *s)
{
	static const struct { const char *link, *how; } links[] = {
		{ "cwd", "its working directory" }, { "root", "its root directory" }, { "exe", "its program" },
	};
	static const struct { const char *dir, *how; } dirs[] = { { "fd", "an open file" }, { "map_files", "a mapped file" } };
	scoped_fd int fd = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return; /* it has ended */
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (is_on(fd, links[i].link, s->id)) {
			describe(fd, pid, links[i].how, s);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (any_on(fd, dirs[i].dir, s->id)) {
			describe(fd, pid, dirs[i].how, s);
			return;
		}
	}
}

static void look_at_processes(struct search *s)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			look_at_process(dirfd(proc), entry->d_name, s);
	(void)closedir(proc); /* only read */
}

static void explain_busy(uint64_t id, struct err *e)
{
	struct search s = { .id = id, .text = BUF_INIT };

	(void)lm_mountinfo(match_child, &s, NULL); /* without it, processes may still tell */
	if (s.found) {
		err_why(e, "something is mounted below it: %s%s", buf_get(&s.text) ? buf_get(&s.text) : "", s.found > HOLDERS_MAX ? ", ..." : "");
		err_try(e, "unmount that first");
	} else {
		look_at_processes(&s);
		if (s.found) {
			err_why(e, "it is held by %s%s", buf_get(&s.text) ? buf_get(&s.text) : "", s.found > HOLDERS_MAX ? ", ..." : "");
			err_try(e, "end these processes, or let them go elsewhere");
		}
	}
	buf_done(&s.text);
}

/* --- the act ----------------------------------------------------------------------------------- */

/* Is the mount at path that of a loop device which should free itself with it? Costs no look at the whole table of mounts. */
static bool watch_loop(const char *path, struct loop_watch *w)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	scoped_fd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (loop_watch(st.st_dev, w))
		return true;
	/* A filesystem that may have several devices has a number of its own. */
	if (major(st.st_dev) || mount_info_get_cheap(fd, &info, NULL) != 0 || *info.source != '/')
		return false;
	return stat(info.source, &st) == 0 && S_ISBLK(st.st_mode) && loop_watch(st.st_rdev, w);
}

static int unmount(const char *target, const struct place *p, uint64_t id, int flags, struct err *e)
{
	scoped_buf struct buf path = BUF_INIT;
	struct loop_watch watch = { .file = NULL };
	bool watched;
	char dir[32];
	int r;

	/* By way of the directory that was opened; a descriptor of the mount itself would keep it busy. */
	buf_printf(&path, "%s/%s", fd_proc_path(p->dirfd, dir), p->name);
	if (!buf_get(&path))
		return err_nomem(e);
	watched = watch_loop(buf_get(&path), &watch);
	if (sys_umount2(buf_get(&path), SYS_UMOUNT_NOFOLLOW | flags) == 0) {
		if (watched)
			loop_watch_end(&watch);
		return 0;
	}
	r = err_set(e, errno, target, "cannot unmount");
	free(watch.file);
	err_op(e, "umount");
	if (r == -EBUSY)
		explain_busy(id, e);
	else if (r == -EPERM)
		err_why(e, "the caller lacks CAP_SYS_ADMIN in the user namespace of this mount namespace");
	else if (r == -EINVAL)
		err_why(e, "the mount came with its parent into this mount namespace, and cannot be taken off alone");
	return r;
}

int umount_target(const char *target, struct err *e)
{
	scoped_place struct place p = PLACE_INIT;
	uint64_t id;
	int r = find(target, &p, &id, e);

	return r == 0 ? unmount(target, &p, id, 0, e) : r;
}

int umount_id(const char *target, int id, bool detach, struct err *e)
{
	scoped_place struct place p = PLACE_INIT;
	uint64_t there;
	int r = find(target, &p, &there, e);

	if (r < 0)
		return r;
	if (there != (uint64_t)id)
		return err_say(e, EAGAIN, target, "another mount is there by now");
	return unmount(target, &p, there, detach ? SYS_MNT_DETACH : 0, e);
}

int umount_check(const char *target, struct err *e)
{
	scoped_place struct place p = PLACE_INIT;
	uint64_t id;

	return find(target, &p, &id, e);
}
