/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* part: keep a blob that arrives in a file, and pass it on. */

#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

enum { PIECE = 1 << 20, POLL_MS = 100, STACK_SIZE = 256 << 10 };

struct part {
	int dirfd, file, data, out;
	char name[DIGEST_NAME];
	uint64_t size, have; /* of the file */
	bool dropped;
	int stop; /* atomic */
	pthread_t thread;
	bool running;
};

int part_open(
	int dirfd, const struct digest *d, uint64_t size, struct part **ret, uint64_t *ret_have)
{
	struct part *p;
	struct stat st;

	if (d->algorithm != DIGEST_SHA256)
		return -EOPNOTSUPP;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct part){ .dirfd = dirfd, .data = -1, .out = -1, .size = size };
	(void)digest_name(d, p->name);
	p->file = openat(
		dirfd, p->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (p->file < 0 || fstat(p->file, &st) < 0 || !S_ISREG(st.st_mode)) {
		int num = p->file < 0 ? errno : EINVAL;

		part_free(p);
		return -num;
	}
	p->have = (uint64_t)st.st_size <= size ? (uint64_t)st.st_size : 0;

	*ret = p;
	*ret_have = p->have;
	return 0;
}

/* Give up the file: it cannot be written, or must not be used again. */
static void remove_file(struct part *p)
{
	if (p->file < 0)
		return;
	(void)unlinkat(p->dirfd, p->name, 0); /* an empty file does no harm */
	(void)close(p->file);                 /* nothing of it is needed */
	p->file = -1;
}

/* Take n bytes out of the pipe that were passed on already. */
static bool skip(struct part *p, size_t n)
{
	char part[16 << 10];

	while (n) {
		ssize_t got = read(p->data, part, n < sizeof(part) ? n : sizeof(part));

		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		n -= got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* Move n bytes from the pipe to the file; without a file, nowhere. */
static bool store(struct part *p, size_t n)
{
	while (n && p->file >= 0) {
		loff_t at = (loff_t)p->have;
		ssize_t got = splice(p->data, NULL, p->file, &at, n, SPLICE_F_MOVE);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			log_verbose("'%s': what arrives is not kept: error %d", p->name,
				got < 0 ? errno : EIO);
			remove_file(p);
			break;
		}
		p->have += (uint64_t)got;
		n -= (size_t)got;
	}
	return skip(p, n);
}

/* Pass on what the file has. */
static bool pass_file(struct part *p)
{
	loff_t at = 0;

	while ((uint64_t)at < p->have) {
		uint64_t rest = p->have - (uint64_t)at;
		ssize_t n = splice(p->file, &at, p->out, NULL, rest < PIECE ? rest : PIECE, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false; /* the reader gets too little, and says so */
	}
	return true;
}

/* Wait for more. Returns false if the reader has gone, or the thread must stop. */
static bool wait_data(struct part *p)
{
	for (;;) {
		/* A pipe without a reader has POLLERR, which need not be asked for. */
		struct pollfd fds[] = { { .fd = p->data, .events = POLLIN }, { .fd = p->out } };
		int n = poll(fds, 2, POLL_MS);

		if ((n < 0 && errno != EINTR) || __atomic_load_n(&p->stop, __ATOMIC_RELAXED))
			return false;
		if (n > 0 && fds[1].revents)
			return false;
		if (n > 0 && fds[0].revents)
			return true;
	}
}

static void pass_data(struct part *p)
{
	while (wait_data(p)) {
		ssize_t n = p->file >= 0 ? tee(p->data, p->out, PIECE, 0) :
					   splice(p->data, NULL, p->out, NULL, PIECE, 0);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || (p->file >= 0 && !store(p, (size_t)n)))
			return;
	}
	/* The reader has gone: what has arrived is kept for the next time. */
	while (p->file >= 0 && p->data >= 0) {
		loff_t at = (loff_t)p->have;
		ssize_t n = splice(p->data, NULL, p->file, &at, PIECE, SPLICE_F_NONBLOCK);

		if (n <= 0)
			break;
		p->have += (uint64_t)n;
	}
}

static void *feed(void *arg)
{
	struct part *p = arg;

	if (pass_file(p) && p->data >= 0)
		pass_data(p);
	(void)close(p->out); /* a pipe: the reader sees the end */
	p->out = -1;
	return NULL;
}

static int start(struct part *p)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return r;
	r = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (r == 0)
		r = pthread_create(&p->thread, &attr, feed, p);
	(void)pthread_attr_destroy(&attr);
	p->running = r == 0;
	return r;
}

int part_feed(struct part *p, int data, int *ret_fd, struct err *e)
{
	scoped_fd int rd = -1;
	int fds[2], r;

	p->data = data;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, errno, NULL, "cannot create a pipe");
	rd = fds[0];
	p->out = fds[1];
	(void)fcntl(p->out, F_SETPIPE_SZ, PIECE); /* a smaller one is only slower */
	r = start(p);
	if (r)
		return err_set(e, r, NULL, "cannot start a thread");

	*ret_fd = TAKE_FD(rd);
	return 0;
}

void part_drop(struct part *p)
{
	p->dropped = true;
}

void part_free(struct part *p)
{
	if (!p)
		return;
	__atomic_store_n(&p->stop, 1, __ATOMIC_RELAXED);
	if (p->running)
		(void)pthread_join(p->thread, NULL);
	if (p->dropped)
		remove_file(p);
	cleanup_fd(&p->file); /* nothing is synced: the digest decides what it is worth */
	cleanup_fd(&p->data);
	cleanup_fd(&p->out);
	free(p);
}

void part_remove(int dirfd, const struct digest *d)
{
	char name[DIGEST_NAME];

	if (d->algorithm == DIGEST_SHA256)
		(void)unlinkat(dirfd, digest_name(d, name), 0); /* it is removed after a week */
}
