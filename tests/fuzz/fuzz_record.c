/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record of a mount: it is refused, or its maps are valid, its indices are within them, and it
 * is read back as it is written.
 */

#include "fuzz.h"

#include "../../lib/mount/mount_record.h"

static void check_map(const struct mount_record *r, struct record_map m)
{
	FUZZ_CHECK(m.wish == MAP_KEEP || m.wish == MAP_NONE || m.wish == MAP_SET);
	FUZZ_CHECK(m.wish != MAP_SET || m.at < r->maps.len);
}

static void check_again(const struct mount_record *r)
{
	struct mount_record again;
	struct buf text = BUF_INIT;

	FUZZ_CHECK(mount_record_print(r, &text) == 0 && buf_get(&text));
	FUZZ_CHECK(mount_record_parse(text.data, text.len, &again, NULL) == 0);
	FUZZ_CHECK(again.mount == r->mount && again.dev == r->dev && again.kind == r->kind);
	FUZZ_CHECK(again.maps.len == r->maps.len && again.layers.len == r->layers.len);
	for (size_t i = 0; i < r->maps.len; i++)
		FUZZ_CHECK(idmap_equal(&r->maps.items[i], &again.maps.items[i]));
	mount_record_done(&again);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct mount_record r;

	if (mount_record_parse((const char *)data, size, &r, &e) < 0) {
		FUZZ_CHECK(e.set && e.what[0]);
		return 0;
	}
	check_map(&r, r.map);
	for (size_t i = 0; i < r.layers.len; i++)
		check_map(&r, r.layers.items[i]);
	for (size_t i = 0; i < r.maps.len; i++)
		FUZZ_CHECK(r.maps.items[i].uid.len && r.maps.items[i].gid.len);
	check_again(&r);
	mount_record_done(&r);
	return 0;
}
