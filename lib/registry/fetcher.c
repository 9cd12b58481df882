/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fetcher: start the process that fetches, ask it, and say what it reports. */

#include "fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/fdmsg.h"
#include "../base/log.h"
#include "../base/plural.h"
#include "../base/stop.h"
#include "../base/subprocess.h"
#include "fetch_failure.h"
#include "fetch_priv.h"

enum { POLL_MS = 100, ENDS_MS = 1000, PIPE_SIZE = 1 << 20, MAX_PAGES = 1000 };

struct fetcher {
	pid_t pid;
	int control;
	struct fetch_options o;
	char from[1024]; /* the file that the credential is from */
};

/* --- The process --- */

/* Read all n bytes, or until the end. Returns their number or -errno; -ECANCELED: stop_signal(). */
static ssize_t read_all(int fd, void *p, size_t n)
{
	size_t len = 0;

	while (len < n) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int ready = poll(&wait, 1, POLL_MS);
		ssize_t got;

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (stop_signal())
			return -ECANCELED;
		if (ready <= 0)
			continue;
		got = read(fd, (char *)p + len, n - len);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		if (got > 0)
			len += (size_t)got;
	}
	return (ssize_t)len;
}

static int fork_child(struct fetcher *f, int *ret_ready, struct err *e)
{
	scoped_fd int mine = -1, its = -1, rd = -1, wr = -1;
	pid_t parent = getpid();
	int s[2], p[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return err_set(e, errno, NULL, "cannot create a socket");
	mine = s[0];
	its = s[1];
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	rd = p[0];
	wr = p[1];
	f->pid = fork();
	if (f->pid < 0) {
		(void)err_set(e, errno, NULL, "cannot start a process");
		err_op(e, "fork");
		return -errno;
	}
	if (f->pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
			_exit(126);
		fetch_child(&f->o, its, wr);
	}
	f->control = TAKE_FD(mine);
	*ret_ready = TAKE_FD(rd);
	return 0;
}

/* What another process wrote: end its texts. */
static void seal_err(struct err *e)
{
	e->op[sizeof(e->op) - 1] = e->on[sizeof(e->on) - 1] = e->place[sizeof(e->place) - 1] = '\0';
	e->what[sizeof(e->what) - 1] = e->why[sizeof(e->why) - 1] = '\0';
	e->hint[sizeof(e->hint) - 1] = '\0';
}

/* The process closed a pipe without a report. */
static int child_ended(struct fetcher *f, struct err *e)
{
	int status = 0;

	/* Several threads may come here; one of them reaps it. */
	if (f->pid > 0 && subprocess_ends(f->pid, ENDS_MS) &&
		waitpid(f->pid, &status, WNOHANG) == f->pid) {
		f->pid = -1;
		if (WIFSIGNALED(status))
			return err_say(e, EIO, NULL,
				"the process that fetches was killed by signal %d",
				WTERMSIG(status));
	}
	return err_say(e, EIO, NULL, "the process that fetches gave no answer");
}

static int wait_ready(struct fetcher *f, int fd, struct err *e)
{
	struct fetch_ready *ready = calloc(1, sizeof(*ready));
	ssize_t n = ready ? read_all(fd, ready, sizeof(*ready)) : -ENOMEM;
	int r = 0;

	if (n == -ECANCELED) {
		r = stop_check(e);
	} else if (n == -ENOMEM) {
		r = err_nomem(e);
	} else if (n != (ssize_t)sizeof(*ready)) {
		r = child_ended(f, e);
	} else if (ready->result < 0) {
		seal_err(&ready->e);
		r = ready->result;
		if (e)
			*e = ready->e;
	} else {
		ready->from[sizeof(ready->from) - 1] = '\0';
		memcpy(f->from, ready->from, sizeof(f->from));
		if (ready->credential != CREDENTIAL_NONE)
			log_verbose("%s: the credential is from '%s'", f->o.ref.host, f->from);
		else
			log_verbose("%s: there is no credential for it", f->o.ref.host);
	}
	free(ready);
	return r;
}

int fetcher_start(const struct fetch_options *o, struct fetcher **ret, struct err *e)
{
	struct fetcher *f = calloc(1, sizeof(*f));
	scoped_fd int ready = -1;
	int r;

	if (!f)
		return err_nomem(e);
	f->control = -1;
	f->o = *o;
	r = fork_child(f, &ready, e);
	if (r == 0)
		r = wait_ready(f, ready, e);
	if (r < 0) {
		fetcher_free(f);
		return r;
	}

	*ret = f;
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	if (f->control >= 0)
		(void)close(f->control);
	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL); /* it has nothing that could be lost */
		(void)subprocess_wait(f->pid);
	}
	free(f);
}

/* --- Requests --- */

static int ask(
	struct fetcher *f, const struct fetch_request *q, struct fetch_blob *ret, struct err *e)
{
	scoped_fd int data = -1, report = -1;
	int d[2], p[2], fds[2], r;

