/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap: the one constructor of maps, and translation. */

#include "idmap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* (uid_t)-1 is how chown(2) and setresuid(2) say "leave it": no user or group can have it. */
#define NO_ID UINT32_MAX

int place_fault(struct err *e, int num, struct word_place at, const char *word, size_t n,
	const char *fmt, ...)
{
	char text[512], on[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut at worst */
	va_end(ap);
	if (n > sizeof(on) - 1)
		n = sizeof(on) - 1;
	if (n)
		memcpy(on, word, n);
	on[n] = '\0';

	if (at.file)
		(void)err_say(e, num, on, "%s (line %zu of %s)", text, at.pos, at.file);
	else if (at.pos != SIZE_MAX)
		(void)err_say(e, num, on, "%s (byte %zu of the map)", text, at.pos);
	else
		(void)err_say(e, num, on, "%s", text);
	err_op(e, "map");
	return -num;
}

static int range_fault(struct err *e, int num, struct word_place at, uint64_t disk, uint64_t seen,
	uint64_t count, const char *what)
{
	char word[80];
	int n = snprintf(word, sizeof(word), "%" PRIu64 ":%" PRIu64 ":%" PRIu64, disk, seen, count);

	return place_fault(e, num, at, word, (size_t)n, "%s", what);
}

int draft_add(struct draft *d, unsigned kinds, unsigned written, uint64_t disk, uint64_t seen,
	uint64_t count, struct word_place at, struct err *e)
{
	struct draft_range item = { .kinds = written, .at = at };

	if (count == 0)
		return range_fault(
			e, EINVAL, at, disk, seen, count, "the count is 0, so nothing is mapped");
	if (disk >= NO_ID)
		return range_fault(e, ERANGE, at, disk, seen, count,
			disk == NO_ID ? "disk id 4294967295 is no id: the last is 4294967294" :
					"the disk id is beyond the last id, 4294967294");
	if (seen >= NO_ID)
		return range_fault(e, ERANGE, at, disk, seen, count,
			seen == NO_ID ? "seen id 4294967295 is no id: the last is 4294967294" :
					"the seen id is beyond the last id, 4294967294");
	if (count > NO_ID - disk)
		return range_fault(e, ERANGE, at, disk, seen, count,
			"disk id and count reach beyond the last id, 4294967294");
	if (count > NO_ID - seen)
		return range_fault(e, ERANGE, at, disk, seen, count,
			"seen id and count reach beyond the last id, 4294967294");

	item.r = (struct idrange){
		.disk = (uint32_t)disk, .seen = (uint32_t)seen, .count = (uint32_t)count
	};
	if ((kinds & KIND_UID && VEC_ADD(&d->uid, item) < 0) ||
		(kinds & KIND_GID && VEC_ADD(&d->gid, item) < 0))
		return err_nomem(e);
	return 0;
}

void draft_done(struct draft *d)
{
	VEC_DONE(&d->uid);
	VEC_DONE(&d->gid);
}

static int cmp_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_disk(const void *a, const void *b)
{
	return cmp_u32(
		((const struct draft_range *)a)->r.disk, ((const struct draft_range *)b)->r.disk);
}

static int by_seen(const void *a, const void *b)
{
	return cmp_u32(
		((const struct draft_range *)a)->r.seen, ((const struct draft_range *)b)->r.seen);
}

/* Both ranges in the reader's own terms; the place shown is that of the one written later. */
static int overlap_fault(
	struct err *e, const struct draft_range *a, const struct draft_range *b, bool seen)
{
	static const char letter[] = "?ugb";
	const struct idrange *x, *y;
	uint32_t first, last, end_a, end_b;
	char word[80], ids[32];
	int n;

	if (a->at.pos > b->at.pos) {
		const struct draft_range *t = a;

		a = b;
		b = t;
	}
	x = &a->r;
	y = &b->r;
	end_a = (seen ? x->seen : x->disk) + x->count;
	end_b = (seen ? y->seen : y->disk) + y->count;
	first = seen ? (x->seen > y->seen ? x->seen : y->seen) :
		       (x->disk > y->disk ? x->disk : y->disk);
	last = (end_a < end_b ? end_a : end_b) - 1;
	n = snprintf(word, sizeof(word), "%c:%" PRIu32 ":%" PRIu32 ":%" PRIu32, letter[b->kinds],
		y->disk, y->seen, y->count);

	if (first < last)
		(void)snprintf(ids, sizeof(ids), "s %" PRIu32 "-%" PRIu32, first, last);
	else
		(void)snprintf(ids, sizeof(ids), " %" PRIu32, first);

	return place_fault(e, EINVAL, b->at, word, (size_t)n,
		"overlaps %c:%" PRIu32 ":%" PRIu32 ":%" PRIu32 ": %s id%s would %s%s",
		letter[a->kinds], x->disk, x->seen, x->count, seen ? "seen" : "disk", ids,
		seen ? "stand for two disk ids" : "be seen as two ids",
		first < last ? " each" : "");
}

/* r is sorted by the side in question. */
static int check_overlap(const struct draft_range *r, size_t n, bool seen, struct err *e)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t start = seen ? r[i - 1].r.seen : r[i - 1].r.disk;
		uint32_t next = seen ? r[i].r.seen : r[i].r.disk;

		if (next - start < r[i - 1].r.count)
			return overlap_fault(e, &r[i - 1], &r[i], seen);
	}
	return 0;
}

/*
 * r is sorted by disk and free of overlap. The kernel does not merge, so a text can be too long
 * only for want of it.
 */
