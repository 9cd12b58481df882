/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the language of maps accepts, what it makes of it, and what it refuses, where and why. */

#include <errno.h>
#include <stdio.h>

#include "../../lib/base/buf.h"
#include "../../lib/idmap/draft.h"
#include "../../lib/idmap/idmap.h"
#include "test.h"

static int parse(const char *text, struct idmap *ret, struct err *e)
{
	return idmap_parse(&text, 1, NULL, ret, e);
}

TEST(idmap_texts_read_as_canonical_maps)
{
	static const struct { const char *text, *canonical; } good[] = {
		{ "0:100000:65536", "b:0:100000:65536" },
		{ "b:0:100000:65536", "b:0:100000:65536" },
		{ "both:0:100000:65536", "b:0:100000:65536" },
		{ "+100000", "b:0:100000:65536" },
		{ "+100000:1000", "b:0:100000:1000" },
		{ "+0:4294967295", "b:0:0:4294967295" },
		{ "u:1:2:3", "u:1:2:3;g:0:0:4294967295" },
		{ "gid:1:2:3", "u:0:0:4294967295;g:1:2:3" },
		{ "u:1:2:3;g:4:5:6", "u:1:2:3;g:4:5:6" },
		{ " \tuid:1:2:3 ; g:4:5:6\n", "u:1:2:3;g:4:5:6" },
		{ "b:0:10:5 u:5:15:1", "u:0:10:6;g:0:10:5" },
		{ "5:6:1 0:1:5", "b:0:1:6" },
		{ "u:0:1000:1 u:1000:0:1", "u:0:1000:1;u:1000:0:1;g:0:0:4294967295" },
		{ "007:08:09", "b:7:8:9" },
		{ "4294967294:0:1", "b:4294967294:0:1" },
		{ "0:4294967294:1", "b:0:4294967294:1" },
		{ "uids=0-100-10", "u:0:100:10;g:0:0:4294967295" },
		{ "uids=0-100-10#10-200-10;gids=0-5-1", "u:0:100:10;u:10:200:10;g:0:5:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		scoped_buf struct buf b = BUF_INIT;
		scoped_idmap struct idmap m = { 0 };
		struct err e = ERR_INIT;

		if (!CHECK(parse(good[i].text, &m, &e) == 0)) {
			test_fail(__FILE__, __LINE__, "'%s': %s", good[i].text, e.what);
			continue;
		}
		idmap_print(&m, &b);
		CHECK_STR(buf_get(&b), good[i].canonical);
	}
}

TEST(idmap_refusals_name_the_fault_the_word_and_the_place)
{
	static const struct { const char *text; int r; const char *on, *what; } bad[] = {
		{ "", -EINVAL, "", "the map is empty (byte 0" },
		{ "  ", -EINVAL, "", "the map is empty (byte 2" },
		{ ";", -EINVAL, "", "missing beside ';' (byte 0" },
		{ "0:1:1;", -EINVAL, "", "missing beside ';' (byte 6" },
		{ "0:1:1;;1:2:1", -EINVAL, "", "missing beside ';' (byte 6" },
		{ "0:1:1 x:1:1:1", -EINVAL, "x", "no kind of id: b, u or g (or both, uid, gid) (byte 6" },
		{ "0:1", -EINVAL, "0:1", "has three fields" },
		{ "0:1:2:3:4", -EINVAL, "0:1:2:3:4", "has no more fields" },
		{ "u:0:1:2:3", -EINVAL, "u:0:1:2:3", "has no more fields" },
		{ "u:0:1", -ENOENT, "u", "no user of this name" },
		{ "0: 1:5", -EINVAL, "0:", "has three fields" },
		{ "0 :1:5", -EINVAL, "0", "has three fields" },
		{ "::", -EINVAL, "", "DISK is missing (byte 0" },
		{ "u:0::1", -EINVAL, "", "SEEN is missing (byte 4" },
		{ "0:1:", -EINVAL, "", "COUNT is missing (byte 4" },
		{ "0:1:0", -EINVAL, "0:1:0", "the count is 0" },
		{ "-1:0:1", -EINVAL, "-1", "DISK has a sign" },
		{ "0:+1:1", -EINVAL, "+1", "SEEN has a sign" },
		{ "0:1:+1", -EINVAL, "+1", "COUNT is no decimal number (byte 4" },
		{ "0:1:-1", -EINVAL, "-1", "COUNT is no decimal number" },
		{ "0x10:0:1", -EINVAL, "0x10", "DISK is no decimal number" },
		{ "b:0:1:1x", -EINVAL, "1x", "COUNT is no decimal number (byte 6" },
		{ "0:1:1,1:2:1", -EINVAL, "0:1:1,1:2:1", "no more fields" },
		{ "4294967295:0:1", -ERANGE, "4294967295:0:1", "disk id 4294967295 is no id" },
		{ "0:4294967295:1", -ERANGE, "0:4294967295:1", "seen id 4294967295 is no id" },
		{ "4294967296:0:1", -ERANGE, "4294967296:0:1", "beyond the last id" },
		{ "0:18446744073709551616:1", -ERANGE, "18446744073709551616", "SEEN is beyond the last id, 4294967294 (byte 2" },
		{ "0:0:18446744073709551616", -ERANGE, "18446744073709551616", "COUNT is beyond" },
		{ "0:0:4294967296", -ERANGE, "0:0:4294967296", "reach beyond the last id" },
		{ "0:1:4294967295", -ERANGE, "0:1:4294967295", "seen id and count reach beyond" },
		{ "1:0:4294967295", -ERANGE, "1:0:4294967295", "disk id and count reach beyond" },
		{ "b:0:100:10 b:5:200:10", -EINVAL, "b:5:200:10", "overlaps b:0:100:10: disk ids 5-9 would be seen as two ids each (byte 11" },
		{ "u:5:200:10 b:0:100:10", -EINVAL, "b:0:100:10", "overlaps u:5:200:10: disk ids 5-9" },
		{ "0:0:10 20:5:10", -EINVAL, "b:20:5:10", "overlaps b:0:0:10: seen ids 5-9 would stand for two disk ids each (byte 7" },
		{ "0:1:1 0:1:1", -EINVAL, "b:0:1:1", "overlaps" },
		{ "+", -EINVAL, "", "BASE is missing (byte 1" },
		{ "++1", -EINVAL, "+1", "BASE is no decimal number (byte 1" },
		{ "+root", -EINVAL, "root", "BASE is no decimal number" },
		{ "+1:", -EINVAL, "", "COUNT is missing" },
		{ "+1:2:3", -EINVAL, "+1:2:3", "has no more fields" },
		{ "+4294967294", -ERANGE, "0:4294967294:65536", "reach beyond" },
		{ "uids=", -EINVAL, "", "no DISK-SEEN-COUNT (byte 5" },
		{ "uids=0-1-2#", -EINVAL, "", "no DISK-SEEN-COUNT (byte 11" },
		{ "uids=0-1", -EINVAL, "0-1", "no DISK-SEEN-COUNT" },
		{ "uids=0-1-2-3", -EINVAL, "0-1-2-3", "no DISK-SEEN-COUNT" },
		{ "uids=@0-1-2", -EINVAL, "@0-1-2", "'@'" },
		{ "uids=0-root-2", -EINVAL, "root", "no decimal number (byte 7" },
		{ "uids=0--1-2", -EINVAL, "0--1-2", "no DISK-SEEN-COUNT" },
		{ "no-such-user-here:0:1", -ENOENT, "no-such-user-here", "there is no user of this name (byte 0" },
		{ "g:0:no-such-group-here:1", -ENOENT, "no-such-group-here", "there is no group of this name (byte 4" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct idmap m = { .uid.len = 77 };
		struct err e = ERR_INIT;
		int r = parse(bad[i].text, &m, &e);

		if (r != bad[i].r)
			test_fail(__FILE__, __LINE__, "'%s' gives %d, not %d: %s", bad[i].text, r, bad[i].r, e.what);
		CHECK(e.set);
		CHECK_STR(e.on, bad[i].on);
		CHECK_HAS(e.what, bad[i].what);
		CHECK_INT(m.uid.len, 77); /* the result is set on success only */
	}
}
