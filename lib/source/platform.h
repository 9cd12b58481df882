/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_PLATFORM_H
#define SOURCE_PLATFORM_H

#include <stdbool.h>

#include "../base/err.h"

struct json;

/* A platform in OCI's words (GOOS, GOARCH): "linux", "amd64", and "" or a variant such as "v8". */
struct platform {
	char os[32], arch[32], variant[32];
};

/* The platform of this machine. */
void platform_native(struct platform *ret);

/* Parse a platform of the form OS/ARCH[/VARIANT]. Returns -EINVAL with e filled (a usage error) for
 * anything else. */
MUST_CHECK int platform_parse(const char *s, struct platform *ret, struct err *e);

/*
 * How well the platform object of an index fits: 0 if not at all; otherwise, the higher the better.
 * platform is NULL if the index does not specify it.
 */
int platform_fit(const struct json *platform, const struct platform *want);

/*
 * Compare the platform in an image's config with want, which may be NULL. A difference is -EINVAL
 * with e filled if strict, else a warning. doc names the config, for messages.
 */
MUST_CHECK int platform_check(const struct json *config, const char *doc,
	const struct platform *want, bool strict, struct err *e);

#endif
