/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BROKER_FILTER_H
#define BROKER_FILTER_H

#include "../base/err.h"
#include "rule.h"

/*
 * Install the filter for these rules on the calling thread and what it starts, and return the
 * descriptor of its notifications (seccomp_unotify(2); close-on-exec). Only calls that a rule is
 * about are held: mknod of devices (other files pass, by the type in a register), mount of new
 * filesystems and umount2, the chown family. With a mount rule the calls of the newer mount
 * interface (fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr,
 * open_tree_attr), whose state spreads over many calls, answer ENOSYS, so that programs take
 * mount(2); io_uring_setup answers ENOSYS with any rule, as a way around. All else runs at native
 * speed.
 *
 * Needs CAP_SYS_ADMIN in the caller's user namespace, or no_new_privs set. The notified wait can
 * only be killed, not interrupted, where the kernel offers that (5.19,
 * SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). -EBUSY: there is a filter with notifications already,
 * and the kernel allows one; -ENOSYS, -EINVAL: a kernel without them.
 */
int filter_install(const struct rules *rs, int *ret_listener, struct err *e);

/* The calls that filter_install() may hold, told apart by what they do. */
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
 * Which of them a call is, from its number and ABI (struct seccomp_data: nr, arch), and its name.
 */
enum filter_call filter_call_find(uint32_t arch, int nr);
const char *filter_call_name(enum filter_call call);

#endif
