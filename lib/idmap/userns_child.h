/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_CHILD_H
#define IDMAP_USERNS_CHILD_H

#include <sys/types.h>

#include "../base/err.h"
#include "idmap.h"

/* What a map's file in /proc may hold: a page as written, more with the padding of its columns. */
enum { MAP_FILE_MAX = 1 << 16 };

/*
 * A process that does nothing but live in a user namespace, for as long as this is in scope. It
 * dies with the thread that started it. proc is its directory in /proc (O_PATH), which stays its
 * own even when its number is used again. Private to lib/idmap.
 */
struct child {
	int pidfd, proc;
};

#define CHILD_NONE ((struct child){ -1, -1 })

/* Start one in a new namespace (ns -1), or in the one that the descriptor ns stands for. */
MUST_CHECK int child_start(int ns, struct child *ret, struct err *e);

/* Kill and reap. */
void child_done(struct child *c);

static inline void cleanup_child(struct child *c)
{
	child_done(c);
}

#define scoped_child __attribute__((cleanup(cleanup_child)))

/*
 * Whether /proc is there (-ENOENT) and is that of our own PID namespace (-ESRCH): in another one
 * the same number is another process.
 */
MUST_CHECK int proc_check(struct err *e);

/*
 * Open the directory of a process in /proc, after that check. -ENOENT: no /proc, or no such
 * process.
 */
MUST_CHECK int proc_open(pid_t pid, int *ret_fd, struct err *e);

/*
 * The map of the namespace that the process of a /proc directory lives in, as this process's
 * namespace sees it: disk ids are that namespace's own, seen ids are ours.
 */
MUST_CHECK int userns_map_of_proc(int proc, struct idmap *ret, struct err *e);

#endif
