/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_DEVICE_H
#define MOUNT_DEVICE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "info.h"
#include "plan.h"

/*
 * The source of a plan of the kind MOUNT_FS, found. Start as DEVICE_INIT, free with device_done().
 */
struct device {
	char *path; /* what the filesystem gets as its source: "/dev/vda1", "/dev/loop3", "tmpfs";
	               NULL before it is attached */
	char type[64]; /* as the kernel names it: "ext4" */
	int fd;        /* the file or device itself, probed; -1 for types that need none */
	int loop;      /* the loop device; -1: there is none */
	bool needs_loop;
	bool read_only; /* asked for, or nothing else is possible */
	struct stat st; /* of fd */
};

#define DEVICE_INIT ((struct device){ .fd = -1, .loop = -1 })

/*
 * Find the device or file, open it once, and look which filesystem it holds, without changing
 * anything. What is said by -t wins over what is found; a contradiction is warned of. -EROFS:
 * writable is asked for, and cannot be.
 */
int device_open(const struct mount_plan *p, struct device *ret, struct err *e);

/*
 * The filesystem, mounted detached, mapped and flagged before it is returned; a loop device is made
 * where one is needed.
 */
int device_mount(const struct mount_plan *p, struct device *d, int *ret_mnt, struct err *e);

/* Has the plan's filesystem a device or a file, other than tmpfs and its like? */
bool device_is_needed(const struct mount_plan *p);

/* Is the mount there (with its root) one of the plan's filesystem and directory? */
bool device_is_mounted(const struct mount_plan *p, const struct mount_info *there, int there_fd);

/* Is the mount there one of the filesystem that was found, whichever directory of it? */
bool device_shows(
	const struct mount_plan *p, const struct device *d, const struct mount_info *there);

/*
 * What will be done with it, as sentences for mount_plan_steps(). Opens and probes, as
 * device_open().
 */
int device_steps(const struct mount_plan *p, struct strv *ret, struct err *e);

void device_done(struct device *d);

#define scoped_device __attribute__((cleanup(device_done)))

#endif
