/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_RUN_PRIV_H
#define NS_RUN_PRIV_H

#include <signal.h>
#include <sys/stat.h>

#include "container.h"
#include "run_proto.h"

/* What container.c and the run_*.c files share; container.h has the processes. */

/* Exit statuses that are not the command's own. */
enum { RUN_FAILED = 125, RUN_NO_EXEC = 126, RUN_NO_COMMAND = 127, RUN_SIGNAL = 128 };

/* --- run_mounts.c: the root and the binds, detached --- */

/* Descriptors of mounts. items[0] is the root; the binds follow in their order. */
struct run_mounts {
	int *items;
	size_t len, cap;
};

/*
 * Make the mounts from the paths of the spec. want_root: the directory that run_check_own()
 * checked; -ESTALE if its path leads to another directory by now. NULL: no check.
 */
MUST_CHECK int run_mounts_make(const struct run_spec *s, const struct stat *want_root,
	struct run_mounts *ret, struct err *e);

/*
 * Clone the mount at path with all mounts below it, detached, and set flags and propagation.
 * A caller without privileges must clone the whole tree: the mounts below may hide files that it
 * must not see.
 */
MUST_CHECK int run_mounts_clone(
	const char *path, const struct mount_flags *flags, int *ret_fd, struct err *e);

void run_mounts_done(struct run_mounts *m);

static inline void cleanup_run_mounts(struct run_mounts *m)
{
	run_mounts_done(m);
}

#define scoped_run_mounts __attribute__((cleanup(cleanup_run_mounts)))

/* --- run_bind.c --- */

/* Is it one of the words that may follow SRC:DST, such as "ro"? */
bool run_bind_has_word(const char *word);

/* --- run_stage.c: the same mounts, made by a privileged process (container.h) --- */

/* The name of the host's /sys in the stage, and the flags of that mount. */
#define RUN_STAGE_SYS "sys"
#define RUN_SYS_FLAGS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

/* Clone the mounts from the stage, which is the working directory. */
MUST_CHECK int run_stage_take(const struct run_spec *s, struct run_mounts *ret, struct err *e);

/* --- run_check.c: set-user-ID files that an ordinary user's command could leave to others --- */

/*
 * Without privileges there is no ID map: root of the namespace is the caller, or can become the
 * caller. Set-user-ID files that the command creates run as the caller for every user who can reach
 * them. -EPERM if other users can reach the upper directory or the writable root. Must run outside
 * of the namespace, where the owners of directories are not shown as overflow ids. ret_root: the
 * directory that was checked, the root or the parent of upper; st_ino 0: nothing was checked.
 */
MUST_CHECK int run_check_own(const struct run_spec *s, struct stat *ret_root, struct err *e);

/* --- run_root.c: the tree that the command sees --- */

/* The terminal of the command: the supervisor's side and the command's. -1: none. */
struct run_tty {
	int master, slave;
};

/*
 * Assemble the root in the mount namespace of the calling process, which no other process may
 * share, and pivot_root(2) to it. All previous mounts of the namespace are detached. want_tty:
 * create a terminal.
 */
MUST_CHECK int run_root_enter(const struct run_spec *s, const struct run_mounts *m, bool want_tty,
	struct run_tty *ret, struct err *e);

/*
 * Create the mount points that run_root_enter() will need, in a root that is about to become
 * read-only. The process must be able to write there as root of the namespace.
 */
MUST_CHECK int run_root_places(const struct run_spec *s, const struct run_mounts *m, struct err *e);

/* --- run_init.c: process 1; run_command.c: the process that becomes the command --- */

/* What init needs besides the spec. */
struct run_init {
	const struct run_spec *spec;
	int sock, peer; /* init's end of the socket pair, and the supervisor's, which init closes */
	bool staged, want_tty;
	struct stat root; /* of run_check_own() */
	sigset_t mask;    /* the caller's signal mask, which the command gets */
};

/* Be process 1: set up the root, start the command, and reap processes until it has ended. */
_Noreturn void run_init(const struct run_init *i);

/* Execute the command. On failure, send the error to the supervisor and exit. */
_Noreturn void run_command(const struct run_init *i, int tty);

/* --- run_user.c: the credentials of the command --- */

enum { RUN_GROUPS_MAX = 256 };

struct run_user {
	uint32_t uid, gid;
	size_t n_groups;
	uint32_t groups[RUN_GROUPS_MAX];
	char home[4096]; /* "" if unknown */
};

/*
 * Look up USER[:GROUP] in /etc/passwd and /etc/group below root, which are not trusted; NULL means
 * root. Numbers need no entry. -ENOENT: no such name; -ERANGE: not an id; -E2BIG: the user is in
 * more than RUN_GROUPS_MAX groups.
 */
MUST_CHECK int run_user_find(int root, const char *user, struct run_user *ret, struct err *e);

/* --- run_relay.c: the supervisor, while the command runs --- */

/* The supervisor's handle on init. */
struct run_handle {
	pid_t pid;
	int pidfd, userns, sock;
};

/*
 * Forward signals (from sigfd) and the terminal's data, and handle init's messages, until init has
 * exited; reap it. Returns the command's status as run_container() does.
 */
MUST_CHECK int run_relay(
	const struct run_spec *s, const struct run_handle *init, int sigfd, struct err *e);

#endif
