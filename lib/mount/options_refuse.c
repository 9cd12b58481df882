/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options_refuse: the options of mount(8) that are not supported, and why. */

#include <errno.h>
#include <string.h>

#include "options.h"

bool mount_options_remount(const char *text)
{
	static const char word[] = "remount";

	for (const char *p = text; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == sizeof(word) - 1 && !memcmp(p, word, n))
			return true;
		p += n;
	}
	return false;
}

int mount_options_refuse(const char *name, struct err *e)
{
	static const char users[] =
		"it lets ordinary users mount, and mounts with a map are for root";
	static const char disk[] =
		"it changes the owner of what is mounted, on the disk and for all who use it; this "
		"program never changes owners";
	static const char map[] = "omit it; a map shows another owner: map=owner:USER";
	static const struct {
		const char *name, *why, *hint;
	} words[] = {
		{ "user", users, "omit it" },
		{ "users", users, "omit it" },
		{ "owner", users, "omit it" },
		{ "group", users, "omit it" },
		{ "remount", "a map cannot be changed in place",
			"mount -o remount,bind,ro TARGET, or unmount it first" },
		{ "X-mount.owner", disk, map },
		{ "X-mount.group", disk, map },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		(void)err_usage(e, "option '%s' is not supported", name);
		err_why(e, "%s", words[i].why);
		err_try(e, "%s", words[i].hint);
		return -EINVAL;
	}
	return 0;
}
