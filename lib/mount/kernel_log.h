/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_KERNEL_LOG_H
#define MOUNT_KERNEL_LOG_H

#include "../base/err.h"

/*
 * What the kernel has to say about a mount that fails: through the filesystem context (lines "e
 * overlay: too many lower directories"), and what a driver only writes into the kernel's log, where
 * lines name their device.
 */

/*
 * The log from now on: a descriptor for kernel_log_explain(), or -1 where it cannot be read (no
 * root, no /dev/kmsg).
 */
int kernel_log_open(void);

/*
 * Add what was said to e's why, when there is anything. fs: a filesystem context; log: from
 * kernel_log_open(), or -1; device: a path whose last part the lines of the log must name, or NULL.
 */
void kernel_log_explain(int fs, int log, const char *device, struct err *e);

#endif
