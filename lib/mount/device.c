/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device: filesystems on devices, in files, and without either. */

#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../base/plural.h"
#include "../base/sys.h"
#include "../idmap/map_fit.h"
#include "../idmap/userns.h"
#include "clone.h"
#include "flags.h"
#include "fs_type.h"
#include "loop.h"
#include "mount_attr.h"
#include "mount_verify.h"
#include "newfs.h"
#include "probe.h"
#include "via_libblkid.h"

enum { SECTOR = 512 };

static bool ro_asked(const struct mount_plan *p)
{
	return p->flags.set & MOUNT_ATTR_RDONLY;
}

static bool rw_asked(const struct mount_plan *p)
{
	return !ro_asked(p) && p->flags.clear & MOUNT_ATTR_RDONLY;
}

static void say(void (*log)(const char *fmt, ...), const struct mount_plan *p, const char *what,
	const char *more)
{
	log("'%s': %s%s", p->source, what, more);
}

bool device_is_needed(const struct mount_plan *p)
{
	int nodev = p->type ? fs_type_nodev(p->type) : 0;
	struct stat st;

	if (nodev >= 0)
		return !nodev;
	return blk_is_tag(p->source) ||
		(mount_plan_stat(p, &st) == 0 && (S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)));
}

/*
 * The driver for a type that the user specified. Lines of an fstab always have a type, so with a
 * map, ext2 and ext3 are read by the driver that can be ID-mapped, too.
 */
static const char *driver_for(const struct mount_plan *p, const char *type)
{
	bool ext = !strcmp(type, "ext2") || !strcmp(type, "ext3");

	return ext && p->map.wish == MAP_SET ? fs_type_driver(type) : type;
}

/*
 * --- opening -----------------------------------------------------------------------------------
 */

static int wrong_source(const struct mount_plan *p, const struct stat *st, struct err *e)
{
	(void)err_say(e, EINVAL, p->source,
		"is %s, neither a block device nor a file with a filesystem in it",
		S_ISDIR(st->st_mode)         ? "a directory" :
			S_ISCHR(st->st_mode) ? "a character device" :
					       "something else");
	err_op(e, "open");
	if (S_ISDIR(st->st_mode))
		err_try(e, "to bind a directory, omit -t, loop, offset=, sizelimit= and subdir=");
	return -EINVAL;
}

/* Open the file of fd, which is an O_PATH descriptor, for reading or writing. */
static int reopen(
	const struct mount_plan *p, int fd, bool want_write, int *ret, bool *ret_ro, struct err *e)
{
	char path[32];
	int num;

	*ret_ro = !want_write;
	if (want_write) {
		*ret = open(fd_proc_path(fd, path), O_RDWR | O_CLOEXEC);
		if (*ret >= 0)
			return 0;
		num = errno;
		/* ETXTBSY: it is active swap space, or a running program */
		if (rw_asked(p) ||
			(num != EROFS && num != EACCES && num != EPERM && num != ETXTBSY))
			return err_path(e, num, p->source, "cannot open it for writing");
		*ret_ro = true;
	}
	*ret = open(fd_proc_path(fd, path), O_RDONLY | O_CLOEXEC);
	if (*ret < 0)
		return err_path(e, errno, p->source, "cannot open it");
	if (want_write)
		say(log_warn, p, "cannot be written to: it is mounted read-only", "");
	return 0;
}

static int needs_loop(const struct mount_plan *p, struct err *e)
{
	(void)err_say(e, EINVAL, p->source, "is a file, whose filesystem needs a loop device");
	err_op(e, "open");
	err_why(e, "the option X-mount.noloop forbids one");
	err_try(e, "omit X-mount.noloop, or bind the file itself: -o bind");
	return -EINVAL;
}

