/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mknod(2): create device nodes for a caller that the kernel does not allow to create any. */

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

/* As new_decode_dev() in include/linux/kdev_t.h: the argument has 32 bits. */
static void decode_device(struct notif *n, uint64_t arg)
{
	uint32_t dev = (uint32_t)arg;

	n->major = (dev & 0xfff00) >> 8;
	n->minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
}

/* The last component of path; *ret_len: the length of the part before it. */
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
 * Open the directory that is the first len bytes of path, below dir. Neither symbolic links nor
 * ".." may leave dir (RESOLVE_BENEATH), so the root directory does not matter. RESOLVE_CACHED fails
 * with EAGAIN instead of asking the filesystem, which might block the broker, and instead of
 * triggering an automount, which would run with the broker's credentials.
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

static int open_beneath_as_caller(
	struct broker *b, const struct notif *n, int dir, const char *path, size_t len, int *ret_fd)
{
	int r = broker_creds_walk(&b->creds), back;

	if (r == 0)
		r = -open_beneath(dir, path, len, ret_fd);
	back = broker_creds_as_caller(&b->creds, &n->caller);
	return r ? r : back;
}

/*
 * Try with the caller's ids and no capabilities: if this succeeds, the caller was allowed to. If it
 * fails, nothing follows from that. Returns 0 or a positive errno.
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
		r = open_beneath_as_caller(b, n, dir, path, len, &parent);
	if (r < 0)
		return -r;
	return notif_alive(n) ? make_node(n, len ? parent : dir) : EINTR;
}

/*
 * When the result depends on the caller's capabilities, on symbolic links or on its root directory,
 * let the proxy open the directory: it gets the kernel's answers to the caller. CAP_DAC_OVERRIDE
 * then keeps the broker's own lack of permission from refusing what the caller may do. Returns 0 or
 * a positive errno.
 */
static int make_by_proxy(struct broker *b, const struct notif *n, int dirfd)
{
	const char *path = buf_get(&n->path);
	scoped_fd int dir = -1, parent = -1;
	int r = caller_dir(&n->caller, *path == '/' ? AT_FDCWD : dirfd,
		&dir); /* ignored for an absolute path */

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
			0); /* a whiteout: allowed by the kernel, which reads the same registers */
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
