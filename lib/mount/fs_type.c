/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fs_type: what the name of a filesystem's type says. */

#include "fs_type.h"

#include <fcntl.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/fd.h"

enum { FILESYSTEMS_MAX = 64 << 10 };

/* Lines of /proc/filesystems are "nodev\ttmpfs" and "\text4". */
int fs_type_nodev(const char *type)
{
	scoped_buf struct buf b = BUF_INIT;
	size_t n = strlen(type);

	if (fd_read_file(AT_FDCWD, "/proc/filesystems", FILESYSTEMS_MAX, &b, NULL) < 0 ||
		!buf_get(&b))
		return -1;
	for (const char *line = buf_get(&b); *line; line += *line == '\n') {
		const char *tab = strchr(line, '\t');

		if (tab && !strncmp(tab + 1, type, n) && tab[1 + n] == '\n')
			return tab != line;
		line += strcspn(line, "\n");
	}
	return -1;
}

const char *fs_type_driver(const char *found)
{
	/* The ext4 driver reads all three, and can be ID-mapped, which ext2's cannot. */
	if (!strcmp(found, "ext2") || !strcmp(found, "ext3"))
		return "ext4";
	return !strcmp(found, "ntfs") && fs_type_nodev(found) < 0 ? "ntfs3" : found;
}

bool fs_type_read_only(const char *type)
{
	static const char *const types[] = { "squashfs", "erofs", "iso9660", "cramfs", "romfs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

bool fs_type_same(const char *a, const char *b)
{
	return !strcmp(a, b) || (!strncmp(a, "ext", 3) && !strncmp(b, "ext", 3)) ||
		(!strcmp(a, "msdos") && !strcmp(b, "vfat")) || !strcmp(a, fs_type_driver(b)) ||
		(!strcmp(a, "fuseblk") && !strcmp(b, "ntfs"));
}
