/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device_steps: what mounting a filesystem will do, as sentences. */

#include "device.h"

#include <errno.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/sys.h"
#include "exposure.h"

static int add_step(struct strv *v, struct buf *b, struct err *e)
{
	int r = buf_get(b) && strv_add(v, buf_get(b)) == 0 ? 0 : err_nomem(e);

	buf_reset(b);
	return r;
}

static int loop_step(const struct mount_plan *p, const struct device *d, struct strv *ret,
	struct buf *b, struct err *e)
{
	buf_printf(
		b, "attach '%s' to a loop device%s", p->source, d->read_only ? ", read-only" : "");
	if (p->offset)
		buf_printf(b, ", from byte %llu on", (unsigned long long)p->offset);
	if (p->sizelimit)
		buf_printf(b, ", %llu bytes of it", (unsigned long long)p->sizelimit);
	return add_step(ret, b, e);
}

/* A filesystem is not mounted, since its driver may write to the device, or ask a server. */
static const char unknown[] = " (only mounting it shows whether its driver accepts it)";
static const char unknown_map[] = " (only mounting it shows whether its driver accepts it, and "
				  "whether the map suits its owners)";

int device_steps(
	const struct mount_plan *p, struct mount_flags *flags, struct strv *ret, struct err *e)
{
	scoped_device struct device d = DEVICE_INIT;
	scoped_buf struct buf b = BUF_INIT;
	bool sure = false;
	int r = device_open(p, &d, e);

	/* Lines of a table may be waiting for others. */
	if (r == -ENOENT && p->kind == MOUNT_FS) {
		if (e)
			*e = ERR_INIT;
		buf_printf(&b, "mount the filesystem of '%s', which is not there yet: ", p->source);
		mount_map_print_words(&p->map, &b);
		return add_step(ret, &b, e);
	}
	if (r == 0 && d.needs_loop)
		r = loop_step(p, &d, ret, &b, e);
	if (r < 0)
		return r;
	r = exposure_check_device(p, &d, NULL, e);
	if (r == 0)
		r = device_trial(p, &d, &sure, e);
	if (r < 0)
		return r;
	buf_printf(&b, "mount the filesystem (%s) of '%s'", d.type, p->source);
	if (d.path && strcmp(d.path, p->source))
		buf_printf(&b, ", which is %s", d.path);
	if (d.read_only) {
		buf_str(&b, ", read-only");
		flags->set |= MOUNT_ATTR_RDONLY;
	}
	if (p->fs_options.len) {
		buf_str(&b, ", with ");
		mount_fs_options_print(p->fs_options.items, p->fs_options.len, &b);
	}
	buf_str(&b, ": ");
	mount_map_print_words(&p->map, &b);
	if (!sure)
		buf_str(&b, p->map.wish == MAP_SET ? unknown_map : unknown);
	r = add_step(ret, &b, e);
	if (r < 0 || !p->subdir)
		return r;
	buf_printf(&b, "take of it the directory '%s' alone", p->subdir);
	return add_step(ret, &b, e);
}
