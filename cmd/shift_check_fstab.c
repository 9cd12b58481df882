/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check list: warn about mounts that lack the map of their line in the fstab. */

#include "shift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/base/compat.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/mount/info.h"
#include "../lib/mount/table_type.h"
#include "../lib/mount/via_libmount.h"

struct fstab_search {
	const char *fstab, *below;
};

/* Is a mount there that has no map? The layers of an overlay have the maps, and not the overlay. */
static bool lacks_map(const char *target, const char *below)
{
	scoped_mount_info struct mount_info info = { .id = -1 };
	scoped_buf struct buf real = BUF_INIT;
	scoped_fd int fd = -1;
	struct statx stx;

	if (path_open(target, O_PATH, "cannot open the target", NULL, &fd, NULL) < 0 ||
		statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE,
			&stx) < 0 ||
		!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	path_of_fd(fd, &real);
	if (!buf_get(&real) || !real.len ||
		(below && strcmp(real.data, below) != 0 && !path_below(real.data, below)))
		return false;
	return mount_info_get(fd, &info, NULL) == 0 && !info.mapped &&
		strcmp(info.type, "overlay") != 0;
}

static int check_line(const struct lm_line *l, void *arg)
{
	const struct fstab_search *s = arg;
	struct err e = ERR_INIT;

	if ((!l->map && !l->idmap) || !strcmp(l->type, "swap") || *l->target != '/' ||
		!lacks_map(l->target, s->below))
		return 0;
	if (l->number)
		(void)err_say(&e, EINVAL, l->target,
			"%s, line %u, specifies a map (%s), but the mount has none", s->fstab,
			l->number, l->options);
	else
		(void)err_say(&e, EINVAL, l->target,
			"%s specifies a map (%s), but the mount has none", s->fstab, l->options);
	if (l->idmap)
		err_try(&e,
			"unmount it, and mount it with shiftbox mount-idmapped -a: mount(8) "
			"before util-linux 2.39 ignores X-mount.idmap=");
	else
		err_try(&e, "unmount it, and write %s: mount(8) binds without the map",
			table_type_is_own(l->type) ?
				"the line without bind or rbind" :
				"the line with the type shiftbox, without bind");
	log_warn_err(&e);
	return 0;
}

void check_fstab_maps(const char *below)
{
	struct fstab_search s = { .below = below };

	/* Without libmount, or a file that can be read, nothing is known about lines. */
	if (lm_fstab_path(&s.fstab, NULL) == 0)
		(void)lm_fstab(s.fstab, NULL, check_line, &s, NULL);
}
