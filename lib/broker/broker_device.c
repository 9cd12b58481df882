/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount the device or image of a rule in the command's mount namespace, with its map. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/sys.h"
#include "../mount/device.h"
#include "broker_priv.h"

/*
 * The flags of mount(2) that the program may set, with their mount_setattr(2) attributes. Other
 * flags affect the filesystem and not only this mount.
 */
static const struct {
	unsigned long flag;
	uint64_t attr;
} flags[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	{ MS_NOATIME, MOUNT_ATTR_NOATIME },
	{ MS_RELATIME, MOUNT_ATTR_RELATIME },
	{ MS_STRICTATIME, MOUNT_ATTR_STRICTATIME },
	{ MS_SILENT, 0 },
};

/* Attributes of the mount. nodev is always set: device nodes in the image must not open devices. */
static int wanted_attr(const struct notif *n, uint64_t *ret)
{
	uint64_t rest = n->flags;

	*ret = MOUNT_ATTR_NODEV;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!(rest & flags[i].flag))
			continue;
		*ret |= flags[i].attr;
		rest &= ~(uint64_t)flags[i].flag;
	}
	if (rest || n->data.len)
		return -EINVAL;
	/* EROFS, as for a write-protected device: mount(8) then retries with MS_RDONLY. */
	return n->rule->read_only && !(n->flags & MS_RDONLY) ? -EROFS : 0;
}

/*
 * Attach the tree with locked flags, so that root of the command's namespace cannot clear nodev.
 * The kernel locks the flags of mounts when a mount namespace is copied into a less privileged user
 * namespace (mount_namespaces(7)), and a clone of such a mount keeps the lock. So: attach the tree
 * in a new mount namespace, copy that into the user namespace, clone the mount there, and attach
 * the clone in the target namespace. Runs in a child process; returns 0 or a positive errno, the
 * exit status.
 */
static int attach_locked(int userns, int mntns, int tree, int target)
{
	const struct mount_attr private = { .propagation = MS_PRIVATE };
	int clone;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWNS) < 0)
		return errno;
	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private) < 0)
		return errno;
	if (sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return errno;
	/* unshare(2) moves the working directory to the copy of its mount. */
	if (fchdir(tree) < 0 || sys_setns(userns, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		return errno;
	clone = sys_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0 || sys_setns(mntns, CLONE_NEWNS) < 0)
		return errno;
	return sys_move_mount(clone, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ?
		errno :
		0;
}

static int attach(const struct broker *b, const struct notif *n, int tree, int target)
{
	scoped_fd int mntns = -1;
	int r = caller_ns(&n->caller, "mnt", &mntns), status;
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		_exit(attach_locked(b->userns, mntns, tree, target));
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* Make the detached mount. Its map shows disk id 0 as 0 in the namespace. */
static int make_tree(const struct broker *b, const struct notif *n, uint64_t attr, int *ret_tree)
{
	scoped_device struct device device = DEVICE_INIT;
	struct mount_plan plan = {
		.kind = MOUNT_FS,
		.type = n->rule->fstype,
		.map = { .wish = MAP_SET, .map = b->map },
		.flags = { .set = attr, .propagation = MS_PRIVATE },
	};
	struct err e = ERR_INIT;
	char path[32];
	int r;

	plan.source = (char *)fd_proc_path(n->rule->source_fd, path);
	r = device_open(&plan, &device, &e);
	if (r == 0)
		r = device_mount(&plan, &device, ret_tree, &e);
	if (r < 0)
		log_warn("rule '%s': %s", n->rule->text, e.what);
	return r;
}

void broker_device_mount(struct broker *b, struct notif *n)
{
	scoped_fd int tree = -1, target = -1;
	struct stat st;
	uint64_t attr;
	int r = n->caller.caps & 1ULL << CAP_SYS_ADMIN ? wanted_attr(n, &attr) : -EPERM;

	if (r == 0)
		r = broker_ask_path(b, n, &(struct proxy_request){ .op = PROXY_TARGET }, &target);
	if (r == 0 && (fstat(target, &st) < 0 || !S_ISDIR(st.st_mode)))
		r = -ENOTDIR;
	if (r == 0)
		r = broker_creds_own(&b->creds);
	if (r == 0)
		r = make_tree(b, n, attr, &tree);
	if (r == 0 && !notif_alive(n))
		r = -EINTR;
	if (r == 0)
		r = attach(b, n, tree, target);
	notif_answer(n, r ? VERDICT_DENIED : VERDICT_DONE, -r);
}
