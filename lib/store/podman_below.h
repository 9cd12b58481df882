/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_PODMAN_BELOW_H
#define STORE_PODMAN_BELOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "../idmap/names.h"
#include "../mount/view.h"

/*
 * What a user's podman finds while the view that its storage.conf names is not mounted. Without a
 * store, every podman command of this user fails. So the directory of each user, which the view
 * covers, contains a store for podman that has the layers of the view's store in its index, also
 * those under other maps, and neither images nor trees; maps/UID is the same store. The layers must
 * be there for users who have committed on a shared image: podman lists their images, and fails to
 * run those alone.
 *
 * The directory belongs to the user, with mode 0700; what is in it belongs to root, and the user
 * can read it (directories 0755, files 0644). The files are hard links to those of one directory
 * beside the users', .podman-ID (0700), from which a new index replaces the old one by rename.
 *
 * The user can remove, rename and add names in the own directory, and can change nothing that root
 * has put there. The only reader that suffers from such changes is the user's own podman, which
 * takes its storage.conf from the user, too. This program reads nothing of it. It writes only into
 * directories that are root's, which it has opened without following links, and it makes these
 * beside and renames them into the user's directory, so that they inherit no ACL. It replaces no
 * file and no directory of the user.
 */
struct podman_below {
	bool wanted;                      /* false: the source is not a store for podman */
	const char *path;                 /* of the line's directory, borrowed, for messages */
	int dir;                          /* of the line's directory, without what is mounted */
	bool covered;                     /* dir shows what is mounted, too */
	int shared;                       /* of .podman-ID */
	int lock;                         /* for dir; or -1 */
	struct stat files[5];             /* of the files in shared */
	size_t changed, foreign, skipped; /* users whose store was made or brought up to date;
	                                     whose directory has names of the user's instead; that
	                                     could not be reached */
};

#define PODMAN_BELOW_INIT ((struct podman_below){ .dir = -1, .shared = -1, .lock = -1 })

/*
 * Find out by its content whether the source of the line is a store for podman; if so, create the
 * line's directory and bring .podman-ID up to date. Returns 0 or -errno: -EPERM if other users than
 * root can write in the line's directory. l must outlive *ret; free it with podman_below_done().
 */
MUST_CHECK int podman_below_open(
	const struct view_line *l, struct podman_below *ret, struct err *e);

/*
 * Create the user's directory, or fill the existing one as far as something is missing or old; one
 * that has been filled is looked at again when the index changes. name: in the line's directory.
 * Returns 0, also if ret->wanted is false, or -errno: -EPERM if the directory is not one that this
 * user alone can enter.
 */
MUST_CHECK int podman_below_fill(
	struct podman_below *b, const char *name, const struct user *user, struct err *e);

/* Log what was done. */
void podman_below_report(const struct podman_below *b);

void podman_below_done(struct podman_below *b);

#endif
