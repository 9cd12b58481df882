/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#include <stddef.h>

#include "../base/buf.h"
#include "../idmap/idmap.h"
#include "meta.h"

/* What can be wrong with an inode. */
enum finding_class {
	FINDING_MISMATCH, /* the seen owner is not map(disk owner) */
	FINDING_UNMAPPED, /* the map has nothing for the disk owner: it is seen as the overflow id
	                   */
	FINDING_HALF_SHIFTED, /* the same, but the id on disk is one of the seen side: somebody
	                         chowned */
	FINDING_ACL,
	FINDING_CAPS,
	FINDING_MISSING, /* it should be there */
	FINDING_EXTRA,   /* it should not be there */
	FINDING_TYPE,    /* another type of file, or another device */
	FINDING_MODE,
	FINDING_UNREADABLE,
	FINDING_CLASSES
};

/* The words of the classes, by index; also as one blank-separated string, for options. */
#define FINDING_WORDS "mismatch unmapped half-shifted acl caps missing extra type mode unreadable"
const char *finding_word(enum finding_class class);

enum { FINDING_DETAIL = 384 };

struct finding {
	enum finding_class class;
	const char *path; /* below the root of the check, "" is the root; any bytes; not owned */
	const struct meta *disk, *seen; /* either may be NULL; not owned */
	bool has_uid, has_gid; /* expected_* are known: the map has something for the disk ids */
	uint32_t expected_uid, expected_gid;
	int errnum;                  /* of "unreadable"; else 0 */
	char detail[FINDING_DETAIL]; /* for people: what disk says, what is seen, what should be */
};

/* Owner (three classes), ACL, capabilities, mode: the most that one inode can have. */
enum { FINDINGS_PER_INODE = 6 };

/*
 * What is wrong with seen, given what is on disk and the map between them. Only what both know is
 * compared; a link's mode is nothing. ret has room for FINDINGS_PER_INODE; path is left to the
 * caller. Returns how many there are, or -ENOMEM.
 */
int compare_inode(const struct meta *disk, const struct meta *seen, const struct idmap *map,
	struct finding *ret);

/* A finding of one side: FINDING_MISSING (m is the disk side) or FINDING_EXTRA (the seen one). */
void compare_lonely(enum finding_class class, const struct meta *m, const struct idmap *map,
	struct finding *ret);

/* "regular file", "directory" ... */
const char *compare_type_name(mode_t mode);

#endif
