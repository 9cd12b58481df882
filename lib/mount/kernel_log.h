/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_KERNEL_LOG_H
#define MOUNT_KERNEL_LOG_H

#include "../base/err.h"

/*
 * The kernel's messages about a failed mount: those of the filesystem context (lines such as "e
 * overlay: too many lower directories"), and those that drivers write to the kernel's log only,
 * with the name of the device.
 */

/*
 * Open the log at its end. Returns a descriptor for kernel_log_explain(), or -1 if it cannot be
 * read (without root, without /dev/kmsg).
 */
MUST_CHECK int kernel_log_open(void);

/*
 * Put the kernel's messages, if any, into e's why. fs: a filesystem context; log: from
 * kernel_log_open(), or -1; device: a path whose last component lines of the log must contain
 * (NULL if there is none).
 */
void kernel_log_explain(int fs, int log, const char *device, struct err *e);

#endif
