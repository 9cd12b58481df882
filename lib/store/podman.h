/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_H
#define STORE_PODMAN_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "store.h"

/*
 * STORE/podman: the store in the layout of containers-storage, which podman, buildah and skopeo
 * read as an additional image store, and STORE/podman-layers, which says where its layers come
 * from.
 *
 * A layer is there under the id that podman gives it, which depends on all layers below it. Its
 * overlay/ID/diff is the very directory of the layer, and layers/NAME is a link to it
 * (mount/stored_layer.h), made by one exchange of the two names: podman does not accept a link for
 * diff, and hard links would be counted in every file that a mount of the image shows. A layer that
 * images have on different layers below has several ids; the directory belongs to the first one,
 * and the others are trees of their own: directories, and hard links to the other files. When that
 * first one goes, the directory moves back into layers/. As long as podman has a layer of it, a
 * layer of the store stays, too.
 *
 * The two indexes are replaced in one step, overlay-layers/layers.json before images are added and
 * after they are removed, so a reader finds all layers of the images that it has found. Layers stay
 * until --prune, because users may have containers and images of their own on them.
 *
 * Users see this directory through ID-mapped mounts, in which the files may be theirs. A user can
 * hold locks and leases on such files, so nothing here is locked, opened for writing after it was
 * published, or read by this program: fcntl(2), F_SETLEASE, stops each open(2) of a file for up to
 * 45 seconds.
 */

enum podman_why {
	PODMAN_GOOD,      /* podman can run and save the image */
	PODMAN_NO_SPLIT,  /* it can run it */
	PODMAN_BASE,      /* the ids in the store are not those of the image */
	PODMAN_USER,      /* the store belongs to a user, or was made in a user namespace */
	PODMAN_CUT,       /* a layer hides all below it, and these are not stored */
	PODMAN_DOCUMENTS, /* the documents are not those of an image that podman knows */
	PODMAN_OTHER,     /* podman's layer of this id was unpacked with other options */
	PODMAN_OLD,       /* its layers are not there, as in the store of an older version */
};

/* A text for users: "" for PODMAN_GOOD; static. */
const char *podman_why_text(enum podman_why why);

/* Can podman run the image? */
static inline bool podman_runs(enum podman_why why)
{
	return why == PODMAN_GOOD || why == PODMAN_NO_SPLIT;
}

/* Does the store have STORE/podman? Only a store of root's without a base does. */
bool podman_is_wanted(const struct store *s);

/* What podman makes of an image. */
struct podman_answer {
	char *name;      /* of the image in the store */
	char *reference; /* podman's name for it; "" if it has none */
	enum podman_why why;
};

struct podman_answers {
	struct podman_answer *items; /* sorted by name */
	size_t len, cap;
};

/* Find out for each image. Free *ret with podman_answers_done(). Returns 0 or -errno. */
MUST_CHECK int podman_ask(struct store *s, struct podman_answers *ret, struct err *e);
void podman_answers_done(struct podman_answers *a);

struct store_staging;
struct store_mounted;

/*
 * Make the layers of a stored image for podman where they are missing, and bring STORE/podman up to
 * date. The caller holds a lock on layers/, and its process has called layer_process_prepare().
 * Sets *ret_made to the number of layers that were made, unless it is NULL. An image that podman
 * cannot use is not an error.
 */
MUST_CHECK int podman_share(
	struct store_staging *st, const char *name, bool sync, size_t *ret_made, struct err *e);

/*
 * Bring STORE/podman up to date with images/. The caller holds the exclusive lock on images/. With
 * mounted, layers that no image has are removed unless they are mounted, and give the directories
 * that they have back to layers/; else they stay.
 */
MUST_CHECK int podman_update(
	struct store_staging *st, const struct store_mounted *mounted, bool sync, struct err *e);

/*
 * Append the names below layers/ of the layers that podman's layers come from, those that an update
 * with mounted keeps (all, if it is NULL): they must not be removed. Acquires the lock on images/.
 */
MUST_CHECK int podman_keep(
	struct store *s, const struct store_mounted *mounted, struct strv *ret, struct err *e);

/* Is text, of n bytes, the name of a link in overlay/l, by which podman mounts a layer? */
bool podman_link_ok(const char *text, size_t n);

#endif
