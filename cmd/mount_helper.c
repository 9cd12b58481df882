/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount.shiftbox: translate the command line of a helper of mount(8). */

#include "mount_helper.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mount_line.h"

static int add(struct strv *v, const char *a, const char *b, struct err *e)
{
	if (strv_add(v, a) < 0 || (b && strv_add(v, b) < 0))
		return err_nomem(e);
	return 0;
}

static int add_option(struct strv *v, int letter, const char *val, struct err *e)
{
	switch (letter) {
	case 'o':
		/* mount(8) adds rw by default, which must not make a read-only source writable. */
		if (!strncmp(val, "rw", 2) && (val[2] == ',' || !val[2]))
			val += val[2] ? 3 : 2;
		return *val ? add(v, "-o", val, e) : 0;
	case 'v':
		return add(v, "-v", NULL, e);
	case 'f': /* "fake": everything but the mount */
		return add(v, "-n", NULL, e);
	case 'n': /* "no mtab": none is ever written */
	case 't': /* the type: it is known */
		return 0;
	case 's':
		return err_usage(e,
			"mount -s (ignore unknown options) is not for this type: no option is "
			"ignored");
	case 'N':
		return err_usage(e,
			"mount -N is not for this type: mount in the mount namespace that this "
			"process is in");
	default:
		return err_usage(e, "mount(8) gave an option that is not known here");
	}
}

int mount_helper_argv(int argc, char **argv, struct strv *ret, struct err *e)
{
	scoped_strv struct strv v = { 0 };
	scoped_free char *source = NULL;
	int c, r, first;

	/*
	 * `mount -a` calls the helper again for mounts that exist, since the source of a bind in
	 * mountinfo is not that of its line.
	 */
	r = add(&v, "mount-idmapped", "--once", e);
	opterr = 0;
	while (r == 0 && (c = getopt(argc, argv, "o:vfnt:sN:")) != -1)
		r = add_option(&v, c, optarg, e);
	first = optind;
	if (r == 0 && argc - first != 2)
		r = err_usage(e,
			"mount.shiftbox is started by mount(8): mount.shiftbox SOURCE TARGET [-v] "
			"[-o OPTIONS]");
	if (r == 0)
		r = add(&v, "--", NULL, e);
	if (r == 0)
		r = mount_line_source(argv[first], argv[first + 1], &source, e);
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
