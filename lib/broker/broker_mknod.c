/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broker_mknod: device nodes, for whom the kernel makes none. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/sys.h"
#include "broker_priv.h"

/* The argument is 32 bits wide: include/linux/kdev_t.h, new_decode_dev(). */
static void decode_device(struct notif *n, uint64_t arg)
{
	uint32_t dev = (uint32_t)arg;

	n->major = (dev & 0xfff00) >> 8;
	n->minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
}

/* The last component of a path; *ret_len: how long what stands before it is. */
static const char *last_name(const char *path, size_t *ret_len)
{
	const char *slash = strrchr(path, '/');

	*ret_len = slash ? (size_t)(slash + 1 - path) : 0;
	return path + *ret_len;
}

static int make_node(const struct notif *n, int parent)
{
	size_t len;

	return mknodat(parent, last_name(buf_get(&n->path), &len), n->mode,
		       makedev(n->major, n->minor)) < 0 ?
		errno :
		0;
}

/*
 * The directory of dir/PATH, where neither links nor ".." lead out of dir: nobody's root directory
 * is then of any account. Only what the kernel has at hand is walked through (EAGAIN): no
 * filesystem is asked, which might keep the broker waiting, and none is mounted automatically,
 * which the broker would have done in its own name.
 */
static int open_beneath(int dir, const char *path, size_t len, int *ret_fd)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED,
	};
	char parent[CALLER_PATH_MAX];

	(void)snprintf(parent, sizeof(parent), "%.*s", (int)len, path); /* fits */
	*ret_fd = sys_openat2(dir, parent, &how);
	return *ret_fd < 0 ? errno : 0;
}

static int walk(
	struct broker *b, const struct notif *n, int dir, const char *path, size_t len, int *ret_fd)
{
	int r = broker_creds_walk(&b->creds), back;

	if (r == 0)
		r = -open_beneath(dir, path, len, ret_fd);
	back = broker_creds_as_caller(&b->creds, &n->caller);
	return r ? r : back;
}

/*
 * With the caller's ids and none of its capabilities: what that makes, the caller may make. It says
 * nothing of what it fails to make.
 */
static int make_plainly(struct broker *b, const struct notif *n, int dirfd)
{
	const char *path = buf_get(&n->path);
	scoped_fd int dir = -1, parent = -1;
	size_t len;
	int r;

	(void)last_name(path, &len);
	r = *path == '/' ? caller_root(&n->caller, &dir) : caller_dir(&n->caller, dirfd, &dir);
	if (r == 0)
		r = broker_creds_as_caller(&b->creds, &n->caller);
	for (; r == 0 && len && *path == '/'; len--)
		path++;
	if (r == 0 && len)
		r = walk(b, n, dir, path, len, &parent);
	if (r < 0)
		return -r;
	return notif_alive(n) ? make_node(n, len ? parent : dir) : EINTR;
}

/*
 * Where its capabilities in the namespace, a link or its root directory count, the proxy finds the
 * directory, and the kernel's answers to the proxy are the caller's. What the caller may create
 * there, it may not be refused for the broker's sake.
 */
static int make_by_proxy(struct broker *b, const struct notif *n, int dirfd)
{
	const char *path = buf_get(&n->path);
	scoped_fd int dir = -1, parent = -1;
	int r = caller_dir(&n->caller, *path == '/' ? AT_FDCWD : dirfd,
		&dir); /* of no account for an absolute path */

	if (r == 0)
		r = broker_ask(b, n,
			&(struct proxy_request){ .op = PROXY_PARENT, .path = path, .dir = dir },
			&parent);
	if (r == 0)
		r = broker_creds_as_caller(&b->creds, &n->caller);
	if (r == 0)
		r = broker_creds_override(&b->creds);
	if (r < 0)
		return -r;
	return notif_alive(n) ? make_node(n, parent) : EINTR;
}

void broker_mknod_decide(struct broker *b, struct notif *n)
{
	size_t at = n->call == CALL_MKNODAT ? 1 : 0;
	int dirfd = at ? (int)n->args[0] : AT_FDCWD, num;

	n->mode = (mode_t)(n->args[at + 1] & 0xffff);
	decode_device(n, n->args[at + 2]);
	if (S_ISCHR(n->mode) && n->major == 0 && n->minor == 0) {
		notif_answer(n, VERDICT_KERNEL,
			0); /* a whiteout: the kernel allows it and looks at the same registers */
		return;
	}
	num = -notif_string(n, at, &n->path, &n->has_path);
	n->rule = rules_device(&b->rules, n->mode & S_IFMT, n->major, n->minor);
	if (!n->rule || !(n->caller.caps & 1ULL << CAP_MKNOD))
		num = EPERM;
	if (num == 0 && make_plainly(b, n, dirfd) != 0)
		num = make_by_proxy(b, n, dirfd);
	notif_answer(n, num ? VERDICT_DENIED : VERDICT_DONE, num);
}
