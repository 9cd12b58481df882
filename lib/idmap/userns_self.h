/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_USERNS_SELF_H
#define IDMAP_USERNS_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Is the caller in the initial user namespace, or in one that is nested in it? Both functions
 * return false if /proc is not available.
 */
bool userns_is_initial(void);
bool userns_is_nested(void);

/* Is st, of a file like /proc/PID/ns/user, that of the initial user namespace? */
bool userns_stat_is_initial(const struct stat *st);

/*
 * The id that stat(2) shows for a user, or a group, without a number for the caller (sysctl
 * fs.overflowuid, fs.overflowgid). Without /proc, the kernel's default is returned.
 */
uint32_t userns_overflow_id(bool group);

#endif
