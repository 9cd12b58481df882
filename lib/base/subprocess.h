/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_SUBPROCESS_H
#define BASE_SUBPROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/*
 * Find a program in PATH, as execvp(3) would, and else in /usr/bin, /usr/sbin, /bin. Appends its
 * path to ret. Returns 0 or -ENOENT.
 */
MUST_CHECK int run_find(const char *name, struct buf *ret);

/*
 * Run the program at path with these words (argv[0] first, NULL last), a bare environment and no
 * input, and append what it says on stdout and stderr (at most 64 KiB) to output. It dies with the
 * thread that called. Returns its exit status (128 + n for signal n), or -errno. Not for several
 * threads at once.
 */
MUST_CHECK int run_capture(const char *path, char *const *argv, struct buf *output);

/*
 * Do something in a child of its own, and append what it writes to out (at most max bytes) to
 * output. The child dies with the thread that called, and returns the status that it leaves with,
 * unless it leaves by itself. Returns that status (128 + n for signal n), or -errno. Not for
 * several threads at once.
 */
MUST_CHECK int run_child(int (*fn)(void *arg, int out), void *arg, size_t max, struct buf *output);

/* Read up to EOF into b, at most max bytes; the rest is read and dropped. Returns 0 or -errno. */
MUST_CHECK int run_read(int fd, size_t max, struct buf *b);

/* waitpid(2) until it ended: the exit status, or 128 + n. */
MUST_CHECK int run_wait(pid_t pid);

/*
 * Go on with what is to be done (what: "makes the mounts") in a child; the caller waits for its
 * end. Returns RUN_APART in the child, and in the caller the child's exit status, or 128 + n for
 * signal n, which is told; -errno where that cannot be.
 */
enum { RUN_APART = 256 };
MUST_CHECK int run_apart(const char *what, struct err *e);

/*
 * Does a child end within that many milliseconds? It stays to be waited for. One that was killed
 * may not: what waits for a filesystem that does not answer waits on (FUSE, fs/fuse/dev.c,
 * request_wait_answer()).
 */
bool run_ends(pid_t pid, int ms);

#endif
