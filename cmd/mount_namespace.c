/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_namespace: enter the mount namespace of mount -N. */

#include "mount_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../lib/base/fd.h"
#include "../lib/base/num.h"
#include "../lib/base/path.h"
#include "../lib/base/sys.h"
#include "../lib/idmap/userns.h"
#include "../lib/mount/record_store.h"
#include "../lib/mount/via_libmount.h"

static const char *where;

void mount_namespace_set(const char *path)
{
	where = path;
}

bool mount_namespace_is_set(void)
{
	return where;
}

static int refuse_owner(struct err *e)
{
	(void)err_say(e, EPERM, where, "the mount namespace belongs to another user namespace");
	err_op(e, "setns");
	err_why(e, "its owner decides what each path in it leads to");
	err_try(e, "run mount-idmapped there as its root: nsenter --user --mount --target PID");
	return -EPERM;
}

/* Open the namespace, and check that it is one of mounts that this user namespace owns. */
static int open_namespace(int *ret, struct err *e)
{
	scoped_fd int fd = -1, owner = -1;
	struct stat its, own;
	int r = path_open(where, O_RDONLY, "cannot open the mount namespace", NULL, &fd, e);

	if (r < 0)
		return r;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNS)
		return err_say(e, EINVAL, where, "is not a mount namespace");
	owner = ioctl(fd, NS_GET_USERNS);
	if (owner < 0 || fstat(owner, &its) < 0 || stat("/proc/self/ns/user", &own) < 0 ||
		!same_file(&its, &own))
		return refuse_owner(e);
	*ret = TAKE_FD(fd);
	return 0;
}

/* Descriptors are opened again by names in /proc, which must be this process's there, too. */
static int check_proc(struct err *e)
{
	scoped_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char self[32] = "";
	struct statfs fs;
	uint32_t pid;

	if (proc >= 0 && fstatfs(proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
		readlinkat(proc, "self", self, sizeof(self) - 1) > 0 && num_u32(self, &pid) == 0 &&
		pid == (uint32_t)getpid())
		return 0;
	(void)err_say(e, ENOENT, where, "the mount namespace has no /proc of this process");
	err_op(e, "setns");
	err_why(e, "it has none, or that of another PID namespace, as containers have");
	err_try(e, "mount it outside, at a place from which mounts propagate to the namespace");
	return -ENOENT;
}

static int make_user_namespaces(const struct mount_plan *p, struct err *e)
{
	int fd, r = p->map.wish == MAP_SET ? userns_get(&p->map.map, &fd, e) : 0;

	for (size_t i = 0; i < p->layers.len && r == 0; i++) {
		const struct mount_map *m = mount_plan_layer_map(p, i);

		if (m->wish == MAP_SET)
			r = userns_get(&m->map, &fd, e);
	}
	return r;
}

int mount_namespace_enter(struct mount_plan *p, bool writes, struct err *e)
{
	scoped_fd int fd = -1;
	const char *unused;
	int r;

	if (!where)
		return 0;
	r = open_namespace(&fd, e);
	if (r == 0)
		r = lm_fstab_path(&unused, e); /* loads libmount */
	if (r == 0)
		r = make_user_namespaces(p, e);
	if (r < 0)
		return r;

	mount_plan_close_source(p);
	record_store_leave(writes);
	if (sys_setns(fd, CLONE_NEWNS) < 0) {
		r = err_set(e, errno, where, "cannot enter the mount namespace");
		err_op(e, "setns");
		return r;
	}
	record_store_arrive();
	r = check_proc(e);
	return r == 0 ? mount_plan_open_source(p, e) : r;
}
