/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SUBPROCESS_H
#define BASE_SUBPROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/*
 * Find a program in PATH, as execvp(3) does, or else in /usr/bin, /usr/sbin and /bin. Appends its
 * path to ret. Returns 0 or -ENOENT.
 */
MUST_CHECK int subprocess_find(const char *name, struct buf *ret);

/*
 * Run the program at path with the arguments argv (argv[0] first, NULL last), a minimal environment
 * and no input. Appends its stdout and stderr (at most 64 KiB) to output. The program is killed
 * when the calling thread ends. Returns its exit status (128 + n for signal n), or -errno. Not for
 * several threads at once.
 */
MUST_CHECK int subprocess_capture(const char *path, char *const *argv, struct buf *output);

/*
 * Call fn in a child process, and append what it writes to out (at most max bytes) to output. The
 * child is killed when the calling thread ends. It exits with what fn returns, unless fn exits by
 * itself. Returns that status (128 + n for signal n), or -errno. Not for several threads at once.
 */
MUST_CHECK int subprocess_call(
	int (*fn)(void *arg, int out), void *arg, size_t max, struct buf *output);

/* Read until EOF, and append at most max bytes to b; the rest is dropped. Returns 0 or -errno. */
MUST_CHECK int subprocess_read(int fd, size_t max, struct buf *b);

/*
 * Block all signals of this thread, for a child that shall not run this process's handlers. Returns
 * 0 with the mask until now in ret, for signals_restore(), or -errno.
 */
MUST_CHECK int signals_block(sigset_t *ret);

/* Set the mask that signals_block() returned. errno stays as it is. */
void signals_restore(const sigset_t *mask);

/* Set the default action of the signals that main() ignores, which a new program would inherit. */
void signals_default(void);

/* Wait for a child to exit. Returns its exit status, or 128 + n for signal n, or -errno. */
MUST_CHECK int subprocess_wait(pid_t pid);

/*
 * Fork, and let the child go on with the work (what: "makes the mounts"). Returns SUBPROCESS_CHILD
 * in the child. The caller waits for the child and returns its exit status, or 128 + n for signal
 * n, which is logged, or -errno if it cannot fork or wait. The child is killed when the calling
 * thread ends; if that cannot be arranged, it is the child that gets -errno.
 */
enum { SUBPROCESS_CHILD = 256 };
MUST_CHECK int subprocess_fork(const char *what, struct err *e);

/*
 * Wait up to ms milliseconds for a child to exit, without reaping it. A child that was killed may
 * stay: a request to a FUSE server that does not answer cannot be interrupted (fs/fuse/dev.c,
 * request_wait_answer()).
 */
bool subprocess_ends(pid_t pid, int ms);

#endif
