/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_DEVICE_H
#define MOUNT_DEVICE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "info.h"
#include "plan.h"

/*
 * The device or file of a plan of the kind MOUNT_FS. Start with DEVICE_INIT, free with
 * device_done().
 */
struct device {
	char *path; /* source of the filesystem: "/dev/vda1", "/dev/loop3", "tmpfs"; NULL before a
	               file is attached to a loop device */
	char type[64];       /* the kernel's name of the filesystem: "ext4" */
	char other_type[64]; /* what libblkid has found instead of the type of -t; else "" */
	int fd;              /* the file or device, which was probed; -1: the type needs none */
	int loop;            /* the loop device; -1: none */
	bool needs_loop;
	bool read_only; /* as requested, or because it cannot be writable */
	struct stat st; /* of fd */
};

#define DEVICE_INIT ((struct device){ .fd = -1, .loop = -1 })

/*
 * Open the device or file and probe its filesystem. Nothing is changed. The type of -t wins over
 * the one that is found; a contradiction is logged as a warning. -EROFS: a writable mount is
 * requested and impossible.
 */
MUST_CHECK int device_open(const struct mount_plan *p, struct device *ret, struct err *e);

/*
 * Mount the filesystem, detached, with map and flags set. A file is attached to a loop device
 * first.
 */
MUST_CHECK int device_mount(
	const struct mount_plan *p, struct device *d, int *ret_mnt, struct err *e);

/*
 * For a dry run: find the errors of device_mount() as far as they can be found without writing to a
 * device or asking a server. *ret_sure: there are no others, because the type is one that lies in
 * memory, and was mounted for a moment, detached.
 */
MUST_CHECK int device_trial(
	const struct mount_plan *p, struct device *d, bool *ret_sure, struct err *e);

/* Does the plan's filesystem need a device or a file, as tmpfs does not? */
bool device_is_needed(const struct mount_plan *p);

/*
 * Does the mount `there`, whose root is there_fd, show the plan's filesystem and the same directory
 * of it?
 */
bool device_is_mounted(const struct mount_plan *p, const struct mount_info *there, int there_fd);

/* Does the mount show the filesystem of d, whichever directory of it? */
bool device_shows(
	const struct mount_plan *p, const struct device *d, const struct mount_info *there);

/* The part of mount_plan_steps() for filesystems. Opens and probes like device_open(). */
MUST_CHECK int device_steps(
	const struct mount_plan *p, struct mount_flags *flags, struct strv *ret, struct err *e);

void device_done(struct device *d);

#define scoped_device __attribute__((cleanup(device_done)))

#endif
