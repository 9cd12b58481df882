/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dirent_at: the directory entry that a path names. */

#include "dirent_at.h"

#include <errno.h>
#include <string.h>

int dirent_at_open(const char *path, const char *use, struct place *ret, struct err *e)
{
	size_t n = strlen(path);
	scoped_free char *copy = NULL;
	const char *name;

	if (!n) {
		(void)err_set(e, ENOENT, path, "cannot open the directory");
		err_op(e, "open");
		return -ENOENT;
	}
	while (n > 1 && path[n - 1] == '/') /* "link/" would be followed */
		n--;
	copy = strndup(path, n);
	if (!copy)
		return err_nomem(e);
	name = strrchr(copy, '/');
	name = name ? name + 1 : copy;
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		if (*name)
			(void)err_say(e, EINVAL, path, "must end in a name: not in /, '.' or '..'");
		else
			(void)err_say(
				e, EINVAL, path, "is the root directory, which cannot %s", use);
		err_try(e,
			*name ? "name the directory by its path, as pwd shows it" :
				"name a directory below it");
		return -EINVAL;
	}
	return path_find(copy, false, "cannot open the directory above it", ret, e);
}
