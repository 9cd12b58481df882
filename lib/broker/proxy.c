/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker's side of the proxy. The process in the namespace runs proxy_child.c. */

#include "proxy.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/fdmsg.h"
#include "../base/subprocess.h"
#include "proxy_priv.h"

enum { ANSWER_MS = 10 * 1000, KILLED_MS = 1000 };

void proxy_done(struct proxy *p)
{
	bool first = p->socket >= 0;

	cleanup_fd(&p->socket);
	p->socket = -1;
	if (p->pid <= 0)
		return;
	(void)kill(p->pid, SIGKILL); /* not reaped yet, so the number is its own */
	if (subprocess_ends(p->pid, first ? KILLED_MS : 0) &&
		waitpid(p->pid, NULL, WNOHANG) == p->pid)
		*p = PROXY_INIT;
}

/* The first message reports whether the proxy entered the namespace. */
static int wait_ready(const struct proxy *p, struct err *e)
{
	int num = EPIPE, fds[FDMSG_FDS_MAX];
	size_t n_fds;

	if (fdmsg_receive(p->socket, &num, sizeof(num), fds, &n_fds) == (int)sizeof(num) &&
		num == 0)
		return 0;
	(void)err_set(e, num, NULL, "the broker cannot enter the command's user namespace");
	err_op(e, "setns");
	return -num;
}

int proxy_start(struct proxy *p, int userns, const struct idmap *map, struct err *e)
{
	struct proxy new = PROXY_INIT;
	pid_t self = getpid();
	int pair[2], r;

	proxy_done(p);
	if (p->pid)
		return err_set(e, EBUSY, NULL,
			"cannot start the broker's process in the namespace: the previous one "
			"hangs in a filesystem that does not answer");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, NULL, "cannot create a pair of sockets");
	new.pid = fork();
	if (new.pid == 0) {
		(void)close(pair[0]);
		proxy_child(self, pair[1], userns, map);
	}
	r = -errno;
	(void)close(pair[1]);
	if (new.pid < 0) {
		(void)close(pair[0]);
		return err_set(e, -r, NULL, "cannot start a process");
	}
	new.socket = pair[0];
	r = wait_ready(&new, e);
	if (r < 0)
		proxy_done(&new);
	else
		*p = new;
	return r;
}

static int add_string(struct buf *b, const char *s)
{
	if (!s)
		return -1;
	buf_add(b, s, strlen(s) + 1);
	return (int)strlen(s) + 1;
}

static void fill(struct buf *b, const struct caller *c, const struct proxy_request *q)
{
	struct proxy_message m = {
		.op = q->op,
		.flags = q->flags,
		.uid = q->uid,
		.gid = q->gid,
		.caller_uid = c->uid,
		.caller_gid = c->gid,
		.caps = c->caps,
		.umask = c->umask,
		.n_groups = c->n_groups,
	};

	memcpy(m.groups, c->groups, sizeof(m.groups));
	buf_add(b, &m, sizeof(m));
	m.len[0] = add_string(b, q->path);
	m.len[1] = add_string(b, q->source);
	m.len[2] = add_string(b, q->type);
	m.len[3] = add_string(b, q->data);
	if (buf_get(b))
		memcpy(b->data, &m, sizeof(m));
}

/*
 * Open the descriptors that a request carries: the root, the directory, and for mounts the
 * namespaces. The caller closes the first *n of fds, also on failure.
 */
static int open_all(const struct caller *c, const struct proxy_request *q, int *fds, size_t *n)
{
	static const char *const kinds[PROXY_NAMESPACES] = { "mnt", "pid", "net", "ipc", "uts",
		"cgroup" };
	bool all = q->op == PROXY_MOUNT || q->op == PROXY_UMOUNT;
	int r;

	r = caller_root(c, &fds[(*n)++]);
	if (r == 0) {
		fds[*n] = dup(q->dir);
		r = fds[*n] < 0 ? -errno : 0;
		(*n)++;
	}
	for (size_t i = 0; r == 0 && all && i < PROXY_NAMESPACES; i++)
		r = caller_ns(c, kinds[i], &fds[(*n)++]);
	return r;
}

static int send_request(struct proxy *p, const struct caller *c, const struct proxy_request *q)
{
	scoped_buf struct buf b = BUF_INIT;
	int fds[FDMSG_FDS_MAX];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < FDMSG_FDS_MAX; i++)
		fds[i] = -1;
	fill(&b, c, q);
	if (!buf_get(&b))
		return -ENOMEM;
	r = open_all(c, q, fds, &n);
	if (r == 0 && fdmsg_send(p->socket, b.data, b.len, fds, n) < 0)
		r = -ENOTRECOVERABLE;
	for (size_t i = 0; i < n; i++)
		cleanup_fd(&fds[i]);
	return r;
}

int proxy_ask(struct proxy *p, const struct caller *c, const struct proxy_request *q, int *ret_fd)
{
	struct pollfd ready = { .fd = p->socket, .events = POLLIN };
	int num, fds[FDMSG_FDS_MAX], r;
	size_t n;

	r = send_request(p, c, q);
	if (r < 0)
		return r;
	do
		r = poll(&ready, 1, ANSWER_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0 || fdmsg_receive(p->socket, &num, sizeof(num), fds, &n) != (int)sizeof(num))
		return -ENOTRECOVERABLE;
	if (num == 0 && ret_fd && n == 1)
		*ret_fd = fds[0];
	else
		for (size_t i = 0; i < n; i++)
			(void)close(fds[i]);
	return num == 0 && ret_fd && n != 1 ? -ENOTRECOVERABLE : -num;
}
