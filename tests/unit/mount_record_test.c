/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record says what was mounted, and nothing that is not strictly a record is one. */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/mount/mount_record.h"

static struct idmap parse_map(const char *text)
{
	struct idmap m;

	REQUIRE(idmap_parse(&text, 1, NULL, &m, NULL) == 0);
	return m;
}

static void add_layer(struct mount_plan *p, bool own, enum map_wish wish, const char *map)
{
	struct mount_layer l = { .dir = strdup("/secret/layer"), .own_map = own, .map.wish = wish };

	if (map)
		l.map.map = parse_map(map);
	REQUIRE(VEC_ADD(&p->layers, l) == 0);
}

static struct mount_plan stack(void)
{
	struct mount_plan p = {
		.kind = MOUNT_OVERLAY,
		.source = strdup("image:secret"),
		.target = strdup("/secret/target"),
		.upper_kind = UPPER_DIR,
		.upper = strdup("/secret/upper"),
		.map = { MAP_SET, parse_map("+100000") },
	};

	return p;
}

static void print(const struct mount_plan *p, struct buf *ret)
{
	struct mount_record r = { .mount = 2147483999, .dev = 47, .userns = 5, .mntns = 6 };

	strcpy(r.boot, "9dd4827a-9391-432d-974c-806b47cb40ee");
	mount_record_shape("overlay", p->source, "/", "", r.shape);
	REQUIRE(mount_record_of_plan(p, &r, NULL) == 0);
	r.upper_plain = true;
	r.upper_ids = (struct upper_ids){ 49, { 50, 51 } };
	REQUIRE(mount_record_print(&r, ret) == 0 && buf_get(ret));
	mount_record_done(&r);
}

TEST(a_record_is_read_back_as_it_was_written)
{
	struct mount_plan p = stack();
	struct buf text = BUF_INIT;
	struct mount_record r;
	uint8_t shape[32];

	add_layer(&p, false, MAP_KEEP, NULL);
	add_layer(&p, true, MAP_NONE, NULL);
	add_layer(&p, true, MAP_SET, "u:0:7:1;g:1:2:3");
	add_layer(&p, true, MAP_SET, "+100000");
	print(&p, &text);
	REQUIRE(mount_record_parse(text.data, text.len, &r, NULL) == 0);
	CHECK_STR(r.boot, "9dd4827a-9391-432d-974c-806b47cb40ee");
	CHECK(r.mount == 2147483999 && r.dev == 47 && r.userns == 5 && r.mntns == 6);
	CHECK(r.kind == MOUNT_OVERLAY && r.upper == UPPER_DIR && r.upper_plain);
	CHECK(r.upper_ids.dev == 49 && r.upper_ids.ino[0] == 50 && r.upper_ids.ino[1] == 51);
	mount_record_shape("overlay", "image:secret", "/", "", shape);
	CHECK(!memcmp(shape, r.shape, sizeof(shape)));
	CHECK_INT(r.maps.len, 2);
	CHECK(mount_record_map(&r) && idmap_equal(mount_record_map(&r), &p.map.map));
	CHECK(!mount_record_is_uniform(&r));
	REQUIRE(r.layers.len == 4);
	CHECK(r.layers.items[0].wish == MAP_SET && r.layers.items[0].at == 0);
	CHECK(r.layers.items[1].wish == MAP_NONE);
	CHECK(r.layers.items[2].wish == MAP_SET && r.layers.items[2].at == 1);
	CHECK(idmap_equal(&r.maps.items[1], &p.layers.items[2].map.map));
	CHECK(r.layers.items[3].wish == MAP_SET && r.layers.items[3].at == 0);
	mount_record_done(&r);
	buf_done(&text);
	mount_plan_done(&p);
}

TEST(a_record_has_no_names_and_no_paths)
{
	struct mount_plan p = stack();
	struct buf text = BUF_INIT;

	add_layer(&p, false, MAP_KEEP, NULL);
	print(&p, &text);
	CHECK(!strstr(text.data, "secret"));
	CHECK(!strchr(text.data, '/'));
	buf_done(&text);
	mount_plan_done(&p);
}

TEST(the_shape_depends_on_type_source_root_and_options)
{
	static const struct {
		const char *type, *source, *root, *options;
	} of[] = {
		{ "overlay", "a", "/", "" },
		{ "overlay", "b", "/", "" },
		{ "overlay", "a", "/b", "" },
		{ "ext4", "a", "/", "" },
		{ "overlay", "a/", "", "" },
		{ "overlaya", "", "/", "" },
		{ "overlay", "a", "/", ",lowerdir=0:1" },
	};
	uint8_t shapes[7][32], again[32];

	for (size_t i = 0; i < 7; i++) {
		mount_record_shape(of[i].type, of[i].source, of[i].root, of[i].options, shapes[i]);
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(shapes[i], shapes[k], 32));
	}
	/* statmount(2) reports "fuse" where mountinfo has "fuse.sshfs". */
	mount_record_shape("fuse", "a", "/", "", shapes[0]);
	mount_record_shape("fuse.sshfs", "a", "/", "", again);
	CHECK(!memcmp(again, shapes[0], 32));
}