/* found: the device that has the tag; NULL if the source is not a tag. */
static int open_device(
	const struct mount_plan *p, struct device *d, const char *found, struct err *e)
{
	scoped_fd int opened = -1;
	int fd = p->source_fd, r = 0, locked = 0;

	if (found || !p->source_open) {
		r = path_open(found ? found : p->source, O_PATH, "cannot open the source", NULL,
			&opened, e);
		fd = opened;
	}
	if (r < 0)
		return r;
	if (fstat(fd, &d->st) < 0)
		return err_path(e, errno, p->source, "cannot open the source");
	if (!S_ISBLK(d->st.st_mode) && !S_ISREG(d->st.st_mode))
		return wrong_source(p, &d->st, e);
	d->needs_loop = S_ISREG(d->st.st_mode) || p->loop || p->offset || p->sizelimit;
	if (d->needs_loop && p->noloop)
		return needs_loop(p, e);
	/* The filesystem writes to a device, not this descriptor. */
	r = reopen(p, fd, d->needs_loop && !ro_asked(p), &d->fd, &d->read_only, e);
	if (r < 0)
		return r;
	if (S_ISREG(d->st.st_mode))
		return 0;

	if (!d->needs_loop)
		d->read_only = ro_asked(p);
	if (ioctl(d->fd, BLKROGET, &locked) == 0 && locked && !d->read_only) {
		if (rw_asked(p))
			return err_say(e, EROFS, p->source,
				"cannot be mounted writable: the device is write-protected");
		say(log_warn, p, "is write-protected: it is mounted read-only", "");
		d->read_only = true;
	}
	return 0;
}

static int size_of(const struct mount_plan *p, const struct device *d, uint64_t *ret, struct err *e)
{
	*ret = (uint64_t)d->st.st_size;
	if (S_ISBLK(d->st.st_mode) && ioctl(d->fd, BLKGETSIZE64, ret) < 0)
		return err_set(e, errno, p->source, "cannot get the size of the device");
	return 0;
}

/* The kernel would truncate a part that is too long, and round it down to sectors. */
static int check_bounds(
	const struct mount_plan *p, const struct device *d, uint64_t *ret_size, struct err *e)
{
	uint64_t size = 0;
	int r = size_of(p, d, &size, e);

	if (r < 0)
		return r;
	if (p->offset >= size && p->offset) {
		(void)err_say(e, EINVAL, p->source,
			"offset=%llu is beyond its end (bytes in it: %llu)",
			(unsigned long long)p->offset, (unsigned long long)size);
		err_try(e, "fdisk -l SOURCE shows where its partitions begin");
		return -EINVAL;
	}
	size -= p->offset;
	if (p->sizelimit > size) {
		(void)err_say(e, EINVAL, p->source,
			"sizelimit=%llu extends beyond its end (bytes from offset on: %llu)",
			(unsigned long long)p->sizelimit, (unsigned long long)size);
		err_try(e, "omit sizelimit=: the rest of it is used");
		return -EINVAL;
	}
	*ret_size = p->sizelimit ? p->sizelimit : size;
	if (*ret_size >= SECTOR)
		return 0;
	(void)err_say(e, EINVAL, p->source, "is too short for a filesystem: %llu %s",
		(unsigned long long)*ret_size, plural(*ret_size, "byte", "bytes"));
	err_try(e,
		p->kind_undecided ?
			"to bind the file itself, name a file as TARGET" :
			"name a device or a file that has a filesystem: blkid SOURCE shows which");
	return -EINVAL;
}

static int set_type(const struct mount_plan *p, struct device *d, const char *type, struct err *e)
{
	if (strlen(type) >= sizeof(d->type))
		return err_say(e, EINVAL, p->source,
			"no filesystem type has such a long name: '%.64s...'", type);
	(void)snprintf(d->type, sizeof(d->type), "%s", type); /* fits: checked */
	return 0;
}

