/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_BROKER_CREDS_H
#define BROKER_BROKER_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "caller.h"
#include "rule.h"

/*
 * The credentials that the broker acts with. Its real, effective and saved uid never change, so
 * that only root of the host may signal or trace it. What changes are the fsuid (setfsuid(2)), the
 * effective gid, the groups and the effective capabilities. Values that are in effect already are
 * not set again: a program that makes a hundred nodes is one caller.
 *
 * The effective gid changes, and not only the fsgid, because a FUSE filesystem without allow_other
 * compares all ids of a process except the fsuid and fsgid (fs/fuse/dir.c,
 * fuse_permissible_uidgid()). This keeps a caller from reaching root's FUSE mounts through the
 * broker.
 */
struct broker_creds {
	bool known; /* uid, gid and groups are in effect */
	uint32_t uid, gid;
	uint32_t groups[CALLER_GROUPS_MAX];
	size_t n_groups;
	mode_t umask;
	uint64_t had, effective; /* capability sets: those that can be raised, those in effect */
};

/*
 * Make the calling process undumpable, and have it killed when its parent dies. A change of ids
 * clears the death signal and resets dumpable to fs.suid_dumpable (prctl(2)); a core dump would
 * then belong to the caller. Call it after every such change. Returns 0 or a positive errno.
 */
MUST_CHECK int broker_creds_protect(void);

/*
 * Join a new session keyring (session-keyring(7)). Otherwise the supervisor's keys could be used by
 * the command, or for a caller when the broker walks a filesystem that requires a key.
 */
MUST_CHECK int broker_creds_leave_keyring(struct err *e);

/*
 * Drop all capabilities that the rules do not need. Of the others, only those that give no access
 * to files are in effect: CAP_SYS_PTRACE, CAP_MKNOD, CAP_SETUID, CAP_SETGID. The broker of an
 * ordinary user has none to drop.
 */
MUST_CHECK int broker_creds_start(struct broker_creds *c, const struct rules *rules, struct err *e);

/*
 * Access files as the caller: with its fsuid, fsgid, groups and umask, and without capabilities
 * that override permissions. The ids are those of the initial namespace, so the kernel allows the
 * broker nothing that it would not allow the caller; the caller's capabilities in its own namespace
 * can only add to that (capabilities(7)). Returns 0 or -errno; no message.
 */
MUST_CHECK int broker_creds_as_caller(struct broker_creds *c, const struct caller *caller);

/*
 * After broker_creds_as_caller(): drop CAP_SYS_PTRACE too, to walk a path. The capability would
 * count in /proc with hidepid= and in /proc/PID/fdinfo. The next broker_creds_as_caller() raises it
 * again. Returns 0 or -errno; no message.
 */
MUST_CHECK int broker_creds_walk(struct broker_creds *c);

/*
 * After broker_creds_as_caller(): keep the ids, but override permissions (CAP_DAC_OVERRIDE), for a
 * directory in which the proxy has found that the caller may create. Returns 0 or -errno; no
 * message.
 */
MUST_CHECK int broker_creds_override(struct broker_creds *c);

/*
 * Return to the broker's own ids, without supplementary groups and with all capabilities that the
 * rules need. Returns 0 or -errno; no message.
 */
MUST_CHECK int broker_creds_own(struct broker_creds *c);

#endif
