/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options: parse the options of -o, by one table. */

#include "options.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"
#include "../base/suggest.h"
#include "../base/sys.h"
#include "option_advice.h"
#include "option_syntax.h"

struct option_row {
	const char *name, *arg, *help;
	uint64_t set, clear; /* of mount_flags */
	uint64_t propagation;
	size_t yes, no; /* 1 + offset of a bool that becomes true, false */
	size_t str;     /* 1 + offset of a string that may be given once */
	size_t size;    /* 1 + offset of a number of bytes that may be given once */
	size_t count;   /* 1 + offset of the length of a list */
	unsigned uses;  /* enum option_use */
	int (*parse)(struct mount_options *o, const char *raw, size_t n, struct err *e);
};

#define BOOL(m) .yes = 1 + offsetof(struct mount_options, m)
#define STR(m) .str = 1 + offsetof(struct mount_options, m)
#define SIZE(m) .size = 1 + offsetof(struct mount_options, m)
#define LIST(m) .count = 1 + offsetof(struct mount_options, m.len)
#define STACK .uses = OPTION_STACK
#define FS .uses = OPTION_FS
#define FS_NOT_ROOT .uses = OPTION_FS | OPTION_NOT_ROOT
#define BIND .uses = OPTION_BIND
#define BIND_NOT_ROOT .uses = OPTION_BIND | OPTION_NOT_ROOT
#define NOT_ROOT .uses = OPTION_NOT_ROOT

