/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_PLAN_H
#define MOUNT_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "../idmap/idmap.h"
#include "options.h"

/*
 * A description of one mount: making one changes nothing. mount_apply() (apply.h) carries it out.
 */

enum mount_kind {
	MOUNT_BIND,    /* of a directory or a file */
	MOUNT_OVERLAY, /* a stack of layers */
	MOUNT_FS,      /* a filesystem of its own: of a device, of a file, or of none (tmpfs) */
};

/* OVL_MAX_STACK of the kernel: the 501st lower layer is refused. */
enum { PLAN_LAYERS_MAX = 500 };

/* What should become of the map of a mount that is cloned. */
struct mount_map {
	enum map_wish {
		MAP_KEEP, /* no map was given: as the source has it */
		MAP_SET,  /* this one, whatever the source has */
		MAP_NONE, /* "none": the ids of the disk */
	} wish;
	struct idmap map; /* of MAP_SET */
};

struct mount_layer {
	char *dir;
	bool own_map; /* map is its own, else the plan's is meant */
	struct mount_map map;
	bool seen; /* the map was made from the owner of this directory: */
	dev_t dev;
	ino_t ino;
};

struct mount_plan {
	enum mount_kind kind;
	char *source, *target; /* as given; source is what mountinfo will show for a stack */
	bool source_open, source_seen;
	int source_fd;    /* if it is open: what SOURCE leads to, O_PATH, of a plan that
	                     mount_plan_open_source() looked at */
	dev_t source_dev; /* if it was seen: what it led to when the plan was made */
	ino_t source_ino;
	struct mount_map map;
	struct mount_flags flags;
	bool meant;     /* public: that others can reach the source, or a stack's target */
	bool only_warn; /* a line of mount(8)'s: exposure.h */
	bool unseen;    /* only the namespace of one command has the mount */
	bool mkdir, follow;
	uint32_t mkdir_mode;
	bool recursive,
		skip_unsupported; /* binds only: with the mounts below, but for those that cannot */

	/* stacks only */
	VEC(struct mount_layer) layers; /* topmost first */
	bool stored;                    /* they are an image's, side by side in one directory, */
	bool store_seen;                /* which is this one: */
	dev_t store_dev;
	ino_t store_ino;
	uint32_t root_uid, root_gid; /* the disk ids of the image's root: 0, unless
	                                mount_plan_rebase() knows others */
	enum upper_kind { UPPER_NONE, UPPER_DIR, UPPER_EPHEMERAL } upper_kind;
	char *upper, *work; /* of UPPER_DIR; work is never NULL there */
	const struct stat
		*upper_in; /* NULL, or the directory that upper must be found in; borrowed */
	bool upper_plain;  /* upper-map=none: upper stores seen ids */
	uint64_t ephemeral_size;
	bool volatile_, metacopy, redirect_dir, userxattr;

	/* filesystems only */
	char *type, *subdir; /* type NULL: libblkid says */
	bool loop;
	uint64_t offset, sizelimit;       /* bytes; 0: not given */
	VEC(struct fs_option) fs_options; /* for its driver */
	bool kind_open; /* the words do not tell the kind: mount_plan_open_source() looks at the
	                 * source
	                 */
	bool owner_map; /* the map was made from the owner of the source as it was then */
};

/*
 * The plan for SOURCE and TARGET under these options. A source "overlay" takes its layers from the
 * options' lower=; layers, when not NULL, are those of an image (topmost first), source is its
 * name, and nodev is set unless the options say dev. strict: a map for users or groups alone is
 * refused. Looks up what a map refers to (users, subuid, owners) and, through
 * mount_plan_open_source(), what the source is, nothing else. Free with mount_plan_done(). Errors:
 * usage for options that do not go together; those of idmap_parse().
 */
int mount_plan_build(struct mount_plan *ret, const char *source, const char *target,
	const struct mount_options *o, const struct strv *layers, bool strict, struct err *e);

/*
 * Open the source where it is or may be a path, unless it is open, and look whether it is to be
 * bound or mounted, where the words do not tell: a block device is mounted; so is a regular file
 * when the target is a directory, while on a file it is bound. To be called again, after
 * mount_plan_close_source(), when mounts have changed since. -EINVAL: options that do not go with
 * that (usage), or the target is missing and the file has a filesystem in it, so that both could be
 * meant. -ELOOP: a link that is not followed. A source that is missing is no error: mounting tells
 * it.
 */
int mount_plan_open_source(struct mount_plan *p, struct err *e);

/* Close the source: it would keep its mount busy, and there may be many plans. */
void mount_plan_close_source(struct mount_plan *p);

/*
 * stat(2) of the source, if it is a path: of what is open or, if it is not, by path_stat(). -errno;
 * fills nothing.
 */
int mount_plan_stat(const struct mount_plan *p, struct stat *ret);

/*
 * The disk ids of the layers are not those that the plan's map speaks of; below turns the one into
 * the other. A plan without a map then shows these, "none" still the disk ids. Errors of
 * idmap_compose().
 */
int mount_plan_rebase(struct mount_plan *p, const struct idmap *below, struct err *e);

/* The layers are in this directory (stat(2)), which is compared when they are mounted. */
void mount_plan_set_store(struct mount_plan *p, const struct stat *layers);

/* What a plan says that cannot be right in any system: 0, or -EINVAL, -E2BIG with e filled. */
int mount_plan_check(const struct mount_plan *p, struct err *e);

/*
 * Does one of its paths lead through a link that is not followed (path.h)? -ELOOP then, with the
 * step "link". A path that cannot be opened for another reason is passed over.
 */
int mount_plan_check_links(const struct mount_plan *p, struct err *e);

/* The map that layer i is to have. */
const struct mount_map *mount_plan_layer_map(const struct mount_plan *p, size_t i);

/*
 * Each step as a sentence, in order, into ret. Of a filesystem, its device is opened and looked at.
 */
int mount_plan_steps(const struct mount_plan *p, struct strv *ret, struct err *e);

/* "disk 0-65535 is seen as 100000-165535", "as the source has it", "none: ids as on the disk" */
void mount_map_print_words(const struct mount_map *m, struct buf *b);

void mount_plan_done(struct mount_plan *p);

static inline void cleanup_mount_plan(struct mount_plan *p)
{
	mount_plan_done(p);
}

#define scoped_mount_plan __attribute__((cleanup(cleanup_mount_plan)))

#endif
