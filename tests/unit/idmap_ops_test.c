/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Properties of compose, invert, equal and print over random maps, checked at every boundary of
 * every range.
 */

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/idmap.h"
#include "test.h"

enum { ROUNDS = 3000, RANGES = 12 };

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return below ? (uint32_t)((seed * 0x2545f4914f6cdd1dULL) >> 32) % below : 0;
}

/*
 * Up to RANGES ranges that overlap nowhere, in random order: starts grow by count and a gap that is
 * often 0, on each side in an order of its own. Small ids, so that two maps meet, or ids up to the
 * last.
 */
static size_t random_ranges(struct idrange *r)
{
	uint32_t n = 1 + rnd(RANGES), order[RANGES], disk, seen;
	bool high = rnd(4) == 0;
	uint32_t start = high ? UINT32_MAX - n * 32 : rnd(20);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = rnd(i + 1);

		order[i] = order[k];
		order[k] = i;
		r[i].count = 1 + rnd(16);
	}
	disk = start;
	seen = rnd(3) ? rnd(20) : start;
	for (uint32_t i = 0; i < n; i++) {
		r[i].disk = disk;
		disk += r[i].count + (rnd(2) ? 0 : rnd(16));
		r[order[i]].seen = seen;
		seen += r[order[i]].count + (rnd(2) ? 0 : rnd(16));
	}
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = rnd(i);
		struct idrange t = r[i - 1];

		r[i - 1] = r[k];
		r[k] = t;
	}
	return n;
}

static void random_map(struct idmap *ret)
{
	struct idrange uid[RANGES], gid[RANGES];
	size_t n_uid = random_ranges(uid), n_gid = random_ranges(gid);
	struct err e = ERR_INIT;

	REQUIRE(idmap_from_ranges(uid, n_uid, gid, n_gid, ret, &e) == 0);
}

/* Ids at and beside the ends of the ranges, on both sides, and the ends of all ids. */
static size_t boundaries(const struct idranges *r, uint32_t *ids)
{
	size_t n = 0;

	ids[n++] = 0;
	ids[n++] = IDMAP_OVERFLOW;
	ids[n++] = UINT32_MAX - 1;
	ids[n++] = UINT32_MAX;
	for (size_t i = 0; i < r->len; i++)
		for (uint32_t d = 0; d < 2; d++) {
			ids[n++] = r->items[i].disk - d;
			ids[n++] = r->items[i].seen - d;
			ids[n++] = r->items[i].disk + r->items[i].count - d;
			ids[n++] = r->items[i].seen + r->items[i].count - d;
		}
	return n;
}

enum { BOUNDARIES = 4 + RANGES * 8 };

/* The definition, over ranges as they were given. */
static bool naive_seen(const struct idrange *r, size_t n, uint32_t disk, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < r[i].count; k++)
			if (r[i].disk + k == disk) {
				*ret = r[i].seen + k;
				return true;
			}
	return false;
}

TEST(idmap_translates_as_its_ranges_say_in_both_directions)
{
	seed = 1;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct idrange ranges[RANGES];
		size_t n = random_ranges(ranges), n_ids;
		scoped_idmap struct idmap m = { 0 };
		uint32_t ids[BOUNDARIES], seen, want, disk;
		struct err e = ERR_INIT;

		REQUIRE(idmap_from_ranges(ranges, n, NULL, 0, &m, &e) == 0);
		n_ids = boundaries(&m.uid, ids);
		for (size_t i = 0; i < n_ids; i++) {
			bool mapped = naive_seen(ranges, n, ids[i], &want);

			REQUIRE(idmap_uid_seen(&m, ids[i], &seen) == mapped);
			REQUIRE(!mapped || seen == want);
			REQUIRE(!mapped || (idmap_uid_disk(&m, seen, &disk) && disk == ids[i]));
			/* and nothing is seen that is on no disk */
			REQUIRE(!idmap_uid_disk(&m, ids[i], &disk) ||
				(naive_seen(ranges, n, disk, &seen) && seen == ids[i]));
		}
	}
}

