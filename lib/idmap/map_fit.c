/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map_fit: does a map suit the tree that it is to show? */

#include "map_fit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "subid.h"

/* One kind of id. */
struct fit_kind {
	const char *word;
	char letter;
	const char *file;
};

static const struct fit_kind kinds[] = { { "user", 'u', SUBUID_FILE },
	{ "group", 'g', SUBGID_FILE } };

static const struct idranges *ranges_of(const struct idmap *m, bool group)
{
	return group ? &m->gid : &m->uid;
}

static bool seen_of(const struct idmap *m, bool group, uint32_t disk, uint32_t *ret)
{
	return group ? idmap_gid_seen(m, disk, ret) : idmap_uid_seen(m, disk, ret);
}

static bool disk_of(const struct idmap *m, bool group, uint32_t seen, uint32_t *ret)
{
	return group ? idmap_gid_disk(m, seen, ret) : idmap_uid_disk(m, seen, ret);
}

uint32_t map_fit_room(const struct idmap *m, bool group, uint32_t id)
{
	const struct idranges *r = ranges_of(m, group);
	uint64_t in_line = UINT32_MAX, end = 0;
	uint32_t disk;

	for (size_t i = 0; i < r->len; i++) {
		uint64_t last = (uint64_t)r->items[i].seen + r->items[i].count;

		if (r->items[i].disk < id)
			in_line = (uint64_t)r->items[i].seen + (id - r->items[i].disk);
		end = last > end ? last : end;
	}
	if (in_line < UINT32_MAX && !disk_of(m, group, (uint32_t)in_line, &disk))
		return (uint32_t)in_line;
	return end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
}

/* --- subordinate ids --- */

struct holder {
	uint32_t id;
	char user[64];
};

static int look_at_line(const struct subid_line *l, void *arg)
{
	struct holder *h = arg;

	if (l->fault || h->id < l->grant.start || h->id - l->grant.start >= l->grant.count)
		return 0;
	(void)snprintf(h->user, sizeof(h->user), "%.*s", (int)l->user_len, l->user); /* cut */
	return 1;
}

/* The text of both files, read once: a table has many maps. Not for several threads at once. */
static const char *text_of(bool group)
{
	static struct {
		struct buf text;
		bool read;
	} files[ARRAY_LEN(kinds)];

	if (!files[group].read && subid_text(kinds[group].file, &files[group].text, NULL) < 0)
		buf_done(&files[group].text);
	files[group].read = true;
	return files[group].text.len ? buf_get(&files[group].text) : NULL;
}

/* Whose subordinate id is it? "" if there is no such line. */
static void find_holder(bool group, struct holder *h)
{
	const char *text = h->id >= ACCOUNTS_LOW ? text_of(group) : NULL;

	if (text)
		(void)subid_each(text, look_at_line, h);
}

/* --- the words --- */

static void say_shifted(
	const struct idmap *m, bool group, uint32_t id, const char *on, struct err *e)
{
	struct holder h = { .id = id };
	uint32_t disk = 0;

	find_holder(group, &h);
	(void)disk_of(m, group, id, &disk);
	if (h.user[0])
		(void)err_say(e, EOVERFLOW, on,
			"this tree is already shifted: on disk it belongs to %s %" PRIu32
			", a subordinate id of %s (%s)",
			kinds[group].word, id, h.user, kinds[group].file);
	else
		(void)err_say(e, EOVERFLOW, on,
			"this tree is already shifted: on disk it belongs to %s %" PRIu32
			", which the map shows for disk id %" PRIu32,
			kinds[group].word, id, disk);
	err_try(e, "mount it without a map (-m none), or chown it back");
}

/* The map with the sides of the users, the groups, or both exchanged. */
static int swap_kinds(const struct idmap *m, bool user, bool group, struct idmap *ret)
{
	scoped_idmap struct idmap other = { .gid_assumed = false };
	const struct idranges *u = user ? &other.uid : &m->uid, *g = group ? &other.gid : &m->gid;
	int r = idmap_invert(m, &other, NULL);

	return r < 0 ? r : idmap_from_ranges(u->items, u->len, g->items, g->len, ret, NULL);
}

