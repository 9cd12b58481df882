/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OVERLAY_LAYERS_H
#define MOUNT_OVERLAY_LAYERS_H

/*
 * Call fn with each lower directory in the options of an overlay as the kernel shows them, topmost
 * first, until it returns something else than 0, which is then returned. -ENOMEM. A name is the
 * path that it had within its mount, or the word of whoever mounted the overlay: it need not lead
 * there from anywhere.
 */
int overlay_layers_each(const char *options, int (*fn)(const char *dir, void *arg), void *arg);

#endif
