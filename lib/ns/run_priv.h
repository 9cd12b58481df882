/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_RUN_PRIV_H
#define NS_RUN_PRIV_H

#include <signal.h>
#include <sys/stat.h>

#include "container.h"
#include "run_proto.h"

/* run is made of several files; this is between them. */

/* Exit statuses that are not the command's. */
enum { RUN_FAILED = 125, RUN_NO_EXEC = 126, RUN_NO_COMMAND = 127, RUN_SIGNAL = 128 };

/*
 * --- run_mounts.c: the root and the binds, detached
 * -----------------------------------------------
 */

/* items[0] is the root, the others are the binds in their order. */
struct run_mounts {
	int *items;
	size_t len, cap;
};

/*
 * From the caller's paths. want_root: what run_check_own() has asked about, which the paths must
 * still lead to; NULL: nothing.
 */
int run_mounts_make(const struct run_spec *s, const struct stat *want_root, struct run_mounts *ret,
	struct err *e);

/* The host's /sys in the stage, and how it is mounted. */
#define RUN_STAGE_SYS "sys"
#define RUN_SYS_FLAGS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

/* From the stage, which is the working directory. */
int run_mounts_take(const struct run_spec *s, struct run_mounts *ret, struct err *e);

void run_mounts_done(struct run_mounts *m);

static inline void cleanup_run_mounts(struct run_mounts *m)
{
	run_mounts_done(m);
}

#define scoped_run_mounts __attribute__((cleanup(cleanup_run_mounts)))

/*
 * --- run_check.c: what an ordinary user's command can leave for others
 * ----------------------------
 */

/*
 * Root of the namespace is the caller, or can become the caller, without any ID map. -EPERM for an
 * upper, or a writable root directory, that others can reach: set-uid files that the command makes
 * there are the caller's. To be asked outside of the namespace, where the owners of directories
 * have their numbers. ret_root: the directory that was asked about, the root or the one that holds
 * upper; st_ino 0: none.
 */
int run_check_own(const struct run_spec *s, struct stat *ret_root, struct err *e);

/*
 * --- run_root.c: the tree that the command sees
 * ---------------------------------------------------
 */

/* The command's terminal: the side that is the supervisor's, and the command's. -1: none. */
struct run_tty {
	int master, slave;
};

/*
 * Put it together in the calling process's mount namespace, which nobody else is in, and make it
 * the root (pivot_root(2)). What the namespace had before is gone from it then. want_tty: make a
 * terminal.
 */
int run_root_enter(const struct run_spec *s, const struct run_mounts *m, bool want_tty,
	struct run_tty *ret, struct err *e);

/*
 * Create what run_root_enter() will want to mount on, in a root that is to become read-only: the
 * process must be able to write there as root of the namespace.
 */
int run_root_places(const struct run_spec *s, const struct run_mounts *m, struct err *e);

/*
 * --- run_init.c, run_command.c
 * --------------------------------------------------------------------
 */

/* What init needs beside the spec. */
struct run_init {
	const struct run_spec *spec;
	int sock, peer; /* its end of the wire, and the supervisor's, which it must not keep */
	bool staged, want_tty;
	struct stat root; /* of run_check_own() */
	sigset_t mask;    /* the caller's, for the command */
};

_Noreturn void run_init(const struct run_init *i);

/* Executes; sends what went wrong if it cannot. */
_Noreturn void run_command(const struct run_init *i, int tty);

/* The credentials of spec->user, or root's. home is "" when nobody tells it. */
enum { RUN_GROUPS_MAX = 256 };

struct run_user {
	uint32_t uid, gid;
	size_t n_groups;
	uint32_t groups[RUN_GROUPS_MAX];
	char home[4096];
};

/*
 * Looked up in /etc/passwd and /etc/group below root, which are not trusted; numbers need not be
 * there.
 */
int run_user_find(int root, const char *user, struct run_user *ret, struct err *e);

/*
 * --- run_relay.c: between the terminal and the command
 * --------------------------------------------
 */

/* What the supervisor has of init. */
struct run_handle {
	pid_t pid;
	int pidfd, userns, sock;
};

/*
 * Serve until init is gone, and reap it: signals (from sigfd), the terminal, what init says.
 * Returns the command's status as run_container() does.
 */
int run_relay(const struct run_spec *s, const struct run_handle *init, int sigfd, struct err *e);

#endif
