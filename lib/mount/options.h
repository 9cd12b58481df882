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

/*
 * A layer from `lower=DIR[@MAP]`; map is NULL if the layer has none of its own. image: dir is a
 * filesystem in a file or on a device, which no option says (mstack.h).
 */
struct lower_option {
	char *dir, *map;
	bool image;
};

/* An option for the filesystem's driver: value is NULL for a flag. */
struct fs_option {
	char *name, *value;
};

/*
 * The parsed options of -o; nothing is looked up yet. Start with MOUNT_OPTIONS_INIT, free with
 * mount_options_done(). Strings are unescaped and may contain any byte.
 */
struct mount_options {
	struct mount_flags flags;
	struct strv maps;                /* map=, in order */
	VEC(struct lower_option) lowers; /* lower=, topmost first */
	char *upper, *work, *store;      /* NULL: not specified */
	char *each;                      /* the users of a view (view.h) */
	char *type, *subdir;             /* the same, for filesystems only */
	bool loop;
	char *loop_device;          /* of loop=DEVICE; or NULL */
	uint64_t offset, sizelimit; /* bytes; 0: not specified */
	VEC(struct fs_option)
	fs;                    /* options without a row, in order, for the filesystem's driver */
	bool nofail, noauto;   /* for lines of an fstab */
	bool bind;             /* explicit; directories and files are bound by default */
	bool rbind, recursive; /* the same, but mount(8) passes only the latter to helpers */
	bool skip_unsupported;
	bool noloop;      /* a regular file gets no loop device */
	bool link_itself; /* a source that is a symbolic link is not followed */
	bool sloppy;      /* unknown options are ignored */
	bool public_;     /* other users may reach it: exposure.h */
	bool mkdir, follow, ephemeral, upper_plain, volatile_, metacopy, redirect_dir, userxattr;
	uint32_t mkdir_mode; /* default 0755 */
	bool set_mode;       /* of the root of the mount, to root_mode */
	uint32_t root_mode;
	uint64_t ephemeral_size; /* bytes; 0: the kernel's default */
};

#define MOUNT_OPTIONS_INIT ((struct mount_options){ .mkdir_mode = 0755 })

/*
 * Add the options of one string to o. Options are separated by commas. A backslash removes the
 * meaning of the next character, a backslash before three octal digits stands for that byte, and
 * double quotes protect the text between them. (libmount knows only the quotes: its splitter would
 * cut "lower=a\\,b" in two.) Empty options are dropped, as by mount(8). An option that lacks its
 * value, has a value but must not, or is unknown and cannot be one of a filesystem, is a usage
 * error.
 */
MUST_CHECK int mount_options_parse(struct mount_options *o, const char *text, struct err *e);

/* Is "remount" one of the options? */
bool mount_options_remount(const char *text);

/*
 * Describe that the option of this name is known from mount(8) and not supported, with the reason:
 * a usage error. Returns -EINVAL, or 0 if it is not one of these.
 */
MUST_CHECK int mount_options_refuse(const char *name, struct err *e);

/*
 * Describe that an option of -o is unknown, with the option that was probably meant. value may be
 * NULL. Returns -EINVAL.
 */
MUST_CHECK int mount_option_unknown(const char *name, const char *value, struct err *e);

void mount_options_done(struct mount_options *o);

/* Bits that say what an option is for, and so which other words and sources it can go with. */
enum option_use {
	OPTION_STACK = 1,    /* the layers and the upper of the sources overlay and image:NAME */
	OPTION_FS = 2,       /* a filesystem on a device or in a file */
	OPTION_BIND = 4,     /* specifies that SOURCE is bound, whatever it holds */
	OPTION_NOT_ROOT = 8, /* has no meaning for the root of a command (userns-run) */
};

/*
 * Return the name of the first option (in the order of the table) that is set in o and has one of
 * these uses, or NULL.
 */
const char *mount_options_first(const struct mount_options *o, unsigned uses);

/* Append "noload,data=journal" to b: options for a driver, for messages. */
void mount_fs_options_print(const struct fs_option *items, size_t n, struct buf *b);

static inline void cleanup_mount_options(struct mount_options *o)
{
	mount_options_done(o);
}

#define scoped_mount_options __attribute__((cleanup(cleanup_mount_options)))

/* Append "ro,nosuid,private" to b: the flags that are set, and the propagation. */
void mount_flags_print(const struct mount_flags *f, struct buf *b);

/*
 * Get row i of the table of options, for documentation; false past its end. arg: "[=SIZE]", "=DIR"
 * or "".
 */
bool mount_options_row(size_t i, const char **name, const char **arg, const char **help);

/* The names of these options, blank-separated; those that need a value end in "=". */
const char *mount_options_words(void);

#endif
