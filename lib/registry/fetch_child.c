/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fetch_child: the process that fetches: give up all privileges, then serve requests. */

#include "fetch_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/fdmsg.h"
#include "../base/path.h"
#include "../base/subprocess.h"
#include "confine.h"

enum { THREAD_STACK = 1 << 20, CERTIFICATE_MAX = 1 << 20 };

/* All that the process has; it lasts as long as the process. */
static struct fetch_shared shared;
static struct credential credential;
static struct buf ca, cert, key;

/* --- What is read with the caller's rights --- */

struct certificate_kind {
	const char *extension;
	struct buf *to;
};

static bool has_extension(const char *name, const char *extension)
{
	size_t n = strlen(name), k = strlen(extension);

	return n > k && !strcmp(name + n - k, extension);
}

static int read_certificate(int dir, const char *name, const char *path, struct err *e)
{
	static const struct certificate_kind kinds[] = { { ".crt", &ca }, { ".cert", &cert },
		{ ".key", &key } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(kinds); i++) {
		if (!has_extension(name, kinds[i].extension))
			continue;
		r = fd_read_file(dir, name, CERTIFICATE_MAX, kinds[i].to, e);
		buf_char(kinds[i].to, '\n');
		if (r == 0 && !buf_get(kinds[i].to))
			r = err_nomem(e);
	}
	if (r < 0)
		err_prefix(e, "%s", path);
	return r;
}

/* containers-certs.d(5) */
static int read_certificates(const char *path, struct err *e)
{
	scoped_fd int fd = -1;
	struct dirent *d;
	DIR *dir;
	int r;

	if (!path)
		return 0;
	r = path_open(path, O_RDONLY | O_DIRECTORY, "cannot open the directory of certificates",
		NULL, &fd, e);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir)
		return err_set(e, errno, path, "cannot list the directory of certificates");
	(void)TAKE_FD(fd); /* dir has it */
	while (r == 0 && (d = readdir(dir)))
		r = read_certificate(dirfd(dir), d->d_name, path, e);
	(void)closedir(dir); /* only read */
	return r;
}

/* What the reader of credentials writes to its pipe. */
struct found {
	int result;
	struct err e;
	struct credential credential;
	char from[1024];
};

/* In a process of its own, which ends with all else that the files contain. */
static int find_credential(void *arg, int out)
{
	const struct fetch_options *o = arg;
	const struct credential_query q = {
		.host = o->ref.host, .path = o->ref.path, .authfile = o->authfile
	};
	static struct found found; /* large */

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return 1;
	found.e = ERR_INIT;
	found.result =
		credential_find(&q, &found.credential, found.from, sizeof(found.from), &found.e);
	return fd_write_all(out, &found, sizeof(found)) < 0;
}

static int take_credential(const struct fetch_options *o, struct fetch_ready *ready)
{
	scoped_buf struct buf b = BUF_INIT;
	const struct found *found;
	int status =
		subprocess_call(find_credential, (void *)(uintptr_t)o, sizeof(struct found), &b);

	if (status != 0 || b.len != sizeof(*found))
		return err_set(
			&ready->e, status < 0 ? -status : EIO, NULL, "cannot read the credentials");
	found = (const struct found *)b.data;
	credential = found->credential;
	ready->e = found->e;
	ready->credential = credential.kind;
	memcpy(ready->from, found->from, sizeof(ready->from));
	status = found->result;
	explicit_bzero(b.data, b.len);
	return status;
}

static int prepare(
	const struct fetch_options *o, const int *keep, size_t n, struct fetch_ready *ready)
{
	int r = http_load(&ready->e);

	if (r == 0)
		r = read_certificates(o->cert_dir, &ready->e);
	if (r == 0)
		r = take_credential(o, ready);
	return r == 0 ? confine(keep, n, &ready->e) : r;
}

/* --- Requests --- */

/* A request and its pipes. */
struct service {
	struct fetch_request q;
	int data, report;
};

static struct http *take_http(void)
{
	struct http *h = NULL;

	(void)pthread_mutex_lock(&shared.lock);
	if (shared.idle.len)
		h = shared.idle.items[--shared.idle.len];
	(void)pthread_mutex_unlock(&shared.lock);
	if (!h && http_new(&shared.http, &h, NULL) < 0)
		return NULL;
	return h;
}

static void give_http(struct http *h)
{
	(void)pthread_mutex_lock(&shared.lock);
	if (VEC_ADD(&shared.idle, h) < 0)
		http_free(h);
	(void)pthread_mutex_unlock(&shared.lock);
}

static void *serve(void *arg)
{
	struct service *v = arg;
	struct fetch_report report = { .end = FETCH_MEMORY };
	struct http *h = take_http();

	if (h) {
		fetch_transfer(&shared, h, &v->q, v->data, &report);
		give_http(h);
	}
	/* The report goes first: the reader asks for it at the end of the data. */
	(void)fd_write_all(v->report, &report, sizeof(report)); /* the reader may have gone */
	(void)close(v->data);
	(void)close(v->report);
	free(v);
	return NULL;
}

/* Returns false if it cannot be served. */
static bool start(struct service *v)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r)
		return false;
	r = pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (r == 0)
		r = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (r == 0)
		r = pthread_create(&thread, &attr, serve, v);
	(void)pthread_attr_destroy(&attr);
	return r == 0;
}

/* Serve until the parent closes its end of the socket. */
static void serve_all(int control)
{
	for (;;) {
		struct service *v = calloc(1, sizeof(*v));
		int fds[FDMSG_FDS_MAX], n;
		size_t n_fds = 0;

		if (!v)
			return;
		n = fdmsg_receive(control, &v->q, sizeof(v->q), fds, &n_fds);
		if (n != sizeof(v->q) || n_fds != 2) {
			free(v);
			return;
		}
		v->data = fds[0];
		v->report = fds[1];
		if (start(v))
			continue;
		(void)close(v->data); /* without a report, the parent calls it a failure */
		(void)close(v->report);
		free(v);
	}
}

void fetch_child(const struct fetch_options *o, int control, int ready)
{
	static struct fetch_ready own; /* large */
	const int keep[] = { control, ready };
	int r;

	/* The parent decides what a signal of the terminal means, and ends this process. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	own.e = ERR_INIT;
	r = prepare(o, keep, ARRAY_LEN(keep), &own);
	own.result = r;
	if (fd_write_all(ready, &own, sizeof(own)) < 0 || r < 0)
		_exit(1);
	(void)close(ready);

	shared.o = o;
	shared.http = (struct http_options){
		.ca = &ca, .cert = &cert, .key = &key, .stall_seconds = o->stall
	};
	shared.auth.credential = &credential;
	shared.auth.path = o->ref.path;
	(void)pthread_mutex_init(&shared.lock, NULL); /* cannot fail on Linux */
	(void)pthread_mutex_init(&shared.auth.lock, NULL);
	serve_all(control);
	_exit(0);
}