/* The type of -t is used, with a warning if it contradicts libblkid. */
static void compare_type(const struct mount_plan *p, struct device *d, int found_r,
	const struct blk_found *found, const struct err *why)
{
	scoped_buf struct buf b = BUF_INIT;

	if (found_r == 0 && fs_type_same(p->type, found->type))
		return;
	if (found_r == 0)
		(void)snprintf(d->other_type, sizeof(d->other_type), "%s", found->type); /* fits */
	buf_printf(&b, "the type that was asked for is %s, but ", p->type);
	if (found_r == 0)
		buf_printf(&b, "libblkid finds %s", found->type);
	else
		buf_printf(&b, "libblkid reports that it %s%s%s", why->what,
			why->why[0] ? ": " : "", why->why);
	say(log_warn, p, buf_get(&b) ? buf_get(&b) : "", "");
}

/*
 * Of a list of types, mount(8) tries each in turn. Here the one is taken that libblkid has found,
 * or else one that the same driver reads.
 */
static int choose_type(
	const struct mount_plan *p, struct device *d, const char *found, struct err *e)
{
	scoped_free char *list = strdup(p->type);

	if (!list)
		return err_nomem(e);
	for (int exact = 1; exact >= 0; exact--) {
		char *rest, *type;

		memcpy(list, p->type, strlen(p->type));
		for (type = strtok_r(list, ",", &rest); type; type = strtok_r(NULL, ",", &rest))
			if (exact ? !strcmp(type, found) : fs_type_same(type, found))
				return set_type(p, d, driver_for(p, type), e);
	}
	(void)err_say(
		e, EINVAL, p->source, "is none of the types %s: libblkid finds %s", p->type, found);
	err_op(e, "probe");
	err_try(e, "add %s to the list, or let the type be detected: auto", found);
	return -EINVAL;
}

static int probe(const struct mount_plan *p, struct device *d, struct err *e)
{
	struct blk_area area = {
		.fd = d->fd,
		.name = p->source,
		.offset = p->offset,
		.file = S_ISREG(d->st.st_mode),
	};
	struct blk_found found = { .damaged = false };
	struct err why = ERR_INIT;
	int r = check_bounds(p, d, &area.size, e);

	if (r < 0)
		return r;
	r = blk_probe(&area, &found, &why);
	if (p->type && !strchr(p->type, ',')) {
		compare_type(p, d, r, &found, &why);
		return set_type(p, d, driver_for(p, p->type), e);
	}
	if (r < 0) {
		if (e)
			*e = why;
		return r;
	}
	if (p->type)
		return choose_type(p, d, found.type, e);
	if (found.damaged)
		say(log_warn, p, "the checksum of its superblock is wrong", "");
	if (strcmp(found.type, fs_type_driver(found.type)))
		say(log_verbose, p,
			"is mounted by a driver of another name: ", fs_type_driver(found.type));
	return set_type(p, d, fs_type_driver(found.type), e);
}

static int check_read_only(const struct mount_plan *p, struct device *d, struct err *e)
{
	if (!fs_type_read_only(d->type))
		return 0;
	d->read_only = true;
	if (!rw_asked(p))
		return 0;
	(void)err_say(e, EROFS, p->source, "cannot be mounted writable");
	err_op(e, "probe");
	err_why(e, "a filesystem of this type (%s) is read-only by design", d->type);
	err_try(e, "omit the option rw");
	return -EROFS;
}

static int open_nodev(const struct mount_plan *p, struct device *d, struct err *e)
{
	if (p->loop || p->offset || p->sizelimit)
		return err_usage_try(e, "omit it",
			"option '%s' is for devices and files, and a filesystem of type %s needs "
			"none",
			p->loop           ? "loop" :
				p->offset ? "offset" :
					    "sizelimit",
			p->type);
	d->read_only = ro_asked(p);
	d->path = strdup(p->source);
	return d->path ? set_type(p, d, p->type, e) : err_nomem(e);
}

/*
 * Without symbolic links: mountinfo should show the device's own name, which the kernel resolves
 * again.
 */