/* user, group: does this kind look swapped? id: of the users if they do, else of the groups. */
static void say_swapped(
	const struct idmap *m, bool user, bool group, uint32_t id, const char *on, struct err *e)
{
	scoped_idmap struct idmap other = { .gid_assumed = false };
	scoped_buf struct buf b = BUF_INIT;
	uint32_t disk = 0;

	(void)disk_of(m, !user, id, &disk);
	(void)err_say(e, EOVERFLOW, on,
		"on disk it belongs to %s %" PRIu32
		", which is not a disk id of the map: it is a seen id, for disk id %" PRIu32,
		kinds[!user].word, id, disk);
	err_why(e, "DISK and SEEN look swapped: a map is DISK:SEEN:COUNT");
	if (swap_kinds(m, user, group, &other) == 0)
		idmap_print(&other, &b);
	if (b.len && b.len < 200 && buf_get(&b))
		err_try(e, "-m '%s'", b.data);
}

/* Add a range to the ranges of one kind of m. */
static int extend(struct idmap *m, bool group, const struct idrange *range)
{
	const struct idranges *old = ranges_of(m, group);
	struct idrange items[IDMAP_EXTENTS_MAX + 1];
	struct idmap ret = { .gid_assumed = false };
	int r;

	if (old->len >= IDMAP_EXTENTS_MAX)
		return -E2BIG;
	memcpy(items, old->items, old->len * sizeof(*items));
	items[old->len] = *range;
	r = idmap_from_ranges(group ? m->uid.items : items, group ? m->uid.len : old->len + 1,
		group ? items : m->gid.items, group ? old->len + 1 : m->gid.len, &ret, NULL);
	if (r < 0)
		return r;
	idmap_done(m);
	*m = ret;
	return 0;
}

/* Append to b an extent for the span, and add it to m. Nothing if there is no room for it. */
static void put_extent(struct idmap *m, bool group, const struct id_span *s, struct buf *b)
{
	uint32_t seen = map_fit_room(m, group, s->first), disk;
	uint64_t n = (uint64_t)s->last - s->first + 1;

	for (uint64_t i = 1; i < n && i < ACCOUNTS_LOW; i++)
		if (seen + i >= UINT32_MAX || disk_of(m, group, (uint32_t)(seen + i), &disk))
			n = i;
	if (seen == UINT32_MAX || n > UINT32_MAX - seen)
		return;
	if (extend(m, group,
		    &(struct idrange){ .disk = s->first, .seen = seen, .count = (uint32_t)n }) == 0)
		buf_printf(b, "%s%c:%" PRIu32 ":%" PRIu32 ":%" PRIu64, b->len ? ";" : "",
			kinds[group].letter, s->first, seen, n);
}