TEST(idmap_has_one_form_whatever_the_order_and_the_cuts)
{
	seed = 2;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct idrange a[RANGES], b[RANGES * 2];
		scoped_idmap struct idmap ma = { 0 }, mb = { 0 };
		size_t n = random_ranges(a), n_b = 0;
		struct err e = ERR_INIT;

		/* The same ranges last to first, each cut in two where it can be. */
		for (size_t i = n; i-- > 0;) {
			uint32_t cut = rnd(a[i].count);

			if (cut)
				b[n_b++] = (struct idrange){ a[i].disk, a[i].seen, cut };
			b[n_b++] = (struct idrange){ a[i].disk + cut, a[i].seen + cut,
				a[i].count - cut };
		}
		REQUIRE(idmap_from_ranges(a, n, a, n, &ma, &e) == 0);
		REQUIRE(idmap_from_ranges(b, n_b, b, n_b, &mb, &e) == 0);
		REQUIRE(idmap_equal(&ma, &mb));

		/* and with one range elsewhere it is another map */
		idmap_done(&mb);
		a[0].disk ^= 0x40000000;
		REQUIRE(idmap_from_ranges(a, n, NULL, 0, &mb, &e) == 0);
		REQUIRE(!idmap_equal(&ma, &mb));
	}
}

TEST(idmap_print_reads_back)
{
	seed = 3;
	for (size_t round = 0; round < ROUNDS; round++) {
		scoped_idmap struct idmap m = { 0 }, back = { 0 }, kernel = { 0 };
		scoped_buf struct buf b = BUF_INIT, uid = BUF_INIT, gid = BUF_INIT;
		struct err e = ERR_INIT;
		const char *text;

		random_map(&m);
		idmap_print(&m, &b);
		text = buf_get(&b);
		REQUIRE(idmap_parse(&text, 1, NULL, &back, &e) == 0);
		REQUIRE(idmap_equal(&m, &back));

		idranges_print_kernel(&m.uid, &uid);
		idranges_print_kernel(&m.gid, &gid);
		REQUIRE(idmap_parse_kernel(buf_get(&uid), buf_get(&gid), &kernel, &e) == 0);
		REQUIRE(idmap_equal(&m, &kernel));
	}
}

TEST(idmap_invert_twice_is_the_map_and_once_translates_back)
{
	seed = 4;
	for (size_t round = 0; round < ROUNDS; round++) {
		scoped_idmap struct idmap m = { 0 }, inv = { 0 }, back = { 0 };
		uint32_t ids[BOUNDARIES], a, b;
		struct err e = ERR_INIT;
		size_t n;

		random_map(&m);
		REQUIRE(idmap_invert(&m, &inv, &e) == 0);
		REQUIRE(idmap_invert(&inv, &back, &e) == 0);
		REQUIRE(idmap_equal(&m, &back));
		n = boundaries(&m.gid, ids);
		for (size_t i = 0; i < n; i++) {
			bool mapped = idmap_gid_disk(&m, ids[i], &a);

			REQUIRE(idmap_gid_seen(&inv, ids[i], &b) == mapped);
			REQUIRE(!mapped || a == b);
		}
	}
}

/* compose(a, b) at id against one after the other; which: a function of one kind. */
static void check_composed(bool (*seen)(const struct idmap *, uint32_t, uint32_t *),
	const struct idmap *a, const struct idmap *b, const struct idmap *ab, uint32_t id)
{
	uint32_t mid, want, got;
	bool mapped = seen(a, id, &mid) && seen(b, mid, &want);

	REQUIRE(seen(ab, id, &got) == mapped);
	REQUIRE(!mapped || got == want);
}

