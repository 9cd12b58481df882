/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The chown family: report the owners that programs request, or record them in an xattr. The broker
 * itself never changes an owner: either the kernel does, or the owner stays.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "broker_priv.h"

/* Indexes of the arguments of each call; -1: the call lacks the argument. */
static const struct {
	signed char dirfd, path, uid, flags;
	bool nofollow;
} layout[] = {
	[CALL_CHOWN] = { -1, 0, 1, -1, false },
	[CALL_LCHOWN] = { -1, 0, 1, -1, true },
	[CALL_FCHOWN] = { 0, -1, 1, -1, false },
	[CALL_FCHOWNAT] = { 0, 1, 2, 4, false },
};

static bool mapped(const struct broker *b, const struct notif *n)
{
	uint32_t seen;

	return (n->uid == UINT32_MAX || idmap_uid_seen(&b->map, n->uid, &seen)) &&
		(n->gid == UINT32_MAX || idmap_gid_seen(&b->map, n->gid, &seen));
}

/* The path of an open file, for the audit file and the report only. */
static void name_of_fd(struct notif *n, int fd)
{
	char link[32], name[CALLER_PATH_MAX];
	scoped_fd int own = -1;
	ssize_t len;

	if (caller_fd(&n->caller, fd, &own) < 0)
		return;
	len = readlink(fd_proc_path(own, link), name, sizeof(name));
	if (len > 0) {
		buf_add(&n->path, name, (size_t)len);
		n->has_path = true;
	}
}

/* The report names an absolute path: the caller's working directory is unknown by then. */
static void add_to_report(struct broker *b, struct notif *n, int dirfd, bool known)
{
	scoped_buf struct buf full = BUF_INIT;
	const char *path = n->has_path ? buf_get(&n->path) : "";
	char link[32], name[CALLER_PATH_MAX];
	scoped_fd int dir = -1;
	ssize_t len = -1;

	if (n->has_path && *path != '/' && caller_dir(&n->caller, dirfd, &dir) == 0)
		len = readlink(fd_proc_path(dir, link), name, sizeof(name));
	if (len > 0) {
		buf_add(&full, name, (size_t)len);
		buf_printf(&full, "%s%s", name[len - 1] == '/' ? "" : "/", path);
	}
	chown_report_add(&b->report, n->caller.command, n->uid, n->gid, known,
		len > 0 && buf_get(&full) ? buf_get(&full) : path);
}

/*
 * Duplicate the caller's descriptor, because the caller may lack permission to open the file again.
 * -ENODATA: the file cannot carry the xattr.
 */
static int borrow_fd(const struct notif *n, int fd, int *ret_fd)
{
	scoped_fd int file = -1;
	struct stat st;
	int r;

	r = caller_fd(&n->caller, fd, &file);
	if (r < 0)
		return r;
	if (fstat(file, &st) < 0)
		return -errno;
	if (n->call == CALL_FCHOWN && fcntl(file, F_GETFL) & O_PATH)
		return -EBADF; /* as the kernel: only the "at" call accepts O_PATH */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENODATA;
	*ret_fd = TAKE_FD(file);
	return 0;
}

static int record(struct broker *b, struct notif *n, enum proxy_op op, bool by_fd, int dirfd)
{
	struct proxy_request q = { .op = op, .uid = n->uid, .gid = n->gid, .flags = n->flags };
	scoped_fd int dir = -1;
	int r;

	if (by_fd) {
		q.flags = AT_EMPTY_PATH;
		q.path = "";
		r = borrow_fd(n, dirfd, &dir);
	} else {
		q.path = buf_get(&n->path);
		r = caller_dir(&n->caller, *q.path == '/' ? AT_FDCWD : dirfd, &dir);
	}
	if (r < 0)
		return r;
	q.dir = dir;
	if (!notif_alive(n))
		return -EINTR;
	return broker_ask(b, n, &q, NULL);
}

static void emulate(struct broker *b, struct notif *n, bool by_fd, int dirfd)
{
	int r;

	if (!(n->caller.caps & 1ULL << CAP_CHOWN)) {
		notif_answer(n, VERDICT_DENIED, EPERM);
		return;
	}
	r = record(b, n, PROXY_RECORD, by_fd, dirfd);
	if (r == -ENODATA)
		notif_answer(n, VERDICT_SKIPPED, 0);
	else
		notif_answer(n, r ? VERDICT_DENIED : VERDICT_EMULATED, -r);
}

void broker_chown_decide(struct broker *b, struct notif *n)
{
	int dirfd = layout[n->call].dirfd < 0 ? AT_FDCWD : (int)n->args[(int)layout[n->call].dirfd];
	bool by_fd = layout[n->call].path < 0, known;
	int r = 0;

	n->rule = rules_find(&b->rules, RULE_CHOWN_EMULATE);
	if (!n->rule)
		n->rule = rules_find(&b->rules, RULE_CHOWN_REPORT);
	n->uid = (uint32_t)n->args[(int)layout[n->call].uid];
	n->gid = (uint32_t)n->args[layout[n->call].uid + 1];
	n->flags = layout[n->call].nofollow ? AT_SYMLINK_NOFOLLOW : 0;
	if (layout[n->call].flags >= 0)
		n->flags = (uint32_t)n->args[(int)layout[n->call].flags];
	if (n->flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		r = -EINVAL;
	else if (!by_fd)
		r = notif_string(n, (size_t)layout[n->call].path, &n->path, &n->has_path);
	if (n->has_path && n->path.len == 0 && n->flags & AT_EMPTY_PATH)
		by_fd = true;
	if (by_fd && dirfd >= 0)
		name_of_fd(n, dirfd);
	known = mapped(b, n);
	add_to_report(b, n, dirfd, known);

	/*
	 * An earlier record would be wrong once the kernel changes the owner; if it cannot be
	 * renewed, it stays. VERDICT_KERNEL is safe below: it depends on the ids alone, which were
	 * passed in registers, and not on the path, which was read for the report.
	 */
	if (known && r == 0 && n->rule->kind == RULE_CHOWN_EMULATE &&
		n->caller.caps & 1ULL << CAP_CHOWN)
		(void)record(b, n, PROXY_RENEW, by_fd, dirfd);
	if (known || n->rule->kind == RULE_CHOWN_REPORT)
		notif_answer(n, VERDICT_KERNEL, 0);
	else if (r < 0)
		notif_answer(n, VERDICT_DENIED, -r);
	else
		emulate(b, n, by_fd, dirfd);
}
