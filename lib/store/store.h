/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../tar/digest.h"

/*
 * The store: layers/ (one directory per layer, shared by images), images/NAME/ (which layers,
 * topmost first), tmp/ (staging). See image-unpack(8), STORE.
 *
 * A layer that asked nothing of the layers below it is the same under every image and is named
 * sha256-DIFF_ID. One that did ask (whose owner does an unlisted parent directory have, what is in
 * a file that is hard-linked) has the answers in a file of its own, NAME.lower; on top of other
 * layers with other answers it is unpacked again, as sha256-DIFF_ID.HASH, HASH being the first 16
 * digits of the SHA-256 of the answers. NAME.mtree and NAME.json (entries, bytes, root_opaque) lie
 * beside.
 *
 * A layer's directory is renamed into place last: where there is one, it and its files are whole.
 *
 * Locks, in the order in which they are taken; none outlives its process:
 *   layers    shared by whoever relies on layers staying (an unpack, from before it looks for
 * layers until its image names them; store_image_layers, until store_close); exclusive: --prune.
 *   images    exclusive while names are changed, shared while --prune reads them all: moments.
 *   tmp/ANY   for the life of the process that stages there (tempdir.h).
 * Each of the first two is a lock outside of the store and a mark in tmp/ (base/lock.h): no user
 * but the store's own, and no reader of a mapped view of it, can hold it; processes that do not
 * share /run with each other see the marks. Older programs locked the directories themselves, and
 * are not waited for.
 */
struct store;
struct store_base;

enum store_flags { STORE_CREATE = 1, STORE_WOULD_CREATE = 2, STORE_PUBLIC = 4 };

/*
 * Open path, or the default for NULL: /var/lib/shiftbox for root, $XDG_DATA_HOME/shiftbox for
 * others. Refused (-EPERM) when it is not ours, or when others can traverse it: it holds set-uid
 * files of disk id 0. With a base (store_base.h) others may, on a mount that is nosuid. Without
 * STORE_CREATE a store that is not there is -ENOENT.
 */
int store_open(const char *path, unsigned flags, struct store **ret, struct err *e);

/*
 * Open a store to unpack into, with this base (store_base.h; NULL: the one it has, or none).
 * STORE_CREATE makes it where there is none; STORE_WOULD_CREATE changes nothing, refuses what
 * STORE_CREATE would refuse, and answers -ENOENT for a store still to be made. Beyond the errors
 * above -EEXIST, -ENOTEMPTY: it has another base, or layers without one. What is made is closed to
 * others; with STORE_PUBLIC, for a store with a base, they are let in (-EPERM if the mount is not
 * nosuid).
 */
int store_open_base(const char *path, unsigned flags, const struct store_base *base,
	struct store **ret, struct err *e);

void store_close(struct store *s);

static inline void cleanup_store(struct store **s)
{
	store_close(*s);
}

#define scoped_store __attribute__((cleanup(cleanup_store)))

const char *store_path(const struct store *s);

/*
 * stat(2) of the directory that the layers are in: whoever opens it by its path again can tell
 * whether it is still the same.
 */
int store_stat_layers(const struct store *s, struct stat *ret, struct err *e);

#endif
