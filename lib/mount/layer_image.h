/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_LAYER_IMAGE_H
#define MOUNT_LAYER_IMAGE_H

#include "../base/err.h"
#include "plan.h"

/* Layers of a stack that are filesystems in files or on devices (struct mount_layer, image). */

/*
 * Mount the filesystem in source (O_PATH), which is layer i of the plan: detached, read-only and
 * with the map of the layer. A file is attached to a loop device, which frees itself. Errors:
 * those of device_open() and device_mount() of device.h.
 */
MUST_CHECK int layer_image_mount(
	const struct mount_plan *p, size_t i, int source, int *ret_mnt, struct err *e);

/* Is a layer of the plan an image? */
bool layer_images(const struct mount_plan *p);

/* For a dry run: open all layers, and probe the images. No loop device is attached. */
MUST_CHECK int layer_images_try(const struct mount_plan *p, struct err *e);

#endif
