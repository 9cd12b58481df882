/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host: the frame of the survey, and what concerns the kernel's calls. */

#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
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
#include "../mount/clone.h"
#include "../mount/info.h"
#include "../mount/mount_attr.h"
#include "../mount/probe.h"

/* Seconds; a trial that takes longer hangs in the kernel (a dead network filesystem, say). */
enum { TRIALS_MAX = 60, ROWS_MAX = 256 << 10, FIELDS = 5 };

/*
 * --- rows, through the pipe: each field ends with a NUL
 * -----------------------------------------------------
 */

static void add_field(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text) + 1);
}

void host_row(struct host *h, const char *section, const char *name, enum host_answer answer,
	const char *since, const char *fmt, ...)
{
	const char digit[] = { (char)('0' + answer), '\0' };
	scoped_buf struct buf row = BUF_INIT;
	char detail[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap); /* cut when long */
	va_end(ap);
	add_field(&row, section);
	add_field(&row, name);
	add_field(&row, digit);
	add_field(&row, since ? since : "");
	add_field(&row, detail);
	if (!buf_get(&row) || fd_write_all(h->out, row.data, row.len) < 0)
		_exit(1); /* the parent tells that the survey broke off */
}

static int parse_rows(
	const struct buf *rows, int (*fn)(const struct host_row *r, void *arg), void *arg)
{
	const char *f[FIELDS];
	int r = 0;

	for (size_t at = 0; at < rows->len && r == 0;) {
		for (size_t i = 0; i < FIELDS; i++) {
			if (at >= rows->len)
				return -EPROTO;
			f[i] = rows->data + at;
			at += strlen(f[i]) + 1;
		}
		r = fn(&(struct host_row){ f[0], f[1], (enum host_answer)(f[2][0] - '0'), f[3],
			       f[4] },
			arg);
	}
	return r;
}

/*
 * --- a place for trials
 * -----------------------------------------------------------------------------------
 */

static bool write_proc(const char *path, const char *text)
{
	scoped_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* As `unshare -Ur`: the caller's id is 0 there, and there is no other. */
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
	if (!h->may_attach) /* in a chroot, whose root is no mount point; only detached mounts then
	                     */
		(void)snprintf(h->refused, sizeof(h->refused), "mounts cannot be made private: %s",
			strerrordesc_np(errno));
	if (idmap_from_ranges(&zero, 1, &zero, 1, &m, &e) < 0 || userns_get(&m, &h->userns, &e) < 0)
		(void)snprintf(h->refused, sizeof(h->refused), "%.100s: %.140s", e.what,
			e.why[0] ? e.why : strerrordesc_np(e.num)); /* cut when long */
}

int host_scratch(void)
{
	scoped_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int host_mapped_clone(const struct host *h, int fd)
{
	scoped_fd int tree =
		sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int r = tree < 0 ? -errno : mount_attr_set(tree, &mount_flags_private, h->userns);

	return r < 0 ? r : TAKE_FD(tree);
}

/*
 * --- calls
 * ----------------------------------------------------------------------------------------------
 */

static void row_of_call(struct host *h, const char *name, const char *since, int num)
{
	if (num == ENOSYS)
		host_row(h, "kernel", name, HOST_NO, since,
			"the kernel does not have it, or a seccomp filter hides it");
	else if (num)
		host_row(h, "kernel", name, HOST_NO, since, "%s", strerrordesc_np(num));
	else
		host_row(h, "kernel", name, HOST_YES, since, "%s", "");
}

/*
 * Map a tmpfs, then replace that map on a clone: which step fails tells what is missing. tmpfs
 * learnt it long after the call came (6.3), so what was found to work among the mounts serves too.
 */
static void try_maps(struct host *h)
{
	scoped_fd int scratch = host_scratch(), other = -1, mapped = -1, again = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)h->userns };

	if (scratch < 0) {
		host_row(h, "kernel", "ID-mapped mounts", HOST_NOT_TRIED, "5.12",
			"no tmpfs to try it on: %s", strerrordesc_np(-scratch));
		return;
	}
	mapped = host_mapped_clone(h, scratch);
	if (mapped == -EINVAL && h->mappable[0]) {
		mapped = path_open(h->mappable, O_PATH, "cannot open", NULL, &other, NULL);
		mapped = mapped < 0 ? mapped : host_mapped_clone(h, other);
	}
	if (mapped == -EINVAL)
		host_row(h, "kernel", "ID-mapped mounts", HOST_NOT_TRIED, "5.12",
			"this kernel's tmpfs cannot be ID-mapped (since Linux 6.3), and no other "
			"filesystem could be");
	else
		row_of_call(h, "ID-mapped mounts", "5.12", mapped < 0 ? -mapped : 0);
	if (mapped < 0)
		return;
	again = sys_open_tree_attr(
		mapped, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, &attr);
	row_of_call(h, "replacing the map of a mount", "6.15", again < 0 ? errno : 0);
}

void host_kernel(struct host *h)
{
	struct utsname u;

	if (uname(&u) == 0)
		host_row(h, "kernel", "release", HOST_INFO, NULL, "%s %s", u.release, u.machine);
	if (!h->entered || h->userns < 0)
		host_row(h, "kernel", "ID-mapped mounts", HOST_NOT_TRIED, "5.12", "%s", h->refused);
	else
		try_maps(h);
	if (mount_info_has_maps())
		host_row(h, "kernel", "reading the map of a mount", HOST_YES, "6.15", "%s", "");
	else
		host_row(h, "kernel", "reading the map of a mount", HOST_NO, "6.15",
			"statmount(2) is missing or tells no maps");
}

/*
 * --- together
 * ---------------------------------------------------------------------------------------------
 */

static int survey(void *arg, int out)
{
	const char *path = *(const char *const *)arg;
	struct host h = { .out = out };

	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(TRIALS_MAX);
	if (!path)
		host_namespaces(&h); /* before anything is entered */
	enter(&h);
	host_filesystems(&h, path);
	if (!path) {
		host_kernel(&h);
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
	status = run_child(survey, &path, ROWS_MAX, &rows);
	if (status < 0)
		return err_set(e, -status, NULL, "cannot make the trials");
	r = parse_rows(&rows, fn, arg);
	if (r == 0 && status != 0)
		return err_say(e, EIO, NULL, "the trials broke off (status %d)%s", status,
			status == 128 + SIGALRM ? ": one hangs" : "");
	return r == -EPROTO ? err_say(e, EIO, NULL, "the results of the trials are garbled") : r;
}
