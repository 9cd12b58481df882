/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subprocess: run programs and functions in child processes. */

#include "subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env.h"
#include "log.h"
#include "sys.h"

enum { OUTPUT_MAX = 64 << 10 };

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

int subprocess_find(const char *name, struct buf *ret)
{
	const char *env = env_get("PATH");
	scoped_buf struct buf path = BUF_INIT;

	buf_str(&path, env ? env : "");
	buf_str(&path, ":/usr/bin:/usr/sbin:/bin");
	if (!buf_get(&path))
		return -ENOMEM;
	for (const char *p = path.data; *p; p += *p == ':') {
		size_t n = strcspn(p, ":");
		scoped_buf struct buf b = BUF_INIT;

		buf_add(&b, p, n);
		buf_printf(&b, "/%s", name);
		p += n;
		if (n && *buf_get(&b) == '/' && is_program(buf_get(&b))) {
			buf_str(ret, buf_get(&b));
			return buf_get(ret) ? 0 : -ENOMEM;
		}
	}
	return -ENOENT;
}

int signals_block(sigset_t *ret)
{
	sigset_t all;

	(void)sigfillset(&all); /* a valid set: it cannot fail */
	return -pthread_sigmask(SIG_SETMASK, &all, ret);
}

void signals_restore(const sigset_t *mask)
{
	/* It returns an errno, and leaves errno alone; a mask that was read is valid. */
	(void)pthread_sigmask(SIG_SETMASK, mask, NULL);
}

void signals_default(void)
{
	static const int ignored[] = { SIGPIPE, SIGXFSZ };

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_DFL); /* cannot fail */
}

int subprocess_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int subprocess_fork(const char *what, struct err *e)
{
	pid_t parent = getpid(), pid = fork();
	int r;

	if (pid < 0) {
		r = err_set(e, errno, NULL, "cannot start a process");
		err_op(e, "fork");
		return r;
	}
	if (pid == 0) {
		/* What it makes is for the parent alone. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			return err_set(e, errno, NULL, "cannot let a process end with its parent");
		if (getppid() != parent)
			_exit(126); /* the parent has ended, and no process waits */
		return SUBPROCESS_CHILD;
	}
	r = subprocess_wait(pid);
	if (r < 0)
		return err_set(e, -r, NULL, "cannot wait for the process that %s", what);
	if (r > 128)
		log_warn("the process that %s was killed by signal %d", what, r - 128);
	return r;
}

bool subprocess_ends(pid_t pid, int ms)
{
	scoped_fd int fd = sys_pidfd_open(pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = fd < 0 ? -1 : poll(&p, 1, ms);
	while (n < 0 && fd >= 0 && errno == EINTR);
	return n > 0;
}

int subprocess_read(int fd, size_t max, struct buf *b)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf_add(b, part, b->len + (size_t)n <= max ? (size_t)n : max - b->len);
	}
	return buf_get(b) ? 0 : -ENOMEM;
}

int subprocess_call(int (*fn)(void *arg, int out), void *arg, size_t max, struct buf *output)
{
	scoped_fd int rd = -1, wr = -1;
	pid_t parent = getpid(), pid;
	int fds[2], r, status;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	rd = fds[0];
	wr = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		cleanup_fd(&rd);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
			_exit(126);
		_exit(fn(arg, wr));
	}
	cleanup_fd(&wr);
	wr = -1;
	r = subprocess_read(rd, max, output);
	status = subprocess_wait(pid);
	return r < 0 ? r : status;
}

struct program {
	const char *path;
	char *const *argv;
};

static int program(void *arg, int out)
{
	static char *const env[] = { (char *)"PATH=/usr/bin:/bin:/usr/sbin:/sbin",
		(char *)"LC_ALL=C.UTF-8", NULL };
	const struct program *p = arg;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(out, STDERR_FILENO) < 0)
		return 126;
	signals_default();
	(void)execve(p->path, p->argv, env);
	return 127;
}

int subprocess_capture(const char *path, char *const *argv, struct buf *output)
{
	struct program p = { path, argv };

	return subprocess_call(program, &p, OUTPUT_MAX, output);
}
