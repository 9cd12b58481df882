/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* filecap: parse and convert file capabilities. */

#include "filecap.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <linux/capability.h>

#include "le.h"
#include "vec.h"

int filecap_parse(const void *value, size_t size, struct filecap *ret)
{
	static const struct {
		uint32_t revision;
		unsigned version;
		size_t size, words;
	} forms[] = {
		{ VFS_CAP_REVISION_1, 1, XATTR_CAPS_SZ_1, VFS_CAP_U32_1 },
		{ VFS_CAP_REVISION_2, 2, FILECAP_SIZE_2, VFS_CAP_U32_2 },
		{ VFS_CAP_REVISION_3, 3, FILECAP_SIZE_3, VFS_CAP_U32_3 },
	};
	const unsigned char *p = value;
	struct filecap c = { .present = true };
	uint32_t magic = size >= sizeof(magic) ? get_le32(p) : 0;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if ((magic & VFS_CAP_REVISION_MASK) != forms[i].revision || size != forms[i].size)
			continue;
		c.effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
		for (size_t w = 0; w < forms[i].words; w++) {
			c.permitted |= (uint64_t)get_le32(p + 4 + 8 * w) << (32 * w);
			c.inheritable |= (uint64_t)get_le32(p + 8 + 8 * w) << (32 * w);
		}
		c.version = forms[i].version;
		if (c.version == 3)
			c.root = get_le32(p + size - 4);
		*ret = c;
		return 0;
	}
	return -EINVAL;
}

_Static_assert((int)FILECAP_SIZE_2 == XATTR_CAPS_SZ_2 && (int)FILECAP_SIZE_3 == XATTR_CAPS_SZ_3,
	"linux/capability.h");

void filecap_to_v2(const void *value, unsigned char ret[static FILECAP_SIZE_2])
{
	uint32_t magic = (get_le32(value) & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2;

	memcpy(ret, value, FILECAP_SIZE_2);
	magic = htole32(magic);
	memcpy(ret, &magic, sizeof(magic));
}
