/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"

/*
 * The store: layers/ (one directory per layer, shared by images), images/NAME/ (the image's
 * documents and the list of its layers, topmost first), tmp/ (staging), and podman/ with
 * podman-layers/ (podman.h) and podman-maps (podman_maps.h). See image-unpack(8), STORE.
 *
 * A layer that depends on nothing in the layers below it looks the same in every image and is named
 * sha256-DIFF_ID. A layer may depend on lower layers: for the owner of a parent directory that it
 * does not list, for the content of a file to which it has a hard link, or for the names that an
 * opaque directory hides. These dependencies are stored in NAME.lower (layer/layer.h). Above lower
 * layers that do not satisfy them, the layer is unpacked again as sha256-DIFF_ID.HASH, where HASH
 * is the first 16 digits of the SHA-256 of its dependencies. NAME.mtree holds a layer's
 * specification, NAME.json its number of entries and bytes, whether its root is opaque, and that it
 * has no marks of opaque directories (layer/layer_hide.h). Layers that have such marks are of the
 * same format: a program that knows one form can mount, check and remove the other.
 *
 * The directory of a layer is renamed into place after these files: if it exists, all are complete.
 * If podman has the layer, layers/NAME is a link to the directory (mount/stored_layer.h); then
 * STORE/format is 2.
 *
 * Locks, in the order in which they are acquired; a lock ends with its process:
 *   layers    shared while layers must not disappear: by an unpack from before it looks for layers
 *             until its image lists them, by store_image_layers() until store_close(). Exclusive
 *             for --prune.
 *   images    exclusive while names are changed, shared while images are read; held briefly.
 *   tmp/ANY   as long as the process that stages there runs (tempdir.h).
 * Each of the first two consists of a lock outside of the store and a mark in tmp/ (base/lock.h).
 * Only the store's owner can hold it, and no reader of a mapped view of the store can. Processes
 * that do not share /run see each other's marks. Versions that locked the directories themselves
 * are not waited for.
 */
struct store;
struct store_base;

enum store_flags { STORE_CREATE = 1, STORE_WOULD_CREATE = 2, STORE_PUBLIC = 4 };

/*
 * Open the store at path. NULL is the default: /var/lib/shiftbox for root, $XDG_DATA_HOME/shiftbox
 * for other users. -EPERM if it belongs to another user, or if other users can traverse it: it
 * contains set-uid files of disk id 0. A store with a base (store_base.h) may be traversable on a
 * nosuid mount. -ENOENT if there is no store and flags lack STORE_CREATE.
 */
MUST_CHECK int store_open(const char *path, unsigned flags, struct store **ret, struct err *e);

/*
 * Open a store to unpack into, with this base (store_base.h). NULL keeps the store's own base, or
 * none. STORE_CREATE makes a store that does not exist. STORE_WOULD_CREATE changes nothing, fails
 * where STORE_CREATE would, and returns -ENOENT for a store that would be made. Further errors:
 * -EEXIST if the store has another base, -ENOTEMPTY if it has layers and no base. A new store is
 * closed to other users; STORE_PUBLIC opens one that has a base to them (-EPERM if its mount is
 * not nosuid).
 */
MUST_CHECK int store_open_base(const char *path, unsigned flags, const struct store_base *base,
	struct store **ret, struct err *e);

/* Release the locks that the store holds, and free it. s may be NULL. */
void store_close(struct store *s);

static inline void cleanup_store(struct store **s)
{
	store_close(*s);
}

#define scoped_store __attribute__((cleanup(cleanup_store)))

/* The absolute path of the store; belongs to the store. */
const char *store_path(const struct store *s);

/*
 * stat(2) of layers/, so that code that later opens the directory by its path can check that it is
 * still the same one.
 */
MUST_CHECK int store_stat_layers(const struct store *s, struct stat *ret, struct err *e);

#endif
