/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shift-check: report maps that look swapped, and trees that look shifted already. */

#include "shift_check.h"

#include <sys/stat.h>

#include "../lib/base/log.h"
#include "../lib/explain/explain.h"
#include "../lib/idmap/map_fit.h"

static bool worth_saying(enum map_fit fit)
{
	return fit == MAP_SWAPPED || fit == MAP_SHIFTED;
}

void check_misfit_warn(int disk, const struct idmap *map, const char *path)
{
	struct err misfit = ERR_INIT;
	struct stat st;

	if (fstat(disk, &st) == 0 &&
		worth_saying(map_fit_owner(map, st.st_uid, st.st_gid, path, &misfit)))
		log_warn_err(&misfit);
}

void check_misfit_put(struct out *o, const struct explanation *x)
{
	const size_t mount = explain_file(x)->mount;
	const struct explain_mount *m = &x->mounts.items[mount];
	const struct explain_inode *top = NULL;
	scoped_buf struct buf b = BUF_INIT;
	struct err misfit = ERR_INIT;

	for (size_t i = 0; i < x->inodes.len && !top; i++)
		if (x->inodes.items[i].mount == mount)
			top = &x->inodes.items[i];
	if (!top || m->kind != MOUNT_MAP_KNOWN || top->how == DISK_UNKNOWN ||
		!worth_saying(
			map_fit_owner(&m->map, top->facts.uid, top->facts.gid, top->path, &misfit)))
		return;
	log_err_words(&misfit, &b);
	if (!buf_get(&b))
		return;
	out_str(o, "misfit", buf_get(&b));
	out_safe_line(o, "  %-11s %s", "note", buf_get(&b));
}
