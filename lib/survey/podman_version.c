/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_version: parse what podman --version prints. */

#include "podman_version.h"

#include <stdio.h>
#include <string.h>

#include "../base/num.h"

static bool take_number(const char **p, uint32_t *ret)
{
	size_t n = strspn(*p, "0123456789");
	uint64_t value;

	if (num_u64_n(*p, n, &value) < 0 || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	*p += n;
	return true;
}

bool podman_version_parse(const char *text, struct podman_version *ret)
{
	static const char start[] = "podman version ";
	static const char ok[] =
		"0123456789.-+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *version, *p;
	size_t n;

	if (strncmp(text, start, strlen(start)) != 0)
		return false;
	p = version = text + strlen(start);
	n = strspn(version, ok);
	if (n >= sizeof(ret->text) || (version[n] && version[n] != '\n') ||
		!take_number(&p, &ret->major) || *p++ != '.' || !take_number(&p, &ret->minor))
		return false;
	(void)snprintf(ret->text, sizeof(ret->text), "%.*s", (int)n, version); /* fits */
	return true;
}