static int name_device(const struct mount_plan *p, struct device *d, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct stat st;
	int r;

	path_of_fd(d->fd, &b);
	d->path = buf_take(&b);
	if (!d->path)
		return err_nomem(e);
	r = path_stat(d->path, true, &st);
	if (r < 0)
		return err_set(e, -r, p->source, "cannot find the device's own name");
	if (!S_ISBLK(st.st_mode) || st.st_rdev != d->st.st_rdev)
		return err_say(
			e, ESTALE, p->source, "the device was replaced by another meanwhile");
	return 0;
}

int device_open(const struct mount_plan *p, struct device *ret, struct err *e)
{
	scoped_device struct device d = DEVICE_INIT;
	scoped_free char *found = NULL;
	int r = 0;

	if (!device_is_needed(p)) {
		r = open_nodev(p, &d, e);
	} else {
		if (blk_is_tag(p->source))
			r = blk_find(p->source, &found, e);
		if (found)
			say(log_verbose, p, "is ", found);
		if (r == 0)
			r = open_device(p, &d, found, e);
		if (r == 0)
			r = probe(p, &d, e);
		if (r == 0)
			r = check_read_only(p, &d, e);
		if (r == 0 && !d.needs_loop)
			r = name_device(p, &d, e);
	}
	if (r < 0)
		return r;

	*ret = d;
	d = DEVICE_INIT;
	return 0;
}

/*
 * --- mounting ----------------------------------------------------------------------------------
 */

static int attach_loop(const struct mount_plan *p, struct device *d, struct err *e)
{
	const struct loop_part part = { p->offset, p->sizelimit, d->read_only, p->loop_device };
	struct loop_device loop;
	int r;

	if (!d->needs_loop)
		return 0;
	r = loop_attach(d->fd, p->source, &part, &loop, e);
	if (r < 0)
		return r;
	d->loop = loop.fd;
	say(log_verbose, p, loop.shared ? "is attached already: " : "attached: ", loop.path.text);
	d->path = strdup(loop.path.text);
	return d->path ? 0 : err_nomem(e);
}

/* The kernel has resolved the name again: the mounted device must be the one that was probed. */
static int check_device(
	const struct mount_plan *p, const struct device *d, const struct stat *root, struct err *e)
{
	struct stat loop;
	dev_t want = d->st.st_rdev;

	if (d->fd < 0 || !major(root->st_dev))
		return 0; /* no device, or several, as for btrfs */
	if (d->loop >= 0) {
		if (fstat(d->loop, &loop) < 0)
			return err_set(e, errno, p->source, "cannot stat the loop device");
		want = loop.st_rdev;
	}
	if (root->st_dev == want)
		return 0;
	return err_say(e, ESTALE, p->source, "the device was replaced by another meanwhile");
}

/* The driver may make the filesystem read-only: after errors, or for lack of a feature. */
static int check_writable(const struct mount_plan *p, struct device *d, int mnt, struct err *e)
{
	uint64_t flags;
	int r = mount_flags_get(mnt, &flags);

	if (r < 0)
		return err_set(e, -r, p->source, "cannot read back the flags");
	if (d->read_only || ro_asked(p) || !(flags & MOUNT_ATTR_RDONLY))
		return 0;
	d->read_only = true;
	if (!rw_asked(p)) /* else verify_flags() reports an error */
		say(log_warn, p, "is mounted read-only: its driver refuses to make it writable",
			"");
	return 0;
}

/* Set map, flags and propagation in one call. */
static int set_all(const struct mount_plan *p, const struct device *d, int mnt, struct err *e)
{
	int userns = -1, r = p->map.wish == MAP_SET ? userns_get(&p->map.map, &userns, e) : 0;

	if (r < 0)
		return r;
	r = mount_attr_set(mnt, &p->flags, userns);
	if (r == 0)
		return 0;
	(void)err_set(e, -r, p->source,
		userns >= 0 ? "cannot set the ID mapping" : "cannot set the flags of the mount");
	err_op(e, "mount_setattr");
	probe_new(mnt, d->type, userns, &p->flags, e);
	return r;
}

