/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* draft: check ranges of ids, and make a map of them. */

#include "draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/vec.h"

/* (uid_t)-1 means "do not change" to chown(2) and setresuid(2), so no user or group can have it. */
#define NO_ID UINT32_MAX

static int range_fault(struct err *e, int num, const struct draft_entry *x, const char *what)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64 ":%" PRIu64, x->disk, x->seen,
		x->count); /* fits: 3 x 20 digits */
	const struct word w = { .s = text, .len = (size_t)n, .at = x->at };

	return word_fault(e, num, &w, "%s", what);
}

static int check_entry(const struct draft_entry *x, struct err *e)
{
	if (x->count == 0) {
		(void)range_fault(e, EINVAL, x, "the count is 0, so nothing is mapped");
		err_try(e, "write the number of ids as COUNT: 1 for one id, 65536 for a container");
		return -EINVAL;
	}
	if (x->disk >= NO_ID)
		return range_fault(e, ERANGE, x,
			x->disk == NO_ID ?
				"disk id 4294967295 is not a valid id: the last is 4294967294" :
				"the disk id is beyond the last id, 4294967294");
	if (x->seen >= NO_ID)
		return range_fault(e, ERANGE, x,
			x->seen == NO_ID ?
				"seen id 4294967295 is not a valid id: the last is 4294967294" :
				"the seen id is beyond the last id, 4294967294");
	if (x->count > NO_ID - x->disk)
		return range_fault(
			e, ERANGE, x, "disk id and count reach beyond the last id, 4294967294");
	if (x->count > NO_ID - x->seen)
		return range_fault(
			e, ERANGE, x, "seen id and count reach beyond the last id, 4294967294");
	return 0;
}

int draft_add(struct draft *d, unsigned kinds, const struct draft_entry *x, struct err *e)
{
	struct draft_range item = { .written = x->written, .at = x->at };
	int r = check_entry(x, e);

	if (r < 0)
		return r;
	item.r = (struct idrange){
		.disk = (uint32_t)x->disk, .seen = (uint32_t)x->seen, .count = (uint32_t)x->count
	};
	if ((kinds & KIND_UID && VEC_ADD(&d->uid, item) < 0) ||
		(kinds & KIND_GID && VEC_ADD(&d->gid, item) < 0))
		return err_nomem(e);
	return 0;
}

int draft_add_ranges(struct draft *d, unsigned kind, const struct idrange *ranges, size_t n,
	struct word_place at, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct draft_entry x = { ranges[i].disk, ranges[i].seen, ranges[i].count,
			kind, at };

		r = draft_add(d, kind, &x, e);
	}
	return r;
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

/* Say that the kernel cannot show two owners as one, and what can. seen: such an id of both. */
static void many_to_one(
	struct err *e, const struct draft_range *a, const struct draft_range *b, uint32_t seen)
{
	uint32_t x = a->r.disk + (seen - a->r.seen), y = b->r.disk + (seen - b->r.seen);
	unsigned kinds = a->written & b->written;
	char map[128] = "";

	if (x == y) /* the same twice */
		return;
	err_why(e,
		"no map can show two owners as one: the kernel could not tell which of them owns a "
		"new file");
	if (a->at.file || b->at.file)
		return;
	if (kinds & KIND_UID)
		(void)snprintf(map, sizeof(map), "%u/%u:%u/%u%s", x, seen, y, seen,
			kinds & KIND_GID ? ":" : ""); /* fits: 8 x 10 digits, as the next */
	if (kinds & KIND_GID)
		(void)snprintf(map + strlen(map), sizeof(map) - strlen(map), "@%u/@%u:@%u/@%u", x,
			seen, y, seen);
	err_try(e, "map one of them only, or use a FUSE filesystem: bindfs --map=%s SOURCE TARGET",
		map[0] ? map : "USER1/USER2");
}

/* Show both ranges as they were written, and the place of the later one. */
static int overlap_fault(
	struct err *e, const struct draft_range *a, const struct draft_range *b, bool seen)
{
	static const char letter[] = "?ugb";
	const struct idrange *x, *y;
	uint32_t first, last, end_a, end_b;
	char text[80], ids[32];
	struct word w;

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
	w = (struct word){ .s = text, .at = b->at };
	w.len = (size_t)snprintf(text, sizeof(text), "%c:%" PRIu32 ":%" PRIu32 ":%" PRIu32,
		letter[b->written], y->disk, y->seen, y->count);

	if (first < last)
		(void)snprintf(ids, sizeof(ids), "s %" PRIu32 "-%" PRIu32, first, last);
	else
		(void)snprintf(ids, sizeof(ids), " %" PRIu32, first);

	(void)word_fault(e, EINVAL, &w,
		"overlaps %c:%" PRIu32 ":%" PRIu32 ":%" PRIu32 ": %s id%s would %s%s",
		letter[a->written], x->disk, x->seen, x->count, seen ? "seen" : "disk", ids,
		seen ? "stand for two disk ids" : "be seen as two ids",
		first < last ? " each" : "");
	if (seen)
		many_to_one(e, a, b, first);
	else
		err_try(e,
			"omit one of the two, or part of its ids: a disk id can be shown as one id "
			"only");
	return -EINVAL;
}

/* r is sorted by the side that is checked. */
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
 * Merge adjacent ranges; r is sorted by disk and has no overlap. The kernel does not merge, and its
 * limits are on the number of extents and on the length of the text. Returns the length of ret.
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

/* The kernel refuses too many extents, or too long a text, with a plain EINVAL: say which. */
static int check_size(const struct idranges *r, char kind, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *name = kind == 'u' ? "user" : "group";

	if (r->len > IDMAP_EXTENTS_MAX) {
		(void)err_say(e, E2BIG, NULL,
			"the map has %zu ranges of %s ids, even with neighbours merged; the kernel "
			"allows %d",
			r->len, name, (int)IDMAP_EXTENTS_MAX);
		err_op(e, "map");
		return -E2BIG;
	}
	idranges_print_kernel(r, &b);
	if (!buf_get(&b))
		return err_nomem(e);
	if (b.len - 1 > IDMAP_TEXT_MAX) { /* the last newline need not be written */
		(void)err_say(e, E2BIG, NULL,
			"the map of %s ids has %zu bytes of text; the kernel allows %d", name,
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
