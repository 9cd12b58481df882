/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broker_mknod: device nodes, for whom the kernel makes none. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/sys.h"
#include "held.h"

/* The argument is 32 bits wide: include/linux/kdev_t.h, new_decode_dev(). */
static void decode_device(struct held *h, uint64_t arg)
{
	uint32_t dev = (uint32_t)arg;

	h->major = (dev & 0xfff00) >> 8;
	h->minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
}

/* With the caller's ids as owner, in the directory where the caller may create. Needs CAP_MKNOD, CAP_SETUID, CAP_SETGID, CAP_DAC_OVERRIDE. */
static int make_node(const struct held *h, int parent)
{
	const char *path = buf_get(&h->path), *slash = strrchr(path, '/'); /* none at the end: the proxy has refused those */
	const char *name = slash ? slash + 1 : path;
	uint32_t uid = (uint32_t)sys_setfsuid(h->caller.uid), gid = (uint32_t)sys_setfsgid(h->caller.gid);
	mode_t mask = umask(h->caller.umask);
	int num = EPERM;

	/* They fail in silence, and a node of root's is not what was asked for. */
	if ((uint32_t)sys_setfsuid(h->caller.uid) == h->caller.uid && (uint32_t)sys_setfsgid(h->caller.gid) == h->caller.gid)
		num = mknodat(parent, name, h->mode, makedev(h->major, h->minor)) < 0 ? errno : 0;
	(void)umask(mask);
	(void)sys_setfsgid(gid);
	(void)sys_setfsuid(uid);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of the fsuid takes it off; cannot fail */
	return num;
}

/* The caller gets no further than where it could create a file by itself: the kernel's answer to the proxy says so. */
static int find_parent(struct broker *b, const struct held *h, int dirfd, int *ret_fd)
{
	const char *path = buf_get(&h->path);
	scoped_fd int dir = -1;
	int r = caller_dir(&h->caller, *path == '/' ? AT_FDCWD : dirfd, &dir); /* of no account for an absolute path */

	if (r < 0)
		return -r;
	return -broker_ask(b, h, &(struct proxy_request){ .op = PROXY_PARENT, .path = path, .dir = dir }, ret_fd);
}

void decide_mknod(struct broker *b, struct held *h)
{
	size_t at = h->call == HELD_MKNODAT ? 1 : 0;
	int dirfd = at ? (int)h->args[0] : AT_FDCWD, num;
	scoped_fd int parent = -1;

	h->mode = (mode_t)(h->args[at + 1] & 0xffff);
	decode_device(h, h->args[at + 2]);
	if (S_ISCHR(h->mode) && h->major == 0 && h->minor == 0) {
		held_answer(h, VERDICT_KERNEL, 0); /* a whiteout: the kernel allows it and looks at the same registers */
		return;
	}
	num = -held_string(h, at, &h->path, &h->has_path);
	h->rule = rules_device(&b->rules, h->mode & S_IFMT, h->major, h->minor);
	if (!h->rule || !(h->caller.caps & 1ULL << CAP_MKNOD))
		num = EPERM;
	if (num == 0)
		num = find_parent(b, h, dirfd, &parent);
	if (num == 0 && !held_alive(b, h))
		num = EINTR;
	if (num == 0)
		num = make_node(h, parent);
	held_answer(h, num ? VERDICT_DENIED : VERDICT_DONE, num);
}
