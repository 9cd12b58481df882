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
 * A plan describes one mount. Making a plan changes nothing; mount_apply() (apply.h) carries it
 * out.
 */

enum mount_kind {
	MOUNT_BIND,    /* a directory or a file */
	MOUNT_OVERLAY, /* a stack of layers */
	MOUNT_FS,      /* a filesystem: on a device, in a file, or without either (tmpfs) */
};

/* OVL_MAX_STACK (fs/overlayfs/params.h): the kernel refuses more lower layers. */
enum { PLAN_LAYERS_MAX = 500 };

/* What a clone's map is to be. */
struct mount_map {
	enum map_wish {
		MAP_KEEP, /* no map was specified: the map of the source, if it has one */
		MAP_SET,  /* this map, whatever the source has */
		MAP_NONE, /* "none": no map, so that the disk ids are seen */
	} wish;
	struct idmap map; /* of MAP_SET */
};

struct mount_layer {
	char *dir;
	bool own_map; /* the layer has a map of its own, instead of the plan's */
	struct mount_map map;
	bool image; /* dir is a filesystem in a file or on a device */
	bool seen;  /* dir is looked up again, and has to be this directory or file: */
	dev_t dev;
	ino_t ino;
};

/* A mount inside the root of another one. */
struct mount_plan;
struct mount_inside {
	char *place; /* relative to that root: "usr", "var/lib" */
	struct mount_plan *plan;
};

/* Zero-initialise, free with mount_plan_done(). */
struct mount_plan {
	enum mount_kind kind;
	char *source, *target; /* as specified; mountinfo shows source for a stack */
	bool source_open, source_seen;
	int source_fd;    /* if source_open: the source, O_PATH */
	dev_t source_dev; /* if source_seen: the file that it was when it was first opened */
	ino_t source_ino;
	struct mount_map map;
	struct mount_flags flags;
	bool sloppy;      /* unknown options are ignored */
	bool public_;     /* other users may reach the source, or the target of a stack */
	bool of_line;     /* of a table: advice names options as they are written there */
	bool only_warn;   /* the line is one of mount(8)'s: see exposure.h */
	bool for_command; /* only the mount namespace of one command has the mount */
	bool mkdir, follow;
	uint32_t mkdir_mode;
	bool owned; /* the target is a directory that only this user can enter: see target.h */
	uint32_t owner_uid, owner_gid;
	char view[65]; /* for the record: mount_record.h */
	bool set_mode; /* change the mode of the root of the mount, to root_mode (07777) */
	uint32_t root_mode;
	bool recursive,
		skip_unsupported; /* binds: with the mounts below; without unsupported ones */

	/* for stacks */
	VEC(struct mount_layer) layers; /* topmost first */
	bool stored;                    /* they are an image's, in one directory of a store, */
	bool store_seen;                /* ... which was this directory: */
	dev_t store_dev;
	ino_t store_ino;
	uint32_t root_uid, root_gid; /* disk ids of the image's root; set by mount_plan_rebase() */
	bool mstack; /* a part of what a directory describes (mstack.h): its paths are in that */
	VEC(struct mount_inside) inside; /* parents before what is in them */
	enum upper_kind { UPPER_NONE, UPPER_DIR, UPPER_EPHEMERAL } upper_kind;
	char *upper, *work;          /* of UPPER_DIR, where neither is NULL */
	const struct stat *upper_in; /* the directory that upper must be in, or NULL; borrowed */
	bool upper_seen;             /* upper must be in this directory: */
	dev_t upper_dev;
	ino_t upper_ino;
	bool upper_plain;        /* upper-map=none: upper stores seen ids */
	uint64_t ephemeral_size; /* bytes; 0: the kernel's default */
	bool volatile_, metacopy, redirect_dir, userxattr;

	/* for filesystems */
	char *type, *subdir; /* type NULL: to be probed */
	bool loop, noloop;
	char *loop_device;                /* NULL: any */
	uint64_t offset, sizelimit;       /* bytes; 0: not specified */
	VEC(struct fs_option) fs_options; /* for the driver */
	bool link_itself;    /* a source that is a symbolic link is meant itself: an error */
	bool kind_undecided; /* kind depends on the source: see mount_plan_open_source() */
	bool owner_map;      /* the map was made from the owner of the source */

	struct strv misfits; /* why the map does not suit the tree, one sentence for each reason */
};

/* What a plan is made from. Everything is borrowed. */
struct mount_request {
	const char *source, *target;
	const struct mount_options *options;
	const struct strv *layers; /* of the image that source names, topmost first; or NULL */
	bool strict;               /* refuse a map for users or groups alone */
	const struct idmap_known *known; /* for the map; or NULL */
};

