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

/*
 * The image's layer directories as absolute paths, topmost first, and (specs may be NULL) the mtree
 * specification of each, in the same order. -ENOENT names the images that there are. The layers
 * stay until store_close(), whoever prunes.
 */
int store_image_layers(
	struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e);

/*
 * Open a layer's directory (O_PATH), or a specification for reading, by its path as above: in the
 * store that was opened.
 */
int store_open_layer(const struct store *s, const char *path, int *ret_fd, struct err *e);
int store_open_spec(const struct store *s, const char *path, int *ret_fd, struct err *e);

/*
 * May this be an image's name? One path component of [A-Za-z0-9._+:@=~%-], no leading dot or dash.
 */
int store_name_check(const char *name, struct err *e);

/* The names of all images, sorted. */
int store_images(struct store *s, struct strv *ret, struct err *e);

/* What is known of a layer beside its files. */
struct store_layer {
	char *dir;               /* its name below layers/ */
	uint64_t entries, bytes; /* in the archive; file data */
	bool root_opaque;        /* no layer below it is seen */
};

struct store_image {
	char *name;
	struct digest manifest, config; /* of the documents */
	char *created, *os, *arch;      /* as the config says; "" when it does not */
	VEC(struct store_layer) layers; /* topmost first */
};

int store_image_read(struct store *s, const char *name, struct store_image *ret, struct err *e);
void store_image_done(struct store_image *i);

/* Remove an image at once; its layers stay until they are pruned. -ENOENT as above. */
int store_remove(struct store *s, const char *name, struct err *e);

/* Where an image is mounted. Zero-initialise, free with store_mount_done(). */
struct store_mount {
	struct buf target; /* as a process of its namespace reaches it */
	pid_t pid;         /* of such a process; 0: it is our namespace */
	char command[32];  /* that process's name */
};

/*
 * Is the image mounted, as far as mount_info_all_namespaces() sees, in a mount namespace of ours,
 * of root's or of the store owner's? 1 and the first mount, 0, or -errno. A mount is of the image
 * if it says so (image:NAME) and if its layers, where the kernel tells them, are not those of
 * another store.
 */
int store_find_mount(
	const struct store *s, const char *image, struct store_mount *ret, struct err *e);
void store_mount_done(struct store_mount *m);

/* err_why() where it is, and err_try() what to do. */
void store_mount_explain(const struct store_mount *m, const char *why, struct err *e);

/*
 * The first part of store_prune(): take its lock, kept until that has ended or store_close(), and
 * look for mounted layers. Whoever enters a user namespace before it prunes does this before, since
 * from there the mounts of others cannot be seen.
 */
int store_prune_begin(struct store *s, struct err *e);

/*
 * Remove the layers that no image names and that are not mounted (as far as
 * mount_info_all_namespaces() sees), calling fn (may be NULL) with each, and what dead processes
 * left. Waits for those who use layers. With dry_run only fn is called. -EBUSY: an image's mount
 * does not tell its layers.
 */
int store_prune(struct store *s, bool dry_run, void (*fn)(const struct store_layer *l, void *arg),
	void *arg, struct err *e);

#endif
