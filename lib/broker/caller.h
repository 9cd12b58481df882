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
 * The thread that made the call, inspected through its /proc directory; the descriptor refers to
 * that thread even if its tid is reused. Root, working directory and descriptors are those of the
 * thread, which may differ from those of the thread group leader. Everything that can change is
 * read once. Ids are those of the broker's user namespace.
 */
struct caller {
	int proc; /* /proc/TID */
	pid_t tid, pid;
	uint32_t uid, gid; /* fsuid and fsgid */
	uint32_t groups[CALLER_GROUPS_MAX];
	size_t n_groups; /* may exceed CALLER_GROUPS_MAX; then groups is incomplete and the
	                    broker must not act for the caller: a group may also deny access */
	uint64_t caps;   /* effective capabilities in its user namespace */
	mode_t umask;
	char command[32]; /* comm; may hold any bytes */
};

#define CALLER_INIT ((struct caller){ .proc = -1 })

/* Read thread tid (of the broker's PID namespace). -ESRCH: the thread is gone. */
MUST_CHECK int caller_open(pid_t tid, struct caller *ret, struct err *e);

void caller_done(struct caller *c);

#define scoped_caller __attribute__((cleanup(caller_done)))

/* Is the caller in this very user namespace, and not in a descendant of it? */
bool caller_in_userns(const struct caller *c, const struct stat *userns);

/*
 * The functions below require permission to trace the thread (ptrace(2), PTRACE_MODE_ATTACH), which
 * the creator of its user namespace has, and no permission on files, and set no message.
 */

/*
 * Copy the NUL-terminated string at an address in the caller's memory once, and append it to ret.
 * Returns 0; -EFAULT if the memory is not readable; -ENAMETOOLONG if no NUL follows within max
 * bytes.
 */
MUST_CHECK int caller_string(const struct caller *c, uint64_t address, size_t max, struct buf *ret);

/*
 * Open the caller's root directory (O_PATH), or the directory that dirfd refers to in the caller;
 * dirfd may be AT_FDCWD. Returns -EBADF or -ENOTDIR as the call itself would.
 */
MUST_CHECK int caller_root(const struct caller *c, int *ret_fd);
MUST_CHECK int caller_dir(const struct caller *c, int dirfd, int *ret_fd);

/*
 * Duplicate a descriptor of the caller's: the same open file description (pidfd_getfd(2), Linux
 * 5.6). Before Linux 6.9, the descriptor is looked up in the thread group leader, even if the
 * thread has a descriptor table of its own.
 */
MUST_CHECK int caller_fd(const struct caller *c, int fd, int *ret_fd);

/* Open a namespace of the caller's: "mnt", "pid", "net" and so on. */
MUST_CHECK int caller_ns(const struct caller *c, const char *name, int *ret_fd);

#endif
