/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table_device: find a line of an fstab by another name of its device. */

#include "table_device.h"

#include <sys/stat.h>

#include "../base/path.h"
#include "loop.h"
#include "via_libblkid.h"

/* stat(2) of the source or, if it is a tag, of the device that has the tag. */
static bool look(const char *source, struct stat *ret)
{
	scoped_free char *found = NULL;

	if (blk_is_tag(source) && blk_find(source, &found, NULL) < 0)
		return false;
	return path_stat(found ? found : source, true, ret) == 0;
}

const struct table_line *table_find_device(const struct fstab *t, const char *word)
{
	struct stat want, st;

	if (!look(word, &want) || !S_ISBLK(want.st_mode))
		return NULL;
	for (size_t i = 0; i < t->lines.len; i++) {
		const struct table_line *l = &t->lines.items[i];

		if (!look(l->source, &st))
			continue;
		if (S_ISBLK(st.st_mode) ? st.st_rdev == want.st_rdev :
					  S_ISREG(st.st_mode) && loop_is_over(word, &st))
			return l;
	}
	return NULL;
}
