/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_MSTACK_H
#define MOUNT_MSTACK_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/vec.h"

/*
 * A directory that describes a stack: NAME.mstack of systemd.mstack(7), systemd 260. Its entries,
 * each of which may be a symbolic link, are
 *
 *   layer@ID    a layer, lowest first in the order of versions (mstack_id_compare())
 *   rw          upper (rw/data) and work directory (rw/work), made when they are first needed
 *   root        the root of the result; of the stack, only usr/ is shown in it
 *   bind@PLACE  is mounted in the result; slashes of PLACE are written "-", as in names of units
 *   robind@PLACE  the same, read-only
 *
 * layer@ID.raw, bind@PLACE.raw and robind@PLACE.raw are filesystems in files. Without ".raw" it may
 * be a block device. Every other name is an error: no entry is ignored.
 */
#define MSTACK_SUFFIX ".mstack"

enum mstack_kind { MSTACK_LAYER, MSTACK_RW, MSTACK_ROOT, MSTACK_BIND, MSTACK_ROBIND };

struct mstack_entry {
	enum mstack_kind kind;
	char *name; /* in the directory: "layer@000" */
	char *word; /* of a layer: its ID; of a bind: its place below the root, "var/lib" */
	bool image; /* a filesystem in a file or on a device, instead of a directory */
	dev_t dev;  /* what name leads to */
	ino_t ino;
};

/*
 * Layers come first, lowest first; then rw, root, and the binds, each after those that its place is
 * in. Zero-initialise, free with mstack_done().
 */
struct mstack {
	VEC(struct mstack_entry) entries;
};

/* Does the path end in a name with the suffix? */
bool mstack_is_name(const char *path);

/*
 * Parse the last component of path, an entry that leads to a file of this type (S_IFDIR, S_IFREG,
 * S_IFBLK). Sets kind, name, word and image. -EINVAL: there is no such name, or not for this type.
 */
MUST_CHECK int mstack_entry_parse(
	const char *path, mode_t type, struct mstack_entry *ret, struct err *e);

/*
 * Compare two IDs of layers as versions (UAPI.10, "Version Format Specification"): < 0 if a is
 * lower. Different texts may be the same version: "1" and "01".
 */
int mstack_id_compare(const char *a, const char *b);

/*
 * Read the directory dir (O_PATH suffices); path is for messages. The names in it decide what is
 * mounted, so no user but root and the caller may be able to write there (-EPERM). Symbolic links
 * are followed by the rules of path.h. Further errors: those of mstack_entry_parse(), and -EEXIST
 * for two layers of one version or two binds at one place.
 */
MUST_CHECK int mstack_read(int dir, const char *path, struct mstack *ret, struct err *e);

/*
 * Append the paths that the symbolic links in the directory lead to, by their texts alone: what has
 * to be mounted before it can be read. Nothing is appended if it cannot be listed. Returns 0 or
 * -ENOMEM.
 */
MUST_CHECK int mstack_link_paths(const char *path, struct strv *ret, struct err *e);

/* The entry of that kind, of which there may be one (MSTACK_RW, MSTACK_ROOT); or NULL. */
const struct mstack_entry *mstack_find(const struct mstack *m, enum mstack_kind kind);

void mstack_entry_done(struct mstack_entry *x);
void mstack_done(struct mstack *m);

static inline void cleanup_mstack(struct mstack *m)
{
	mstack_done(m);
}

#define scoped_mstack __attribute__((cleanup(cleanup_mstack)))

#endif
