/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* container: a command as root of a user namespace. */

#include "run_priv.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/sys.h"
#include "../idmap/userns.h"
#include "../idmap/userns_self.h"
#include "../mount/probe.h"

/*
 * --- maps --------------------------------------------------------------------------------------
 */

enum run_caller run_caller(void)
{
	if (geteuid() == 0 && caps_has(CAP_SYS_ADMIN) && userns_is_initial())
		return RUN_BY_ROOT;
	return caps_has(CAP_SETUID) && caps_has(CAP_SETGID) ? RUN_BY_NS_ROOT : RUN_BY_USER;
}

static int no_root(struct err *e)
{
	(void)err_say(e, EINVAL, NULL,
		"the map has no id 0 for users, or for groups: the command's root needs both");
	err_op(e, "map");
	err_try(e,
		"give both an id for root, as -m +BASE does, or -m 0:ID:1 with what else there is");
	return -EINVAL;
}

int run_check_map(bool privileged, const struct idmap *m, struct err *e)
{
	uint32_t id;

	if (!idmap_uid_seen(m, 0, &id) || !idmap_gid_seen(m, 0, &id))
		return no_root(e);
	if (!privileged || (!idmap_uid_disk(m, 0, &id) && !idmap_gid_disk(m, 0, &id)))
		return 0;
	(void)err_say(e, EPERM, NULL, "the map makes an id of the command's the host's own 0%s",
		m->gid_assumed ? ", because it leaves users or groups as they are" : "");
	err_op(e, "map");
	err_why(e,
		"many of the host's settings and devices ask for nothing but that id, whatever the "
		"user namespace");
	err_try(e, "use a range that nobody else has for both, such as -m +BASE");
	return -EPERM;
}

/*
 * --- starting ----------------------------------------------------------------------------------
 */

static int clone_fault(int num, struct err *e)
{
	(void)err_set(e, num, NULL, "cannot make the namespaces of the command");
	err_op(e, "userns");
	if (num == EINVAL)
		err_why(e, "this kernel is built without one of them");
	else if (num == ENOSPC || num == EUSERS)
		err_why(e,
			"a limit of namespaces (user.max_*_namespaces) or of their nesting (32) is "
			"reached");
	else if (num == EPERM)
		err_why(e,
			"user namespaces are switched off for this caller, or its root directory "
			"is a chroot");
	return -num;
}

/*
 * The signals that a caller may mean for the command. Those that stop a process that uses the
 * terminal from behind keep doing so.
 */
static void signals_of_others(sigset_t *ret)
{
	static const int ours[] = { SIGTTIN, SIGTTOU, SIGPIPE, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
		SIGABRT, SIGTRAP, SIGSYS };

	(void)sigfillset(ret);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		(void)sigdelset(ret, ours[i]);
}

static int start(struct run_init *init, int stage, pid_t *ret, struct err *e)
{
	unsigned long flags =
		CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

	/*
	 * The mount namespace is copied, and the working directory is the one thing of the stage
	 * that is found again in the copy.
	 */
	if (stage >= 0 && fchdir(stage) < 0)
		return err_set(e, errno, NULL, "cannot enter the directory of the mounts");
	*ret = sys_clone(flags | (init->spec->own_net ? CLONE_NEWNET : 0));
	if (*ret < 0)
		return clone_fault(errno, e);
	if (*ret == 0)
		run_init(init);
	return 0;
}

/* Init waits for its map, and is gone when it does not get one. */
static int take_handle(const struct run_spec *s, struct run_handle *h, struct err *e)
{
	const struct run_msg go = { .kind = RUN_MSG_GO };
	int r;

	h->pidfd = sys_pidfd_open(h->pid, 0);
	r = h->pidfd < 0 ? err_set(e, errno, NULL, "cannot get a descriptor of process 1") : 0;
	/* It is new: later nobody can look into it (run_init.c). */
	if (r == 0)
		r = userns_open_pid(h->pid, &h->userns, e);
	if (r == 0)
		r = userns_write_map(h->pid, &s->map, e);
	if (r == 0)
		r = run_proto_tell(h->sock, &go, e);
	if (r == 0)
		return 0;
	(void)kill(h->pid, SIGKILL); /* not reaped yet, so the number is still its own */
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static void handle_done(struct run_handle *h)
{
	cleanup_fd(&h->pidfd);
	cleanup_fd(&h->userns);
	cleanup_fd(&h->sock);
}

static int run_blocked(struct run_init *init, const sigset_t *signals, int stage, struct err *e)
{
	scoped_fd int sigfd = signalfd(-1, signals, SFD_CLOEXEC);
	struct run_handle h = { -1, -1, -1, -1 };
	int pair[2], r;

	if (sigfd < 0)
		return err_set(e, errno, NULL, "cannot take over the signals");
	r = run_proto_pair(pair, e);
	if (r < 0)
		return r;
	h.sock = pair[0];
	init->sock = pair[1];
	init->peer = pair[0];
	r = start(init, stage, &h.pid, e);
	/* Each side has one end alone, so that either sees the other's death. */
	cleanup_fd(&init->sock);
	if (r == 0)
		r = take_handle(init->spec, &h, e);
	if (r == 0)
		r = run_relay(init->spec, &h, sigfd, e);
	handle_done(&h);
	return r;
}

/*
 * The three that the command gets. A directory would be a way out of its root: fchdir(2) asks for
 * nothing but the descriptor.
 */
static int check_descriptors(struct err *e)
{
	static const char *const names[] = { "input", "output", "error" };
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		(void)err_say(e, EISDIR, NULL,
			"standard %s is a directory, by which the command could leave its root",
			names[fd]);
		err_try(e, "redirect it to a file, or to /dev/null");
		return -EISDIR;
	}
	return 0;
}

int run_container(const struct run_spec *s, int stage, struct err *e)
{
	struct run_init init = {
		.spec = s,
		.staged = stage >= 0,
		.want_tty = !s->pipe && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	};
	sigset_t signals;
	int r;

	r = check_descriptors(e);
	if (r == 0)
		r = run_check_own(s, &init.root, e);
	if (r < 0)
		return r;
	signals_of_others(&signals);
	if (sigprocmask(SIG_BLOCK, &signals, &init.mask) < 0)
		return err_set(e, errno, NULL, "cannot take over the signals");
	r = run_blocked(&init, &signals, stage, e);
	(void)sigprocmask(SIG_SETMASK, &init.mask, NULL); /* cannot fail: it was so before */
	return r;
}

void run_spec_done(struct run_spec *s)
{
	idmap_done(&s->map);
	mount_plan_done(&s->root);
	run_binds_done(&s->binds);
	strv_done(&s->env);
	free(s->workdir);
}
