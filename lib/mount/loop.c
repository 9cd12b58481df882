/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* loop: files as block devices. */

#include "loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/path.h"
#include "../base/proc.h"
#include "info.h"

enum { ATTEMPTS = 64, LOCK_TRIES = 500, LOCK_PAUSE_MS = 20, GONE_TRIES = 25 };

static void pause_ms(long ms)
{
	(void)nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 },
		NULL); /* if it is interrupted, the condition is checked again */
}

/*
 * --- what there is -----------------------------------------------------------------------------
 */

/*
 * LOOP_GET_STATUS64 returns the inode and device of the backing file as stat(2) does:
 * drivers/block/loop.c, loop_get_status().
 */
static bool is_backed_by(const struct loop_info64 *i, const struct stat *st)
{
	if (S_ISBLK(st->st_mode))
		return i->lo_rdevice && i->lo_rdevice == st->st_rdev;
	return i->lo_inode == st->st_ino && i->lo_device == st->st_dev;
}

static bool is_part(const struct loop_info64 *i, const struct loop_part *part)
{
	return i->lo_offset == part->offset && i->lo_sizelimit == part->sizelimit;
}

static bool overlaps(const struct loop_info64 *i, const struct loop_part *part)
{
	uint64_t end = part->sizelimit ? part->offset + part->sizelimit : UINT64_MAX;
	uint64_t its_end = i->lo_sizelimit ? i->lo_offset + i->lo_sizelimit : UINT64_MAX;

	return part->offset < its_end && i->lo_offset < end;
}

