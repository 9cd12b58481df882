/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_PASSWD_FILE_H
#define IDMAP_PASSWD_FILE_H

#include "names.h"

/*
 * The accounts of /etc/passwd, read once. A name service goes through the whole file for each name.
 * Where another source comes first in nsswitch.conf(5), its accounts count before these.
 */
struct passwd_file;

/* Read the file. -ENODATA: it has no account, so it is being written, or is not the host's. */
MUST_CHECK int passwd_file_read(struct passwd_file **ret, struct err *e);

/* Is it the first source of nsswitch.conf? */
bool passwd_file_is_first(const struct passwd_file *f);

/* Find an account by name; NULL: it is not in the file. */
const struct user *passwd_file_find(const struct passwd_file *f, const char *name);

/* All accounts, sorted by name. A name may be there twice: the first one counts. */
const struct user *passwd_file_all(const struct passwd_file *f, size_t *ret_n);

void passwd_file_free(struct passwd_file *f);

static inline void cleanup_passwd_file(struct passwd_file **f)
{
	passwd_file_free(*f);
}

#define scoped_passwd_file __attribute__((cleanup(cleanup_passwd_file)))

#endif
