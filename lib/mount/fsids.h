/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FSIDS_H
#define MOUNT_FSIDS_H

#include <stdint.h>

#include "../base/err.h"

/*
 * For a moment, let the calling thread create files as uid:gid and keep all its capabilities
 * (SECBIT_NO_SETUID_FIXUP; without it, leaving id 0 drops those that concern files). Ids are those
 * of the caller's user namespace. Needs CAP_SETUID, CAP_SETGID and CAP_SETPCAP.
 */
struct fsids {
	uint32_t uid, gid; /* the ids before */
	int securebits;    /* the bits before; -1: not entered */
};

#define FSIDS_INIT ((struct fsids){ .securebits = -1 })

int fsids_enter(struct fsids *f, uint32_t uid, uint32_t gid, struct err *e);

/* As it was before. Does nothing when not entered. */
void fsids_leave(struct fsids *f);

#define scoped_fsids __attribute__((cleanup(fsids_leave)))

#endif