static int parse_map(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_lower(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_mkdir(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_root_mode(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_ephemeral(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_upper_map(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_redirect(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_loop(struct mount_options *o, const char *raw, size_t n, struct err *e);
static int parse_link(struct mount_options *o, const char *raw, size_t n, struct err *e);

/* In the order of the manual. An arg in brackets may be omitted. */
static const struct option_row rows[] = {
	{ "map", "=MAP", "Same as --map", .parse = parse_map },
	{ "ro", "", "Mount read-only", .set = MOUNT_ATTR_RDONLY },
	{ "rw", "", "Mount writable, even if the mount of SOURCE is read-only",
		.clear = MOUNT_ATTR_RDONLY },
	{ "nosuid", "", "Ignore set-id bits and file capabilities", .set = MOUNT_ATTR_NOSUID },
	{ "suid", "", "Honour set-id bits and file capabilities", .clear = MOUNT_ATTR_NOSUID },
	{ "nodev", "",
		"Do not allow access to device nodes (the default for image:NAME and NAME.mstack)",
		.set = MOUNT_ATTR_NODEV },
	{ "dev", "", "Allow access to device nodes", .clear = MOUNT_ATTR_NODEV },
	{ "noexec", "", "Do not allow program execution", .set = MOUNT_ATTR_NOEXEC },
	{ "exec", "", "Allow program execution", .clear = MOUNT_ATTR_NOEXEC },
	{ "noatime", "", "Do not update access times", .set = MOUNT_ATTR_NOATIME,
		.clear = MOUNT_ATTR__ATIME },
	{ "relatime", "", "Update access times only if older than the last change or than a day",
		.clear = MOUNT_ATTR__ATIME },
	{ "atime", "", "Same as relatime", .clear = MOUNT_ATTR__ATIME },
	{ "strictatime", "", "Update access times on every read", .set = MOUNT_ATTR_STRICTATIME,
		.clear = MOUNT_ATTR__ATIME },
	{ "nodiratime", "", "Do not update access times of directories",
		.set = MOUNT_ATTR_NODIRATIME },
	{ "diratime", "", "Update access times of directories as those of files",
		.clear = MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", "", "Do not follow symbolic links", .set = MOUNT_ATTR_NOSYMFOLLOW },
	{ "symfollow", "", "Follow symbolic links", .clear = MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", "", "Do not propagate mounts in either direction (the default)",
		.propagation = MS_PRIVATE, NOT_ROOT },
	{ "slave", "", "Receive mounts that are made below the source, but do not send any",
		.propagation = MS_SLAVE, NOT_ROOT },
	{ "shared", "", "Propagate mounts in both directions", .propagation = MS_SHARED, NOT_ROOT },
	{ "unbindable", "", "Same as private, and the mount cannot be bound",
		.propagation = MS_UNBINDABLE, NOT_ROOT },
	{ "mkdir", "[=MODE]",
		"Create a missing TARGET with MODE (octal, 0755 by default), its parents with 0755",
		.parse = parse_mkdir, BOOL(mkdir), NOT_ROOT },
	{ "follow", "", "Follow the last component of TARGET if it is a symbolic link",
		BOOL(follow), NOT_ROOT },
	{ "public", "", "Mount even if other users can reach SOURCE or, of a stack, TARGET",
		BOOL(public_) },
	{ "store", "=DIR", "Same as --store", STR(store) },
	{ "lower", "=DIR[@MAP]", "Add a layer, topmost first; MAP replaces --map for this layer",
		.parse = parse_lower, LIST(lowers), .uses = OPTION_STACK | OPTION_NOT_ROOT },
	{ "upper", "=DIR", "Keep changes in DIR, which is created if it is missing", STR(upper),
		STACK },
	{ "work", "=DIR", "Use DIR as the work directory of OverlayFS (default: UPPER.work)",
		STR(work), STACK },
	{ "ephemeral", "[=SIZE]", "Keep changes in memory and discard them with the mount",
		.parse = parse_ephemeral, BOOL(ephemeral), STACK },
	{ "upper-map", "=same|none",
		"Store disk ids in upper, through the map (same, the default), or seen ids (none)",
		.parse = parse_upper_map, BOOL(upper_plain), STACK },
	{ "volatile", "", "Never sync: upper is lost if the system crashes", BOOL(volatile_),
		STACK },
	{ "metacopy", "", "Do not copy file data when only the owner or mode changes",
		BOOL(metacopy), STACK },
	{ "redirect_dir", "[=off|follow|nofollow]", "Rename directories without copying them",
		.parse = parse_redirect, BOOL(redirect_dir), STACK },
	{ "userxattr", "", "Use user.overlay. attributes (automatic in a user namespace)",
		BOOL(userxattr), STACK },
	{ "bind", "", "Bind SOURCE; for a file, bind the file itself, not the filesystem in it",
		BOOL(bind), BIND_NOT_ROOT },
	{ "rbind", "", "Bind SOURCE and all mounts below it, with the same map and flags",
		BOOL(rbind), BIND_NOT_ROOT },
	{ "recursive", "", "Same as rbind, for fstab (mount(8) handles rbind itself)",
		BOOL(recursive), BIND },
	{ "skip-unsupported", "", "With rbind, skip mounts that cannot be ID-mapped",
		BOOL(skip_unsupported) },
	{ "type", "=TYPE", "Same as --type", STR(type), FS },
	{ "loop", "[=DEVICE]", "Mount the filesystem in the file SOURCE, through a loop device",
		.parse = parse_loop, BOOL(loop), FS_NOT_ROOT },
	{ "offset", "=BYTES", "Start of the filesystem in SOURCE (K, M, G, T may follow)",
		SIZE(offset), FS_NOT_ROOT },
	{ "sizelimit", "=BYTES", "Size of the filesystem in SOURCE (K, M, G, T may follow)",
		SIZE(sizelimit), FS_NOT_ROOT },
	{ "subdir", "=DIR",
		"Mount this directory of the filesystem; symbolic links are not followed",
		STR(subdir), FS_NOT_ROOT },
	{ "sloppy", "", "Ignore unknown options after this one, as mount -s does", BOOL(sloppy) },
	{ "nofail", "", "For fstab: only warn if the mount fails under --all", BOOL(nofail),
		NOT_ROOT },
	{ "noauto", "", "For fstab: do not mount with --all", BOOL(noauto), NOT_ROOT },
	{ "each", "=USERS", "For a table of views: mount it for each of these users", STR(each),
		NOT_ROOT },
	{ "auto", "", "For fstab: mount with --all (the default)",
		.no = 1 + offsetof(struct mount_options, noauto) },
	{ .name = "defaults", .arg = "", .help = "For fstab: accepted and ignored" },
	{ .name = "_netdev", .arg = "", .help = "For fstab: accepted and ignored" },
	{ .name = "nouser", .arg = "", .help = "For fstab: accepted and ignored" },
	{ .name = "comment", .arg = "=TEXT", .help = "For fstab: accepted and ignored" },
	{ .name = "silent",
		.arg = "",
		.help = "Accepted and ignored: messages of the kernel are shown in errors" },
	{ .name = "loud", .arg = "", .help = "Accepted and ignored" },
	{ .name = "iversion", .arg = "", .help = "Accepted and ignored: the filesystem decides" },
	{ .name = "noiversion", .arg = "", .help = "Accepted and ignored: the filesystem decides" },
	{ "X-mount.idmap", "=MAP", "Same as map=", .parse = parse_map },
	{ "X-mount.mkdir", "[=MODE]", "Same as mkdir", .parse = parse_mkdir },
	{ "X-mount.mode", "=MODE", "Change the mode of the root of the mount (MODE is octal)",
		.parse = parse_root_mode },
	{ "X-mount.subdir", "=DIR", "Same as subdir=", STR(subdir) },
	{ "X-mount.noloop", "", "Use no loop device: a regular file is bound", BOOL(noloop) },
	{ "X-mount.nocanonicalize", "[=source|target]",
		"Use paths as they are, which is the default; a link itself is not bound",
		.parse = parse_link },
};

bool mount_options_row(size_t i, const char **name, const char **arg, const char **help)
{
	if (i >= ARRAY_LEN(rows))
		return false;
	*name = rows[i].name;
	*arg = rows[i].arg;
	*help = rows[i].help;
	return true;
}

const char *mount_options_words(void)
{
	static char words[2048];
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && at < sizeof(words); i++)
		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s%s", i ? " " : "",
			rows[i].name, rows[i].arg[0] == '=' ? "=" : "");
	assert(at < sizeof(words));
	return words;
}

int mount_option_unknown(const char *name, const char *value, struct err *e)
{
	struct suggest near = suggest_for(name, strlen(name));

	(void)err_usage_try(e, "MOUNT OPTIONS in mount-idmapped(8) lists the options",
		"unknown option '%s' in -o", name);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		suggest_offer(&near, rows[i].name);
	if (strchr(name, ' '))
		err_try(e, "separate options with commas, without blanks, as in ro,noexec");
	else if (!mount_option_habit(name, value, e) && near.best)
		err_try(e, "did you mean %s?", near.best);
	return -EINVAL;
}

static bool is_given(const struct mount_options *o, const struct option_row *row)
{
	const char *at = (const char *)o;

	return (row->yes && *(const bool *)(at + row->yes - 1)) ||
		(row->str && *(char *const *)(at + row->str - 1)) ||
		(row->size && *(const uint64_t *)(at + row->size - 1)) ||
		(row->count && *(const size_t *)(at + row->count - 1)) ||
		(row->propagation && row->propagation == o->flags.propagation);
}

const char *mount_options_first(const struct mount_options *o, unsigned uses)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].uses & uses && is_given(o, &rows[i]))
			return rows[i].name;
	return NULL;
}

static int parse_map(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	scoped_free char *s = NULL;
	int r = option_unescape(raw, n, 0, &s, NULL, e);

	if (r < 0)
		return r;
	return strv_add(&o->maps, s) < 0 ? err_nomem(e) : 0;
}

static int parse_lower(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	scoped_free char *dir = NULL, *map = NULL;
	size_t used = 0;
	int r = option_unescape(raw, n, '@', &dir, &used, e);

	if (r == 0 && used < n)
		r = option_unescape(raw + used + 1, n - used - 1, 0, &map, NULL, e);
	if (r < 0)
		return r;
	if (!*dir)
		return err_usage_try(e, "write lower=DIR", "option 'lower' needs a directory");
	if (map && !*map)
		return err_usage_try(e, "write lower=DIR@MAP; an '@' of a name follows a backslash",
			"option 'lower': a map must follow '@'");
	if (VEC_ADD(&o->lowers, (struct lower_option){ .dir = dir, .map = map }) < 0)
		return err_nomem(e);
	dir = map = NULL; /* owned by the list */
	return 0;
}

static int parse_mkdir(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	scoped_free char *s = NULL;
	int r;

	o->mkdir = true;
	if (!raw)
		return 0;
	r = option_unescape(raw, n, 0, &s, NULL, e);
	if (r < 0)
		return r;
	if (num_mode(s, &o->mkdir_mode) < 0)
		return err_usage_try(e, "write a mode such as mkdir=0750",
			"option 'mkdir': '%s' is not an octal mode", s);
	return 0;
}

static int parse_root_mode(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	scoped_free char *s = NULL;
	int r = option_unescape(raw, n, 0, &s, NULL, e);

	if (r < 0)
		return r;
	if (num_mode(s, &o->root_mode) < 0)
		return err_usage_try(e, "write a mode such as X-mount.mode=0750",
			"option 'X-mount.mode': '%s' is not an octal mode", s);
	o->set_mode = true;
	return 0;
}

static int parse_ephemeral(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	scoped_free char *s = NULL;
	int r;

	o->ephemeral = true;
	if (!raw)
		return 0;
	r = option_unescape(raw, n, 0, &s, NULL, e);
	if (r < 0)
		return r;
	/* 0 would mean "no limit" to tmpfs */
	if (num_size(s, &o->ephemeral_size) < 0 || !o->ephemeral_size)
		return err_usage_try(e, "write a size such as ephemeral=512M",
			"option 'ephemeral': '%s' is not a size: digits, optionally followed by K, "
			"M, G or T",
			s);
	return 0;
}

static int parse_upper_map(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	if (n == 4 && !memcmp(raw, "same", 4))
		o->upper_plain = false;
	else if (n == 4 && !memcmp(raw, "none", 4))
		o->upper_plain = true;
	else
		return err_usage_try(e, "write upper-map=same, or omit it",
			"option 'upper-map': '%.*s' is neither 'same' nor 'none'", (int)n, raw);
	return 0;
}

static int add_fs_option(struct mount_options *o, const char *name, size_t n, const char *value,
	size_t len, struct err *e)
{
	struct fs_option option = { .name = strndup(name, n) };
	int r = option.name ? 0 : err_nomem(e);

	if (r == 0 && value)
		r = option_unescape(value, len, 0, &option.value, NULL, e);
	if (r == 0 && VEC_ADD(&o->fs, option) < 0)
		r = err_nomem(e);
	if (r < 0) {
		free(option.name);
		free(option.value);
	}
	return r;
}

/* A flag that is written as on or off. */
static int takes_no_value(const char *name, const char *value, size_t n, struct err *e)
{
	(void)err_usage(e, "option '%s' takes no value", name);
	if (n == 2 && !memcmp(value, "on", n))
		err_try(e, "write %s alone, which means %s=on", name, name);
	else if (n == 3 && !memcmp(value, "off", n))
		err_try(e, "omit %s, which means %s=off", name, name);
	else
		err_try(e, "write %s alone, or omit it", name);
	return -EINVAL;
}

/* Without a value it means on; the others are passed on. */
static int parse_redirect(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	static const char name[] = "redirect_dir";

	if (raw && n == 2 && !memcmp(raw, "on", n))
		return takes_no_value(name, raw, n, e);
	o->redirect_dir = !raw;
	return raw ? add_fs_option(o, name, sizeof(name) - 1, raw, n, e) : 0;
}

/* As for other flags, the last one wins. */
static int parse_loop(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	o->loop = true;
	free(o->loop_device);
	o->loop_device = NULL;
	return raw ? option_unescape(raw, n, 0, &o->loop_device, NULL, e) : 0;
}

/* Targets that are links are refused anyway. */
static int parse_link(struct mount_options *o, const char *raw, size_t n, struct err *e)
{
	bool source = !raw || (n == 6 && !memcmp(raw, "source", n));

	if (!source && (n != 6 || memcmp(raw, "target", n) != 0))
		return err_usage_try(e, "omit it: paths are used as they are",
			"X-mount.nocanonicalize takes the value 'source' or 'target'");
	o->link_itself |= source;
	return 0;
}

static int value_missing(const struct option_row *row, struct err *e)
{
	(void)err_usage(e, "option '%s' needs a value: %s%s", row->name, row->name, row->arg);
	err_try(e, "write -o %s%s", row->name, row->arg);
	return -EINVAL;
}

static int take_string(struct mount_options *o, const struct option_row *row, const char *raw,
	size_t n, struct err *e)
{
	char **dst = (char **)((char *)o + row->str - 1);
	int r;

	if (*dst)
		return err_usage_try(
			e, "omit one of them", "option '%s' is given twice", row->name);
	r = option_unescape(raw, n, 0, dst, NULL, e);
	if (r < 0)
		return r;
	return **dst ? 0 : value_missing(row, e);
}

/* 0 stands for an option that is not specified, so the value is at least 1. */
static int take_size(struct mount_options *o, const struct option_row *row, const char *raw,
	size_t n, struct err *e)
{
	uint64_t *dst = (uint64_t *)((char *)o + row->size - 1);
	scoped_free char *s = NULL;
	int r;

	if (*dst)
		return err_usage_try(
			e, "omit one of them", "option '%s' is given twice", row->name);
	r = option_unescape(raw, n, 0, &s, NULL, e);
	if (r < 0)
		return r;
	if (num_size(s, dst) < 0)
		return err_usage_try(e, "write a number of bytes such as 1048576, or 1M",
			"option '%s': '%s' is not a size: digits, optionally followed by K, M, G "
			"or T",
			row->name, s);
	return 0;
}

static int take(struct mount_options *o, const struct option_row *row, const char *raw, size_t n,
	struct err *e)
{
	struct mount_flags *f = &o->flags;

	if (row->parse)
		return row->parse(o, raw, n, e);
	if (row->str)
		return take_string(o, row, raw, n, e);
	if (row->size)
		return take_size(o, row, raw, n, e);
	if (row->yes)
		*(bool *)((char *)o + row->yes - 1) = true;
	if (row->no)
		*(bool *)((char *)o + row->no - 1) = false;
	if (row->propagation)
		f->propagation = row->propagation;
	f->set = (f->set & ~row->clear) | row->set;
	f->clear = (f->clear & ~row->set) | row->clear;
	return 0;
}

/*
 * x-* and X-* are comments for other programs; but X-mount.* options are instructions for mount(8),
 * and for us.
 */
static bool is_note(const char *name, size_t n)
{
	return n > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-' &&
		!(n >= 8 && !memcmp(name, "X-mount.", 8));
}

/*
 * An option without a row may be one of a filesystem's driver, which refuses those that it does not
 * know. For other sources the plan refuses it. Options of mount(8), and names that no driver could
 * have, are refused here.
 */
static int take_foreign(struct mount_options *o, const char *name, size_t n, const char *value,
	size_t len, struct err *e)
{
	static const char ok[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+:";

	scoped_free char *word = strndup(name, n);
	bool ours = n >= 8 && !memcmp(name, "X-mount.", 8);

	if (!word)
		return err_nomem(e);
	if ((ours || !value) && mount_options_refuse(word, e) < 0)
		return -EINVAL;
	if (ours || strspn(name, ok) < n)
		return o->sloppy ? 0 : mount_option_unknown(word, NULL, e);
	return add_fs_option(o, name, n, value, len, e);
}

static int take_option(struct mount_options *o, const char *name, size_t n, const char *value,
	size_t len, struct err *e)
{
	if (is_note(name, n))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];

		if (strlen(row->name) != n || memcmp(row->name, name, n))
			continue;
		if (value && !row->arg[0])
			return takes_no_value(row->name, value, len, e);
		if ((!value || !len) && row->arg[0] == '=')
			return value_missing(row, e);
		if (value && !len)
			return err_usage_try(e, "write a value after '=', or omit '='",
				"option '%s': the value after '=' is missing", row->name);
		return take(o, row, value, len, e);
	}
	return take_foreign(o, name, n, value, len, e);
}

int mount_options_parse(struct mount_options *o, const char *text, struct err *e)
{
	const char *p = text;

	for (;;) {
		size_t name = 0;
		ssize_t n = option_length(p, &name);
		bool value = n >= 0 && name < (size_t)n;
		int r;

		if (n < 0)
			return err_usage_try(e, "write another one where the name ends",
				"a double quote is open in -o %s", p);
		if (!name && n)
			return err_usage_try(
				e, "write a name before '='", "an option is empty in -o %s", text);
		r = n ? take_option(o, p, name, value ? p + name + 1 : NULL,
				value ? (size_t)n - name - 1 : 0, e) :
			0;
		if (r < 0 || !p[n])
			return r;
		p += n + 1;
	}
}

void mount_options_done(struct mount_options *o)
{
	strv_done(&o->maps);
	for (size_t i = 0; i < o->lowers.len; i++) {
		free(o->lowers.items[i].dir);
		free(o->lowers.items[i].map);
	}
	VEC_DONE(&o->lowers);
	free(o->upper);
	free(o->work);
	free(o->store);
	free(o->each);
	free(o->type);
	free(o->subdir);
	free(o->loop_device);
	for (size_t i = 0; i < o->fs.len; i++) {
		free(o->fs.items[i].name);
		free(o->fs.items[i].value);
	}
	VEC_DONE(&o->fs);
	*o = MOUNT_OPTIONS_INIT;
}

void mount_flags_print(const struct mount_flags *f, struct buf *b)
{
	uint64_t set = f->set;

	buf_str(b, set & MOUNT_ATTR_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];
		bool on = row->set && row->set != MOUNT_ATTR_RDONLY && (set & row->set) == row->set;

		if (on || (row->propagation && row->propagation == f->propagation))
			buf_printf(b, ",%s", row->name);
	}
}

void mount_fs_options_print(const struct fs_option *items, size_t n, struct buf *b)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, i ? ",%s" : "%s", items[i].name);
		if (items[i].value)
			buf_printf(b, "=%s", items[i].value);
	}
}
