/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upper_stale: find out whether an upper belongs to its layers and to its work directory. */

#include "upper_stale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "overlay_settings.h"

/*
 * struct ovl_fb (fs/overlayfs/overlayfs.h), as it is stored: version, magic, length, flags, type of
 * the handle, 16 bytes of the filesystem's UUID, then the handle.
 */
enum { FB_TYPE = 4, FB_HANDLE = 21, FB_MAX = FB_HANDLE + MAX_HANDLE_SZ };

struct handle_space {
	struct file_handle h;
	unsigned char room[MAX_HANDLE_SZ];
};

/* Does the mark name of marked, or of marked/child, refer to another file than fd? */
static bool refers_elsewhere(int marked, const char *child, const char *name, int fd)
{
	struct handle_space have = { .h = { .handle_bytes = MAX_HANDLE_SZ } };
	unsigned char mark[FB_MAX];
	char path[32 + 8], opened[32];
	ssize_t n;
	int mount;

	(void)snprintf(path, sizeof(path), "%s/%s", fd_proc_path(marked, opened), child); /* fits */
	n = lgetxattr(path, name, mark, sizeof(mark));
	if (n <= FB_HANDLE || name_to_handle_at(fd, "", &have.h, &mount, AT_EMPTY_PATH) < 0)
		return false;
	return mark[FB_TYPE] != (unsigned char)have.h.handle_type ||
		(size_t)n - FB_HANDLE < have.h.handle_bytes ||
		memcmp(mark + FB_HANDLE, have.h.f_handle, have.h.handle_bytes) != 0;
}

struct upper_marks upper_marks_read(const struct upper *u, int lower, bool userxattr)
{
	const char *origin = userxattr ? "user.overlay.origin" : "trusted.overlay.origin";
	const char *upper = userxattr ? "user.overlay.upper" : "trusted.overlay.upper";

	return (struct upper_marks){
		.other_layer = refers_elsewhere(u->upper, ".", origin, lower),
		.other_upper = refers_elsewhere(u->work, "index", upper, u->upper),
	};
}

void upper_stale_explain(const struct mount_plan *p, struct upper_marks m, struct err *e)
{
	static const char off[] =
		"-o index=off mounts it without this check; hard links of the layers then break "
		"when one of their names is changed";

	if (m.other_layer) {
		err_why(e,
			"the upper '%s' was made over another layer than '%s', by its mark "
			"trusted.overlay.origin, and with index=on OverlayFS requires that layer",
			p->upper, p->layers.items[0].dir);
		err_try(e,
			"use the upper with the layers that it was made over, or a new upper; %s",
			off);
	} else if (m.other_upper) {
		err_why(e,
			"the work directory '%s' has the index of another upper: '%s' or the work "
			"directory was copied or restored, and with index=on OverlayFS requires "
			"the original",
			p->work, p->upper);
		err_try(e, "name a new work directory: work=DIR; or %s", off);
	} else {
		err_why(e,
			"with index=on, OverlayFS requires that the upper '%s', its work directory "
			"and the layers are those that were mounted together first",
			p->upper);
		err_try(e, "%s", off);
	}
}

void upper_stale_warn(const struct mount_plan *p, struct upper_marks m)
{
	if (m.other_layer)
		log_warn("'%s': the upper was made over another layer than '%s', by its mark "
			 "overlay.origin: what is seen may be a mixture; try: the layers that it "
			 "was made over, or a new upper",
			p->upper, p->layers.items[0].dir);
}

int upper_stale_check(const struct mount_plan *p, struct err *e)
{
	scoped_fd int upper = -1, work = -1, lower = -1;
	struct upper_marks m;

	if (p->upper_kind != UPPER_DIR ||
		path_open(p->upper, O_PATH | O_DIRECTORY, "", NULL, &upper, NULL) < 0 ||
		path_open(p->work, O_PATH | O_DIRECTORY, "", NULL, &work, NULL) < 0 ||
		path_open(p->layers.items[0].dir, O_PATH | O_DIRECTORY, "", NULL, &lower, NULL) < 0)
		return 0;
	m = upper_marks_read(&(struct upper){ .upper = upper, .work = work }, lower, p->userxattr);
	if (!overlay_settings_index(p)) {
		upper_stale_warn(p, m);
		return 0;
	}
	if (!m.other_layer && !m.other_upper)
		return 0;
	(void)err_set(e, ESTALE, p->source, "cannot stack the layers");
	upper_stale_explain(p, m, e);
	return -ESTALE;
}
