/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Start the processes of a command that runs as root of a user namespace. */

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
#include "../idmap/subid.h"
#include "../idmap/subid_unused.h"
#include "../idmap/userns.h"
#include "../idmap/userns_self.h"
#include "../mount/probe.h"

/* --- maps --- */

enum run_caller run_caller(void)
{
	if (geteuid() == 0 && caps_has(CAP_SYS_ADMIN) && userns_is_initial())
		return RUN_BY_ROOT;
	return caps_has(CAP_SETUID) && caps_has(CAP_SETGID) ? RUN_BY_NS_ROOT : RUN_BY_USER;
}

static int no_root(struct err *e)
{
	(void)err_say(e, EINVAL, NULL,
		"the map has no id 0 for users or for groups; root of the command needs both");
	err_op(e, "map");
	err_try(e, "map id 0 of both, as -m +100000 does, or add -m 0:ID:1 to the maps given");
	return -EINVAL;
}

void run_try_range(struct err *e)
{
	uint32_t start;

	if (subid_unused(SUBUID_FILE, SUBGID_FILE, 65536, &start))
		err_try(e, "map both users and groups to ids that nothing else uses: -m +%u",
			start);
}

int run_check_map(bool privileged, const struct idmap *m, struct err *e)
{
	uint32_t id;

	if (!idmap_uid_seen(m, 0, &id) || !idmap_gid_seen(m, 0, &id))
		return no_root(e);
	if (!privileged || (!idmap_uid_disk(m, 0, &id) && !idmap_gid_disk(m, 0, &id)))
		return 0;
	(void)err_say(e, EPERM, NULL, "the map makes an id of the command the host's own 0%s",
		m->gid_assumed ? ", because it does not change the ids of users or of groups" : "");
	err_op(e, "map");
	err_why(e,
		"many sysctls and devices of the host check only for that id, whatever the user "
		"namespace");
	run_try_range(e);
	return -EPERM;
}

/* --- starting --- */

static int clone_fault(int num, struct err *e)
{
	(void)err_set(e, num, NULL, "cannot create the namespaces of the command");
	err_op(e, "userns");
	if (num == EINVAL)
		err_why(e, "this kernel is built without one of these namespaces");
	else if (num == ENOSPC || num == EUSERS)
		err_why(e,
			"a limit on namespaces (user.max_*_namespaces) or on their nesting (32) is "
			"reached");
	else if (num == EPERM)
		userns_explain_eperm(e);
	return -num;
}

/*
 * The signals to forward to the command: all but those that this process raises itself, and SIGTTIN
 * and SIGTTOU, which stop it when it uses the terminal from the background.
 */
static void signals_to_forward(sigset_t *ret)
{
	static const int own[] = { SIGTTIN, SIGTTOU, SIGPIPE, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
		SIGABRT, SIGTRAP, SIGSYS };

	(void)sigfillset(ret);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		(void)sigdelset(ret, own[i]);
}

static int start(struct run_init *init, int stage, pid_t *ret, struct err *e)
{
	unsigned long flags =
		CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

	/*
	 * clone(2) copies the mount namespace, and moves the working directory to the copy. That is
	 * how init finds the copy of the stage.
	 */
	if (stage >= 0 && fchdir(stage) < 0)
		return err_set(e, errno, NULL, "cannot enter the stage of the mounts");
	*ret = sys_clone(flags | (init->spec->own_net ? CLONE_NEWNET : 0));
	if (*ret < 0)
		return clone_fault(errno, e);
	if (*ret == 0)
		run_init(init);
	return 0;
}

/* Open init, and write its map, which init waits for. Kill init on failure. */
static int open_init(const struct run_spec *s, struct run_handle *h, struct err *e)
{
	const struct run_msg go = { .kind = RUN_MSG_GO };
	int r;

	h->pidfd = sys_pidfd_open(h->pid, 0);
	r = h->pidfd < 0 ? err_set(e, errno, NULL, "cannot open process 1 of the namespace") : 0;
	/* Open it now: init will make itself undumpable (run_init.c). */
	if (r == 0)
		r = userns_open_pid(h->pid, &h->userns, e);
	if (r == 0)
		r = userns_write_map(h->pid, &s->map, e);
	if (r == 0)
		r = run_proto_tell(h->sock, &go, e);
	if (r == 0)
		return 0;
	(void)kill(h->pid, SIGKILL); /* not reaped yet, so the pid is not reused */
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
		return err_set(e, errno, NULL, "cannot intercept the signals");
	r = run_proto_pair(pair, e);
	if (r < 0)
		return r;
	h.sock = pair[0];
	init->sock = pair[1];
	init->peer = pair[0];
	r = start(init, stage, &h.pid, e);
	/* Each side holds only its own end, so that it notices the death of the other. */
	cleanup_fd(&init->sock);
	if (r == 0)
		r = open_init(init->spec, &h, e);
	if (r == 0)
		r = run_relay(init->spec, &h, sigfd, e);
	handle_done(&h);
	return r;
}

/*
 * The command gets standard input, output and error. None of them may be a directory: fchdir(2)
 * would then leave the root (the class of CVE-2024-21626).
 */
static int check_descriptors(struct err *e)
{
	static const char *const names[] = { "input", "output", "error" };
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		(void)err_say(e, EISDIR, NULL,
			"standard %s is a directory, through which the command could leave its "
			"root",
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
	signals_to_forward(&signals);
	if (sigprocmask(SIG_BLOCK, &signals, &init.mask) < 0)
		return err_set(e, errno, NULL, "cannot intercept the signals");
	r = run_blocked(&init, &signals, stage, e);
	(void)sigprocmask(SIG_SETMASK, &init.mask, NULL); /* cannot fail: the mask was set before */
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
