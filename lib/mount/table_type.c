/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table_type: the types of filesystem that stand for this program in an fstab. */

#include "table_type.h"

#include <string.h>

bool table_type_is_own(const char *type)
{
	static const char own[] = "shiftbox";

	for (const char *p = type; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		size_t name = strcspn(p, ",.");

		if (name == sizeof(own) - 1 && !memcmp(p, own, name))
			return true;
		p += n;
	}
	return false;
}
