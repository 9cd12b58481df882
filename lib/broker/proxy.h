/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_PROXY_H
#define BROKER_PROXY_H

#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../idmap/idmap.h"
#include "caller.h"

/*
 * The proxy: a process in the command's user namespace, but in the broker's PID namespace, where no
 * process of the command can see or trace it. It acts with the credentials of one caller at a time:
 * fsuid and fsgid (as effective ids), groups, effective capabilities, root and working directory.
 * So the kernel makes the same permission checks as for the caller itself (this avoids the
 * confused deputy problem). Its requests are copies that no caller can change.
 */
struct proxy {
	pid_t pid;  /* 0: none */
	int socket; /* -1 with a pid: killed, but not yet dead */
};

#define PROXY_INIT ((struct proxy){ .socket = -1 })

/*
 * Start the proxy. userns: a descriptor of the command's user namespace, map: its map; both stay
 * the caller's. The proxy is killed when the broker dies. -EBUSY: the previous proxy still hangs in
 * an uninterruptible filesystem request; there is never more than one.
 */
MUST_CHECK int proxy_start(struct proxy *p, int userns, const struct idmap *map, struct err *e);

/* Kill the proxy. Waits for a bounded time; if the proxy hangs, p keeps its pid. */
void proxy_done(struct proxy *p);

enum proxy_op {
	PROXY_PARENT, /* open the directory in which path's last component is to be created */
	PROXY_TARGET, /* open path, following symbolic links */
	PROXY_UMOUNT, /* umount2(path, flags) in the caller's mount namespace */
	PROXY_MOUNT,  /* mount(source, path, type, flags, data) in all namespaces of the caller */
	PROXY_RECORD, /* store an owner without a mapping in the xattr RECORD_XATTR */
	PROXY_RENEW,  /* like PROXY_RECORD, but only if the file has the xattr already */
};

struct proxy_request {
	enum proxy_op op;
	const char *path;
	uint64_t flags; /* PROXY_UMOUNT, PROXY_MOUNT: of the call; PROXY_TARGET, PROXY_RECORD,
	                   PROXY_RENEW: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
	const char *source, *type, *data; /* NULL if the caller passed NULL */
	uint32_t uid, gid; /* PROXY_RECORD, PROXY_RENEW: the owner; UINT32_MAX: unchanged */
	int dir;           /* the directory that path is relative to, or with AT_EMPTY_PATH the
	                      file; not closed */
};

/*
 * Have the proxy act as c. Returns 0, with a descriptor in *ret_fd for PROXY_PARENT and
 * PROXY_TARGET, which the caller closes; otherwise the kernel's error; or -ENOTRECOVERABLE if the
 * proxy has ended or does not answer within ten seconds (in a filesystem of the command's that
 * hangs): then call proxy_done(). PROXY_RECORD returns -ENODATA if the file cannot carry the xattr.
 */
MUST_CHECK int proxy_ask(
	struct proxy *p, const struct caller *c, const struct proxy_request *q, int *ret_fd);

#endif
