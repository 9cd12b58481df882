/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_TAR_PAX_ACL_H
#define TAR_TAR_PAX_ACL_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

/*
 * The value of SCHILY.acl.access or SCHILY.acl.default, as star, bsdtar and GNU tar write it: the
 * text form of acl(5), with an optional number after each entry ("user:joe:rwx:1000"). Entries are
 * separated by commas or new lines; a comment of acl_to_text(3) ("#effective:r--") may follow one.
 *
 * libarchive omits what it cannot read of a list, in 3.6 without a warning, so the text is checked
 * here, and the number of entries compared with that of libarchive's. Returns that number, -EINVAL
 * if the text is not such a list or has not exactly one entry for the owner, the owning group and
 * others each, or -E2BIG if there are more entries than the 65536 bytes of an
 * attribute can hold (linux/posix_acl_xattr.h: 4 bytes, and 8 for each entry).
 */
MUST_CHECK int64_t tar_pax_acl_count(const char *text, size_t n);

#endif
