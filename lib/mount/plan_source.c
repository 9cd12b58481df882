/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_source: open the source of a plan, and decide whether it is bound or mounted. */

#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "options.h"
#include "via_libblkid.h"

static int both_meant(const struct mount_plan *p, const char *type, struct err *e)
{
	(void)err_say(e, EINVAL, p->source,
		"cannot tell whether the file or the filesystem in it (%s) is meant", type);
	err_op(e, "plan");
	err_why(e, "the target does not exist, which would decide by being a file or a directory");
	err_try(e, "specify -o bind for the file, or -o loop for the filesystem");
	return -EINVAL;
}

/* A regular file whose target is missing: is there a filesystem in it? */
static int look_into_file(struct mount_plan *p, const struct stat *st, struct err *e)
{
	char path[32];
	scoped_fd int fd =
		open(fd_proc_path(p->source_fd, path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const struct blk_area area = {
		.fd = fd, .name = p->source, .size = (uint64_t)st->st_size, .file = true
	};
	struct blk_found found;

	if (fd >= 0 && blk_probe(&area, &found, NULL) == 0)
		return both_meant(p, found.type, e);
	return 0; /* binding reports other errors */
}

static int source_changed(const struct mount_plan *p, struct err *e)
{
	(void)err_say(e, ESTALE, p->source, "leads to another place than a moment ago");
	err_op(e, "plan");
	err_why(e,
		p->mstack ? "another process has changed the directory of the stack" :
			    "its map was made from the owner of what was there before");
	return -ESTALE;
}

/*
 * mount(8) would bind the link itself. The kernel follows a link to a device, even in the path that
 * mount(8) passes.
 */
static int refuse_link(const struct mount_plan *p, struct err *e)
{
	struct stat st;

	if (!p->link_itself || path_stat(p->source, false, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	(void)err_say(e, ELOOP, p->source,
		"is a symbolic link, which X-mount.nocanonicalize asks to bind itself");
	err_op(e, "plan");
	err_why(e, "this program binds what a link points to");
	err_try(e, "omit X-mount.nocanonicalize, or name what the link points to");
	return -ELOOP;
}

/* Open the source. Returns 1, 0 if it is missing, which mounting reports, or -errno. */
static int open_source(struct mount_plan *p, struct stat *ret, struct err *e)
{
	int r = p->source_open ?
		0 :
		path_open(p->source, O_PATH, "cannot open the source", NULL, &p->source_fd, e);

	if (r < 0 && r != -ELOOP) {
		if (e)
			*e = ERR_INIT;
		return 0;
	}
	if (r < 0)
		return r;
	p->source_open = true;
	if (fstat(p->source_fd, ret) < 0)
		return err_set(e, errno, p->source, "cannot stat the source");
	if (S_ISDIR(ret->st_mode) && !ret->st_nlink) {
		r = err_set(e, ENOENT, p->source, "cannot open the source");
		err_op(e, "open");
		return r;
	}
	if ((p->owner_map || p->mstack) && p->source_seen &&
		(p->source_dev != ret->st_dev || p->source_ino != ret->st_ino))
		return source_changed(p, e);
	p->source_seen = true;
	p->source_dev = ret->st_dev;
	p->source_ino = ret->st_ino;
	return 1;
}

static int look_at_source(struct mount_plan *p, struct err *e)
{
	struct stat st, target;
	int r = open_source(p, &st, e);

	if (p->kind_undecided)
		p->kind = MOUNT_BIND;
	if (r <= 0 || !p->kind_undecided)
		return r;
	if (S_ISBLK(st.st_mode)) {
		p->kind = MOUNT_FS;
	} else if (S_ISREG(st.st_mode) && !p->noloop) {
		if (path_stat(p->target, p->follow, &target) == 0)
			p->kind = S_ISDIR(target.st_mode) ? MOUNT_FS : MOUNT_BIND;
		else if (p->mkdir)
			return look_into_file(p, &st, e);
	}
	return 0;
}

/* mount(8) ignores the options of a driver on a bind; of these, people write "default". */
static const struct fs_option *unknown_of_bind(const struct mount_plan *p)
{
	for (size_t i = 0; i < p->fs_options.len; i++)
		if (strcmp(p->fs_options.items[i].name, "default") || p->fs_options.items[i].value)
			return &p->fs_options.items[i];
	return NULL;
}

static int open_inside(struct mount_plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->inside.len && r == 0; i++)
		r = mount_plan_open_source(p->inside.items[i].plan, e);
	return r;
}

int mount_plan_open_source(struct mount_plan *p, struct err *e)
{
	bool look = p->kind == MOUNT_BIND || (p->kind == MOUNT_FS && p->mstack);
	int r = p->kind_undecided || look ? look_at_source(p, e) : 0;
	const struct fs_option *unknown;

	if (r >= 0 && p->kind == MOUNT_BIND)
		r = refuse_link(p, e);
	if (r < 0)
		return r;
	if (p->kind == MOUNT_BIND && !p->sloppy && (unknown = unknown_of_bind(p))) {
		(void)mount_option_unknown(unknown->name, unknown->value, e);
		if (e && !e->why[0])
			err_why(e, "bind mounts take no options for the driver of a filesystem");
		return -EINVAL;
	}
	if (p->kind == MOUNT_FS && p->owner_map) {
		(void)err_usage(e,
			"the map 'owner:USER' is for directories and files: the owner of a "
			"filesystem that is not mounted yet is unknown");
		err_try(e, "name the id: -m u:DISK:USER:1 -m g:DISK:GROUP:1");
		return -EINVAL;
	}
	return open_inside(p, e);
}

void mount_plan_close_source(struct mount_plan *p)
{
	if (p->source_open)
		cleanup_fd(&p->source_fd);
	p->source_open = false;
	for (size_t i = 0; i < p->inside.len; i++)
		mount_plan_close_source(p->inside.items[i].plan);
}

int mount_plan_stat(const struct mount_plan *p, struct stat *ret)
{
	if (!p->source_open)
		return path_stat(p->source, true, ret);
	return fstat(p->source_fd, ret) < 0 ? -errno : 0;
}
