/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map in the words of other tools, read back as each tool reads it, is the same map. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "../../lib/base/num.h"
#include "../../lib/idmap/idmap_diff.h"
#include "../../lib/idmap/idmap_forms.h"
#include "test.h"

/* None is its own inverse: a form with its columns exchanged reads back as another map. */
static const char *const maps[] = {
	"+100000",
	"u:5:7:1 g:9:11:2",
	"0:100000:5 7:9:1 10:200000:65536",
	"u:1000:0:1",
	"u:0:1:3 u:4294967290:5:4 g:1:2:1",
	"0:4294967294:1",
};

static void parse(const char *text, struct idmap *ret)
{
	struct err e = ERR_INIT;

	if (idmap_parse(&text, 1, NULL, ret, &e) < 0)
		test_fail(__FILE__, __LINE__, "'%s': %s", text, e.what);
}

/* The ranges of one kind, collected as the reader of a form finds them. */
struct ranges {
	struct idrange r[16];
	size_t n;
};

static void add(struct ranges *v, uint32_t disk, uint32_t seen, uint32_t count)
{
	REQUIRE(v->n < 16);
	v->r[v->n++] = (struct idrange){ disk, seen, count };
}

static void check_ranges(const struct idmap *m, const struct ranges *uid, const struct ranges *gid)
{
	scoped_idmap struct idmap back = { .gid_assumed = false };
	struct err e = ERR_INIT;

	REQUIRE(uid->n && gid->n);
	REQUIRE(idmap_from_ranges(uid->r, uid->n, gid->r, gid->n, &back, &e) == 0);
	CHECK(idmap_equal(m, &back));
}

/* What stands after the prefix of the one line is the project's own map language. */
static void check_language(const struct idmap *m, const char *text, const char *prefix)
{
	scoped_idmap struct idmap back = { .gid_assumed = false };
	char line[8192];

	REQUIRE(!strncmp(text, prefix, strlen(prefix)));
	(void)snprintf(line, sizeof(line), "%s", text + strlen(prefix));
	REQUIRE(strchr(line, '\n') == line + strlen(line) - 1);
	line[strlen(line) - 1] = '\0';
	parse(line, &back);
	CHECK(idmap_equal(m, &back));
}

static void check_kernel(const struct idmap *m, const char *text)
{
	char path[] = "/tmp/shiftbox-unit.XXXXXX", word[64];
	scoped_idmap struct idmap back = { .gid_assumed = false };
	int fd = mkstemp(path);

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
	(void)snprintf(word, sizeof(word), "@%s", path);
	parse(word, &back);
	(void)unlink(path);
	CHECK(idmap_equal(m, &back));
}

static void read_oci(json_t *root, const char *key, struct ranges *v)
{
	json_t *list = json_object_get(root, key), *x;
	size_t i;

	json_array_foreach(list, i, x)
		add(v, (uint32_t)json_integer_value(json_object_get(x, "containerID")),
			(uint32_t)json_integer_value(json_object_get(x, "hostID")),
			(uint32_t)json_integer_value(json_object_get(x, "size")));
}

static void check_oci(const struct idmap *m, const char *text)
{
	struct ranges uid = { .n = 0 }, gid = { .n = 0 };
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	REQUIRE(root);
	read_oci(root, "uidMappings", &uid);
	read_oci(root, "gidMappings", &gid);
	json_decref(root);
	check_ranges(m, &uid, &gid);
}

/* "lxc.idmap = u CONTAINER HOST COUNT" */
static void check_lxc(const struct idmap *m, char *text)
{
	struct ranges uid = { .n = 0 }, gid = { .n = 0 };
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned disk, seen, count;
		char kind;

		REQUIRE(sscanf(line, "lxc.idmap = %c %u %u %u", &kind, &disk, &seen, &count) == 4);
		add(kind == 'u' ? &uid : &gid, disk, seen, count);
	}
	check_ranges(m, &uid, &gid);
}

/* FIRST or FIRST-LAST; returns how many. */
static uint32_t span(char *text, uint32_t *first)
{
	char *dash = strchr(text, '-');
	uint32_t last;

	if (dash)
		*dash++ = '\0';
	REQUIRE(num_u32(text, first) == 0 && num_u32(dash ? dash : text, &last) == 0 &&
		last >= *first);
	return last - *first + 1;
}