	if (pipe2(d, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	ret->data = d[0];
	data = d[1];
	(void)fcntl(data, F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one is only slower */
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	ret->report = p[0];
	report = p[1];
	fds[0] = data;
	fds[1] = report;
	r = fdmsg_send(f->control, q, sizeof(*q), fds, 2);
	if (r == -EPIPE || r == -ECONNRESET)
		return child_ended(f, e);
	return r < 0 ? err_set(e, -r, NULL, "cannot ask the process that fetches") : 0;
}

static int make_path(struct fetch_request *q, const struct fetcher *f, const char *kind,
	const char *name, struct err *e)
{
	int n = snprintf(q->path, sizeof(q->path), "/v2/%s/%s/%s", f->o.ref.path, kind, name);

	if (n < 0 || (size_t)n >= sizeof(q->path))
		return err_say(e, ENAMETOOLONG, name, "the name is too long");
	return 0;
}

void fetch_blob_done(struct fetch_blob *b)
{
	cleanup_fd(&b->data);
	cleanup_fd(&b->report);
	*b = FETCH_BLOB_INIT;
}

/* Read the report. */
static int read_report(
	struct fetcher *f, struct fetch_blob *b, struct fetch_report *ret, struct err *e)
{
	ssize_t n = read_all(b->report, ret, sizeof(*ret));

	if (n == -ECANCELED)
		return stop_check(e);
	if (n < 0)
		return err_set(e, (int)-n, NULL, "cannot read from the process that fetches");
	if (n != (ssize_t)sizeof(*ret))
		return child_ended(f, e);
	ret->host[sizeof(ret->host) - 1] = ret->words[sizeof(ret->words) - 1] = '\0';
	ret->next[sizeof(ret->next) - 1] = '\0';
	return 0;
}

int fetch_blob_end(struct fetcher *f, struct fetch_blob *b, struct err *e)
{
	struct pollfd p = { .fd = b->report, .events = POLLIN };
	struct fetch_report report;
	int r;

	/* It is written before the data ends: without it, the reader has gone first. */
	if (poll(&p, 1, 0) <= 0)
		return 0;
	r = read_report(f, b, &report, e);
	if (r < 0)
		return r;
	if (report.end == FETCH_STOPPED)
		return 0;
	if (report.tries > 1)
		log_verbose("%s: %u attempts, %llu bytes in all", report.host, report.tries,
			(unsigned long long)report.bytes);
	r = fetch_failure(&report, FETCH_BLOB, f->from, e);
	return r < 0 ? r : 1;
}

/* Ask for a document, and append it. */
static int get(struct fetcher *f, const struct fetch_request *q, struct buf *ret,
	struct fetch_report *report, struct err *e)
{
	scoped_fetch_blob struct fetch_blob b = FETCH_BLOB_INIT;
	scoped_free char *part = malloc(PIPE_SIZE);
	size_t len = 0;
	ssize_t n = 1;
	int r = part ? ask(f, q, &b, e) : err_nomem(e);

	while (r == 0 && n > 0) {
		n = read_all(b.data, part, PIPE_SIZE);
		len += n > 0 ? (size_t)n : 0;
		if (n == -ECANCELED)
			r = stop_check(e);
		else if (n < 0)
			r = err_set(e, (int)-n, NULL, "cannot read from the process that fetches");
		else if (len > FETCH_DOCUMENT_MAX)
			r = err_say(e, EFBIG, NULL, "a document of the registry is too large");
		else
			buf_add(ret, part, (size_t)n);
	}
	if (r == 0)
		r = read_report(f, &b, report, e);
	if (r == 0)
		r = fetch_failure(report, q->kind, f->from, e);
	return r == 0 && !buf_get(ret) ? err_nomem(e) : r;
}

int fetcher_manifest(struct fetcher *f, const char *reference, struct buf *ret, struct err *e)
{
	struct fetch_request q = { .kind = FETCH_MANIFEST, .size = BLOB_SIZE_UNKNOWN };
	struct fetch_report report;
	int r = make_path(&q, f, "manifests", reference, e);

	return r == 0 ? get(f, &q, ret, &report, e) : r;
}

int fetcher_document(
	struct fetcher *f, const struct digest *d, uint64_t size, struct buf *ret, struct err *e)
{
	struct fetch_request q = { .kind = FETCH_DOCUMENT, .size = size };
	struct fetch_report report;
	char text[DIGEST_TEXT];
	int r = make_path(&q, f, "blobs", digest_text(d, text), e);

	return r == 0 ? get(f, &q, ret, &report, e) : r;
}

int fetcher_blob(struct fetcher *f, const struct digest *d, uint64_t size, uint64_t offset,
	struct fetch_blob *ret, struct err *e)
{
	struct fetch_request q = { .kind = FETCH_BLOB, .size = size, .offset = offset };
	struct fetch_blob b = FETCH_BLOB_INIT;
	char text[DIGEST_TEXT];
	int r = make_path(&q, f, "blobs", digest_text(d, text), e);

	if (r == 0)
		r = ask(f, &q, &b, e);
	if (r < 0) {
		fetch_blob_done(&b);
		return r;
	}

	*ret = b;
	return 0;
}

int fetcher_tags(struct fetcher *f, struct strv *ret, struct err *e)
{
	struct fetch_request q = { .kind = FETCH_LIST, .size = BLOB_SIZE_UNKNOWN };
	struct fetch_report report = { .next = "" };
	int r = make_path(&q, f, "tags", "list", e);

	for (int page = 0; r == 0 && page < MAX_PAGES; page++) {
		scoped_buf struct buf b = BUF_INIT;

		r = get(f, &q, &b, &report, e);
		if (r == 0 && strv_add(ret, b.data) < 0)
			r = err_nomem(e);
		if (r < 0 || !report.next[0])
			return r;
		memcpy(q.path, report.next, sizeof(q.path));
	}
	return r < 0 ? r : err_say(e, E2BIG, f->o.ref.host, "the list of tags does not end");
}
