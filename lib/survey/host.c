/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host: run the survey in a child process, and try the system calls of ID-mapped mounts. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "../idmap/userns_self.h"
#include "../mount/info.h"
#include "../mount/newfs.h"

/* In seconds: a trial that takes longer hangs in the kernel, for example on a dead NFS server. */
enum { TRIALS_MAX = 60, ROWS_MAX = 256 << 10 };

/*
 * --- namespaces for the trials ---------------------------------------------------------------
 */

static bool write_proc(const char *path, const char *text)
{
	scoped_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* Enter a new user namespace like unshare -Ur: the caller's id becomes 0, the only id. */
static bool enter_userns(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1\n", uid); /* fits */
	if (!write_proc("/proc/self/setgroups", "deny") || !write_proc("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1\n", gid);
	return write_proc("/proc/self/gid_map", map);
}

static void enter(struct host *h)
{
	static const struct idrange zero = { 0, 0, 1 };
	scoped_idmap struct idmap m = { .gid_assumed = false };
	struct err e = ERR_INIT;

	h->userns = -1;
	if (unshare(CLONE_NEWNS) < 0) {
		h->own_userns = true;
		if (!enter_userns()) {
			(void)snprintf(h->refused, sizeof(h->refused),
				"the caller is not root, and cannot make a user namespace: %s",
				strerrordesc_np(errno));
			return;
		}
	}
	h->in_userns = h->own_userns || !userns_is_initial();
	h->entered = true;
	h->may_attach = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	/* In a chroot, whose root is not a mount point, this fails: use detached mounts only. */
	if (!h->may_attach)
		(void)snprintf(h->refused, sizeof(h->refused), "mounts cannot be made private: %s",
			strerrordesc_np(errno));
	if (idmap_from_ranges(&zero, 1, &zero, 1, &m, &e) < 0 || userns_get(&m, &h->userns, &e) < 0)
		(void)snprintf(h->refused, sizeof(h->refused), "%.100s: %.140s", e.what,
			e.why[0] ? e.why : strerrordesc_np(e.num)); /* truncated if long */
}

/*
 * --- system calls ----------------------------------------------------------------------------
 */

static const struct host_feature feature_release = { "kernel", "release", NULL },
				 feature_map = { "kernel", "ID-mapped mounts", "5.12" },
				 feature_replace = { "kernel", "replacing the map of a mount",
					 "6.15" },
				 feature_read = { "kernel", "reading the map of a mount", "6.15" };

static void put_call(struct host *h, struct host_feature f, int r)
{
	if (r == -ENOSYS)
		host_row(
			h, f, HOST_NO, "the kernel does not have it, or a seccomp filter hides it");
	else
		host_row_result(h, f, r);
}

/*
 * ID-map a tmpfs, then replace the map on a clone of it; the step that fails shows what is missing.
 * tmpfs supports ID mapping only since Linux 6.3: on older kernels use h->mappable instead.
 */
static void try_maps(struct host *h)
{
	scoped_fd int scratch = -1, other = -1, mapped = -1, again = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)h->userns };
	int r = newfs_tmpfs(0, &scratch, NULL);

	if (r < 0) {
		host_row(h, feature_map, HOST_NOT_TRIED, "no tmpfs to try it on: %s",
			strerrordesc_np(-r));
		return;
	}
	mapped = host_mapped_clone(h, scratch);
	if (mapped == -EINVAL && h->mappable[0]) {
		mapped = path_open(h->mappable, O_PATH, "cannot open", NULL, &other, NULL);
		mapped = mapped < 0 ? mapped : host_mapped_clone(h, other);
	}
	if (mapped == -EINVAL)
		host_row(h, feature_map, HOST_NOT_TRIED,
			"this kernel's tmpfs cannot be ID-mapped (since Linux 6.3), and no other "
			"filesystem could be");
	else
		put_call(h, feature_map, mapped);
	if (mapped < 0)
		return;
	again = sys_open_tree_attr(
		mapped, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, &attr);
	put_call(h, feature_replace, again < 0 ? -errno : 0);
}

static void try_kernel(struct host *h)
{
	struct utsname u;

	if (uname(&u) == 0)
		host_row(h, feature_release, HOST_INFO, "%s %s", u.release, u.machine);
	if (!h->entered || h->userns < 0)
		host_row(h, feature_map, HOST_NOT_TRIED, "%s", h->refused);
	else
		try_maps(h);
	if (mount_info_has_maps())
		host_row_result(h, feature_read, 0);
	else
		host_row(h, feature_read, HOST_NO,
			"statmount(2) is missing or does not return maps");
}

/*
 * --- the survey ------------------------------------------------------------------------------
 */

static int survey(void *arg, int out)
{
	const char *path = *(const char *const *)arg;
	struct host h = { .out = out };

	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(TRIALS_MAX);
	if (!path)
		host_namespaces(&h); /* this comes first: it is about the caller's namespaces */
	enter(&h);
	host_filesystems(&h, path);
	if (!path) {
		try_kernel(&h);
		host_overlay(&h);
	}
	userns_cache_done();
	return 0;
}

int host_survey(
	const char *path, int (*fn)(const struct host_row *r, void *arg), void *arg, struct err *e)
{
	scoped_buf struct buf rows = BUF_INIT;
	scoped_fd int fd = -1;
	int status, r = path ? path_open(path, O_PATH, "cannot open", NULL, &fd, e) : 0;

	if (r < 0)
		return r;
	status = subprocess_call(survey, &path, ROWS_MAX, &rows);
	if (status < 0)
		return err_set(e, -status, NULL, "cannot make the trials");
	r = host_rows_parse(&rows, fn, arg);
	if (r == 0 && status != 0)
		return err_say(e, EIO, NULL, "the trials ended early (status %d)%s", status,
			status == 128 + SIGALRM ? ": one hangs" : "");
	return r == -EPROTO ? err_say(e, EIO, NULL, "the results of the trials are garbled") : r;
}