/* "both|uid|gid HOST CONTAINER" */
static void check_incus(const struct idmap *m, char *text)
{
	struct ranges uid = { .n = 0 }, gid = { .n = 0 };
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char kind[8], host[32], instance[32];
		uint32_t seen, disk, count;

		REQUIRE(sscanf(line, "%7s %31s %31s", kind, host, instance) == 3);
		count = span(host, &seen);
		REQUIRE(span(instance, &disk) == count);
		if (strcmp(kind, "gid") != 0)
			add(&uid, disk, seen, count);
		if (strcmp(kind, "uid") != 0)
			add(&gid, disk, seen, count);
	}
	check_ranges(m, &uid, &gid);
}

/* The program itself reads what it wrote. */
static void check_reading(const struct idmap *m, const char *text)
{
	scoped_idmap struct idmap back = { .gid_assumed = false };
	struct err e = ERR_INIT;

	if (idmap_parse_form(&text, 1, &back, &e) < 0 || !idmap_equal(m, &back))
		test_fail(__FILE__, __LINE__, "'%s': %s", text, e.what);
}

static const struct {
	const char *text, *want;
} forms_of_others[] = {
	{ "--private-users=100000:65536 --private-users-ownership=map", "b:0:100000:65536" },
	{ "--private-users=100000", "b:0:100000:65536" },
	{ "lxc.idmap=u 0 100000 5\nlxc.idmap = g 0 200000 5\n", "u:0:100000:5;g:0:200000:5" },
	{ "lxc.id_map = u 0 100000 5 lxc.id_map =g 0 200000 5", "u:0:100000:5;g:0:200000:5" },
	{ "lxc.idmap: u 0 100000 1000\nlxc.idmap: g 0 100000 1000\n"
	  "lxc.idmap: u 1000 1000 1\nlxc.idmap: g 1000 1000 1",
		"b:0:100000:1000;b:1000:1000:1" },
	{ "#a remark: lxc.idmap: u 1 1 1\narch: amd64\nhostname: x\n"
	  "lxc.idmap: u 0 100000 1000\nlxc.idmap: g 0 100000 1000\nunprivileged: 1\n\n"
	  "[snapshot]\nlxc.idmap: u 0 300000 1000\nlxc.idmap: g 0 300000 1000\n",
		"b:0:100000:1000" },
	{ "# Template\r\nlxc.include = /usr/share/x\r\nlxc.idmap = u 0 1 1\r\n"
	  "lxc.idmap =\r\n  lxc.idmap=u 0 100000 5\r\nlxc.idmap =g 0 200000 5\r\n",
		"u:0:100000:5;g:0:200000:5" },
	{ "--uidmap=0:100000:65536 --gidmap=0:100000:65536", "b:0:100000:65536" },
	{ "--uidmap 0:1:1,1:100000:9 --uidmap 10:500 --gidmap 0:7:11",
		"u:0:1:1;u:1:100000:9;u:10:500:1;g:0:7:11" },
	{ "--uidmap=0:100000:65536", "b:0:100000:65536" }, /* podman-run(1) */
	{ "--gidmap=0:5:10", "b:0:5:10" },
	{ "--userns-uid-map=0:1:2 --userns-gid-map=0:3:4", "u:0:1:2;g:0:3:4" },
	{ "--map-mount=u:501:1000:1 --map-mount=g:20:1000:1", "u:501:1000:1;g:20:1000:1" },
	{ "--map-mount b:0:10000:10", "b:0:10000:10" },
	{ "--map-users=0:1000:1 --map-users=1:100000:9 --map-groups=0:7:1",
		"u:0:1000:1;u:1:100000:9;g:0:7:1" },
	{ "--map-users 100000,0,65536 --map-groups=200000,0,65536",
		"u:0:100000:65536;g:0:200000:65536" },
	{ "--map-users=0:100000:9", "u:0:100000:9;g:0:0:4294967295" },
	{ "--map=1000/1001:@1000/@1002", "u:1000:1001:1;g:1000:1002:1" },
	{ "{\"ociVersion\":\"1.0.2\",\"linux\":{\"uidMappings\":[{\"containerID\":0,"
	  "\"hostID\":1,\"size\":2}],\"gidMappings\":[{\"containerID\":0,\"hostID\":3,"
	  "\"size\":4}]}}",
		"u:0:1:2;g:0:3:4" },
	{ "[{\"Isuid\":true,\"Isgid\":false,\"Hostid\":1,\"Nsid\":0,\"Maprange\":2},"
	  "{\"Isuid\":false,\"Isgid\":true,\"Hostid\":3,\"Nsid\":0,\"Maprange\":4}]",
		"u:0:1:2;g:0:3:4" },
	{ "[{\"Isuid\":true,\"Isgid\":true,\"Hostid\":1000000,\"Nsid\":0,"
	  "\"Maprange\":1000000000}]",
		"b:0:1000000:1000000000" },
	{ "both 1000 0\nuid 1002-1003 5-6\n", "u:0:1000:1;u:5:1002:2;g:0:1000:1" },
	{ "         0     100000      65536\n", "b:0:100000:65536" },
	{ "u 0 1 2\ng 0 3 4\n", "u:0:1:2;g:0:3:4" },
	{ "X-mount.idmap=u:0:1:2 g:0:3:4", "u:0:1:2;g:0:3:4" },
	{ "{\"gidMappings\":[{\"containerID\":0,\"hostID\":3,\"size\":4}],\"uidMappings\":["
	  "{\"size\":2,\"hostID\":1,\"containerID\":0}]}",
		"u:0:1:2;g:0:3:4" },
	{ "0:100000:65536", "b:0:100000:65536" },
	{ "+5:1", "b:0:5:1" },
};
static const char *const bad_forms[] = {
	"--private-users=pick",
	"--private-users=1:2:3",
	"lxc.idmap = b 0 1 2",
	"lxc.idmap u 0 1 2",
	"lxc.idmap = u 0 1",
	"lxc.idmap2 = u 0 1 2",
	"lxc.idmap: u 0 1",
	"arch: amd64\nlxc.idmap: x 0 1 2",
	"lxc.idmap =",
	"--uidmap",
	"--uidmap=0",
	"--uidmap=0:1:2:3",
	"--uidmap=0:1:x",
	"--uidmap=+0:1:2",
	"--uidmap=0:1:2 0:1:2",
	"--uidmaps=0:1:2",
	"--map-users=auto",
	"--map-users=0:1",
	"--map-users=0,1",
	"--map-mount=x:0:1:2",
	"--map=alice/bob",
	"--map=1/@2",
	"[{\"Isuid\":true}]",
	"[1]",
	"{\"linux\":{}}",
	"both 1-2 3",
	"both 2-1 2-1",
	"both 1 x",
	"neither 1 2",
	"0 100000",
	"u 0 1 2 3",
	"u 0 -1 2",
	"0 0 4294967296",
	"{}",
	"{",
	"{\"uidMappings\":[],\"gidMappings\":[]}",
	"{\"uidMappings\":[{\"containerID\":-1,\"hostID\":0,\"size\":1}],\"gidMappings\":[]"
	"}",
	"{\"uidMappings\":[{\"containerID\":\"0\",\"hostID\":0,\"size\":1}],"
	"\"gidMappings\":[]}",
	"both 0-4294967295 0-4294967295",
	"idmap=",
	"map=",
	"u 0 1 1 u 0 2 1",
};