static size_t merge(const struct draft_range *r, size_t n, struct idrange *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct idrange *last = len ? &ret[len - 1] : NULL;

		if (last && last->disk + last->count == r[i].r.disk &&
			last->seen + last->count == r[i].r.seen)
			last->count += r[i].r.count;
		else
			ret[len++] = r[i].r;
	}
	return len;
}

/* What the kernel would refuse with nothing but EINVAL: more extents or bytes than it takes. */
static int check_size(const struct idranges *r, char kind, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *name = kind == 'u' ? "user" : "group";

	if (r->len > IDMAP_EXTENTS_MAX) {
		(void)err_say(e, E2BIG, NULL,
			"the map has %zu ranges of %s ids, even with neighbours merged; the kernel "
			"takes %d",
			r->len, name, (int)IDMAP_EXTENTS_MAX);
		err_op(e, "map");
		return -E2BIG;
	}
	idranges_print_kernel(r, &b);
	if (!buf_get(&b))
		return err_nomem(e);
	if (b.len - 1 > IDMAP_TEXT_MAX) { /* the last newline need not be written */
		(void)err_say(e, E2BIG, NULL,
			"the map of %s ids takes %zu bytes of text; the kernel takes %d", name,
			b.len - 1, (int)IDMAP_TEXT_MAX);
		err_op(e, "map");
		return -E2BIG;
	}
	return 0;
}

static int finish_kind(const struct draft_kind *d, char kind, struct idranges *ret, struct err *e)
{
	static const struct draft_range everything = { .r = { .count = NO_ID },
		.at = { .pos = SIZE_MAX } };
	const struct draft_range *items = d->len ? d->items : &everything;
	size_t n = d->len ? d->len : 1;
	scoped_free struct draft_range *sorted = malloc(n * sizeof(*sorted));
	scoped_free struct idrange *ranges = malloc(n * sizeof(*ranges));
	int r;

	if (!sorted || !ranges)
		return err_nomem(e);

	memcpy(sorted, items, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_seen);
	r = check_overlap(sorted, n, true, e);
	if (r < 0)
		return r;
	qsort(sorted, n, sizeof(*sorted), by_disk);
	r = check_overlap(sorted, n, false, e);
	if (r < 0)
		return r;

	ret->len = merge(sorted, n, ranges);
	ret->items = ranges;
	r = check_size(ret, kind, e);
	if (r < 0)
		*ret = (struct idranges){ 0 };
	else
		(void)TAKE_PTR(ranges);
	return r;
}

int draft_finish(const struct draft *d, bool assume, struct idmap *ret, struct err *e)
{
	scoped_idmap struct idmap m = { .gid_assumed = !d->uid.len || !d->gid.len };
	int r;

	if ((!assume && m.gid_assumed) || (!d->uid.len && !d->gid.len)) {
		(void)err_say(e, ENODATA, NULL, "no %s is mapped",
			!d->gid.len ? d->uid.len ? "group id" : "id" : "user id");
		err_op(e, "map");
		return -ENODATA;
	}
	r = finish_kind(&d->uid, 'u', &m.uid, e);
	if (r == 0)
		r = finish_kind(&d->gid, 'g', &m.gid, e);
	if (r < 0)
		return r;

	*ret = m;
	m = (struct idmap){ 0 };
	return 0;
}

int idmap_from_ranges(const struct idrange *uid, size_t n_uid, const struct idrange *gid,
	size_t n_gid, struct idmap *ret, struct err *e)
{
	scoped_draft struct draft d = { 0 };
	int r = 0;

	for (size_t i = 0; i < n_uid && r == 0; i++)
		r = draft_add(&d, KIND_UID, KIND_UID, uid[i].disk, uid[i].seen, uid[i].count,
			PLACE_NONE, e);
	for (size_t i = 0; i < n_gid && r == 0; i++)
		r = draft_add(&d, KIND_GID, KIND_GID, gid[i].disk, gid[i].seen, gid[i].count,
			PLACE_NONE, e);
	if (r < 0)
		return r;
	return draft_finish(&d, true, ret, e);
}

int idmap_identity(struct idmap *ret, struct err *e)
{
	static const struct idrange all = { .count = NO_ID };

	return idmap_from_ranges(&all, 1, &all, 1, ret, e);
}

void idmap_done(struct idmap *m)
{
	free(m->uid.items);
	free(m->gid.items);
	*m = (struct idmap){ 0 };
}

/*
 * Sorted by disk: the last range that starts at or before the id is the only one that may hold it.
 */
static bool ranges_seen(const struct idranges *r, uint32_t disk, uint32_t *ret_seen)
{
	size_t lo = 0, hi = r->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->items[mid].disk <= disk)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || disk - r->items[lo - 1].disk >= r->items[lo - 1].count)
		return false;

	*ret_seen = r->items[lo - 1].seen + (disk - r->items[lo - 1].disk);
	return true;
}

static bool ranges_disk(const struct idranges *r, uint32_t seen, uint32_t *ret_disk)
{
	for (size_t i = 0; i < r->len; i++) {
		const struct idrange *x = &r->items[i];

		if (seen < x->seen || seen - x->seen >= x->count)
			continue;
		*ret_disk = x->disk + (seen - x->seen);
		return true;
	}
	return false;
}

bool idmap_uid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen)
{
	return ranges_seen(&m->uid, disk, ret_seen);
}

bool idmap_gid_seen(const struct idmap *m, uint32_t disk, uint32_t *ret_seen)
{
	return ranges_seen(&m->gid, disk, ret_seen);
}

bool idmap_uid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk)
{
	return ranges_disk(&m->uid, seen, ret_disk);
}

bool idmap_gid_disk(const struct idmap *m, uint32_t seen, uint32_t *ret_disk)
{
	return ranges_disk(&m->gid, seen, ret_disk);
}
