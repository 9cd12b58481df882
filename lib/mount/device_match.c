/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device_match: is a mount one of the filesystem that a plan names? */

#include "device.h"

#include <errno.h>
#include <linux/major.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/buf.h"
#include "../base/fd.h"
#include "../base/path.h"
#include "loop.h"
#include "via_libblkid.h"

static const char *option_value(const struct mount_plan *p, const char *name)
{
	for (size_t i = 0; i < p->fs_options.len; i++)
		if (!strcmp(p->fs_options.items[i].name, name) && p->fs_options.items[i].value)
			return p->fs_options.items[i].value;
	return NULL;
}

/*
 * The directory "/subvol/dir" in the form of table_path(). The default subvolume of a btrfs is
 * unknown.
 */
static bool same_root(const struct mount_plan *p, const struct mount_info *there)
{
	const char *subvol = option_value(p, "subvol"), *root = there->root;
	scoped_buf struct buf b = BUF_INIT;
	const char *parts[] = { subvol ? subvol : "", p->subdir ? p->subdir : "" };
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (const char *s = parts[i]; *s;) {
			size_t len = strcspn(s, "/");

			if (len && !(len == 1 && *s == '.')) {
				buf_char(&b, '/');
				buf_add(&b, s, len);
			}
			s += len;
			s += *s == '/';
		}
	}
	if (!b.len)
		buf_str(&b, strcmp(there->type, "btrfs") || subvol ? "/" : "");
	if (!buf_get(&b))
		return false;
	n = strlen(root);
	if (!strcmp(there->type, "btrfs") && !subvol)
		return n >= b.len && !strcmp(root + n - b.len, buf_get(&b));
	return !strcmp(root, buf_get(&b));
}

static bool same_source(const struct mount_plan *p, const struct mount_info *there, int there_fd)
{
	const struct loop_part part = { .offset = p->offset, .sizelimit = p->sizelimit };
	scoped_free char *found = NULL;
	const char *source = p->source;
	struct stat st, root, dev;
	char opened[32];

	if (!device_is_needed(p))
		return !strcmp(there->source, p->source) && !strcmp(there->type, p->type);
	if (blk_is_tag(source)) {
		if (blk_find(source, &found, NULL) < 0)
			return false;
		source = found;
	} else if (p->source_open) {
		source = fd_proc_path(p->source_fd, opened);
	}
	if (found ? path_stat(found, true, &st) < 0 : mount_plan_stat(p, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode) || p->loop || part.offset || part.sizelimit)
		return loop_shows(there->source, &st, &part);
	if (fstat(there_fd, &root) == 0 && root.st_dev == st.st_rdev)
		return true;
	if (path_stat(there->source, true, &dev) == 0 && S_ISBLK(dev.st_mode) &&
		dev.st_rdev == st.st_rdev)
		return true;
	/* mount(8) attaches files to loop devices before it calls its helper. */
	return loop_same(there->source, source);
}

bool device_is_mounted(const struct mount_plan *p, const struct mount_info *there, int there_fd)
{
	return same_root(p, there) && same_source(p, there, there_fd);
}

/*
 * Is the source of the mount this device? For filesystems without a device number of their own
 * (btrfs).
 */
static bool source_is(const struct mount_info *there, dev_t rdev)
{
	struct stat st;

	return !strncmp(there->source, "/dev/", 5) && path_stat(there->source, true, &st) == 0 &&
		S_ISBLK(st.st_mode) && st.st_rdev == rdev;
}

/*
 * The loop device of a mount. The source is any text, so the device number is used if there is one.
 */
static bool loop_of(const struct mount_info *there, struct loop_path *ret)
{
	if (major(there->dev) == LOOP_MAJOR)
		(void)snprintf(
			ret->text, sizeof(ret->text), "/dev/loop%u", minor(there->dev)); /* fits */
	else if (!major(there->dev) && !strncmp(there->source, "/dev/loop", 9) &&
		strlen(there->source) < sizeof(ret->text))
		(void)snprintf(
			ret->text, sizeof(ret->text), "%s", there->source); /* fits: checked */
	else
		return false;
	return true;
}

bool device_shows(
	const struct mount_plan *p, const struct device *d, const struct mount_info *there)
{
	const struct loop_part part = { .offset = p->offset, .sizelimit = p->sizelimit };
	struct loop_path loop;

	if (d->fd < 0) /* each mount of tmpfs and its like is a new filesystem */
		return strcmp(d->type, "tmpfs") && strcmp(d->type, "ramfs") &&
			strcmp(d->type, "hugetlbfs") && !strcmp(there->type, d->type) &&
			!strcmp(there->source, p->source);
	if (d->needs_loop)
		return loop_of(there, &loop) && loop_shows(loop.text, &d->st, &part);
	if (there->dev == d->st.st_rdev || (!major(there->dev) && source_is(there, d->st.st_rdev)))
		return true;
	/* mount(8) attaches files to loop devices before it calls its helper. */
	return d->path && major(d->st.st_rdev) == LOOP_MAJOR && loop_of(there, &loop) &&
		loop_same(loop.text, d->path);
}
