/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image's configuration says how to run it, and gives a runtime no orders beyond that. */

#include "test.h"

#include <errno.h>
#include <string.h>

#include "../../lib/image/image_config.h"

static int read_config(const char *text, struct image_config *ret, struct err *e)
{
	*ret = (struct image_config){ .user = NULL };
	return image_config_read(text, strlen(text), ret, e);
}

static const char *annotation(const struct image_config *c, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i + 1 < c->annotations.len; i += 2)
		if (!strcmp(c->annotations.items[i], name))
			value = c->annotations.items[i + 1];
	return value ? value : "";
}

TEST(null_and_absent_members_of_a_configuration_are_empty)
{
	static const char *const texts[] = {
		"{}",
		"{\"config\":null}",
		"{\"config\":{}}",
		("{\"config\":{\"User\":null,\"WorkingDir\":null,\"Env\":null,\"Cmd\":null,"
		 "\"Entrypoint\":null,\"Volumes\":null,\"Labels\":null}}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct image_config c;

		REQUIRE(read_config(texts[i], &c, NULL) == 0);
		CHECK_STR(c.user, "");
		CHECK_STR(c.cwd, "");
		CHECK_INT(c.entrypoint.len + c.cmd.len + c.env.len + c.volumes.len, 0);
		image_config_done(&c);
	}
}

TEST(the_last_variable_of_a_name_counts_and_the_order_is_kept)
{
	struct image_config c;

	REQUIRE(read_config("{\"config\":{\"Env\":[\"A=1\",\"B=2\",\"bad\",\"=x\","
			    "\"AB=3\",\"A=4\",\"C=\"],"
			    "\"Volumes\":{\"/v\":{}},\"Cmd\":[\"a\",\"\"]}}",
			&c, NULL) == 0);
	REQUIRE(c.env.len == 4);
	CHECK_STR(c.env.items[0], "B=2");
	CHECK_STR(c.env.items[1], "AB=3");
	CHECK_STR(c.env.items[2], "A=4");
	CHECK_STR(c.env.items[3], "C=");
	REQUIRE(c.volumes.len == 1 && c.cmd.len == 2);
	CHECK_STR(c.volumes.items[0], "/v");
	image_config_done(&c);
}

TEST(labels_of_an_image_become_annotations_only_below_the_oci_prefix)
{
	struct image_config c;

	REQUIRE(read_config("{\"os\":\"linux\",\"config\":{\"Labels\":{"
			    "\"org.opencontainers.image.title\":\"t\",\"run.oci.handler\":\"krun\","
			    "\"io.kubernetes.cri-o.Devices\":\"/dev/sda\"}}}",
			&c, NULL) == 0);
	CHECK_STR(annotation(&c, "org.opencontainers.image.title"), "t");
	CHECK_STR(annotation(&c, "run.oci.handler"), "");
	CHECK_STR(annotation(&c, "io.kubernetes.cri-o.Devices"), "");
	image_config_done(&c);
}

TEST(a_member_of_another_type_is_refused_by_its_name)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{ "{\"config\":[]}", "config" },
		{ "{\"config\":{\"Env\":\"A=1\"}}", "Env" },
		{ "{\"config\":{\"Env\":[1]}}", "Env" },
		{ "{\"config\":{\"Cmd\":{}}}", "Cmd" },
		{ "{\"config\":{\"User\":0}}", "User" },
		{ "{\"config\":{\"Volumes\":[]}}", "Volumes" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct image_config c;

		CHECK_INT(read_config(cases[i].text, &c, &e), -EINVAL);
		CHECK_HAS(e.what, cases[i].key);
		image_config_done(&c);
	}
}
