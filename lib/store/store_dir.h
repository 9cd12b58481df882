/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_DIR_H
#define STORE_STORE_DIR_H

#include "../base/err.h"
#include "../base/vec.h"

/* The names in a directory, sorted, without "." and "..". */
int store_dir_list(int dirfd, const char *path, struct strv *ret, struct err *e);

#endif
