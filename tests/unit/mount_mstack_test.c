/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in a directory NAME.mstack, and the order of its layers. */

#include <string.h>
#include <sys/stat.h>

#include "../../lib/mount/mstack.h"
#include "test.h"

TEST(mstack_directories_are_known_by_the_end_of_their_names)
{
	static const char *const good[] = { "a.mstack", "/x/a.mstack", "a.mstack//",
		"./a.b.mstack" };
	static const char *const bad[] = { "", "/", ".mstack", "/x/.mstack", "a.mstack/b",
		"amstack", "a.mstac", "a.mstack.d" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CHECK(mstack_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!mstack_is_name(bad[i]));
}

TEST(mstack_names_say_what_an_entry_is)
{
	static const struct {
		const char *name;
		mode_t type;
		enum mstack_kind kind;
		const char *word;
	} cases[] = {
		{ "layer@0", S_IFDIR, MSTACK_LAYER, "0" },
		{ "layer@0.raw", S_IFREG, MSTACK_LAYER, "0" },
		{ "layer@0.raw", S_IFDIR, MSTACK_LAYER, "0.raw" },
		{ "layer@.raw.raw", S_IFREG, MSTACK_LAYER, ".raw" },
		{ "layer@a b-\xff", S_IFDIR, MSTACK_LAYER, "a b-\xff" },
		{ "layer@5", S_IFBLK, MSTACK_LAYER, "5" },
		{ "rw", S_IFDIR, MSTACK_RW, NULL },
		{ "root", S_IFDIR, MSTACK_ROOT, NULL },
		{ "bind@var", S_IFDIR, MSTACK_BIND, "var" },
		{ "bind@var-lib", S_IFDIR, MSTACK_BIND, "var/lib" },
		{ "robind@a\\x2db-c\\x20d", S_IFDIR, MSTACK_ROBIND, "a-b/c d" },
		{ "robind@opt.raw", S_IFREG, MSTACK_ROBIND, "opt" },
		{ "bind@...", S_IFDIR, MSTACK_BIND, "..." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mstack_entry x;
		char path[64];

		(void)snprintf(path, sizeof(path), "/x.mstack/%s", cases[i].name);
		REQUIRE(mstack_entry_parse(path, cases[i].type, &x, NULL) == 0);
		CHECK_INT(x.kind, cases[i].kind);
		CHECK_STR(x.name, cases[i].name);
		CHECK(x.image == !S_ISDIR(cases[i].type));
		CHECK(!x.word == !cases[i].word);
		if (cases[i].word)
			CHECK_STR(x.word, cases[i].word);
		mstack_entry_done(&x);
	}
}

TEST(mstack_names_that_are_none_are_refused_by_name)
{
	static const struct {
		const char *name;
		mode_t type;
		const char *text;
	} cases[] = {
		{ "layer@", S_IFDIR, "is not the name" },
		{ "layer@.raw", S_IFREG, "is not the name" },
		{ "layer", S_IFDIR, "is not the name" },
		{ "Layer@0", S_IFDIR, "is not the name" },
		{ ".hidden", S_IFDIR, "is not the name" },
		{ "rw2", S_IFDIR, "is not the name" },
		{ "rw.x", S_IFDIR, "is not the name" },
		{ "roots", S_IFDIR, "is not the name" },
		{ "bind:var", S_IFDIR, "is not the name" },
		{ "bind@", S_IFDIR, "is not the name" },
		{ "README", S_IFREG, "is not the name" },
		{ "layer@0", S_IFREG, "does not end in .raw" },
		{ "layer@0.erofs", S_IFREG, "does not end in .raw" },
		{ "layer@0", S_IFIFO, "neither a directory" },
		{ "layer@0", S_IFCHR, "neither a directory" },
		{ "layer@0.v", S_IFDIR, "holds versions" },
		{ "layer@0.raw.v", S_IFDIR, "holds versions" },
		{ "rw.raw", S_IFREG, "is an image" },
		{ "root.raw", S_IFREG, "is an image" },
		{ "rw", S_IFBLK, "is an image" },
		{ "bind@-", S_IFDIR, "cover the whole stack" },
		{ "robind@-.raw", S_IFREG, "cover the whole stack" },
		{ "bind@-var", S_IFDIR, "does not name a place" },
		{ "bind@var-", S_IFDIR, "does not name a place" },
		{ "bind@var--lib", S_IFDIR, "does not name a place" },
		{ "bind@..", S_IFDIR, "does not name a place" },
		{ "bind@var-..-x", S_IFDIR, "does not name a place" },
		{ "bind@.", S_IFDIR, "does not name a place" },
		{ "bind@\\x2e\\x2e", S_IFDIR, "does not name a place" },
		{ "bind@a\\x2f\\x2fb", S_IFDIR, "does not name a place" },
		{ "bind@a\\x00b", S_IFDIR, "does not name a place" },
		{ "bind@a\\x2", S_IFDIR, "does not name a place" },
		{ "bind@a\\x2g", S_IFDIR, "does not name a place" },
		{ "bind@a\\y20", S_IFDIR, "does not name a place" },
		{ "bind@a\\", S_IFDIR, "does not name a place" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mstack_entry x;
		struct err e = ERR_INIT;

		CHECK_INT(mstack_entry_parse(cases[i].name, cases[i].type, &x, &e), -EINVAL);
		CHECK_STR(e.on, cases[i].name);
		CHECK_HAS(e.what, cases[i].text);
		CHECK(e.hint[0]);
	}
}

/* Each is lower than the next. */
static const char *const ascending[] = { "~", "", "-", "-1", "^", "^1", ".", ".1", "A", "Z", "a~1",
	"a", "a-1", "a^1", "a.1", "aa", "0~rc1", "0", "0a", "1", "1-1", "1.0", "1.1", "1.10", "1a",
	"2", "9", "10", "99", "100", "18446744073709551615", "18446744073709551616",
	"99999999999999999999999" };

TEST(mstack_layers_are_ordered_as_versions)
{
	static const char *const same[][2] = { { "1", "01" }, { "1_2", "1 2" }, { "x", "x!" },
		{ "000", "0" }, { "a_", "a" } };

	for (size_t i = 1; i < ARRAY_LEN(ascending); i++) {
		CHECK(mstack_id_compare(ascending[i - 1], ascending[i]) < 0);
		CHECK(mstack_id_compare(ascending[i], ascending[i - 1]) > 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(ascending); i++)
		CHECK_INT(mstack_id_compare(ascending[i], ascending[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		CHECK_INT(mstack_id_compare(same[i][0], same[i][1]), 0);
}
