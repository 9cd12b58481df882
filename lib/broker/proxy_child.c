/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proxy process: assume the credentials of one caller after the other. */

#include "proxy_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/caps.h"
#include "../base/fd.h"
#include "../base/fdmsg.h"
#include "../base/sys.h"
#include "broker_creds.h"

enum { FD_ROOT, FD_DIR, FD_NS };

static int set_effective(uint64_t caps)
{
	struct caps c;
	int r = caps_get(&c);

	if (r == 0) {
		c.effective = c.permitted & caps;
		r = caps_set(&c);
	}
	return -r;
}

/*
 * If setgroups(2) is denied in the namespace (user_namespaces(7)), all its processes have the
 * groups that the broker has too, and EPERM can be ignored.
 */
static int set_groups(const struct proxy_message *m, const struct idmap *map)
{
	gid_t groups[CALLER_GROUPS_MAX];
	size_t n = 0;

	if (m->n_groups > CALLER_GROUPS_MAX)
		return EPERM;
	for (size_t i = 0; i < m->n_groups; i++)
		n += idmap_gid_disk(map, m->groups[i], &groups[n]) ? 1 : 0;
	return setgroups(n, groups) < 0 && errno != EPERM ? errno : 0;
}

/*
 * Set the effective ids, which sets the fsuid and fsgid too, and the capabilities;
 * SECBIT_NO_SETUID_FIXUP keeps these independent of each other. EPERM if the namespace does not
 * have the caller's ids. The real ids stay the broker's, so that only a process with CAP_KILL in
 * the namespace may signal the proxy (kill(2)).
 */
static int assume_creds(const struct proxy_message *m, const struct idmap *map)
{
	uint32_t uid, gid;
	int r;

	if (!idmap_uid_disk(map, m->caller_uid, &uid) || !idmap_gid_disk(map, m->caller_gid, &gid))
		return EPERM;
	r = set_groups(m, map);
	if (r)
		return r;
	if (setresgid((gid_t)-1, gid, (gid_t)-1) < 0 || setresuid((uid_t)-1, uid, (uid_t)-1) < 0)
		return errno;
	(void)umask(m->umask);
	r = set_effective(m->caps);
	return r ? r : broker_creds_protect();
}

/* Enter the caller's root, and its directory unless the request names a file by descriptor. */
static int enter_root(const int *fds, size_t n, bool relative)
{
	if (n <= FD_DIR)
		return EBADF;
	if (fchdir(fds[FD_ROOT]) < 0 || sys_chroot(".") < 0)
		return errno;
	return relative && fchdir(fds[FD_DIR]) < 0 ? errno : 0;
}

/*
 * The namespaces of this process at its start. If the caller shares one of them, it is the host's,
 * and setns(2) to it is skipped: it would require privileges in the host's namespace.
 */
static ino_t own[PROXY_NAMESPACES];

static int remember_own(void)
{
	static const char *const paths[PROXY_NAMESPACES] = {
		"/proc/self/ns/mnt",
		"/proc/self/ns/pid",
		"/proc/self/ns/net",
		"/proc/self/ns/ipc",
		"/proc/self/ns/uts",
		"/proc/self/ns/cgroup",
	};
	struct stat st;

	for (size_t i = 0; i < PROXY_NAMESPACES; i++) {
		if (stat(paths[i], &st) < 0)
			return errno;
		own[i] = st.st_ino;
	}
	return 0;
}

static int join(const int *fds, size_t n)
{
	struct stat st;

	if (n != FD_NS + PROXY_NAMESPACES)
		return EBADF;
	for (size_t i = 0; i < PROXY_NAMESPACES; i++) {
		if (fstat(fds[FD_NS + i], &st) < 0)
			return errno;
		if (st.st_ino != own[i] && sys_setns(fds[FD_NS + i], 0) < 0)
			return errno;
	}
	return 0;
}

/*
 * Act in a child process that joins all namespaces of the caller. setns(2) to a PID namespace
 * applies to children only, hence the second fork. Exit statuses are errnos.
 */
