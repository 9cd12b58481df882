/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_FILECAP_H
#define BASE_FILECAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/*
 * File capabilities as an extended attribute (linux/capability.h, struct vfs_ns_cap_data; little
 * endian). The bytes come from getxattr(2) or from an archive, and may be malformed: size and
 * version are checked.
 */
#define FILECAP_XATTR "security.capability"

enum { FILECAP_SIZE_2 = 20, FILECAP_SIZE_3 = 24 }; /* of the values of version 2 and 3 */

/*
 * A file's capabilities. Those of version 3 take effect in user namespaces whose root is the id
 * root; those of version 2 are the same with the root 0 (capabilities(7), "File capability extended
 * attribute versioning").
 */
struct filecap {
	bool present;
	bool root_unmapped; /* present, but root has no id for the reader: the rest is unknown */
	bool effective;
	uint64_t permitted, inheritable;
	uint32_t root;
	unsigned version; /* 1, 2 or 3 */
};

/* Parse the value of an attribute. Returns 0 or -EINVAL. */
MUST_CHECK int filecap_parse(const void *value, size_t size, struct filecap *ret);

/* Convert a value of version 3 to version 2, which drops its root. */
void filecap_to_v2(const void *value, unsigned char ret[static FILECAP_SIZE_2]);

#endif
