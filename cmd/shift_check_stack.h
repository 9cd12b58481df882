/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_SHIFT_CHECK_STACK_H
#define CMD_SHIFT_CHECK_STACK_H

#include <stdbool.h>

#include "../lib/base/vec.h"
#include "../lib/check/known_stack.h"
#include "../lib/check/mount_map.h"
#include "../lib/store/store.h"

/*
 * The struct known_stack of verify is all zeros for an overlay without a record, except for the map
 * if its layers are on mounts with one map.
 */

/*
 * Open a path of the command line (O_PATH), as path_open() does; "/proc/PID/root" at its start is
 * the root directory of that process, which any user may own.
 */
MUST_CHECK int check_open(const char *path, int *ret_fd, struct err *e);

/*
 * Find out what is known about the overlay that fd (O_PATH) is on: its record, or the map of the
 * mount that its layers are on by their names, unless a map is given (-m). The caller
 * initialises ret with zeros and frees it with known_stack_done(). Returns 0 or -errno.
 */
MUST_CHECK int check_stack_look(int fd, bool given, struct known_stack *ret, struct err *e);

/*
 * Report that there is nothing to compare path, on a mount of this kind, with. k: of an overlay.
 * Returns -EINVAL with e filled.
 */
MUST_CHECK int check_side_missing(
	const struct known_stack *k, const char *path, enum mount_map_kind kind, struct err *e);

/*
 * Get the map from the disk side to the seen side: from the ids of the image if store is not NULL,
 * else from the disk ids of the layers. given: the caller has specified a map. Returns 1 if *ret is
 * set, 0 if the map is not known (or, with one that was given, not comparable), or -errno.
 */
MUST_CHECK int check_stack_map(const struct known_stack *k, const struct store *store, bool given,
	struct idmap *ret, struct err *e);

/*
 * Check that these layers of an image, topmost first, are those of the stack. Returns 0, or -ESTALE
 * with e filled.
 */
MUST_CHECK int check_stack_layers(
	const struct known_stack *k, const char *image, const struct strv *layers, struct err *e);

/*
 * Report that the map of path is not known; why is NULL or the reason. Returns -EINVAL with e
 * filled.
 */
MUST_CHECK int check_map_missing(
	const char *path, enum mount_map_kind kind, const char *why, struct err *e);

/*
 * Report that only a part of the map of path, has, can be read. Returns -ENODATA or -ENOMEM, with e
 * filled.
 */
MUST_CHECK int check_map_part(const char *path, const struct idmap *has, struct err *e);

/*
 * Check that the disk ids in the map of the mount that fd (path) is on are numbers of the caller's
 * user namespace, since the ids of a directory to compare with are. Returns 0, or -ENODATA with e
 * filled if they are other numbers, or if that is not known.
 */
MUST_CHECK int check_map_numbers(int fd, const char *path, struct err *e);

/*
 * For explain: open the store of the stack that path is on, and append the layers of its image to
 * ret, topmost first, if both are known and the caller may read them. If not, ret stays empty.
 * Returns 0 or -ENOMEM.
 */
MUST_CHECK int check_stack_open_layers(
	const char *path, struct store **ret_store, struct strv *ret, struct err *e);

#endif
