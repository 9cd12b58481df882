/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table_swallowed: options that mount(8) keeps to itself. */

#include "table_swallowed.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "options.h"

/* Is NAME or NAME=VALUE the option at p? */
static bool is(const char *p, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(p, name, n) && (!p[n] || p[n] == '=' || p[n] == ',');
}

/* libmount's splitter: double quotes protect commas, and nothing else does. */
static const char *next_option(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || *p != ','); p++)
		quoted ^= *p == '"';
	return *p ? p + 1 : p;
}

static int refuse_idmap(const char *target, struct err *e)
{
	(void)err_say(e, EINVAL, target, "X-mount.idmap= is not for lines of type shiftbox");
	err_why(e,
		"mount(8) keeps such options to itself, so that it would mount this line without a "
		"map");
	err_try(e, "write map=MAP (and subdir=, mkdir= without X-mount.)");
	return -EINVAL;
}

int table_check_own(const char *target, const char *options, struct err *e)
{
	static const char *const changes[] = { "X-mount.owner", "X-mount.group" };

	for (const char *p = options; *p; p = next_option(p)) {
		if (is(p, "X-mount.idmap"))
			return refuse_idmap(target, e);
		for (size_t i = 0; i < ARRAY_LEN(changes); i++)
			if (is(p, changes[i]))
				return mount_options_refuse(changes[i], e);
	}
	return 0;
}

/*
 * mount(8) before util-linux 2.39 ignores X-mount.subdir; later ones hand another target to the
 * helper. 2.38 ignores X-mount.mode where there is a helper.
 */
static int refuse_kept(
	const char *target, const char *name, const char *why, const char *remedy, struct err *e)
{
	(void)err_say(e, EINVAL, target, "mount(8) keeps %s= to itself", name);
	err_why(e, "%s", why);
	err_try(e, "%s", remedy);
	return -EINVAL;
}

int table_check_swallowed(const char *target, const char *options, struct err *e)
{
	for (const char *p = options; *p; p = next_option(p)) {
		if (is(p, "X-mount.subdir"))
			return refuse_kept(target, "X-mount.subdir",
				"it does not tell its helper which directory to mount",
				"write subdir=DIR", e);
		if (is(p, "X-mount.mode"))
			return refuse_kept(target, "X-mount.mode",
				"it may ignore it, and does not tell its helper",
				"mount the line with shiftbox mount-idmapped TARGET, or change the "
				"mode after that",
				e);
	}
	return table_check_own(target, options, e);
}
