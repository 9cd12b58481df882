/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_CALLER_H
#define BROKER_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"

enum { CALLER_GROUPS_MAX = 256, CALLER_PATH_MAX = 4096 /* with its NUL: PATH_MAX */ };

/*
 * The thread whose call is held, looked at through its directory in /proc, which stays its own even
 * when its number is used again. Root, working directory and descriptors are the thread's, which
 * need not be the leader's. Everything that can change is read once; ids are those of the broker's
 * user namespace.
 */
struct caller {
	int proc; /* its directory there */
	pid_t tid, pid;
	uint32_t uid, gid; /* fsuid and fsgid */
	uint32_t groups[CALLER_GROUPS_MAX];
	size_t n_groups; /* above CALLER_GROUPS_MAX: not all are here, and nobody can have its
	                    rights (a group can take rights, too) */
	uint64_t caps;   /* the effective ones, in its user namespace */
	mode_t umask;
	char command[32]; /* its name; any bytes */
};

#define CALLER_INIT ((struct caller){ .proc = -1 })

/* Look at thread tid of the broker's PID namespace. -ESRCH: gone. */
int caller_open(pid_t tid, struct caller *ret, struct err *e);

void caller_done(struct caller *c);

#define scoped_caller __attribute__((cleanup(caller_done)))

/* Whether it is in that user namespace itself, and not in one below. */
bool caller_in_userns(const struct caller *c, const struct stat *userns);

/*
 * All that follows takes the right to trace the thread (ptrace(2), PTRACE_MODE_ATTACH), which
 * whoever made its user namespace has, and no right to files of its.
 *
 * Copy the string at an address of its memory, once: appended to ret with all that the caller can
 * no longer change. Returns 0; -EFAULT where there is no memory; -ENAMETOOLONG when no NUL comes
 * within max bytes. Fills nothing.
 */
int caller_string(const struct caller *c, uint64_t address, size_t max, struct buf *ret);

/*
 * Its root directory (O_PATH), and the directory that dirfd stands for, AT_FDCWD included. -EBADF,
 * -ENOTDIR as the call would have had it. The caller closes them. Fill nothing.
 */
int caller_root(const struct caller *c, int *ret_fd);
int caller_dir(const struct caller *c, int dirfd, int *ret_fd);

/*
 * A duplicate of its descriptor (pidfd_getfd(2), 5.6): the same open file. Before 6.9 a thread with
 * a table of its own has the descriptors of its process looked up instead.
 */
int caller_fd(const struct caller *c, int fd, int *ret_fd);

/* One of its namespaces ("mnt", "pid", "net" ...). */
int caller_ns(const struct caller *c, const char *name, int *ret_fd);

#endif
