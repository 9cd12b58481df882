/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_H
#define IDMAP_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * A map translates the ids stored in a filesystem (disk) into the ids that stat(2) reports through
 * a mount (seen). In the user namespace that an ID-mapped mount takes its map from, the disk id is
 * the first column of uid_map, and the seen id the second (user_namespaces(7): "inside" and
 * "outside"; mount_setattr(2)).
 */
struct idrange {
	uint32_t disk, seen, count; /* disk + count and seen + count are at most 4294967295 */
};

enum {
	IDMAP_EXTENTS_MAX = 340, /* user_namespaces(7): UID_GID_MAP_MAX_EXTENTS */
	IDMAP_TEXT_MAX = 4095,   /* bytes; the kernel refuses a write of a page or more */
};

/* The id that the kernel reports for an unmapped id (the default of fs.overflowuid). */
#define IDMAP_OVERFLOW 65534u

struct idranges {
	struct idrange *items; /* sorted by disk, without overlap on either side; adjacent ranges
	                          are merged */
	size_t len;
};

/* A map of both kinds of ids. Only functions of this area make one, so every map is valid. Free it
 * with idmap_done(). */
struct idmap {
	struct idranges uid, gid; /* neither is empty */
	bool gid_assumed; /* only one kind was specified, and the other one is the identity */
};

struct subid_files;
struct user;

/* What the maker of many maps has looked up already. Everything is borrowed. */
struct idmap_known {
	const struct subid_files *grants; /* in place of the files */
	const char *word; /* in place of a user's name, this or the uid means the user: */
	const struct user *user;
};

/* What the entries of a map may refer to. */
struct idmap_context {
	const char *source; /* the path whose owner owner:USER maps, links followed; NULL: such
	                       entries are refused */
	bool strict; /* refuse a map for one kind only, instead of adding the identity for the other
	              */
	const char *subuid, *subgid;     /* NULL: /etc/subuid and /etc/subgid */
	const struct idmap_known *known; /* or NULL */
};

/*
 * Parse the map language. Entries are separated by blanks, ';' or ',':
 *
 *   [b:|u:|g:|both:|uid:|gid:]DISK:SEEN:COUNT
 *                       a range; names of users or groups may stand for ids
 *   [b:|u:|g:|...]rest  each id that no other entry names, on either side, stays what it is
 *   +BASE[:COUNT]       b:0:BASE:COUNT; COUNT defaults to 65536
 *   uids=D-S-N#D-S-N    the form of crun(1), also gids=
 *   auto, subid:USER    the grants in subuid and subgid: disk id 0 is seen as the first granted id
 *   user:USER           disk id 0 is seen as the user's own id, 1 and on as the granted ones
 *   keep-id:USER[:UID[:GID]]
 *                       disk id UID (GID; by default the user's own) is seen as the user's own
 *                       id, and all others, from 0 on, as the granted ones
 *   owner:USER          the owner and group of the source are seen as USER and USER's group
 *   pid:N, /proc/N/ns/user, fd:N, /PATH
 *                       the map of an existing user namespace; PATH is a file that it is mounted on
 *                       (unshare --user=PATH), without blanks and ';'
 *   @FILE               lines "[u|g|b] DISK SEEN COUNT"
 *
 * The n strings are joined with blanks. ctx is optional. Errors: -EINVAL (e has the offset of the
 * fault), -ERANGE (an id or a sum is beyond 4294967294), -E2BIG (too many extents, or too long a
 * text), -ENOENT (no such user, file, process or grant), -ENODATA (a namespace without a map), and
 * those of reading what an entry refers to. The first three are usage errors (e->usage). A map for
 * one kind only is logged (log_info).
 */
MUST_CHECK int idmap_parse(const char *const *texts, size_t n, const struct idmap_context *ctx,
	struct idmap *ret, struct err *e);

/*
 * Make a map of ranges in any order: check them for overlap, sums and zero counts, and merge
 * neighbours. A kind without ranges becomes the identity (gid_assumed).
 */
MUST_CHECK int idmap_from_ranges(const struct idrange *uid, size_t n_uid, const struct idrange *gid,
	size_t n_gid, struct idmap *ret, struct err *e);

/* Make the identity of all ids (0 0 4294967295). */
MUST_CHECK int idmap_identity(struct idmap *ret, struct err *e);

/* Parse a map in the kernel's form, lines "DISK SEEN COUNT" (/proc/PID/uid_map, statmount(2)). */
MUST_CHECK int idmap_parse_kernel(
	const char *uid_lines, const char *gid_lines, struct idmap *ret, struct err *e);

void idmap_done(struct idmap *m);

static inline void cleanup_idmap(struct idmap *m)
{
	idmap_done(m);
}

#define scoped_idmap __attribute__((cleanup(cleanup_idmap)))

/* Translate an id. Returns false if it has no mapping. */
bool idmap_uid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen);
bool idmap_gid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen);
bool idmap_uid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk);
bool idmap_gid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk);

/*
 * Compose two maps: the disk ids of first are seen as the seen ids of second. Returns -ENODATA if
 * no user id or no group id is left, and -E2BIG if the result has more extents than the kernel
 * allows.
 */
MUST_CHECK int idmap_compose(
	const struct idmap *first, const struct idmap *second, struct idmap *ret, struct err *e);
/* Exchange the two sides: what is seen through a mount becomes the disk side. */
MUST_CHECK int idmap_invert(const struct idmap *m, struct idmap *ret, struct err *e);
/* Copy a map. */
MUST_CHECK int idmap_copy(const struct idmap *m, struct idmap *ret, struct err *e);

/* Are the lists equal? Both must be those of maps, which are sorted and merged. */
bool idranges_equal(const struct idranges *a, const struct idranges *b);

/* Do the ranges map every id to itself? */
bool idranges_identity(const struct idranges *r);

/* Do both maps translate every id in the same way? gid_assumed makes no difference. */
bool idmap_equal(const struct idmap *a, const struct idmap *b);

/* Does the map contain every id, each mapped to itself? */
bool idmap_is_identity(const struct idmap *m);

/*
 * Append the map in the form "u:0:100000:65536;g:0:100000:65536", or with b: if both kinds are
 * equal. idmap_parse() reads it back.
 */
void idmap_print(const struct idmap *m, struct buf *b);

/*
 * Append the map in words, "disk 0-65535 is seen as 100000-165535", separately for users and groups
 * if they differ.
 */
void idmap_print_words(const struct idmap *m, struct buf *b);

/* Append the text for /proc/PID/uid_map. */
void idranges_print_kernel(const struct idranges *r, struct buf *b);

#endif
