/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FSIDS_H
#define MOUNT_FSIDS_H

#include <stdint.h>

#include "../base/err.h"

/*
 * Let the calling thread create files as uid:gid for a moment, with all its capabilities:
 * SECBIT_NO_SETUID_FIXUP, without which a change of the fsuid from 0 drops the capabilities that
 * concern files (capabilities(7)). Ids are those of the caller's user namespace. Needs CAP_SETUID,
 * CAP_SETGID and CAP_SETPCAP. Start with FSIDS_INIT.
 */
struct fsids {
	uint32_t uid, gid; /* the previous ids */
	int securebits;    /* the previous bits; -1: fsids_enter() was not called, or failed */
};

#define FSIDS_INIT ((struct fsids){ .securebits = -1 })

/* Begin to create files as uid:gid. Returns 0, or -errno with the previous ids in force. */
MUST_CHECK int fsids_enter(struct fsids *f, uint32_t uid, uint32_t gid, struct err *e);

/* Restore the previous ids and bits, if fsids_enter() has succeeded. */
void fsids_leave(struct fsids *f);

#define scoped_fsids __attribute__((cleanup(fsids_leave)))

#endif
