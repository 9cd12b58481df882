/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_DIR_H
#define STORE_STORE_DIR_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"

/*
 * Append the names in a directory, sorted, without "." and "..". The directory is opened again, so
 * that the offset of dirfd does not matter. path is for messages.
 */
MUST_CHECK int store_dir_list(int dirfd, const char *path, struct strv *ret, struct err *e);

/*
 * Append the content of a file that the store itself has written, of at most max bytes. A symbolic
 * link is not followed: the store may turn out to be another user's. Errors: as fd_read_file() of
 * fd.h, and -ELOOP.
 */
MUST_CHECK int store_dir_read(
	int dirfd, const char *name, size_t max, struct buf *ret, struct err *e);

/*
 * Is r an error of the system, or of this process? The file may be good, and what it says must not
 * be taken for missing or damaged.
 */
bool store_cannot_read(int r);

#endif
