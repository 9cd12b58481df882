/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grants_trial: let newuidmap and newgidmap map the grants of a user. */

#include "grants.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/subprocess.h"
#include "../idmap/as_user.h"
#include "../idmap/idmap.h"
#include "../idmap/names.h"
#include "../idmap/newidmap.h"
#include "../idmap/userns.h"
#include "userns_rules.h"

/*
 * There are three processes: this one; a child that runs as the user and calls the programs; and a
 * child of that one in the namespace that gets the maps. The user's process writes the result to a
 * pipe and exits with status 0 or 1.
 */
enum { ANSWER_MAX = 8 << 10, GRANTS_MAX = IDMAP_EXTENTS_MAX - 1 };

/* Write the result and exit. This and the functions below run in the user's process. */
static _Noreturn PRINTF(3, 4) void answer(int fd, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vdprintf(fd, fmt, ap); /* there is no other way to report a failure */
	va_end(ap);
	_exit(status);
}

static void become(const struct grants_check *c, int fd)
{
	int r = as_user_become(&c->user, NULL);

	if (r < 0)
		answer(fd, 1, "cannot become %s: %s", c->user.name, strerrordesc_np(-r));
	/*
	 * A process that changed its ids is not dumpable, and root owns its /proc directory: then
	 * newuidmap takes it for a process of another user.
	 */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		answer(fd, 1, "cannot prepare the trial: %s", strerrordesc_np(errno));
}

/* Start the process in the namespace, which writes its errno (0: success) when it is there. */
static pid_t start_namespace(int fd)
{
	scoped_fd int rd = -1, wr = -1;
	pid_t self = getpid(), pid;
	int fds[2], num = EPIPE;

	if (pipe2(fds, O_CLOEXEC) < 0)
		answer(fd, 1, "cannot make a pipe: %s", strerrordesc_np(errno));
	rd = fds[0];
	wr = fds[1];
	pid = fork();
	if (pid < 0)
		answer(fd, 1, "cannot fork: %s", strerrordesc_np(errno));
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != self)
			_exit(1);
		num = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
		if (write(wr, &num, sizeof(num)) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	cleanup_fd(&wr);
	wr = -1;
	if (read(rd, &num, sizeof(num)) != (ssize_t)sizeof(num) || num) {
		scoped_buf struct buf why = BUF_INIT;

		userns_rules_print(&why);
		answer(fd, 1, "cannot make a user namespace: %s%s%s", strerrordesc_np(num),
			why.len ? ": " : "", buf_get(&why));
	}
	return pid;
}

static void call_helper(int fd, bool group, pid_t pid, const struct idrange *r, size_t n)
{
	struct err e = ERR_INIT;

	if (newidmap(group, pid, r, n, &e) < 0)
		answer(fd, 1, "%s%s%s", e.what, e.num ? ": " : "",
			e.num ? strerrordesc_np(e.num) : "");
}

/* Both programs reported success: does the namespace have the requested map? */
static void check_map(int fd, pid_t pid, const struct idrange *uid, size_t n_uid,
	const struct idrange *gid, size_t n_gid)
{
	struct idmap want, have;
	struct err e = ERR_INIT;

	if (idmap_from_ranges(uid, n_uid, gid, n_gid, &want, &e) < 0 ||
		userns_map_of_pid(pid, &have, &e) < 0)
		answer(fd, 1, "the map cannot be read back: %s", e.what);
	if (!idmap_equal(&want, &have))
		answer(fd, 1,
			"newuidmap and newgidmap reported success, but the namespace has another "
			"map");
}

static uint64_t total(const struct grants *g)
{
	uint64_t n = 1;

	for (size_t i = 0; i < g->len && i < GRANTS_MAX; i++)
		n += g->items[i].count;
	return n;
}

static int try_as_user(void *arg, int fd)
{
	const struct grants_check *c = arg;
	static struct idrange uid[IDMAP_EXTENTS_MAX], gid[IDMAP_EXTENTS_MAX];
	size_t n_uid = newidmap_ranges(c->user.uid, &c->uid, uid),
	       n_gid = newidmap_ranges(c->user.gid, &c->gid, gid);
	pid_t pid;

	become(c, fd);
	pid = start_namespace(fd);
	call_helper(fd, false, pid, uid, n_uid);
	call_helper(fd, true, pid, gid, n_gid);
	check_map(fd, pid, uid, n_uid, gid, n_gid);
	answer(fd, 0, "a user namespace got %llu user ids and %llu group ids",
		(unsigned long long)total(&c->uid), (unsigned long long)total(&c->gid));
}

/* The reason why there can be no trial, or NULL. */
static const char *no_trial(const struct grants_check *c)
{
	if (!c->uid.len && !c->gid.len)
		return "no ids are granted";
	if (!c->uid.len || !c->gid.len)
		return "not both user and group ids are granted";
	if (c->user.uid == SUBID_NO_ACCOUNT)
		return "the name has no account, so no process can run as this user";
	if (!c->user.name[0] || !c->user.has_gid)
		return "the user has no name, and newuidmap requires one";
	if (geteuid() != 0 && getuid() != c->user.uid)
		return "only root and the user can try it";
	if (total(&c->uid) > UINT32_MAX || total(&c->gid) > UINT32_MAX)
		return "the grants have more ids than exist";
	return NULL;
}

int grants_trial(struct grants_check *c, char **ret_detail, struct err *e)
{
	const char *no = no_trial(c);
	scoped_buf struct buf text = BUF_INIT;
	int status;

	if (no) {
		*ret_detail = strdup(no);
		return *ret_detail ? TRIAL_NOT_MADE : err_nomem(e);
	}
	status = subprocess_call(try_as_user, c, ANSWER_MAX, &text);
	if (status < 0)
		return err_set(e, -status, NULL, "cannot make the trial");
	if (!text.len)
		buf_printf(&text, "the trial ended with status %d and without output", status);
	*ret_detail = buf_take(&text);
	if (!*ret_detail)
		return err_nomem(e);
	if (status == 0)
		return TRIAL_PASSED;
	grants_report(c, GRANT_TRIAL, NULL, 0, "%s", *ret_detail);
	return TRIAL_FAILED;
}
