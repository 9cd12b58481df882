/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layer_image: layers that are images of filesystems. */

#include "layer_image.h"

#include <fcntl.h>

#include "../base/path.h"
#include "../base/sys.h"
#include "device.h"

/* The plan of mounting layer i by itself. It borrows from p. */
static struct mount_plan plan_of(const struct mount_plan *p, size_t i, int source)
{
	return (struct mount_plan){
		.kind = MOUNT_FS,
		.source = p->layers.items[i].dir,
		.target = p->target,
		.source_open = true,
		.source_fd = source,
		.map = *mount_plan_layer_map(p, i),
		.flags = { .set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE },
	};
}

int layer_image_mount(const struct mount_plan *p, size_t i, int source, int *ret_mnt, struct err *e)
{
	const struct mount_plan image = plan_of(p, i, source);
	scoped_device struct device d = DEVICE_INIT;
	int r = device_open(&image, &d, e);

	return r == 0 ? device_mount(&image, &d, ret_mnt, e) : r;
}

bool layer_images(const struct mount_plan *p)
{
	for (size_t i = 0; i < p->layers.len; i++)
		if (p->layers.items[i].image)
			return true;
	return false;
}

static int try_layer(const struct mount_plan *p, size_t i, struct err *e)
{
	scoped_device struct device d = DEVICE_INIT;
	struct mount_plan image;
	scoped_fd int fd = -1;
	bool sure;
	int r = path_open(p->layers.items[i].dir, O_PATH, "cannot open the layer", NULL, &fd, e);

	if (r < 0 || !p->layers.items[i].image)
		return r;
	image = plan_of(p, i, fd);
	r = device_open(&image, &d, e);
	return r == 0 ? device_trial(&image, &d, &sure, e) : r;
}

int layer_images_try(const struct mount_plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->layers.len && r == 0; i++) {
		r = try_layer(p, i, e);
		if (r < 0)
			err_prefix(e, "layer %zu of %zu", i + 1, p->layers.len);
	}
	return r;
}
