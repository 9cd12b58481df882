/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NS_RIGHTS_H
#define NS_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "caller.h"
#include "rule.h"

/*
 * The broker's own rights. Its real and effective ids never change (nobody but root of the host may signal or trace it);
 * what changes is as whom it works on files (setfsuid(2)), and which of its capabilities are in effect. Nothing is set
 * that is set already: a program that makes a hundred nodes is one caller.
 */
struct rights {
	bool known;              /* uid, gid and groups are in effect */
	uint32_t uid, gid;
	uint32_t groups[CALLER_GROUPS_MAX];
	size_t n_groups;
	mode_t umask;
	uint64_t had, effective; /* capabilities: those that may be raised, and those that are */
};

/*
 * Give up all that acting on the rules does not take. Of what is left, only what lets nobody into files is in effect: CAP_SYS_PTRACE,
 * CAP_MKNOD, CAP_SETUID, CAP_SETGID. An ordinary user has nothing to give up. Fills e: "cannot give up ...".
 */
int rights_start(struct rights *r, const struct rules *rules, struct err *e);

/*
 * Work on files as the caller: its fsuid, fsgid, groups and umask, and no capability that overrides permissions. The ids are
 * the kernel's own (of the initial namespace), so the kernel lets the broker do no more there than it lets the caller: what the
 * caller has besides, capabilities in its namespace, only adds to that (capabilities(7)). 0 or -errno; fills nothing.
 */
int rights_as_caller(struct rights *r, const struct caller *c);

/* The same ids, but nobody asks for permissions (CAP_DAC_OVERRIDE): for what the proxy has found to be the caller's. 0 or -errno. */
int rights_override(struct rights *r);

/* As whom it was started (without supplementary groups), with all that the rules take. 0 or -errno. */
int rights_own(struct rights *r);

#endif
