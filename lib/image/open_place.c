/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* open_place: find out whether files give rights to other users. */

#include "open_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/log.h"
#include "../idmap/userns_self.h"
#include "../mount/reachable.h"

struct open_place open_place_of(int dir, gid_t group)
{
	if (reachable_closed_in(dir, group))
		return (struct open_place){ .programs = false };
	return (struct open_place){
		.programs = !reachable_mount_has(dir, ST_NOSUID),
		.devices = !reachable_mount_has(dir, ST_NODEV),
	};
}

/*
 * A set-gid bit takes effect on a program if its group may execute it (fs/exec.c, bprm_fill_uid()).
 * On a directory it gives no rights.
 */
enum exposed open_place_exposes(const struct open_place *x, mode_t mode, bool capability)
{
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return x->devices ? EXPOSED_DEVICE : EXPOSED_NOTHING;
	if (!x->programs || !S_ISREG(mode))
		return EXPOSED_NOTHING;
	if (mode & S_ISUID)
		return EXPOSED_SET_UID;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return EXPOSED_SET_GID;
	return capability ? EXPOSED_CAPABILITY : EXPOSED_NOTHING;
}

int open_place_refuse(
	const struct exposed_tree *t, enum exposed what, const char *path, struct err *e)
{
	static const struct {
		const char *is, *why;
	} texts[] = {
		[EXPOSED_NOTHING] = { "is", "" },
		[EXPOSED_SET_UID] = { "is set-uid",
			"a user who runs it gets the rights of its owner" },
		[EXPOSED_SET_GID] = { "is set-gid",
			"a user who runs it gets the rights of its group" },
		[EXPOSED_CAPABILITY] = { "has file capabilities", "a user who runs it gets these" },
		[EXPOSED_DEVICE] = { "is a device",
			"users open it as its mode in the image says, whatever the mode of that "
			"device in /dev is" },
	};
	const char *name = strrchr(t->path, '/') + 1;
	int parent = (int)(name - t->path), r; /* including the slash */
	char mode[32] = "700";

	if (geteuid() != 0 || userns_is_nested()) {
		log_warn("'%s' %s, and other users can reach '%s': %s", path, texts[what].is,
			t->path, texts[what].why);
		return 0;
	}
	r = err_say(
		e, EPERM, path, "%s, and other users could reach '%s'", texts[what].is, t->path);
	err_why(e, "%s%s", texts[what].why,
		t->was_closed ? "; the new tree has the image's mode, not that of the directory "
				"which it replaces" :
				"");
	if (t->group != 0 && t->group != REACHABLE_NO_GROUP)
		(void)snprintf(mode, sizeof(mode), "710 -g %u", t->group); /* fits */
	err_try(e,
		"install -d -m %s '%.*sclosed', and the same command with %s '%.*sclosed/%s'; or "
		"--public, if other users are meant to reach it",
		mode, parent, t->path, t->option, parent, t->path, name);
	return r;
}
