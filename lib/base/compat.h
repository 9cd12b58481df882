/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

/*
 * What C libraries other than glibc lack (musl 1.2.3 lacks all of it). The Makefile includes this
 * into every file. The functions do what those of glibc do, as their manual pages say.
 */

#include <features.h>

#ifndef __GLIBC__

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#ifndef STATX_TYPE
#include <linux/stat.h>
#define statx(dirfd, path, flags, mask, ret) sys_statx(dirfd, path, flags, mask, ret)
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define renameat2 sys_renameat2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#define close_range sys_close_range
#endif

/* base/sys.c has these. */
int sys_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret);
int sys_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int sys_close_range(unsigned first, unsigned last, int flags);

#define strerrordesc_np compat_strerrordesc
#define strerrorname_np compat_strerrorname
#define sigabbrev_np compat_sigabbrev
#define fgetpwent_r compat_fgetpwent
#define fgetgrent_r compat_fgetgrent

const char *strerrordesc_np(int num);
const char *strerrorname_np(int num);
const char *sigabbrev_np(int sig);

/* Lines that are not entries are skipped, and so are those whose numbers do not fit. */
int fgetpwent_r(FILE *f, struct passwd *pw, char *room, size_t size, struct passwd **ret);
int fgetgrent_r(FILE *f, struct group *gr, char *room, size_t size, struct group **ret);

#endif

#endif
