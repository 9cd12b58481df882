/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userns_read: read the maps of existing user namespaces. */

#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "userns_child.h"

static int own_fault(struct err *e)
{
	(void)err_say(e, EINVAL, NULL,
		"this is the caller's own user namespace, whose map changes nothing here");
	err_op(e, "userns");
	err_try(e, "omit it, or name a process of another user namespace: lsns -t user");
	return -EINVAL;
}

int userns_map_own(struct idmap *ret, struct err *e)
{
	scoped_fd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return err_set(e, errno, "/proc/self", "cannot open");
	return userns_map_of_proc(proc, ret, e);
}

static int not_a_userns(const char *path, struct err *e)
{
	(void)err_say(e, EINVAL, path, "is not a user namespace");
	err_try(e, "name one by its path, /proc/PID/ns/user, or by a process: pid:PID");
	return -EINVAL;
}

void userns_explain_eperm(struct err *e)
{
	scoped_idmap struct idmap own = { 0 };
	uint32_t outside;
	int r = userns_map_own(&own, NULL);

	if (r == -ENODATA ||
		(r == 0 &&
			(!idmap_uid_seen(&own, geteuid(), &outside) ||
				!idmap_gid_seen(&own, getegid(), &outside)))) {
		err_why(e,
			"the caller's user or group has no id in the present user namespace "
			"(/proc/self/uid_map, gid_map)");
		err_try(e, "give it a map: unshare -Ur, or run the command outside of it");
		return;
	}
	err_why(e, "user namespaces are disabled for this user, or the root directory is a chroot");
}

/*
 * If the process may not be inspected (EACCES), compare its map: a map that equals that of the
 * caller's namespace is taken for that namespace.
 */
static int check_own_by_map(const struct idmap *m, struct err *e)
{
	scoped_idmap struct idmap own = { 0 };
	int r = userns_map_own(&own, e);

	if (r < 0)
		return r;
	return idmap_equal(m, &own) ? own_fault(e) : 0;
}

int userns_map_of_pid(pid_t pid, struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap m = { 0 };
	struct stat own, before, after;
	scoped_fd int proc = -1;
	bool known;
	int r;

	r = proc_open(pid, &proc, e);
	if (r < 0)
		return r;
	if (stat("/proc/self/ns/user", &own) < 0)
		return err_set(e, errno, "/proc/self/ns/user", "cannot look at the user namespace");
	known = fstatat(proc, "ns/user", &before, 0) == 0;
	if (known && same_file(&own, &before))
		return own_fault(e);
	r = userns_map_of_proc(proc, &m, e);
	if (r == 0 && !known)
		r = check_own_by_map(&m, e);
	if (r < 0)
		return r;
	/* Two files were read: check that the process was in the same namespace all the time. */
	if (known && (fstatat(proc, "ns/user", &after, 0) < 0 || !same_file(&before, &after)))
		return err_say(e, EAGAIN, NULL,
			"the process changed its user namespace or ended while its map was read");

	*ret = m;
	m = (struct idmap){ 0 };
	return 0;
}

int userns_map_of_fd(int fd, struct idmap *ret, struct err *e)
{
	scoped_child struct child child = CHILD_NONE;
	struct stat own, st;
	int type, r;

	if (fstat(fd, &st) < 0) {
		r = err_set(e, errno, NULL, "cannot look at the descriptor");
		err_try(e, "open it first, as a shell does with %d</proc/PID/ns/user", fd);
		return r;
	}
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type != CLONE_NEWUSER) {
		r = err_say(e, EINVAL, NULL,
			type < 0 ? "the descriptor is not of a namespace" :
				   "the descriptor is of another kind of namespace");
		err_try(e, "name a user namespace: /proc/PID/ns/user, or pid:PID");
		return r;
	}
	if (stat("/proc/self/ns/user", &own) == 0 && same_file(&own, &st))
		return own_fault(e);

	/* The map of a namespace can be read only from the /proc files of a process in it. */
	r = child_start(fd, &child, e);
	if (r < 0)
		return r;
	return userns_map_of_proc(child.proc, ret, e);
}

/*
 * Check that the path is a namespace before opening it for reading: opening a device can have side
 * effects.
 */
int userns_map_of_path(const char *path, struct idmap *ret, struct err *e)
{
	scoped_fd int place = -1, fd = -1;
	struct statfs fs;
	char again[32];
	int r = path_open(path, O_PATH, "cannot open the user namespace", NULL, &place, e);

	if (r < 0)
		return r;
	if (fstatfs(place, &fs) < 0)
		return err_set(e, errno, path, "cannot open the user namespace");
	if (fs.f_type != NSFS_MAGIC)
		return not_a_userns(path, e);
	fd = open(fd_proc_path(place, again), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, path, "cannot open the user namespace");
	return userns_map_of_fd(fd, ret, e);
}

int userns_open_pid(pid_t pid, int *ret_fd, struct err *e)
{
	scoped_fd int proc = -1;
	int r, fd;

	r = proc_open(pid, &proc, e);
	if (r < 0)
		return r;
	fd = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid); /* fits */
		return err_set(e, errno, path, "cannot open the user namespace");
	}

	*ret_fd = fd;
	return 0;
}
