/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes may stand in an ACL or a capability: what is taken is sorted and sound, and any two of
 * them compare.
 */

#include <stdlib.h>

#include "../../lib/check/compare.h"
#include "fuzz.h"

static void sound(const struct acl *a)
{
	for (size_t i = 0; i < a->len; i++) {
		FUZZ_CHECK(a->items[i].perm <= 7);
		FUZZ_CHECK(!i || a->items[i].tag > a->items[i - 1].tag ||
			(a->items[i].tag == a->items[i - 1].tag &&
				a->items[i].id >= a->items[i - 1].id));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct idrange r = { 0, 100000, 65536 };
	size_t half = size ? 1 + data[0] % size : 0; /* both sides come from one input */
	struct meta disk = { .known = META_XATTRS, .mode = S_IFDIR }, seen = disk;
	struct finding f[FINDINGS_PER_INODE];
	struct idmap m = { .gid_assumed = false };

	FUZZ_CHECK(idmap_from_ranges(&r, 1, &r, 1, &m, NULL) == 0);
	(void)acl_parse(data + (size > 0), half - (half > 0), &disk.access);
	(void)acl_parse(data + half, size - half, &seen.access);
	(void)filecap_parse(data + (size > 0), half - (half > 0), &disk.cap);
	(void)filecap_parse(data + half, size - half, &seen.cap);
	sound(&disk.access);
	sound(&seen.access);
	FUZZ_CHECK(compare_inode(&disk, &seen, &m, f) >= 0);
	FUZZ_CHECK(compare_inode(&disk, &disk, &m, f) >= 0);
	meta_done(&disk);
	meta_done(&seen);
	idmap_done(&m);
	return 0;
}
