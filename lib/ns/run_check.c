/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refuse a root where set-user-ID files of the caller's would be reachable by other users. */

#include "run_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/sys.h"
#include "../mount/clone.h"
#include "../mount/dirent_at.h"
#include "../mount/reachable.h"

static int check_upper(const char *upper, struct stat *ret, struct err *e)
{
	scoped_place struct place at = PLACE_INIT;
	int r = dirent_at_open(upper, "be an upper", &at, e);

	if (r == 0 && fstat(at.dirfd, ret) < 0)
		r = err_set(e, errno, upper, "cannot stat its parent directory");
	if (r < 0 || reachable_closed_in(at.dirfd, REACHABLE_NO_GROUP))
		return r;
	(void)err_say(e, EPERM, upper, "cannot keep changes where other users can reach them");
	err_op(e, "private");
	err_why(e,
		"set-uid files that the command creates there run as the caller, for every user "
		"who can reach them");
	err_try(e, "move it below a directory that only you can enter (chmod 0700)");
	return -EPERM;
}

/* Can root of the namespace become the caller? Root can change to every id of the map. */
static bool gives_own_id(const struct idmap *m)
{
	uint32_t id;

	return idmap_uid_disk(m, geteuid(), &id) || idmap_gid_disk(m, getegid(), &id);
}

/*
 * Neither the caller nor root of the namespace can enter the directory. A later step reports the
 * error.
 */
static bool cannot_enter(const struct run_spec *s, int dir, const struct stat *st)
{
	uint32_t id;

	return !idmap_uid_disk(&s->map, st->st_uid, &id) &&
		faccessat(dir, ".", X_OK, AT_EACCESS) < 0 && errno == EACCES;
}

static int check_root(const struct run_spec *s, struct stat *ret, struct err *e)
{
	const char *source = s->root.source;
	scoped_fd int fd = -1;
	int r;

	if (s->root.public_ || s->read_only || s->root.flags.set & MOUNT_ATTR_RDONLY ||
		!gives_own_id(&s->map))
		return 0;
	r = clone_open_source(source, &fd, e);
	if (r < 0)
		return r;
	if (fstat(fd, ret) < 0)
		return err_set(e, errno, source, "cannot stat the root of the command");
	if (!S_ISDIR(ret->st_mode) || cannot_enter(s, fd, ret) ||
		reachable_closed(fd, REACHABLE_NO_GROUP) || reachable_mount_has(fd, ST_NOSUID) ||
		reachable_mount_has(fd, ST_RDONLY))
		return 0;
	(void)err_say(e, EPERM, source,
		"cannot be the writable root of the command where other users can reach it");
	err_op(e, "public");
	err_why(e,
		"set-uid files that the command creates there run as user %u, the caller, for "
		"every user who can reach '%s'",
		geteuid(), source);
	if (!strcmp(source, "/"))
		err_try(e, "omit -r: without it the command has this system's root");
	else
		err_try(e,
			"move it below a directory that only you can enter (chmod 0700), or run "
			"with --read-only; if it is intended, specify -o public");
	return -EPERM;
}

int run_check_own(const struct run_spec *s, struct stat *ret_root, struct err *e)
{
	*ret_root = (struct stat){ .st_ino = 0 };
	if (s->privileged || s->host_root)
		return 0;
	if (s->root.upper)
		return check_upper(s->root.upper, ret_root, e);
	return s->root.kind == MOUNT_BIND ? check_root(s, ret_root, e) : 0;
}
