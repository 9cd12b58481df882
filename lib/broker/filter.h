/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_FILTER_H
#define BROKER_FILTER_H

#include "../base/err.h"
#include "rule.h"

/*
 * Install the seccomp filter for these rules on the calling thread and its descendants, and return
 * its listener (seccomp_unotify(2); close-on-exec). The kernel asks the listener only about calls
 * that a rule concerns:
 *
 *   mknod:...   mknod and mknodat of devices; other types, which the mode argument shows, are not
 *               intercepted
 *   mount:...   mount(2) of new filesystems; the calls of the newer mount interface (fsopen,
 *               fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr, open_tree_attr),
 *               whose state spreads over several calls, return ENOSYS, so that programs fall back
 *               to mount(2)
 *   umount      umount2
 *   chown:...   chown, lchown, fchown, fchownat
 *
 * io_uring_setup returns ENOSYS with any rule, because io_uring would bypass the filter. All other
 * calls run at native speed.
 *
 * Requires CAP_SYS_ADMIN in the caller's user namespace, or no_new_privs. Where the kernel supports
 * it (Linux 5.19, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), only a fatal signal interrupts a call
 * that the broker has received. -EBUSY: the thread has a filter with a listener already, and the
 * kernel allows only one; -ENOSYS, -EINVAL: the kernel does not support notifications.
 */
MUST_CHECK int filter_install(const struct rules *rs, int *ret_listener, struct err *e);

/* The calls that filter_install() may intercept. */
enum filter_call {
	CALL_MKNOD,
	CALL_MKNODAT,
	CALL_MOUNT,
	CALL_UMOUNT2,
	CALL_CHOWN,
	CALL_LCHOWN,
	CALL_FCHOWN,
	CALL_FCHOWNAT,
	CALL_NONE,
};

/*
 * Identify a call by ABI and number (arch and nr of struct seccomp_data); CALL_NONE: another call.
 */
enum filter_call filter_call_find(uint32_t arch, int nr);

/* The name of the system call, static; call must not be CALL_NONE. */
const char *filter_call_name(enum filter_call call);

#endif
