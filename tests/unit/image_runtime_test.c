/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bundle gives an image what its configuration asks for, and its author no say in anything else.
 */

#include "test.h"

#include <errno.h>

#include "../../lib/base/buf.h"
#include "../../lib/base/json.h"
#include "../../lib/image/runtime_config.h"

static int make(
	const char *config, const char *map_text, uint32_t uid, struct buf *ret, struct err *e)
{
	scoped_image_config struct image_config c = { .user = NULL };
	const struct image_user user = { .uid = uid, .gid = uid };
	scoped_idmap struct idmap map = { .gid_assumed = false };
	const struct runtime_options o = { .name = "--a.b_c--", .map = &map, .max_files = 100 };
	int r;

	*e = ERR_INIT;
	REQUIRE(idmap_parse(&map_text, 1, NULL, &map, e) == 0);
	r = image_config_read(config, strlen(config), &c, e);
	return r == 0 ? runtime_config_make(&c, &user, &o, ret, e) : r;
}

TEST(what_is_written_is_strict_json_whatever_the_image_says)
{
	static const char *const configs[] = {
		"{\"config\":{\"Cmd\":[\"a\\\"\\\\\\n\\u0001\\u2028\"],\"Env\":[\"A=\\u0007\"],"
		"\"Labels\":{\"org.opencontainers.image.x\":\"\\\"}\"}}}",
		"{\"config\":{\"Cmd\":[\"\"],\"Entrypoint\":[],\"Env\":null,\"Labels\":null,"
		"\"Volumes\":null,\"ExposedPorts\":null,\"User\":null}}",
		"{\"config\":{\"Cmd\":[\"x\"],\"WorkingDir\":\"../"
		"..\"},\"author\":\"\\ud83d\\ude00\",\"created\":null}",
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		scoped_buf struct buf b = BUF_INIT;
		scoped_json struct json *doc = NULL;
		const struct json *process = NULL;
		const char *s = NULL;

		CHECK_INT(make(configs[i], "+100000", 0, &b, &e), 0);
		REQUIRE(doc_parse(buf_get(&b), b.len, "made", &doc, &e) == 0);
		CHECK_INT(doc_object(doc, "process", "made", true, &process, &e), 0);
		CHECK_INT(doc_str(process, "cwd", "made", true, &s, &e), 0);
		CHECK(s && s[0] == '/');
		CHECK_INT(doc_str(doc, "hostname", "made", true, &s, &e), 0);
		CHECK_STR(s, "a-b-c");
	}
}

TEST(a_configuration_of_other_types_is_refused_by_name)
{
	static const struct {
		const char *config, *says;
	} bad[] = {
		{ "[]", "not a JSON object" },
		{ "{\"config\":[]}", "\"config\"" },
		{ "{\"config\":{\"Cmd\":\"sh\"}}", "\"Cmd\"" },
		{ "{\"config\":{\"Cmd\":[1]}}", "\"Cmd\"" },
		{ "{\"config\":{\"Entrypoint\":{}}}", "\"Entrypoint\"" },
		{ "{\"config\":{\"Env\":[null]}}", "\"Env\"" },
		{ "{\"config\":{\"User\":0}}", "\"User\"" },
		{ "{\"config\":{\"WorkingDir\":[]}}", "\"WorkingDir\"" },
		{ "{\"config\":{\"Volumes\":[]}}", "\"Volumes\"" },
		{ "{\"config\":{\"Labels\":{\"org.opencontainers.image.x\":1}}}",
			"org.opencontainers.image.x" },
		{ "{\"config\":{}}", "specify a program to run" },
		{ "{}", "specify a program to run" },
		{ "{\"config\":null}", "specify a program to run" },
		{ "{\"config\":{\"Entrypoint\":[],\"Cmd\":[]}}", "specify a program to run" },
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scoped_buf struct buf b = BUF_INIT;

		if (make(bad[i].config, "+100000", 0, &b, &e) >= 0)
			test_fail(__FILE__, __LINE__, "taken: %s", bad[i].config);
		CHECK_HAS(e.what, bad[i].says);
		CHECK_INT(b.len, 0);
	}
}

TEST(the_map_has_to_hold_root_and_the_user)
{
	static const char config[] = "{\"config\":{\"Cmd\":[\"sh\"]}}";
	static const struct {
		const char *map;
		uint32_t uid;
		int want;
	} cases[] = {
		{ "0:1000:1", 0, 0 },
		{ "0:1000:10", 9, 0 },
		{ "0:1000:10", 10, -ENODATA },
		{ "1:1000:10", 1, -ENODATA },
		{ "0:1000:1 5:2000:1", 5, 0 },
		{ "u:0:1000:6 g:0:1000:5", 5, -ENODATA },
		{ "u:0:1000:5 g:0:1000:6", 5, -ENODATA },
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;

		CHECK_INT(make(config, cases[i].map, cases[i].uid, &b, &e), cases[i].want);
	}
}

TEST(labels_that_a_runtime_could_obey_are_left_out)
{
	static const char *const labels[] = {
		"run.oci.handler",
		"run.oci.hooks.stdout",
		"module.wasm.image/variant",
		"org.systemd.property.X",
		"io.kubernetes.cri-o.Devices",
		"org.opencontainers.imagex",
		"org.opencontainers.image",
		"",
	};
	static struct err e;

	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		scoped_buf struct buf config = BUF_INIT, b = BUF_INIT;

		buf_printf(&config,
			"{\"config\":{\"Cmd\":[\"sh\"],\"Labels\":{\"%s\":\"ORDER\",\"org."
			"opencontainers.image.title\":\"KEPT\"}}}",
			labels[i]);
		CHECK_INT(make(buf_get(&config), "+100000", 0, &b, &e), 0);
		CHECK(!strstr(buf_get(&b), "ORDER"));
		CHECK_HAS(buf_get(&b), "KEPT");
	}
}
