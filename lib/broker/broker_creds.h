/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_BROKER_CREDS_H
#define BROKER_BROKER_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "caller.h"
#include "rule.h"

/*
 * The broker's own rights. Its real, effective and saved uid never change (nobody but root of the
 * host may signal or trace it); what changes is as whom it works on files (setfsuid(2)), and which
 * of its capabilities are in effect. Nothing is set that is set already: a program that makes a
 * hundred nodes is one caller. The gid that changes is the effective one, which takes the one for
 * files along: a FUSE filesystem that is its owner's alone asks for all of a process's ids but
 * those for files (fs/fuse/dir.c, fuse_permissible_uidgid()), so that no caller comes to one of
 * root's by the broker.
 */
struct broker_creds {
	bool known; /* uid, gid and groups are in effect */
	uint32_t uid, gid;
	uint32_t groups[CALLER_GROUPS_MAX];
	size_t n_groups;
	mode_t umask;
	uint64_t had, effective; /* capabilities: those that may be raised, and those that are */
};

/*
 * A change of ids takes off the death signal, and makes a process as dumpable as fs.suid_dumpable
 * says: a dump of its memory would be a file of the caller's. 0 or a positive errno.
 */
int broker_creds_protect(void);

/*
 * Have a session keyring of one's own. That of whoever started this has keys that somebody else
 * would use: the command, or a caller, where the filesystem that the broker walks for it asks for a
 * key (session-keyring(7)).
 */
int broker_creds_leave_keyring(struct err *e);

/*
 * Give up all that acting on the rules does not take. Of what is left, only what lets nobody into
 * files is in effect: CAP_SYS_PTRACE, CAP_MKNOD, CAP_SETUID, CAP_SETGID. An ordinary user has
 * nothing to give up. Fills e: "cannot give up ...".
 */
int broker_creds_start(struct broker_creds *r, const struct rules *rules, struct err *e);

/*
 * Work on files as the caller: its fsuid, fsgid, groups and umask, and no capability that overrides
 * permissions. The ids are the kernel's own (of the initial namespace), so the kernel lets the
 * broker do no more there than it lets the caller: what the caller has besides, capabilities in its
 * namespace, only adds to that (capabilities(7)). 0 or -errno; fills nothing.
 */
int broker_creds_as_caller(struct broker_creds *r, const struct caller *c);

/*
 * The same, and to /proc no tracer of anybody either (CAP_SYS_PTRACE), for walking a path: with
 * hidepid=, or in /proc/PID/fdinfo, that would count. broker_creds_as_caller() ends it. 0 or
 * -errno.
 */
int broker_creds_walk(struct broker_creds *r);

/*
 * The same ids, but nobody asks for permissions (CAP_DAC_OVERRIDE): for what the proxy has found to
 * be the caller's. 0 or -errno.
 */
int broker_creds_override(struct broker_creds *r);

/*
 * As whom it was started (without supplementary groups), with all that the rules take. 0 or -errno.
 */
int broker_creds_own(struct broker_creds *r);

#endif
