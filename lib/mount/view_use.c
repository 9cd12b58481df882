/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view_use: find the overlays that have layers in views. */

#include "view_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/log.h"
#include "../base/path.h"
#include "info_all.h"
#include "overlay_options.h"
#include "uncovered.h"

struct use_search {
	struct view_uses *uses;
	const struct mntns *ns;
	bool known;
	uid_t uid;
};

static int add_dir(const struct overlay_dir *dir, void *arg)
{
	const struct use_search *s = arg;
	struct view_use use = {
		.ours = s->ns->ours, .known = s->known, .uid = s->uid, .pid = s->ns->pid
	};

	if (dir->kind == OVERLAY_UPPER || dir->path[0] != '/')
		return 0;
	(void)snprintf(use.command, sizeof(use.command), "%s", s->ns->command); /* same size */
	use.dir = strdup(dir->path);
	if (use.dir && VEC_ADD(&s->uses->items, use) == 0)
		return 0;
	free(use.dir);
	return -ENOMEM;
}

static int look(const struct mount_info *i, const struct mntns *ns, void *arg)
{
	struct use_search *s = arg;

	if (!i) {
		log_verbose("the mounts of process %d cannot be read: containers there are not "
			    "seen",
			(int)ns->pid);
		return 0;
	}
	if (strcmp(i->type, "overlay") != 0)
		return 0;
	s->ns = ns;
	s->uid = 0;
	s->known = ns->ours || mntns_owner(ns, &s->uid);
	return overlay_dirs_each(i->options, add_dir, s);
}

static int read_all(struct view_uses *u, struct err *e)
{
	struct use_search s = { .uses = u };
	int r = mount_info_all_namespaces(look, &s, e);

	if (r == -ENOMEM)
		return err_nomem(e);
	u->read = r == 0;
	return r;
}

/* Returns false if it cannot be found out; then the overlays of all users count. */
static bool find_user(const char *target, uid_t *ret)
{
	scoped_free char *dir = strdup(target);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	scoped_fd int fd = -1;
	struct stat st;
	bool covered;

	if (!slash)
		return false;
	*slash = '\0';
	if (uncovered_open(*dir ? dir : "/", &fd, &covered, NULL) < 0 || covered ||
		fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret = st.st_uid;
	return true;
}

/* Do the mounts of this namespace count for a view of that user? */
static bool counts(const struct view_use *use, const uid_t *user)
{
	return !user || !use->known || use->uid == 0 || use->uid == *user;
}

/*
 * Another mount namespace may have another tree under the name of the view, or of the layer, such
 * as that of a system that is booted in a container. What cannot be looked at there counts as ours.
 * A name that another user than root chose is not looked up here: its filesystem may never answer.
 */
static bool is_other_tree(const struct view_use *use, const char *target)
{
	const char *path = path_below(use->dir, target) ? target : use->dir;
	bool roots = use->known && use->uid == 0;
	scoped_mntns struct mntns n = MNTNS_INIT;
	struct stat here, there;
	scoped_fd int own = -1, other = -1;

	if (use->ours || (path != target && !roots) ||
		path_open(path, O_PATH | O_DIRECTORY, "cannot look at it", NULL, &own, NULL) < 0 ||
		mntns_of_process(use->pid, &n) < 0)
		return false;
	other = mntns_open_path(&n, path, O_PATH | O_DIRECTORY, 0);
	return other >= 0 && fstat(own, &here) == 0 && fstat(other, &there) == 0 &&
		(there.st_dev != here.st_dev || there.st_ino != here.st_ino);
}

int view_uses_check(
	struct view_uses *u, const char *target, const struct view_layers *also, struct err *e)
{
	uid_t uid, *user = find_user(target, &uid) ? &uid : NULL;
	int r = u->read ? 0 : read_all(u, e);

	for (size_t i = 0; r == 0 && i < u->items.len; i++) {
		const struct view_use *use = &u->items.items[i];

		if ((!path_below(use->dir, target) && !also->is_one(use->dir, also->arg)) ||
			!counts(use, user) || is_other_tree(use, target))
			continue;
		r = err_set(e, EBUSY, target, "cannot unmount");
		err_op(e, "umount");
		err_why(e,
			"an overlay has its layers there, such as that of a container, in the "
			"mount namespace of process %d (%s)",
			(int)use->pid, use->command);
		err_try(e, "stop the container");
	}
	return r;
}

void view_uses_done(struct view_uses *u)
{
	for (size_t i = 0; i < u->items.len; i++)
		free(u->items.items[i].dir);
	VEC_DONE(&u->items);
	u->read = false;
}
