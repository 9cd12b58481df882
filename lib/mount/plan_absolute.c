/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan_absolute: refuse paths of a line that depend on the working directory. */

#include <errno.h>

#include "../base/cleanup.h"
#include "device.h"
#include "options.h"
#include "plan.h"
#include "via_libblkid.h"

static int relative(const char *path, const char *what, const char *remedy, struct err *e)
{
	(void)err_say(e, EINVAL, path, "%s of a line must be an absolute path", what);
	err_op(e, "plan");
	err_why(e, "in another working directory the line would mount other files");
	err_try(e, "%s", remedy);
	return -EINVAL;
}

/* Names of images, tags and sources of filesystems without a device are not paths. */
static bool source_is_path(const struct mount_plan *p)
{
	return p->kind == MOUNT_BIND ||
		(p->kind == MOUNT_FS && !blk_is_tag(p->source) && device_is_needed(p));
}

int mount_plan_check_absolute(
	const struct mount_plan *p, const struct mount_options *o, struct err *e)
{
	static const char whole[] = "write the whole path, beginning with /";
	const struct {
		const char *what, *path;
	} paths[] = { { "upper=", o->upper }, { "work=", o->work }, { "store=", o->store } };

	if (source_is_path(p) && p->source[0] != '/')
		return relative(p->source, "the source",
			"write the whole path, beginning with /, or image:NAME, LABEL=NAME and "
			"the like",
			e);
	for (size_t i = 0; i < o->lowers.len; i++)
		if (o->lowers.items[i].dir[0] != '/')
			return relative(o->lowers.items[i].dir, "lower=", whole, e);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (paths[i].path && paths[i].path[0] != '/')
			return relative(paths[i].path, paths[i].what, whole, e);
	return 0;
}