/*
 * Make a plan. A source "overlay" has the layers of the options' lower=, and an image's layers get
 * nodev unless the options specify dev. What a map refers to (users, subordinate ids, owners) is
 * looked up, and the source is opened by mount_plan_open_source(). Errors: usage, for options that
 * contradict each other or the kind of the source; those of idmap_parse() and
 * mount_plan_open_source().
 */
MUST_CHECK int mount_plan_build(
	struct mount_plan *ret, const struct mount_request *q, struct err *e);

/*
 * Open the source if it is, or may be, a path and is not open yet. If neither the options nor the
 * source's name tell whether it is bound or mounted, the source does: a block device is mounted; a
 * regular file is mounted if the target is a directory, else bound. Call it again after
 * mount_plan_close_source() when mounts have changed.
 *
 * A missing source is not an error: mounting reports it. -EINVAL: options that this kind of source
 * does not have (usage), or the target is missing and the file contains a filesystem, so that both
 * could be meant. -ELOOP: a symbolic link that is not followed (path.h). -ESTALE: the map was made
 * from the owner of another file.
 */
MUST_CHECK int mount_plan_open_source(struct mount_plan *p, struct err *e);

/* Close the source, which keeps its mount busy: there may be many plans. */
void mount_plan_close_source(struct mount_plan *p);

/*
 * stat(2) of the source, if it is a path: of the open descriptor, or else by path_stat(). Returns 0
 * or -errno and fills no struct err.
 */
MUST_CHECK int mount_plan_stat(const struct mount_plan *p, struct stat *ret);

/*
 * Compose the plan's map with below, which translates the disk ids of the layers into those that
 * the plan's map is made for. A plan without a map gets below itself; a plan with the map "none"
 * keeps showing disk ids. Errors of idmap_compose().
 */
MUST_CHECK int mount_plan_rebase(struct mount_plan *p, const struct idmap *below, struct err *e);

/*
 * Judge by the owners of the source and of the mounts below it that come along, or of the layers
 * that are not a store's, whether the map suits them, and add what does not fit to the plan's
 * misfits: one sentence for all mounts below. Owners whose disk ids are unknown are skipped.
 * Returns 0, or -ENOMEM with e filled.
 */
MUST_CHECK int mount_plan_fit(struct mount_plan *p, struct err *e);

/*
 * Compare the map with the owner that the file fd has on disk (map_fit.h). Returns true, with
 * misfit filled, if the map does not suit it. name is the file, for the message.
 */
bool mount_map_misfits(int fd, const struct idmap *map, const char *name, struct err *misfit);

/* Add a misfit (map_fit.h). Returns 0, or -ENOMEM with e filled. */
MUST_CHECK int mount_plan_add_misfit(struct mount_plan *p, const struct err *misfit, struct err *e);

/* Note the directory that holds the layers; it is compared when they are mounted. */
void mount_plan_set_store(struct mount_plan *p, const struct stat *layers);

/* Check what can be checked without the system: 0, or -EINVAL or -E2BIG with e filled. */
MUST_CHECK int mount_plan_check(const struct mount_plan *p, struct err *e);

/*
 * For a line of an fstab: check that the source, if it is a path, and the paths of the options are
 * absolute: else -EINVAL.
 */
MUST_CHECK int mount_plan_check_absolute(
	const struct mount_plan *p, const struct mount_options *o, struct err *e);

/*
 * Check the paths of the plan for symbolic links that are not followed (path.h): -ELOOP with the
 * step "link". A path that cannot be opened for another reason is skipped.
 */
MUST_CHECK int mount_plan_check_links(const struct mount_plan *p, struct err *e);

/* The map of layer i: its own, or the plan's. */
const struct mount_map *mount_plan_layer_map(const struct mount_plan *p, size_t i);

/*
 * Describe each step of the plan in a sentence, in order. flags: those of the mount, as far as they
 * are known; a filesystem that turns out to be read-only is added. The device of a filesystem is
 * opened and probed for that.
 */
MUST_CHECK int mount_plan_steps(
	const struct mount_plan *p, struct mount_flags *flags, struct strv *ret, struct err *e);

/* The flags that the mount has at least: a stack without an upper is read-only. */
struct mount_flags mount_plan_flags(const struct mount_plan *p);

/* "disk 0-65535 is seen as 100000-165535", "ids as the source shows them", "ids as on the disk" */
void mount_map_print_words(const struct mount_map *m, struct buf *b);

void mount_plan_done(struct mount_plan *p);

static inline void cleanup_mount_plan(struct mount_plan *p)
{
	mount_plan_done(p);
}

#define scoped_mount_plan __attribute__((cleanup(cleanup_mount_plan)))

#endif