static int act_in_namespaces(const struct proxy_message *m, char *const strings[PROXY_STRINGS],
	const struct idmap *map, const int *fds, size_t n)
{
	pid_t self = getpid(), pid = fork();
	int r, status;

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
			_exit(ESRCH);
		r = join(fds, n);
		if (r == 0)
			r = enter_root(fds, n, true);
		if (r == 0)
			r = assume_creds(m, map);
		if (r)
			_exit(r);
		pid = fork();
		if (pid == 0)
			_exit(prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ?
					errno :
					proxy_act(m, strings, fds[FD_DIR], NULL));
	}
	if (pid < 0)
		r = errno;
	else if (waitpid(pid, &status, 0) < 0)
		r = errno;
	else
		r = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	if (getpid() != self)
		_exit(r);
	return r;
}

static int act_here(const struct proxy_message *m, char *const strings[PROXY_STRINGS],
	const struct idmap *map, const int *fds, size_t n, int *ret_fd)
{
	int r, restored;

	r = enter_root(fds, n, !(m->flags & AT_EMPTY_PATH));
	if (r == 0)
		r = assume_creds(m, map);
	if (r == 0)
		r = proxy_act(m, strings, fds[FD_DIR], ret_fd);
	restored = set_effective(UINT64_MAX);
	if (!restored)
		restored = broker_creds_protect();
	if (restored)
		_exit(1); /* without its capabilities, the proxy would give wrong answers; the
		             broker sees the closed socket */
	return r;
}

/* Find the strings in data. Returns false if the message is malformed. */
static bool find_strings(
	const struct proxy_message *m, char *data, size_t len, char *ret[PROXY_STRINGS])
{
	size_t at = sizeof(*m);

	for (size_t i = 0; i < PROXY_STRINGS; i++) {
		ret[i] = m->len[i] < 0 ? NULL : data + at;
		if (m->len[i] == 0 ||
			(m->len[i] > 0 &&
				((size_t)m->len[i] > len - at || ret[i][m->len[i] - 1] != '\0')))
			return false;
		at += m->len[i] < 0 ? 0 : (size_t)m->len[i];
	}
	return at == len;
}

static void answer_one(
	int socket, const struct idmap *map, char *data, size_t len, const int *fds, size_t n)
{
	char *strings[PROXY_STRINGS];
	struct proxy_message m;
	int num = EBADMSG, fd = -1;

	if (len >= sizeof(m)) {
		memcpy(&m, data, sizeof(m));
		if (find_strings(&m, data, len, strings) && strings[0])
			num = m.op == PROXY_MOUNT || m.op == PROXY_UMOUNT ?
				act_in_namespaces(&m, strings, map, fds, n) :
				act_here(&m, strings, map, fds, n, &fd);
	}
	if (fdmsg_send(socket, &num, sizeof(num), &fd, fd >= 0 ? 1 : 0) < 0)
		_exit(1);
	if (fd >= 0)
		(void)close(fd);
}

static int enter(pid_t parent, int userns)
{
	int num;

	/*
	 * setns(2) to a user namespace raises all capabilities there, and resets the securebits and
	 * the death signal.
	 */
	if (sys_setns(userns, CLONE_NEWUSER) < 0)
		return errno;
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return errno;
	num = broker_creds_protect();
	return num ? num : getppid() == parent ? 0 : ESRCH;
}

_Noreturn void proxy_child(pid_t parent, int socket, int userns, const struct idmap *map)
{
	static char data[PROXY_MESSAGE_MAX];
	int fds[FDMSG_FDS_MAX], num, r;
	size_t n;

	num = remember_own();
	/*
	 * Close the broker's descriptors: a path or a mount option of the command's may name a
	 * descriptor by number (as "fd=" of FUSE does), and must not find one.
	 */
	if (!num)
		num = -fd_let_go((const int[]){ socket, userns }, 2, -1);
	if (!num)
		num = enter(parent, userns);
	(void)close(userns);
	if (fdmsg_send(socket, &num, sizeof(num), NULL, 0) < 0 || num)
		_exit(1);
	for (;;) {
		r = fdmsg_receive(socket, data, sizeof(data), fds, &n);
		if (r <= 0)
			_exit(0);
		answer_one(socket, map, data, (size_t)r, fds, n);
		for (size_t i = 0; i < n; i++)
			(void)close(fds[i]);
	}
}