static void try_extents(const struct idmap *m, const struct id_span *users, size_t n_users,
	const struct id_span *groups, size_t n_groups, struct err *e)
{
	scoped_idmap struct idmap all = { .gid_assumed = false };
	scoped_buf struct buf b = BUF_INIT;

	if (idmap_copy(m, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < n_users; i++)
		put_extent(&all, false, &users[i], &b);
	for (size_t i = 0; i < n_groups; i++)
		put_extent(&all, true, &groups[i], &b);
	if (b.len && buf_get(&b))
		err_try(e, "add %s to the map", b.data);
}

static void say_outside(
	const struct idmap *m, bool group, uint32_t id, const char *on, struct err *e)
{
	const struct id_span one = { .first = id, .last = id };

	(void)err_say(e, EOVERFLOW, on,
		"on disk it belongs to %s %" PRIu32 ", which the map does not cover",
		kinds[group].word, id);
	err_why(e, "it is seen as %u, and cannot be changed through the mount", IDMAP_OVERFLOW);
	try_extents(m, &one, group ? 0 : 1, &one, group ? 1 : 0, e);
}

/* --- by the owner --- */

/* Was a tree that belongs to id shifted before it gets this map? */
static bool shifted(const struct idmap *m, bool group, uint32_t id)
{
	struct holder h = { .id = id };
	uint32_t disk, seen;
	bool covered = seen_of(m, group, id, &seen), is_seen = disk_of(m, group, id, &disk);

	if (is_seen && disk < id && id >= ACCOUNTS_LOW)
		return !covered || (disk == 0 && seen > id);
	if (covered)
		return false;
	find_holder(group, &h);
	return h.user[0];
}

static enum map_fit misfit(const struct idmap *m, bool group, uint32_t id)
{
	uint32_t disk, seen;

	if (shifted(m, group, id))
		return MAP_SHIFTED;
	if (seen_of(m, group, id, &seen))
		return MAP_FITS;
	return disk_of(m, group, id, &disk) ? MAP_SWAPPED : MAP_OUTSIDE;
}

enum map_fit map_fit_owner(
	const struct idmap *m, uint32_t uid, uint32_t gid, const char *on, struct err *e)
{
	enum map_fit user = misfit(m, false, uid), group = misfit(m, true, gid);
	bool of_group = user == MAP_FITS;
	enum map_fit fit = of_group ? group : user;
	uint32_t id = of_group ? gid : uid;

	if (fit == MAP_SHIFTED)
		say_shifted(m, of_group, id, on, e);
	else if (fit == MAP_SWAPPED)
		say_swapped(m, !of_group, group != MAP_FITS, id, on, e);
	else if (fit == MAP_OUTSIDE)
		say_outside(m, of_group, id, on, e);
	return fit;
}

int map_fit_swap(const struct idmap *m, uint32_t uid, uint32_t gid, struct idmap *ret)
{
	enum map_fit user = misfit(m, false, uid), group = misfit(m, true, gid);
	int r;

	if ((user == MAP_FITS ? group : user) != MAP_SWAPPED)
		return 0;
	r = swap_kinds(m, user != MAP_FITS, group != MAP_FITS, ret);
	return r < 0 ? r : 1;
}

/* --- by the ids of files --- */

enum { NAMED = 3 };

/* Returns how many spans are outside; the first of them are stored in out. */
static size_t name_ids(const struct idmap *m, bool group, const struct id_use *ids,
	struct id_span out[static NAMED], struct buf *b)
{
	size_t n = id_spans_outside(group ? &ids->gid : &ids->uid, ranges_of(m, group), out, NAMED);

	if (!n)
		return 0;
	buf_printf(b, "%s%s id", b->len ? ", " : "", kinds[group].word);
	if (n > 1 || out[0].first != out[0].last)
		buf_char(b, 's');
	for (size_t i = 0; i < n && i < NAMED; i++) {
		buf_printf(b, "%s%" PRIu32, i ? ", " : " ", out[i].first);
		if (out[i].last != out[i].first)
			buf_printf(b, "-%" PRIu32, out[i].last);
	}
	if (n > NAMED)
		buf_printf(b, " and %zu more", n - NAMED);
	return n;
}

enum map_fit map_fit_ids(
	const struct idmap *m, const struct id_use *ids, const char *on, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct id_span user[NAMED], group[NAMED];
	size_t users = name_ids(m, false, ids, user, &b),
	       groups = name_ids(m, true, ids, group, &b);
	uint32_t disk;

	if (!users && !groups)
		return MAP_FITS;
	if (users ? !user[0].first && idmap_uid_disk(m, 0, &disk) :
		    !group[0].first && idmap_gid_disk(m, 0, &disk)) {
		say_swapped(m, users, groups, 0, on, e);
		return MAP_SWAPPED;
	}
	(void)err_say(e, EOVERFLOW, on, "files have ids that the map does not cover: %s",
		buf_get(&b) ? buf_get(&b) : "");
	err_why(e, "they are seen as %u, and cannot be changed through the mount", IDMAP_OVERFLOW);
	try_extents(
		m, user, users < NAMED ? users : NAMED, group, groups < NAMED ? groups : NAMED, e);
	return MAP_OUTSIDE;
}
