/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_OPTIONS_H
#define MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/vec.h"
#include "flags.h"

/* A layer as `lower=DIR[@MAP]` names it; map is NULL when it has none of its own. */
struct lower_option {
	char *dir, *map;
};

/* An option for the filesystem's driver: value is NULL for a flag. */
struct fs_option {
	char *name, *value;
};

/*
 * The -o language, read: nothing is looked up yet. Zero-initialise with MOUNT_OPTIONS_INIT, free
 * with mount_options_done(). Strings are unescaped and may hold any byte.
 */
struct mount_options {
	struct mount_flags flags;
	struct strv maps;                /* map=, in order */
	VEC(struct lower_option) lowers; /* lower=, topmost first */
	char *upper, *work, *store;      /* NULL: not given */
	char *type, *subdir;             /* alike, and for filesystems only */
	bool loop;
	uint64_t offset, sizelimit; /* bytes; 0: not given */
	VEC(struct fs_option)
	fs;                  /* what no row knows, in order: for the filesystem's driver to judge */
	bool nofail, noauto; /* for those who read an fstab */
	bool bind;           /* said, although directories and files are bound anyway */
	bool rbind, recursive; /* the same, but mount(8) takes only the latter for its helpers */
	bool skip_unsupported;
	bool public_; /* others may reach it: exposure.h */
	bool mkdir, follow, ephemeral, upper_plain, volatile_, metacopy, redirect_dir, userxattr;
	uint32_t mkdir_mode;     /* default 0755 */
	uint64_t ephemeral_size; /* bytes; 0: the kernel's default */
};

#define MOUNT_OPTIONS_INIT ((struct mount_options){ .mkdir_mode = 0755 })

/*
 * Add the options of one string to o. Options are separated by commas; a backslash before any
 * character takes its meaning away, one before three octal digits stands for that byte, and double
 * quotes protect what is between them. (libmount knows the quotes alone, so that its splitter would
 * cut "lower=a\\,b" in two.) What lacks its value, has one too many, or is unknown and cannot be an
 * option of a filesystem either, is an error with usage set.
 */
MUST_CHECK int mount_options_parse(struct mount_options *o, const char *text, struct err *e);

void mount_options_done(struct mount_options *o);

/* "noload,data=journal" appended to b: options for a driver, as a person may see them. */
void mount_fs_options_print(const struct fs_option *items, size_t n, struct buf *b);

static inline void cleanup_mount_options(struct mount_options *o)
{
	mount_options_done(o);
}

#define scoped_mount_options __attribute__((cleanup(cleanup_mount_options)))

/* "ro,nosuid,private": the names of what is set (propagation too). */
void mount_flags_print(const struct mount_flags *f, struct buf *b);

/*
 * The table for those who document it: row i, or false past its end. arg: "[=SIZE]", "=DIR" or "".
 */
bool mount_options_row(size_t i, const char **name, const char **arg, const char **help);

#endif
