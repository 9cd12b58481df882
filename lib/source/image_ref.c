/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_ref: match names of images, as REPO:TAG. */

#include "image_ref.h"

#include <string.h>

bool image_ref_matches(const char *name, const char *ref)
{
	const char *last = strrchr(ref, '/');
	size_t n = strlen(ref), k = strlen(name);

	if (!strchr(last ? last : ref, ':')) {
		if (k < 7 || strcmp(name + k - 7, ":latest"))
			return false;
		k -= 7;
	}
	return k >= n && !strncmp(name + k - n, ref, n) && (k == n || name[k - n - 1] == '/');
}
