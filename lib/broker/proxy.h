/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_PROXY_H
#define BROKER_PROXY_H

#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "caller.h"

/*
 * A process in the command's user namespace, but in the broker's PID namespace, where nobody of the
 * command can see or trace it. It does things with a caller's rights and no others: its fsuid,
 * fsgid (as effective ids) and groups, its effective capabilities, its root and working directory;
 * so the kernel makes the checks that it would have made for the caller. What is asked of it are
 * copies, which no caller can change.
 */
struct proxy {
	pid_t pid;  /* 0: none */
	int socket; /* -1 with a pid: it was killed, and hangs */
};

#define PROXY_INIT ((struct proxy){ .socket = -1 })

/*
 * Start it: userns stands for the command's user namespace, and map is its map. It dies with the
 * broker. -EBUSY: the last one hangs still, where no signal reaches it; there is never more than
 * one.
 */
int proxy_start(struct proxy *p, int userns, const struct idmap *map, struct err *e);

/* Kill it. Nothing is waited for that may never come. */
void proxy_done(struct proxy *p);

enum proxy_op {
	PROXY_PARENT, /* open the directory that path's last component is to be created in; returns
	                 it */
	PROXY_TARGET, /* open path, links followed; returns it */
	PROXY_UMOUNT, /* umount2(path, flags) in the caller's mount namespace */
	PROXY_MOUNT,  /* mount(source, path, type, flags, data) in all of the caller's namespaces */
	PROXY_RECORD, /* note an owner that has no mapping in the xattr RECORD_XATTR: data is its
	                 value */
	PROXY_RENEW,  /* the same, for a file that has one already */
};

struct proxy_request {
	enum proxy_op op;
	const char *path;
	uint64_t flags; /* PROXY_UMOUNT, PROXY_MOUNT: the call's; PROXY_TARGET, PROXY_RECORD,
	                   PROXY_RENEW: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
	const char *source, *type, *data; /* NULL where the caller gave none */
	uint32_t uid, gid; /* PROXY_RECORD, PROXY_RENEW: the owner, UINT32_MAX for one that is not
	                      to change */
	int dir; /* the directory that path is relative to, or (AT_EMPTY_PATH) the file; stays the
	            caller's */
};

/*
 * Have it done as c. Returns 0, and for the first two a descriptor; else what the kernel said
 * (-errno), or -ENOTRECOVERABLE when the proxy is gone or does not answer (a filesystem of the
 * command's that hangs) for ten seconds: it is then of no use any more. -ENODATA from PROXY_RECORD:
 * that file cannot carry the record.
 */
int proxy_ask(struct proxy *p, const struct caller *c, const struct proxy_request *q, int *ret_fd);

#endif
