/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SURVEY_HOST_PRIV_H
#define SURVEY_HOST_PRIV_H

#include "host_row.h"

/*
 * The parts of the survey. Each runs in the child that host_survey() starts, and may leave that
 * process in any state. Used by lib/survey/host*.c only.
 */
void host_filesystems(struct host *h, const char *path);
void host_overlay(struct host *h);
void host_namespaces(struct host *h);

/*
 * Create a small filesystem of the type in an image file on the tmpfs scratch (a detached mount
 * that nothing else uses) with the type's mkfs program, and mount it detached. h->may_attach
 * is required. The loop device is released with the mount. Returns a descriptor of the mount, or
 * -errno with the reason in why; why stays empty if no mkfs program is known for the type.
 */
MUST_CHECK int host_image(int scratch, const char *type, struct buf *why);

/*
 * Mount a FUSE filesystem, detached, with default_permissions and a daemon that asks for
 * FUSE_ALLOW_IDMAP. Returns a descriptor of the mount and sets *ret_server; the caller closes
 * *ret_server, which ends the daemon, before the mount. Returns -EOPNOTSUPP if the kernel does not
 * offer FUSE_ALLOW_IDMAP, and -errno with the reason in why for other failures.
 */
MUST_CHECK int host_fuse(int *ret_server, struct buf *why);

#endif
