/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_links: check the paths of a plan for symbolic links that are not followed. */

#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/path.h"

/* Ignore other errors: a missing path may exist once other lines are mounted. */
static int only_links(int r, const struct err *found, struct err *e)
{
	if (r != -ELOOP || strcmp(found->op, "link"))
		return 0;
	*e = *found;
	return r;
}

static int look(const char *path, const char *what, struct err *e)
{
	struct err found = ERR_INIT;
	scoped_fd int fd = -1;

	return only_links(path_open(path, O_PATH, what, NULL, &fd, &found), &found, e);
}

static int look_for_place(const char *path, bool follow, const char *what, struct err *e)
{
	scoped_place struct place at = PLACE_INIT;
	struct err found = ERR_INIT;

	return path ? only_links(path_find(path, follow, what, &at, &found), &found, e) : 0;
}

int mount_plan_check_links(const struct mount_plan *p, struct err *e)
{
	int r = p->kind == MOUNT_OVERLAY ? 0 : look(p->source, "cannot open the source", e);

	for (size_t i = 0; i < p->layers.len && r == 0; i++)
		r = look(p->layers.items[i].dir, "cannot open a layer", e);
	if (r == 0)
		r = look_for_place(p->upper, false, "cannot find the upper directory", e);
	if (r == 0)
		r = look_for_place(p->work, false, "cannot find the work directory", e);
	return r == 0 ? look_for_place(p->target, p->follow, "cannot find the target", e) : r;
}
