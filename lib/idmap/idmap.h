/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_IDMAP_H
#define IDMAP_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"

/*
 * A map turns the ids stored in a filesystem (disk) into the ids that stat shows through a mount
 * (seen). user_namespaces(7) calls the same columns "inside" and "outside" when it is loaded into
 * the user namespace of an ID-mapped mount: first column disk, second seen (mount_setattr(2)).
 */
struct idrange {
	uint32_t disk, seen, count; /* disk + count and seen + count are at most 4294967295 */
};

enum {
	IDMAP_EXTENTS_MAX = 340, /* user_namespaces(7): UID_GID_MAP_MAX_EXTENTS */
	IDMAP_TEXT_MAX = 4095,   /* bytes; the kernel refuses a write of a page or more */
};

/* The value of an id that no range covers, as the kernel shows it (fs.overflowuid's default). */
#define IDMAP_OVERFLOW 65534u

struct idranges {
	struct idrange *items; /* sorted by disk, no overlap on either side, adjacent ones merged */
	size_t len;
};

/*
 * Only idmap_* functions make one, so that every one that exists is valid. Free with idmap_done().
 */
struct idmap {
	struct idranges uid, gid; /* neither is empty */
	bool gid_assumed; /* only u: entries were given: gid is the identity (or the other way
	                     round) */
};

/* What the words of a map may refer to. */
struct idmap_context {
	const char *source; /* for owner:USER: the path whose owner is meant, links followed; NULL:
	                       refused */
	bool strict; /* refuse a map for only one kind, instead of taking the identity for the other
	              */
	const char *subuid, *subgid; /* NULL: /etc/subuid and /etc/subgid */
};

/*
 * Parse the map language: entries separated by blanks or ';', each one of
 *   [b:|u:|g:|both:|uid:|gid:]DISK:SEEN:COUNT, with names of users or groups where ids are expected
 *   +BASE[:COUNT]       b:0:BASE:COUNT, COUNT defaults to 65536
 *   uids=D-S-N#D-S-N    crun's form; gids= alike
 *   auto, subid:USER    the grant in subuid/subgid: disk 0 is seen as its first id
 *   user:USER           disk 0 is the user's own id, disk 1... the grant
 *   owner:USER          the owner of the source's top directory (uid and gid apart) is seen as USER
 *   pid:N, /proc/N/ns/user, fd:N, /PATH   the map of an existing user namespace; PATH is a file
 * that one is mounted on (unshare --user=PATH), without blanks and ';'
 *   @FILE               lines "[u|g|b] DISK SEEN COUNT"
 * n strings are joined as if separated by blanks. The whole is taken or refused: -EINVAL (with the
 * offset of the fault in e), -ERANGE (an id or sum beyond 4294967294), -E2BIG (too many extents or
 * too long a text), -ENOENT (no such user, file, process, grant), -ENODATA (a namespace without a
 * map), or what reading from there failed with. The first three are faults of the words: e->usage
 * is set. ctx may be NULL. A map for one kind only is told of (log_info).
 */
MUST_CHECK int idmap_parse(const char *const *texts, size_t n, const struct idmap_context *ctx,
	struct idmap *ret, struct err *e);

/*
 * The same from ranges in any order: checks overlap on both sides, sums, zero counts, merges
 * neighbours. ranges of a kind that has none become the identity (gid_assumed). Inputs stay the
 * caller's.
 */
MUST_CHECK int idmap_from_ranges(const struct idrange *uid, size_t n_uid, const struct idrange *gid,
	size_t n_gid, struct idmap *ret, struct err *e);

/* The identity over all ids (0 0 4294967295). */
MUST_CHECK int idmap_identity(struct idmap *ret, struct err *e);

/*
 * Read a map in the kernel's own form, lines "DISK SEEN COUNT" (/proc/PID/uid_map, statmount
 * strings).
 */
MUST_CHECK int idmap_parse_kernel(
	const char *uid_lines, const char *gid_lines, struct idmap *ret, struct err *e);

void idmap_done(struct idmap *m);

static inline void cleanup_idmap(struct idmap *m)
{
	idmap_done(m);
}

#define scoped_idmap __attribute__((cleanup(cleanup_idmap)))

/* Translate: false when the id has no mapping. */
bool idmap_uid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen);
bool idmap_gid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen);
bool idmap_uid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk);
bool idmap_gid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk);

/*
 * first, then second: disk ids of first are seen as second's seen ids. -ENODATA when no user id or
 * no group id is left, -E2BIG when the result needs more ranges than the kernel takes.
 */
MUST_CHECK int idmap_compose(
	const struct idmap *first, const struct idmap *second, struct idmap *ret, struct err *e);
/* The same ranges with the sides exchanged: what is seen through a mount as it is on disk. */
MUST_CHECK int idmap_invert(const struct idmap *m, struct idmap *ret, struct err *e);
/* A copy of its own. */
MUST_CHECK int idmap_copy(const struct idmap *m, struct idmap *ret, struct err *e);

/* Do both lists have the same ranges? They must be those of maps. */
bool idranges_equal(const struct idranges *a, const struct idranges *b);

/* Do the ranges map every id to itself? */
bool idranges_identity(const struct idranges *r);

/* Whether both translate every id alike. gid_assumed makes no difference. */
bool idmap_equal(const struct idmap *a, const struct idmap *b);

/* Whether it changes nothing at all: every id is mapped, and to itself. */
bool idmap_is_identity(const struct idmap *m);

/* In the form "u:0:100000:65536;g:0:100000:65536", or b: where both are equal. It reads back. */
void idmap_print(const struct idmap *m, struct buf *b);

/* For people: "disk 0-65535 is seen as 100000-165535", kinds apart where they differ. */
void idmap_print_words(const struct idmap *m, struct buf *b);

/* The text for /proc/PID/uid_map. */
void idranges_print_kernel(const struct idranges *r, struct buf *b);

#endif
