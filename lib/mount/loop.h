/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_LOOP_H
#define MOUNT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/err.h"

/* A part of a file, in bytes. */
struct loop_part {
	uint64_t offset, sizelimit; /* sizelimit 0: to the end of the file */
	bool read_only;
	const char *device; /* the loop device to use, such as "/dev/loop7"; NULL: any */
};

/* A path such as "/dev/loop1048575". */
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
 * Attach a part of an open file or device to a loop device, which frees itself when it is no longer
 * used: keep ret->fd open until its filesystem is mounted. A loop device that shows the same part
 * already is shared, so that there is one filesystem and not two that damage each other. -EBUSY:
 * another loop device shows an overlapping part, or the same part read-only where a writable one is
 * requested, or part->device is in use, or is given and a loop device shows the part already. name
 * is for messages. Needs CAP_SYS_ADMIN.
 */
MUST_CHECK int loop_attach(int file, const char *name, const struct loop_part *part,
	struct loop_device *ret, struct err *e);

/* For a dry run: would loop_attach() find the device that is given, and no conflict? */
MUST_CHECK int loop_trial(int file, const char *name, const struct loop_part *part, struct err *e);

/* Does the loop device at this path show that part of the file with the stat(2) data st? */
bool loop_shows(const char *device, const struct stat *st, const struct loop_part *part);

/* Does the loop device at this path show that file, or a part of it? */
bool loop_is_over(const char *device, const struct stat *st);

/* Do two loop devices show the same part of the same file? */
bool loop_same(const char *a, const char *b);

/*
 * A loop device that frees itself, and may be about to. loop_watch() notes what it shows, before
 * the last unmount; false: dev is not such a device.
 */
struct loop_watch {
	unsigned minor;
	char *file; /* the kernel's name of the backing file */
};

bool loop_watch(dev_t dev, struct loop_watch *ret);

/*
 * After the unmount, wait up to half a second for the device to be freed, and log what still uses
 * it: another mount (log_verbose()), or a process that has it open (log_warn()). Frees the contents
 * of w.
 */
void loop_watch_end(struct loop_watch *w);

#endif