static struct fs_how how_to_mount(const struct mount_plan *p, const struct device *d)
{
	return (struct fs_how){
		.type = d->type,
		.source = d->path,
		.name = p->source,
		.device = d->fd >= 0,
		.read_only = d->read_only,
		.ro_wanted = ro_asked(p),
		.sloppy = p->sloppy,
		.options = p->fs_options.items,
		.n_options = p->fs_options.len,
	};
}

/* Warn of a map that does not suit the owner of what will be seen, while mnt has no map yet. */
static void judge_map(const struct mount_plan *p, const struct device *d, int mnt)
{
	struct err misfit = ERR_INIT;
	scoped_fd int top = -1;
	struct stat st;

	if (p->map.wish != MAP_SET || d->fd < 0 ||
		(p->subdir && fd_open_beneath(mnt, p->subdir, O_PATH | O_NOFOLLOW, &top, NULL) < 0))
		return; /* cloning the directory reports it */
	if (fstat(top < 0 ? mnt : top, &st) == 0 &&
		map_fit_owner(&p->map.map, st.st_uid, st.st_gid, p->source, &misfit) != MAP_FITS)
		log_warn_err(&misfit);
}

/* The type itself may be why the filesystem cannot be mounted like this. Returns r. */
static int explain_type(const struct mount_plan *p, const struct device *d, int r, struct err *e)
{
	if (r < 0 && d->other_type[0])
		err_try(e, "omit the type: libblkid finds %s", d->other_type);
	else if (r < 0 && p->map.wish == MAP_SET)
		probe_unmappable(d->type, e);
	return r;
}

int device_mount(const struct mount_plan *p, struct device *d, int *ret_mnt, struct err *e)
{
	scoped_fd int mnt = -1;
	struct fs_how how;
	struct stat root;
	int r = attach_loop(p, d, e);

	if (r < 0)
		return r;
	how = how_to_mount(p, d);
	r = fs_mount(&how, &mnt, &d->read_only, e);
	if (r < 0)
		return explain_type(p, d, r, e);
	if (fstat(mnt, &root) < 0)
		return err_set(e, errno, p->source, "cannot stat the filesystem");
	r = check_device(p, d, &root, e);
	if (r == 0)
		r = check_writable(p, d, mnt, e);
	if (r == 0)
		judge_map(p, d, mnt);
	if (r == 0)
		r = set_all(p, d, mnt, e);
	if (r == 0 && p->map.wish == MAP_SET)
		r = verify_seen(mnt, &root, &p->map.map, p->source, e);
	if (r == 0 && p->subdir) {
		int tree = -1;

		r = fs_clone_subdir(mnt, p->subdir, p->source, &tree, e);
		cleanup_fd(&mnt);
		mnt = tree;
	}
	if (r < 0)
		return r;
	*ret_mnt = TAKE_FD(mnt);
	return 0;
}

/* Filesystems in memory, which a mount of its own neither changes nor asks anything. */
static bool is_in_memory(const char *type)
{
	static const char *const types[] = { "tmpfs", "ramfs", "proc", "sysfs", "devpts", "mqueue",
		"hugetlbfs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

int device_trial(const struct mount_plan *p, struct device *d, bool *ret_sure, struct err *e)
{
	struct fs_how how = how_to_mount(p, d);
	const struct loop_part part = { p->offset, p->sizelimit, d->read_only, p->loop_device };
	scoped_fd int mnt = -1;
	int r = d->needs_loop ? loop_trial(d->fd, p->source, &part, e) : 0;

	if (r < 0)
		return r;
	*ret_sure = d->fd < 0 && is_in_memory(d->type);
	if (*ret_sure)
		return device_mount(p, d, &mnt, e);
	if (!how.source)
		how.source = p->source; /* not yet attached to a loop device */
	return explain_type(p, d, fs_trial(&how, e), e);
}

void device_done(struct device *d)
{
	free(d->path);
	cleanup_fd(&d->fd);
	cleanup_fd(&d->loop);
	*d = DEVICE_INIT;
}