static int status_of(const char *device, int *ret_fd, struct loop_info64 *ret)
{
	scoped_fd int there = -1, fd = -1;
	struct stat st;
	char path[32];
	int r = path_open(device, O_PATH, "cannot open the device", NULL, &there, NULL);

	if (r < 0)
		return r;
	if (fstat(there, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) || major(st.st_rdev) != LOOP_MAJOR)
		return -ENXIO;
	fd = open(fd_proc_path(there, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_GET_STATUS64, ret) < 0)
		return -errno;
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

bool loop_shows(const char *device, const struct stat *st, const struct loop_part *part)
{
	struct loop_info64 info;

	return status_of(device, NULL, &info) == 0 && is_backed_by(&info, st) &&
		is_part(&info, part);
}

bool loop_is_over(const char *device, const struct stat *st)
{
	struct loop_info64 info;

	return status_of(device, NULL, &info) == 0 && is_backed_by(&info, st);
}

bool loop_same(const char *a, const char *b)
{
	struct loop_info64 x, y;

	return status_of(a, NULL, &x) == 0 && status_of(b, NULL, &y) == 0 &&
		x.lo_device == y.lo_device && x.lo_inode == y.lo_inode &&
		x.lo_rdevice == y.lo_rdevice && x.lo_offset == y.lo_offset &&
		x.lo_sizelimit == y.lo_sizelimit;
}

/*
 * --- the same file on another device ------------------------------------------------------------
 */

static int in_use(const char *name, const char *device, const struct loop_info64 *i,
	const struct loop_part *part, struct err *e)
{
	(void)err_say(e, EBUSY, name, "is in use by the loop device %s", device);
	err_op(e, "loop");
	if (is_part(i, part)) {
		err_why(e,
			"that device is read-only, and two filesystems over the same bytes would "
			"damage each other");
		err_try(e, "give -o ro, or detach it first: losetup -d %s", device);
	} else {
		err_why(e,
			"it shows another part of it (offset %llu, size limit %llu) that overlaps, "
			"and two filesystems over the same bytes damage each other",
			(unsigned long long)i->lo_offset, (unsigned long long)i->lo_sizelimit);
		err_try(e, "use the same offset= and sizelimit=, or detach it first: losetup -d %s",
			device);
	}
	return -EBUSY;
}

/* What a loop device is wanted for. */
struct loop_request {
	int file;
	const char *name; /* for messages */
	struct stat st;   /* of file */
	const struct loop_part *part;
	struct loop_path wanted; /* the device of part, by the kernel's name; or "" */
};

/* The device that was asked for, by whatever name. */
static int find_wanted(struct loop_request *q, struct err *e)
{
	const char *device = q->part->device;
	scoped_fd int fd = -1;
	struct stat st;
	int r;

	if (!device)
		return 0;
	r = path_open(device, O_PATH, "cannot open the loop device", NULL, &fd, e);
	if (r == 0 && fstat(fd, &st) < 0)
		r = err_set(e, errno, device, "cannot stat the loop device");
	if (r == 0 && (!S_ISBLK(st.st_mode) || major(st.st_rdev) != LOOP_MAJOR))
		r = err_say(e, EINVAL, device, "is not a loop device");
	if (r < 0) {
		err_try(e, "give loop without a value, which takes a free device");
		return r;
	}
	(void)snprintf(q->wanted.text, sizeof(q->wanted.text), "/dev/loop%u",
		minor(st.st_rdev)); /* fits: 10 digits */
	return 0;
}

static int wanted_in_use(const struct loop_request *q, struct err *e)
{
	struct loop_info64 i;

	(void)err_say(e, EBUSY, q->wanted.text, "the loop device is in use");
	err_op(e, "loop");
	if (status_of(q->wanted.text, NULL, &i) == 0)
		err_why(e, "it shows '%.*s', not '%s' or the part of it that is asked for",
			LO_NAME_SIZE, (const char *)i.lo_file_name, q->name);
	err_try(e, "give loop without a value, which takes a free device");
	return -EBUSY;
}

/* mount(8) refuses this as well, even if the device is the one that is asked for. */
static int attached_already(const struct loop_request *q, const char *device, struct err *e)
{
	(void)err_say(e, EBUSY, q->name, "is attached to %s already", device);
	err_op(e, "loop");
	err_why(e,
		"loop=DEVICE attaches it anew, and two filesystems over the same bytes would "
		"damage each other");
	err_try(e, "give loop without a value, which uses %s", device);
	return -EBUSY;
}

/* 1: this device shows the part, and is in *ret; 0: it does not conflict with the request. */
static int try_device(
	const struct loop_request *q, const char *device, struct loop_device *ret, struct err *e)
{
	scoped_fd int fd = -1;
	struct loop_info64 info;
	bool same;

	/* It may have been freed since it was listed; once open and busy, it stays. */
	if (status_of(device, &fd, &info) < 0 || !is_backed_by(&info, &q->st) ||
		!overlaps(&info, q->part))
		return 0;
	same = is_part(&info, q->part);
	if (same && (q->part->read_only || !(info.lo_flags & LO_FLAGS_READ_ONLY))) {
		if (*q->wanted.text)
			return attached_already(q, device, e);
		(void)snprintf(ret->path.text, sizeof(ret->path.text), "%s",
			device); /* fits: it came from one */
		ret->fd = TAKE_FD(fd);
		return 1;
	}
	/* Any number of readers may share the bytes. */
	if (!same && q->part->read_only && info.lo_flags & LO_FLAGS_READ_ONLY)
		return 0;
	return in_use(q->name, device, &info, q->part, e);
}

static int find_device(const struct loop_request *q, struct loop_device *ret, struct err *e)
{
	DIR *d = opendir("/sys/block");
	const struct dirent *entry;
	int r = 0;

	if (!d)
		return err_set(e, errno, "/sys/block", "cannot see which loop devices are in use");
	while (r == 0 && (entry = readdir(d))) {
		struct loop_path path;
		uint64_t n;
		char used[64];

		if (strncmp(entry->d_name, "loop", 4) || num_u64(entry->d_name + 4, &n) < 0)
			continue;
		(void)snprintf(used, sizeof(used), "loop%llu/loop/backing_file",
			(unsigned long long)n); /* fits: 20 digits */
		if (faccessat(dirfd(d), used, F_OK, 0) < 0)
			continue;
		(void)snprintf(path.text, sizeof(path.text), "/dev/loop%llu",
			(unsigned long long)n); /* fits, too */
		r = try_device(q, path.text, ret, e);
	}
	(void)closedir(d); /* only read */
	return r;
}

/*
 * --- a new one ---------------------------------------------------------------------------------
 */

static int step_failed(const char *on, const char *op, const char *what, struct err *e)
{
	int r = err_set(e, errno, on, "%s", what);

	err_op(e, op);
	if (r == -EPERM || r == -EACCES)
		err_try(e, "loop devices are for root of the initial user namespace");
	else if (r == -ENOENT || r == -ENXIO || r == -ENODEV)
		err_try(e,
			"load the driver (modprobe loop); in a container, let it have "
			"/dev/loop-control and the loop devices");
	return r;
}

/* Make one attempt. -EBUSY: another process was faster. */
static int configure(
	int control, const struct loop_request *q, struct loop_device *ret, struct err *e)
{
	struct loop_config c = {
		.fd = (uint32_t)q->file,
		.info = {
			.lo_offset = q->part->offset,
			.lo_sizelimit = q->part->sizelimit,
			.lo_flags = LO_FLAGS_AUTOCLEAR |
				(q->part->read_only ? LO_FLAGS_READ_ONLY : 0),
		},
	};
	char *path = ret->path.text;
	scoped_fd int fd = -1;
	int n = *q->wanted.text ? 0 : ioctl(control, LOOP_CTL_GET_FREE);

	if (n < 0)
		return step_failed(q->name, "LOOP_CTL_GET_FREE", "cannot get a loop device", e);
	(void)snprintf(path, sizeof(ret->path.text), "/dev/loop%d", n); /* fits: 10 digits */
	if (*q->wanted.text)
		ret->path = q->wanted;
	(void)snprintf((char *)c.info.lo_file_name, LO_NAME_SIZE, "%s",
		q->name); /* for people; the kernel knows the file itself */
	fd = open(path, (q->part->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return step_failed(path, "open", "cannot open the loop device", e);
	if (ioctl(fd, LOOP_CONFIGURE, &c) < 0)
		return step_failed(
			q->name, "LOOP_CONFIGURE", "cannot attach it to a loop device", e);
	ret->fd = TAKE_FD(fd);
	return 0;
}

/* The device frees itself when fd is closed. */
static int check_attached(int fd, const struct loop_request *q, struct err *e)
{
	struct loop_info64 i;
	int locked = 0;
	bool good;

	if (ioctl(fd, LOOP_GET_STATUS64, &i) < 0)
		return step_failed(
			q->name, "LOOP_GET_STATUS64", "cannot read back the loop device", e);
	/* Write protection (BLKROSET) that an earlier user of the device set is still on it. */
	if (!q->part->read_only && ioctl(fd, BLKROGET, &locked) == 0 && locked) {
		log_verbose("the loop device was write-protected by an earlier user: the "
			    "protection is removed");
		if (ioctl(fd, BLKROSET, &(int){ 0 }) < 0)
			return step_failed(
				q->name, "BLKROSET", "cannot make the loop device writable", e);
	}
	good = is_backed_by(&i, &q->st) && is_part(&i, q->part) &&
		i.lo_flags & LO_FLAGS_AUTOCLEAR &&
		(!q->part->read_only || i.lo_flags & LO_FLAGS_READ_ONLY);
	if (good)
		return 0;
	(void)err_say(e, EIO, q->name, "the loop device is not as requested");
	err_op(e, "verify");
	return -EIO;
}

static int check_new(const struct loop_request *q, struct loop_device *ret, struct err *e)
{
	int r = check_attached(ret->fd, q, e);

	if (r < 0)
		cleanup_fd(&ret->fd);
	return r;
}

static int make_device(const struct loop_request *q, struct loop_device *ret, struct err *e)
{
	scoped_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r = -EBUSY;

	if (control < 0)
		return step_failed("/dev/loop-control", "open", "cannot get a loop device", e);
	if (*q->wanted.text) {
		r = configure(control, q, ret, e);
		return r == -EBUSY ? wanted_in_use(q, e) : r == 0 ? check_new(q, ret, e) : r;
	}
	for (int i = 0; i < ATTEMPTS && r == -EBUSY; i++) {
		if (i)
			log_verbose("%s was taken by another program: trying the next one",
				ret->path.text);
		r = configure(control, q, ret, e);
	}
	if (r == -EBUSY)
		err_why(e, "other programs took each of %d free loop devices first", (int)ATTEMPTS);
	return r == 0 ? check_new(q, ret, e) : r;
}

/*
 * Only one process at a time may search for a loop device of a file and attach one. The lock ends
 * with its descriptor. The file itself is not locked, since all users that can read it could hold
 * such a lock. If there is no directory for locks, a device node that only root can open is locked.
 */
static int open_lock(const struct stat *st)
{
	const struct stat device = {
		.st_dev = st->st_rdev
	}; /* a device can have any number of nodes */
	struct stat control;
	int fd = lock_open(S_ISBLK(st->st_mode) ? &device : st, "loop");

	if (fd >= 0)
		return fd;
	fd = open("/dev/loop-control", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &control) == 0 && !(control.st_mode & 06))
		return fd;
	cleanup_fd(&fd);
	log_verbose(
		"two processes that attach the same file at this moment do not exclude each other");
	return -1;
}

static int lock_file(const struct stat *st, const char *name, int *ret_fd, struct err *e)
{
	scoped_fd int fd = open_lock(st);
	int r = fd < 0 ? 0 : lock_try(fd, LOCK_EXCLUSIVE);

	for (int i = 0; r == -EWOULDBLOCK || r == -EINTR; i++) {
		scoped_buf struct buf b = BUF_INIT;

		if (i == 0 || i == LOCK_TRIES)
			lock_print_holder(fd, &b);
		if (i == 0)
			log_verbose("waiting for another process that attaches '%s': %s", name,
				buf_get(&b) ? buf_get(&b) : "");
		if (i == LOCK_TRIES) {
			(void)err_set(e, EBUSY, name, "cannot lock it");
			err_op(e, "flock");
			err_why(e, "another process has held the lock for %d seconds: %s",
				LOCK_TRIES * LOCK_PAUSE_MS / 1000, buf_get(&b) ? buf_get(&b) : "");
			return -EBUSY;
		}
		pause_ms(LOCK_PAUSE_MS);
		r = lock_try(fd, LOCK_EXCLUSIVE);
	}
	if (r < 0)
		return err_set(e, -r, name, "cannot lock it");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int loop_attach(int file, const char *name, const struct loop_part *part, struct loop_device *ret,
	struct err *e)
{
	struct loop_request q = { .file = file, .name = name, .part = part };
	scoped_fd int lock = -1;
	int r;

	if (fstat(file, &q.st) < 0)
		return err_set(e, errno, name, "cannot stat it");
	r = find_wanted(&q, e);
	if (r == 0)
		r = lock_file(&q.st, name, &lock, e);
	if (r == 0)
		r = find_device(&q, ret, e);
	ret->shared = r == 1;
	if (r != 0)
		return r < 0 ? r : 0;
	return make_device(&q, ret, e);
}

int loop_trial(int file, const char *name, const struct loop_part *part, struct err *e)
{
	struct loop_request q = { .file = file, .name = name, .part = part };
	struct loop_device shared = { .fd = -1 };
	struct loop_info64 info;
	int r = fstat(file, &q.st) < 0 ? err_set(e, errno, name, "cannot stat it") : 0;

	if (r == 0)
		r = find_wanted(&q, e);
	if (r == 0)
		r = find_device(&q, &shared, e);
	cleanup_fd(&shared.fd);
	if (r == 0 && *q.wanted.text && status_of(q.wanted.text, NULL, &info) == 0)
		r = wanted_in_use(&q, e);
	return r < 0 ? r : 0;
}

/*
 * --- is it gone? -------------------------------------------------------------------------------
 */

static char *attribute(unsigned n, const char *what)
{
	scoped_buf struct buf b = BUF_INIT;
	char path[96];

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%d:%u/loop/%s", LOOP_MAJOR, n,
		what); /* fits: short names */
	if (fd_read_file(AT_FDCWD, path, 4096, &b, NULL) < 0 || !b.len)
		return NULL;
	return buf_take(&b);
}

bool loop_watch(dev_t dev, struct loop_watch *ret)
{
	scoped_free char *autoclear = NULL;

	if (major(dev) != LOOP_MAJOR)
		return false;
	autoclear = attribute(minor(dev), "autoclear");
	if (!autoclear || *autoclear != '1')
		return false;
	ret->minor = minor(dev);
	ret->file = attribute(ret->minor, "backing_file");
	return ret->file != NULL;
}

/* Is the device free, or attached to another file? */
static bool is_gone(const struct loop_watch *w)
{
	scoped_free char *now = attribute(w->minor, "backing_file");

	return !now || strcmp(now, w->file) != 0;
}

static int match_mount(const struct mount_info *i, void *arg)
{
	const struct loop_watch *w = arg;
	char path[32];

	(void)snprintf(path, sizeof(path), "/dev/loop%u", w->minor); /* fits: 10 digits */
	if (i->dev != makedev(LOOP_MAJOR, w->minor) && strcmp(i->source, path))
		return 0;
	log_verbose("%s stays: it is mounted on '%s', too", path, i->target);
	return 1;
}

/* Does the process have the device open? */
static bool process_holds(int proc, const char *pid, dev_t dev)
{
	char path[64];
	scoped_fd int fd = -1;
	const struct dirent *entry;
	bool found = false;
	struct stat st;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%.20s/fd", pid); /* fits */
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return false;
	fd = -1; /* owned by d */
	while (!found && (entry = readdir(d)))
		found = fstatat(dirfd(d), entry->d_name, &st, 0) == 0 && S_ISBLK(st.st_mode) &&
			st.st_rdev == dev;
	(void)closedir(d); /* only read */
	return found;
}

struct device_holders {
	dev_t dev;
	struct buf text;
};

static int name_holder(int proc, const char *pid, pid_t number, void *arg)
{
	struct device_holders *h = arg;
	scoped_buf struct buf comm = BUF_INIT;
	struct buf *b = &h->text;
	char path[64];

	(void)number; /* pid is the same as text */
	if (!process_holds(proc, pid, h->dev))
		return 0;
	(void)snprintf(path, sizeof(path), "%.20s/comm", pid); /* fits */
	buf_printf(b, "%sprocess %s (", b->len ? ", " : "", pid);
	if (fd_read_file(proc, path, 64, &comm, NULL) == 0 && comm.len)
		buf_add(b, comm.data, comm.len - 1);
	buf_char(b, ')');
	return 0;
}

static void say_it_stays(const struct loop_watch *w)
{
	struct device_holders h = { .dev = makedev(LOOP_MAJOR, w->minor), .text = BUF_INIT };

	(void)proc_each(name_holder, &h, NULL); /* without /proc, none is found */
	log_warn("/dev/loop%u is not free yet: %s", w->minor,
		h.text.len && buf_get(&h.text) ?
			buf_get(&h.text) :
			"something that is not visible here uses it, such as "
			"another mount namespace");
	buf_done(&h.text);
}

void loop_watch_end(struct loop_watch *w)
{
	bool gone = is_gone(w);

	if (gone || mount_info_each(NULL, match_mount, w, NULL) != 1) {
		for (int i = 0; i < GONE_TRIES && !gone; i++) {
			pause_ms(LOCK_PAUSE_MS);
			gone = is_gone(w);
		}
		if (gone)
			log_verbose("/dev/loop%u is free again", w->minor);
		else
			say_it_stays(w);
	}
	free(w->file);
	w->file = NULL;
}
