/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mntns: inspect mount namespaces from outside. */

#include "mntns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "../base/proc.h"
#include "../base/sys.h"
#include "../base/vec.h"
#include "info.h"

/* A namespace that was visited, with the root directory if that counts; else zeros. */
struct visited {
	uint64_t ns, ino;
	uint32_t major, minor;
};

struct mntns_walk {
	bool each_root, by_id;
	int (*fn)(const struct mntns *n, void *arg);
	void *arg;
	size_t *closed;
	struct err *e;
	VEC(struct visited) seen;
};

static void read_command(struct mntns *n)
{
	scoped_fd int fd = openat(n->proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, n->command, sizeof(n->command) - 1);

	n->command[len < 0 ? 0 : len] = '\0';
	n->command[strcspn(n->command, "\n")] = '\0';
}

/*
 * Everything is opened below this directory: a moment later, the number may belong to another
 * process.
 */
static int open_process(int proc, const char *name, struct mntns *n)
{
	struct stat st;

	n->proc = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	n->fd = n->proc < 0 ? -1 : openat(n->proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (n->fd < 0 || fstat(n->fd, &st) < 0)
		return -errno;
	n->inode = st.st_ino;
	return 0;
}

/* Set the id for statmount(2), if that reports all of another namespace's mounts. */
static void set_id(bool by_id, struct mntns *n)
{
	if (by_id && ioctl(n->fd, SYS_NS_GET_MNTNS_ID, &n->id) < 0)
		n->id = 0;
}

int mntns_own(struct mntns *ret, struct err *e)
{
	scoped_mntns struct mntns n = MNTNS_INIT;

	int r = open_process(AT_FDCWD, "/proc/self", &n);

	if (r < 0)
		return err_set(e, -r, "/proc/self/ns/mnt", "cannot tell the mount namespace");
	n.pid = getpid();
	n.ours = true;
	read_command(&n);

	*ret = n;
	n = MNTNS_INIT;
	return 0;
}

void mntns_done(struct mntns *n)
{
	cleanup_fd(&n->proc);
	cleanup_fd(&n->fd);
	*n = MNTNS_INIT;
}

int mntns_copy(const struct mntns *n, struct mntns *ret)
{
	scoped_fd int proc = fcntl(n->proc, F_DUPFD_CLOEXEC, 3),
		      fd = fcntl(n->fd, F_DUPFD_CLOEXEC, 3);

	if (proc < 0 || fd < 0)
		return -1;
	*ret = *n;
	ret->proc = TAKE_FD(proc);
	ret->fd = TAKE_FD(fd);
	return 0;
}

/* Note p as visited. Returns 1 if p is new, 0 if it was noted before, or -ENOMEM. */
static int is_new(struct mntns_walk *w, struct visited p)
{
	for (size_t i = 0; i < w->seen.len; i++) {
		const struct visited *o = &w->seen.items[i];

		if (o->ns == p.ns && o->ino == p.ino && o->major == p.major && o->minor == p.minor)
			return 0;
	}
	return VEC_ADD(&w->seen, p) < 0 ? err_nomem(w->e) : 1;
}

static int visit(int proc, const char *name, pid_t pid, void *arg)
{
	struct mntns_walk *w = arg;
	scoped_mntns struct mntns n = MNTNS_INIT;
	struct visited p = { 0 };
	struct statx root;
	int r = open_process(proc, name, &n);

	if (r < 0) {
		if (r != -EACCES && r != -EPERM)
			return 0; /* it has ended, or is a zombie */
		*w->closed += 1;
		if (geteuid() ==
			0) /* an ordinary user cannot expect to inspect others' processes */
			log_verbose("process %d and its mount namespace cannot be looked into: %s",
				(int)pid, strerrordesc_np(-r));
		return 0;
	}
	p.ns = n.inode;
	if (w->each_root && !w->by_id) {
		/*
		 * Cached attributes suffice: the root may be on a filesystem that a user's process
		 * serves.
		 */
		if (statx(n.proc, "root", AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &root) <
			0)
			return 0;
		p = (struct visited){ n.inode, root.stx_ino, root.stx_dev_major,
			root.stx_dev_minor };
	}
	r = is_new(w, p);
	if (r <= 0)
		return r;
	n.pid = pid;
	set_id(w->by_id, &n);
	read_command(&n);
	r = w->fn(&n, w->arg);
	if (r != -ESTALE)
		return r;
	w->seen.len--; /* another process may be in it */
	return 0;
}

static int visit_all(struct mntns_walk *w, const struct mntns *own)
{
	struct statx root;
	int r = 0;

	/*
	 * Our own namespace is not visited: from no root if it is read by its id or once, else not
	 * from our root.
	 */
	if (!w->each_root || w->by_id)
		r = is_new(w, (struct visited){ .ns = own->inode });
	else if (statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT, STATX_INO, &root) == 0)
		r = is_new(w,
			(struct visited){
				own->inode, root.stx_ino, root.stx_dev_major, root.stx_dev_minor });
	return r < 0 ? r : proc_each(visit, w, w->e);
}

