/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * broker_chown: owners that programs want. Nobody is given a file here: the kernel does that, or
 * nobody.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "notif.h"

/* Where a call has what: -1 for what it does not have. */
static const struct {
	signed char dirfd, path, uid, flags;
	bool nofollow;
} layout[] = {
	[HELD_CHOWN] = { -1, 0, 1, -1, false },
	[HELD_LCHOWN] = { -1, 0, 1, -1, true },
	[HELD_FCHOWN] = { 0, -1, 1, -1, false },
	[HELD_FCHOWNAT] = { 0, 1, 2, 4, false },
};

static bool mapped(const struct broker *b, const struct held *h)
{
	uint32_t seen;

	return (h->uid == UINT32_MAX || idmap_uid_seen(&b->map, h->uid, &seen)) &&
		(h->gid == UINT32_MAX || idmap_gid_seen(&b->map, h->gid, &seen));
}

/* The name of an open file, for people: nothing is decided by it. */
static void name_of_fd(struct held *h, int fd)
{
	char link[32], name[CALLER_PATH_MAX];
	scoped_fd int own = -1;
	ssize_t n;

	if (caller_fd(&h->caller, fd, &own) < 0)
		return;
	n = readlink(fd_proc_path(own, link), name, sizeof(name));
	if (n > 0) {
		buf_add(&h->path, name, (size_t)n);
		h->has_path = true;
	}
}

/* What the report calls the file: it is read when nobody knows any more where the program was. */
static void report_it(struct broker *b, struct held *h, int dirfd, bool known)
{
	scoped_buf struct buf full = BUF_INIT;
	const char *path = h->has_path ? buf_get(&h->path) : "";
	char link[32], name[CALLER_PATH_MAX];
	scoped_fd int dir = -1;
	ssize_t n = -1;

	if (h->has_path && *path != '/' && caller_dir(&h->caller, dirfd, &dir) == 0)
		n = readlink(fd_proc_path(dir, link), name, sizeof(name));
	if (n > 0) {
		buf_add(&full, name, (size_t)n);
		buf_printf(&full, "%s%s", name[n - 1] == '/' ? "" : "/", path);
	}
	report_add(&b->report, h->caller.command, h->uid, h->gid, known,
		n > 0 && buf_get(&full) ? buf_get(&full) : path);
}

/*
 * The open file itself, so that no right to open it is asked for. -ENODATA: it cannot carry a
 * record.
 */
static int borrow_fd(const struct held *h, int fd, int *ret_fd)
{
	scoped_fd int file = -1;
	struct stat st;
	int r;

	r = caller_fd(&h->caller, fd, &file);
	if (r < 0)
		return r;
	if (fstat(file, &st) < 0)
		return -errno;
	if (h->call == HELD_FCHOWN && fcntl(file, F_GETFL) & O_PATH)
		return -EBADF; /* as the kernel, which takes such a one in the "at" call alone */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENODATA;
	*ret_fd = TAKE_FD(file);
	return 0;
}

static int record(struct broker *b, struct held *h, enum proxy_op op, bool by_fd, int dirfd)
{
	struct proxy_request q = { .op = op, .uid = h->uid, .gid = h->gid, .flags = h->flags };
	scoped_fd int dir = -1;
	int r;

	if (by_fd) {
		q.flags = AT_EMPTY_PATH;
		q.path = "";
		r = borrow_fd(h, dirfd, &dir);
	} else {
		q.path = buf_get(&h->path);
		r = caller_dir(&h->caller, *q.path == '/' ? AT_FDCWD : dirfd, &dir);
	}
	if (r < 0)
		return r;
	q.dir = dir;
	if (!held_alive(b, h))
		return -EINTR;
	return broker_ask(b, h, &q, NULL);
}

static void emulate(struct broker *b, struct held *h, bool by_fd, int dirfd)
{
	int r;

	if (!(h->caller.caps & 1ULL << CAP_CHOWN)) {
		held_answer(h, VERDICT_DENIED, EPERM);
		return;
	}
	r = record(b, h, PROXY_RECORD, by_fd, dirfd);
	if (r == -ENODATA)
		held_answer(h, VERDICT_SKIPPED, 0);
	else
		held_answer(h, r ? VERDICT_DENIED : VERDICT_EMULATED, -r);
}

void decide_chown(struct broker *b, struct held *h)
{
	int dirfd = layout[h->call].dirfd < 0 ? AT_FDCWD : (int)h->args[(int)layout[h->call].dirfd];
	bool by_fd = layout[h->call].path < 0, known;
	int r = 0;

	h->rule = rules_find(&b->rules, RULE_CHOWN_EMULATE);
	if (!h->rule)
		h->rule = rules_find(&b->rules, RULE_CHOWN_REPORT);
	h->uid = (uint32_t)h->args[(int)layout[h->call].uid];
	h->gid = (uint32_t)h->args[layout[h->call].uid + 1];
	h->flags = layout[h->call].nofollow ? AT_SYMLINK_NOFOLLOW : 0;
	if (layout[h->call].flags >= 0)
		h->flags = (uint32_t)h->args[(int)layout[h->call].flags];
	if (h->flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		r = -EINVAL;
	else if (!by_fd)
		r = held_string(h, (size_t)layout[h->call].path, &h->path, &h->has_path);
	if (h->has_path && h->path.len == 0 && h->flags & AT_EMPTY_PATH)
		by_fd = true;
	if (by_fd && dirfd >= 0)
		name_of_fd(h, dirfd);
	known = mapped(b, h);
	report_it(b, h, dirfd, known);

	/*
	 * What the kernel is left to decide depends on the ids alone, which are in registers; the
	 * path was read to be told.
	 */
	if (known && r == 0 && h->rule->kind == RULE_CHOWN_EMULATE &&
		h->caller.caps & 1ULL << CAP_CHOWN)
		(void)record(
			b, h, PROXY_RENEW, by_fd, dirfd); /* an earlier record would be wrong now;
		                                             what cannot be renewed stays */
	if (known || h->rule->kind == RULE_CHOWN_REPORT)
		held_answer(h, VERDICT_KERNEL, 0);
	else if (r < 0)
		held_answer(h, VERDICT_DENIED, -r);
	else
		emulate(b, h, by_fd, dirfd);
}
