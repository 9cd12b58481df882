/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount.shiftbox: translate the command line of a helper of mount(8). */

#include "mount_helper.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/buf.h"
#include "../lib/base/log.h"
#include "../lib/base/path.h"
#include "../lib/mount/image_source.h"
#include "../lib/mount/options.h"
#include "../lib/mount/via_libblkid.h"
#include "mount_call.h"
#include "mount_line.h"
#include "mount_namespace.h"

/* Exit statuses of mount(8). */
enum { MOUNT_USAGE = 1, MOUNT_SYSTEM = 2, MOUNT_FAILED = 32 };

/* What mount(8) asks for. */
static struct {
	const char *source, *target;
	bool no_table, remount;
	struct mount_options options;
} asked = { .options = MOUNT_OPTIONS_INIT };

static int add(struct strv *v, const char *a, const char *b, struct err *e)
{
	if (strv_add(v, a) < 0 || (b && strv_add(v, b) < 0))
		return err_nomem(e);
	return 0;
}

#define SYNOPSIS "mount.shiftbox SOURCE TARGET [-fnsv] [-o OPTIONS] [-t TYPE] [-N NAMESPACE]"

/* Add to a usage error how this program is called. */
static int usage(struct err *e)
{
	err_why(e, "mount.shiftbox is started by mount(8), as: " SYNOPSIS);
	err_try(e,
		"mount -t shiftbox SOURCE TARGET [-o OPTIONS], or shiftbox mount-idmapped --help");
	return -EINVAL;
}

static int show_help(void)
{
	return printf("Usage: " SYNOPSIS "\n\n"
		      "mount(8) starts this program for lines of an fstab with the type shiftbox, "
		      "and for\n`mount -t shiftbox`. To mount without mount(8), use `shiftbox "
		      "mount-idmapped`,\nwhose help describes the options of -o.\n") < 0 ?
		-EIO :
		1;
}

/* getopt(3) reads a long option as several letters, of which '-' is the first. */
static int unknown_option(char **argv, struct err *e)
{
	if (optopt == '-')
		(void)err_usage(e, "unknown option '%s'", argv[optind]);
	else
		(void)err_usage(e, "unknown option '-%c'", optopt);
	return usage(e);
}

/*
 * mount(8) calls its helper for a remount, too, unless it has the option bind: without any operand
 * if nothing is mounted there.
 */
static int refuse_remount(const char *target, struct err *e)
{
	scoped_buf struct buf word = BUF_INIT;
	int r = mount_options_refuse("remount", e);

	buf_shell_word(&word, target);
	err_try(e,
		"to change flags of a mount, such as ro: mount -o remount,bind,ro %s; for another "
		"map, unmount it first",
		buf_get(&word) ? buf_get(&word) : "TARGET");
	return r;
}

static int no_operands(struct err *e)
{
	struct mount_call call;
	int r = mount_call_read(&call, e);

	if (r == 0 && call.options.len && mount_options_remount(buf_get(&call.options))) {
		r = refuse_remount(call.target ? call.target : "TARGET", e);
	} else if (r == 0) {
		(void)err_usage(e, "SOURCE and TARGET are needed");
		r = usage(e);
	}
	mount_call_done(&call);
	return r;
}

static int add_option(struct strv *v, int letter, const char *val, struct err *e)
{
	switch (letter) {
	case 'o':
		/* mount(8) adds rw by default, which must not make a read-only source writable. */
		if (!strncmp(val, "rw", 2) && (val[2] == ',' || !val[2]))
			val += val[2] ? 3 : 2;
		asked.remount |= mount_options_remount(val);
		/* Options that are wrong are reported later. */
		(void)mount_options_parse(&asked.options, val, NULL);
		return *val ? add(v, "-o", val, e) : 0;
	case 'v':
		return add(v, "-v", NULL, e);
	case 'f': /* "fake": everything but the mount */
		return add(v, "-n", NULL, e);
	case 'n': /* "no mtab" */
		asked.no_table = true;
		return 0;
	case 't': /* the type: it is known */
		return 0;
	case 's':
		return add(v, "-o", "sloppy", e);
	case 'N':
		mount_namespace_set(val);
		return 0;
	default:
		(void)err_usage(e, "option '-%c' needs a value", optopt);
		return usage(e);
	}
}

int mount_helper_argv(int argc, char **argv, struct strv *ret, struct err *e)
{
	scoped_strv struct strv v = { 0 };
	scoped_free char *source = NULL;
	int c, r, first;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return show_help();
	/*
	 * `mount -a` calls the helper again for mounts that exist, since the source of a bind in
	 * mountinfo is not that of its line.
	 */
	r = add(&v, "mount-idmapped", "--once", e);
	opterr = 0;
	while (r == 0 && (c = getopt(argc, argv, ":o:vfnt:sN:")) != -1)
		r = c == '?' ? unknown_option(argv, e) : add_option(&v, c, optarg, e);
	first = optind;
	if (r == 0 && asked.remount && argc - first == 2)
		r = refuse_remount(argv[first + 1], e);
	if (r == 0 && argc - first != 2)
		r = no_operands(e);
	if (r == 0)
		r = add(&v, "--", NULL, e);
	if (r == 0) {
		asked.source = argv[first];
		asked.target = argv[first + 1];
		r = mount_line_source(asked.source, asked.target, &source, e);
	}
	if (r == 0)
		r = add(&v, source, argv[first + 1], e);
	if (r == 0 && VEC_ADD(&v, NULL) < 0)
		r = err_nomem(e);
	if (r < 0)
		return r;

	*ret = v;
	v = (struct strv){ 0 };
	return 0;
}

bool mount_helper_asked(void)
{
	return asked.target;
}

bool mount_helper_no_table(void)
{
	return asked.no_table;
}

/*
 * --- failures ----------------------------------------------------------------------------------
 */

static bool is_missing(const char *path)
{
	struct stat st;
	int r = path_stat(path, true, &st);

	return r == -ENOENT || r == -ENOTDIR;
}

/* r, e: why the mount has failed */
static bool source_is_missing(int r, const struct err *e)
{
	const struct mount_options *o = &asked.options;
	struct stat st;

	if (!asked.target || (!o->mkdir && path_stat(asked.target, true, &st) < 0))
		return false;
	if (image_source_name(asked.source))
		return r == -ENOENT && !strcmp(e->op, "image");
	for (size_t i = 0; i < o->lowers.len; i++)
		if (is_missing(o->lowers.items[i].dir))
			return true;
	if (blk_is_tag(asked.source))
		return r == -ENOENT && !strcmp(e->on, asked.source);
	if (!strcmp(asked.source, "overlay") || (o->type && !strcmp(o->type, "overlay")))
		return false;
	/* A drive may have no medium. */
	return is_missing(asked.source) || r == -ENOMEDIUM || r == -ENXIO;
}

int mount_helper_failed(int r, struct err *e)
{
	scoped_mount_options struct mount_options o = asked.options;
	const char *line = mount_line_place();

	if (o.nofail && !e->usage && source_is_missing(r, e)) {
		log_verbose("'%s' is missing, and the option nofail allows that", asked.source);
		asked.options = MOUNT_OPTIONS_INIT;
		return 0;
	}
	asked.options = MOUNT_OPTIONS_INIT;
	if (line && !strcmp(e->on, asked.target))
		err_place(e, "%s", line);
	else if (line)
		err_place(e, "%s, '%s'", line, asked.target);
	if (e->usage || ((r == -EPERM || r == -EACCES) && geteuid() != 0))
		return MOUNT_USAGE;
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EAGAIN ? MOUNT_SYSTEM :
									      MOUNT_FAILED;
}
