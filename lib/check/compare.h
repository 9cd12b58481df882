/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#include <stddef.h>

#include "../base/buf.h"
#include "../idmap/idmap.h"
#include "meta.h"

/* What can be wrong with an inode: the classes of findings. */
enum finding_class {
	FINDING_MISMATCH,     /* the seen owner is not what the map makes of the disk owner */
	FINDING_UNMAPPED,     /* the map has no id for the disk owner: the overflow id is seen */
	FINDING_HALF_SHIFTED, /* unmapped, and the disk id is an id of the seen side (a chown) */
	FINDING_ACL,
	FINDING_CAPS,
	FINDING_MISSING, /* expected, but not there */
	FINDING_EXTRA,   /* there, but not expected */
	FINDING_TYPE,    /* the type of file or the device number differs */
	FINDING_MODE,
	FINDING_UNREADABLE,
	FINDING_MARKS, /* of a layer: a directory is opaque for one kind of mount only */
	FINDING_CLASSES
};

/* The words of the classes in the order of the enum, separated by blanks. */
#define FINDING_WORDS \
	"mismatch unmapped half-shifted acl caps missing extra type mode unreadable marks"

/* The word of one class; static. */
const char *finding_word(enum finding_class class);

enum { FINDING_DETAIL = 384 };

struct finding {
	enum finding_class class;
	const char
		*path; /* relative to the root of the check, "" is the root; any bytes; not owned */
	const struct meta *disk, *seen; /* either may be NULL; not owned */
	bool has_uid, has_gid; /* expected_uid, expected_gid are set: the map has the disk ids */
	uint32_t expected_uid, expected_gid;
	int errnum;                  /* FINDING_UNREADABLE: the errno (EOVERFLOW: an id that is not
	                                known); else 0 */
	char detail[FINDING_DETAIL]; /* for people: the disk side, the seen side, and what is
	                                expected */
};

/* The largest number of findings for one inode: owner (three classes), ACL, capabilities, mode. */
enum { FINDINGS_PER_INODE = 6 };

/*
 * Compare an inode as it is seen with the same inode on disk and the map between them. Only facts
 * that both sides know are compared, and the mode of a symbolic link is ignored. ret has room for
 * FINDINGS_PER_INODE findings, whose path the caller sets. Returns the number of findings, or
 * -ENOMEM.
 */
MUST_CHECK int compare_inode(const struct meta *disk, const struct meta *seen,
	const struct idmap *map, struct finding *ret);

/*
 * Fill *ret for an inode that only one side has: FINDING_MISSING if m is the disk side,
 * FINDING_EXTRA if m is the seen side.
 */
void compare_lonely(enum finding_class class, const struct meta *m, const struct idmap *map,
	struct finding *ret);

/* The type of file in words, "regular file"; static. */
const char *compare_type_name(mode_t mode);

#endif
