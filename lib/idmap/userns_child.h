/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_CHILD_H
#define IDMAP_USERNS_CHILD_H

#include <sys/types.h>

#include "../base/err.h"
#include "idmap.h"

/* The maximum size of uid_map in /proc: a page as written, more with the padding of its columns. */
enum { MAP_FILE_MAX = 1 << 16 };

/*
 * A process that keeps a user namespace alive, until child_done(). It is killed when the thread
 * that started it ends. proc is its directory in /proc (O_PATH), which still refers to it after its
 * pid is reused. Private to lib/idmap.
 */
struct child {
	int pidfd, proc;
};

#define CHILD_NONE ((struct child){ -1, -1 })

/* Start a process in a new namespace (ns -1), or in the namespace of the descriptor ns. */
MUST_CHECK int child_start(int ns, struct child *ret, struct err *e);

/* Kill and reap the process. */
void child_done(struct child *c);

static inline void cleanup_child(struct child *c)
{
	child_done(c);
}

#define scoped_child __attribute__((cleanup(cleanup_child)))

/*
 * Check that /proc is mounted (-ENOENT) and belongs to the caller's PID namespace (-ESRCH): in
 * another one, the same number is another process.
 */
MUST_CHECK int proc_check(struct err *e);

/*
 * Open the directory of a process in /proc, after proc_check(). -ENOENT: /proc is not mounted, or
 * there is no such process.
 */
MUST_CHECK int proc_open(pid_t pid, int *ret_fd, struct err *e);

/*
 * Read the map of the namespace of a process, given its directory in /proc: disk ids are those
 * inside that namespace, and seen ids those of the caller's namespace.
 */
MUST_CHECK int userns_map_of_proc(int proc, struct idmap *ret, struct err *e);

#endif
