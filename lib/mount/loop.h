/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_LOOP_H
#define MOUNT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/err.h"

/* Which part of a file is meant; sizelimit 0: up to its end. */
struct loop_part {
	uint64_t offset, sizelimit;
	bool read_only;
};

/* "/dev/loop1048575" fits */
struct loop_path {
	char text[32];
};

/* A loop device that is attached. */
struct loop_device {
	int fd;
	struct loop_path path;
	bool shared; /* it was attached before, by another process */
};

/*
 * A loop device over that part of an open file or device, which frees itself when nobody uses it
 * any more: so keep *ret_fd until its filesystem is mounted. One that shows the same part already
 * is used again, so that there is one filesystem and not two that damage each other; *ret_shared
 * tells so. -EBUSY: another part of the file that overlaps is in use, or the same in a way that
 * does not fit. name: for messages. Needs CAP_SYS_ADMIN.
 */
int loop_attach(int file, const char *name, const struct loop_part *part, struct loop_device *ret,
	struct err *e);

/* Does the loop device at this path (or rdev) show that part of the file st is of? */
bool loop_shows(const char *device, const struct stat *st, const struct loop_part *part);

/* Is it a loop device over (a part of) the file st is of? */
bool loop_is_over(const char *device, const struct stat *st);

/* Do these two loop devices show the same part of the same file? */
bool loop_same(const char *a, const char *b);

/*
 * A loop device that frees itself and may be about to: what it shows is remembered by loop_watch(),
 * before the last unmount. False: dev is no such device.
 */
struct loop_watch {
	unsigned minor;
	char *file; /* as the kernel names it */
};

bool loop_watch(dev_t dev, struct loop_watch *ret);

/*
 * After it: has the device gone? Waits a moment for that. What still uses it is told of
 * (log_verbose for another mount, log_warn for who holds it open). Frees what is in w.
 */
void loop_watch_end(struct loop_watch *w);

#endif