TEST(forms_of_other_tools_are_read_as_they_mean_them)
{
	for (size_t i = 0; i < ARRAY_LEN(forms_of_others); i++) {
		scoped_idmap struct idmap m = { .gid_assumed = false };

		parse(forms_of_others[i].want, &m);
		check_reading(&m, forms_of_others[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_forms); i++) {
		struct idmap m = { .gid_assumed = false };
		struct err e = ERR_INIT;

		if (idmap_parse_form(&bad_forms[i], 1, &m, &e) >= 0 || !e.set)
			test_fail(__FILE__, __LINE__, "'%s' is no map", bad_forms[i]);
	}
}

TEST(forms_say_the_map_that_was_given)
{
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		for (enum idmap_form form = FORM_KERNEL; form <= FORM_FSTAB; form++) {
			scoped_idmap struct idmap m = { .gid_assumed = false };
			scoped_buf struct buf b = BUF_INIT;
			struct err e = ERR_INIT;

			if (form == FORM_NSPAWN)
				continue;
			parse(maps[i], &m);
			REQUIRE(idmap_print_form(&m, form, &b, &e) == 0 && buf_get(&b));
			check_reading(&m, b.data);
			switch (form) {
			case FORM_KERNEL:
				check_kernel(&m, b.data);
				break;
			case FORM_UTIL_LINUX:
				check_language(&m, b.data, "X-mount.idmap=");
				break;
			case FORM_OCI:
				check_oci(&m, b.data);
				break;
			case FORM_LXC:
				check_lxc(&m, b.data);
				break;
			case FORM_INCUS:
				check_incus(&m, b.data);
				break;
			case FORM_FSTAB:
				check_language(&m, b.data, "map=");
				break;
			default:
				check_language(&m, b.data, "idmap=");
				break;
			}
		}
}

TEST(forms_know_what_nspawn_cannot_say)
{
	static const struct {
		const char *map, *want;
	} rows[] = {
		{ "+100000", "--private-users=100000:65536 --private-users-ownership=map\n" },
		{ "0:5:1", "--private-users=5:1 --private-users-ownership=map\n" },
		{ "1:100000:65536", NULL },
		{ "0:100000:5 7:100007:1", NULL },
		{ "u:0:100000:5", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scoped_idmap struct idmap m = { .gid_assumed = false };
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		int r;

		parse(rows[i].map, &m);
		r = idmap_print_form(&m, FORM_NSPAWN, &b, &e);
		CHECK_INT(r, rows[i].want ? 0 : -ENOTSUP);
		if (rows[i].want)
			CHECK_STR(buf_get(&b), rows[i].want);
		else
			CHECK_HAS(e.why, "one range");
	}
}

/*
 * --- diff
 * -------------------------------------------------------------------------------------------
 */

struct seen_diff {
	const struct idmap *a, *b;
	uint64_t ids;
	uint32_t next;
};

/* Every id of a run differs as it says, and runs ascend. */
static int check_diff(const struct iddiff *d, void *arg)
{
	struct seen_diff *s = arg;

	CHECK(d->count > 0 && d->disk >= s->next);
	s->next = d->disk + d->count;
	for (int last = 0; last < 2; last++) {
		uint32_t k = last ? d->count - 1 : 0, x = 0, y = 0;
		bool mx = idmap_uid_seen(s->a, d->disk + k, &x),
		     my = idmap_uid_seen(s->b, d->disk + k, &y);

		CHECK(mx == d->first && my == d->second && (mx != my || x != y));
		CHECK(!mx || x == d->first_seen + k);
		CHECK(!my || y == d->second_seen + k);
	}
	s->ids += d->count;
	return 0;
}

TEST(diff_tells_exactly_the_ids_that_are_not_shown_alike)
{
	static const struct {
		const char *a, *b;
		uint64_t ids;
	} rows[] = {
		{ "+100000", "+100000", 0 },
		{ "+100000", "+100001", 65536 },
		{ "0:100000:10", "0:100000:5", 5 },
		{ "0:100000:10", "20:100000:5", 15 },
		{ "0:0:4294967295", "5:4294967294:1", UINT32_MAX },
		{ "0:0:4294967295", "0:0:4294967294", 1 },
		{ "0:1:1 1:0:1 2:2:1", "0:0:1 1:1:1 2:2:1", 2 },
		{ "10:110:10", "0:100:30", 20 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int swap = 0; swap < 2; swap++) {
			scoped_idmap struct idmap a = { .gid_assumed = false },
						  b = { .gid_assumed = false };
			struct seen_diff s = { .a = &a, .b = &b };

			parse(swap ? rows[i].b : rows[i].a, &a);
			parse(swap ? rows[i].a : rows[i].b, &b);
			CHECK_INT(idranges_diff(&a.uid, &b.uid, check_diff, &s), 0);
			CHECK_INT(s.ids, rows[i].ids);
		}
}