/*
 * If the root is the first mount of all, as on an initial RAM disk, the kernels with this interface
 * use another mount as the root of a namespace that is not ours (fs/namespace.c,
 * grab_requested_root()), and list the mounts below that.
 */
static bool root_is_the_first(void)
{
	scoped_mount_info struct mount_info i = { .id = -1 };
	scoped_fd int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || mount_info_get(fd, &i, NULL) < 0 || i.id == i.parent;
}

int mntns_of_process(pid_t pid, struct mntns *ret)
{
	scoped_mntns struct mntns n = MNTNS_INIT;
	char path[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid); /* fits */
	r = open_process(AT_FDCWD, path, &n);
	if (r < 0)
		return r;
	n.pid = pid;
	set_id(mount_info_has_maps() && !root_is_the_first(), &n);
	read_command(&n);
	*ret = n;
	n = MNTNS_INIT;
	return 0;
}

int mntns_each(bool each_root, int (*fn)(const struct mntns *n, void *arg), void *arg,
	size_t *closed, struct err *e)
{
	struct mntns_walk w = {
		.each_root = each_root, .fn = fn, .arg = arg, .closed = closed, .e = e
	};
	scoped_mntns struct mntns own = MNTNS_INIT;
	int r = mntns_own(&own, e);

	w.by_id = mount_info_has_maps() && !root_is_the_first();
	if (r == 0)
		r = visit_all(&w, &own);
	VEC_DONE(&w.seen);
	return r;
}

bool mntns_has_left(const struct mntns *n)
{
	struct stat st;

	return fstatat(n->proc, "ns/mnt", &st, 0) < 0 || st.st_ino != n->inode;
}

/* Open the user namespace that owns it. -1: that is not possible. */
static int owning_userns(const struct mntns *n)
{
	return ioctl(n->fd, NS_GET_USERNS);
}

bool mntns_is_of_our_userns(const struct mntns *n)
{
	scoped_fd int owner = n->ours ? -1 : owning_userns(n);
	struct stat its, own;

	return n->ours ||
		(owner >= 0 && fstat(owner, &its) == 0 && stat("/proc/self/ns/user", &own) == 0 &&
			its.st_ino == own.st_ino);
}

int mntns_open_path(const struct mntns *n, const char *path, int flags, uint64_t resolve)
{
	const uint64_t cached = mntns_is_of_our_userns(n) ? 0 : RESOLVE_CACHED;
	const struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = resolve | cached | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	scoped_fd int root = openat(n->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = root < 0 ? -1 : sys_openat2(root, path, &how);

	return fd < 0 ? -errno : fd;
}

bool mntns_owner(const struct mntns *n, uid_t *ret)
{
	scoped_fd int owner = owning_userns(n);

	return owner >= 0 && ioctl(owner, NS_GET_OWNER_UID, ret) == 0;
}
