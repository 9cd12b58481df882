/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_DIR_H
#define STORE_STORE_DIR_H

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"

/*
 * Append the names in a directory, sorted, without "." and "..". The directory is opened again, so
 * that the offset of dirfd does not matter. path is for messages.
 */
MUST_CHECK int store_dir_list(int dirfd, const char *path, struct strv *ret, struct err *e);

#endif
