/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_MSTACK_WRITE_H
#define IMAGE_MSTACK_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../store/store.h"

struct mstack_written {
	char *dir; /* absolute; the caller frees it */
	size_t layers;
	bool replaced; /* an earlier one */
};

/*
 * Write the stack of a stored image as a directory NAME.mstack of systemd.mstack(7): a symbolic
 * link layer@NNN for each layer, lowest first, by the relative path of the layer in the store. The
 * directory appears complete, by one rename, with mode 0755. One that exists is replaced if it is
 * empty, or holds nothing but such links; else -ENOTEMPTY. With dry_run, only check that. -EINVAL:
 * a layer has marks that only a mount without userxattr reads (layer/layer_reform.h). Other errors:
 * those of store_image_layers() and publish_dir_find(); a usage error if dir does not end in
 * .mstack.
 */
MUST_CHECK int mstack_write(struct store *s, const char *image, const char *dir, bool dry_run,
	struct mstack_written *ret, struct err *e);

#endif