#define SHAPE "389bed45255ec093df6420399349f73f82cbb0122ee760bced175794c72c5a5a"
#define HEAD \
	"{\"format\":1,\"boot\":\"b\",\"mount\":1,\"dev\":2,\"shape\":\"" SHAPE \
	"\",\"userns\":3,\"mntns\":4,\"mntns_id\":0,"
#define MAPS "\"maps\":[{\"uid\":\"0 1 1\\n\",\"gid\":\"0 1 1\\n\"}],"
#define TAIL "\"map\":\"0\",\"layers\":[],\"upper\":\"none\",\"upper_plain\":false}"

TEST(what_is_not_strictly_a_record_is_refused)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		HEAD MAPS TAIL,
		HEAD "\"kind\":\"stack\"," TAIL,
		HEAD "\"kind\":\"other\"," MAPS TAIL,
		HEAD "\"kind\":\"stack\"," MAPS TAIL "x",
		HEAD "\"kind\":\"stack\",\"kind\":\"stack\"," MAPS TAIL,
		HEAD "\"kind\":\"stack\",\"maps\":[{\"uid\":\"0 1 1\\n\"}]," TAIL,
		HEAD
		"\"kind\":\"stack\",\"maps\":[{\"uid\":\"0 1 0\\n\",\"gid\":\"0 1 1\\n\"}]," TAIL,
		HEAD
		"\"kind\":\"stack\",\"maps\":[{\"uid\":\"/etc/passwd\",\"gid\":\"0 1 1\"}]," TAIL,
		HEAD "\"kind\":\"stack\",\"maps\":[]," TAIL,
		HEAD "\"kind\":\"stack\"," MAPS
		     "\"map\":\"1\",\"layers\":[],\"upper\":\"none\",\"upper_plain\":false}",
		HEAD "\"kind\":\"stack\"," MAPS
		     "\"map\":\"-1\",\"layers\":[],\"upper\":\"none\",\"upper_plain\":false}",
		HEAD "\"kind\":\"stack\"," MAPS
		     "\"map\":\"0\",\"layers\":[\"2\"],\"upper\":\"none\",\"upper_plain\":false}",
		HEAD "\"kind\":\"stack\"," MAPS
		     "\"map\":\"0\",\"layers\":[0],\"upper\":\"none\",\"upper_plain\":false}",
		HEAD "\"kind\":\"stack\"," MAPS
		     "\"map\":\"0\",\"layers\":[],\"upper\":\"/x\",\"upper_plain\":false}",
		"{\"format\":2" /* a later version's */
		",\"boot\":\"b\",\"mount\":1,\"dev\":2,\"shape\":\"" SHAPE
		"\",\"userns\":3,\"mntns\":4,\"mntns_id\":0,\"kind\":\"stack\"," MAPS TAIL,
		"{\"format\":1,\"boot\":\"0123456789012345678901234567890123456\",\"mount\":1,"
		"\"dev\":2,\"shape\":\"" SHAPE
		"\",\"userns\":3,\"mntns\":4,\"mntns_id\":0,\"kind\":\"stack\"," MAPS TAIL,
		"{\"format\":1,\"boot\":\"b\",\"mount\":1,\"dev\":2,\"shape\":\"00\",\"userns\":3,"
		"\"mntns\":4,\"mntns_id\":0,\"kind\":\"stack\"," MAPS TAIL,
	};
	static const char good[] = HEAD "\"kind\":\"stack\"," MAPS TAIL;
	struct mount_record r;

	REQUIRE(mount_record_parse(good, strlen(good), &r, NULL) == 0);
	mount_record_done(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		if (mount_record_parse(bad[i], strlen(bad[i]), &r, &e) == 0)
			test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
		CHECK(e.set && e.what[0]);
	}
}

TEST(a_record_has_a_limit)
{
	char *big = malloc(MOUNT_RECORD_MAX + 2);
	struct mount_record r;

	REQUIRE(big != NULL);
	memset(big, ' ', MOUNT_RECORD_MAX + 1);
	CHECK_INT(mount_record_parse(big, MOUNT_RECORD_MAX + 1, &r, NULL), -EFBIG);
	free(big);
}