TEST(idmap_compose_is_one_map_after_the_other)
{
	size_t composed = 0;

	seed = 5;
	for (size_t round = 0; round < ROUNDS; round++) {
		scoped_idmap struct idmap a = { 0 }, b = { 0 }, ab = { 0 };
		uint32_t ids[BOUNDARIES], id;
		struct err e = ERR_INIT;
		size_t n;
		int r;

		random_map(&a);
		random_map(&b);
		r = idmap_compose(&a, &b, &ab, &e);
		REQUIRE(r == 0 || r == -ENODATA);
		if (r < 0)
			continue;
		composed++;
		n = boundaries(&a.uid, ids);
		for (size_t i = 0; i < n; i++)
			check_composed(idmap_uid_seen, &a, &b, &ab, ids[i]);
		n = boundaries(&b.gid, ids); /* b's own boundaries, as disk ids of a */
		for (size_t i = 0; i < n; i++)
			if (idmap_gid_disk(&a, ids[i], &id))
				check_composed(idmap_gid_seen, &a, &b, &ab, id);
	}
	CHECK(composed > ROUNDS / 3); /* the maps do meet */
}

TEST(idmap_compose_with_the_inverse_is_the_identity_where_the_map_is)
{
	seed = 6;
	for (size_t round = 0; round < ROUNDS; round++) {
		scoped_idmap struct idmap m = { 0 }, inv = { 0 }, one = { 0 }, all = { 0 },
					  same = { 0 };
		struct err e = ERR_INIT;
		uint32_t ids[BOUNDARIES], a, b;
		size_t n;

		random_map(&m);
		REQUIRE(idmap_invert(&m, &inv, &e) == 0 && idmap_compose(&m, &inv, &one, &e) == 0);
		n = boundaries(&m.uid, ids);
		for (size_t i = 0; i < n; i++) {
			REQUIRE(idmap_uid_seen(&m, ids[i], &a) == idmap_uid_seen(&one, ids[i], &b));
			REQUIRE(!idmap_uid_seen(&one, ids[i], &b) || b == ids[i]);
		}
		REQUIRE(idmap_identity(&all, &e) == 0 && idmap_is_identity(&all) &&
			!idmap_is_identity(&one));
		REQUIRE(idmap_compose(&m, &all, &same, &e) == 0 && idmap_equal(&m, &same));
		idmap_done(&same);
		REQUIRE(idmap_compose(&all, &m, &same, &e) == 0 && idmap_equal(&m, &same));
	}
}

TEST(idmap_compose_says_when_nothing_or_too_much_is_left)
{
	scoped_idmap struct idmap a = { 0 }, b = { 0 }, ab = { 0 };
	struct idrange odd[340], all = { 0, 0, 680 }, low = { 5000, 0, 1 };
	struct err e = ERR_INIT;

	for (uint32_t i = 0; i < 340; i++)
		odd[i] = (struct idrange){ i * 2, i * 2 + 1, 1 };
	REQUIRE(idmap_from_ranges(odd, 340, odd, 340, &a, &e) == 0);
	REQUIRE(idmap_from_ranges(&low, 1, &low, 1, &b, &e) == 0);
	CHECK_INT(idmap_compose(&a, &b, &ab, &e), -ENODATA);
	CHECK_HAS(e.what, "cannot be composed: no id is mapped");
	idmap_done(&b);

	/* 340 ranges of three ids through a map that cuts each once: 680 */
	idmap_done(&a);
	for (uint32_t i = 0; i < 340; i++)
		odd[i] = (struct idrange){ i * 4, i * 2, 2 };
	REQUIRE(idmap_from_ranges(odd, 340, &all, 1, &a, &e) == 0);
	for (uint32_t i = 0; i < 340; i++)
		odd[i] = (struct idrange){ i * 2 + 1, 10000 - i * 2, 2 };
	REQUIRE(idmap_from_ranges(odd, 340, &all, 1, &b, &e) == 0);
	CHECK_INT(idmap_compose(&a, &b, &ab, &e), -E2BIG);
}
