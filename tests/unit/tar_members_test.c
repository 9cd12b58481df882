/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The archive of an image is known by its members, whatever comes first; a layer is not one. */

#include "../../lib/tar/members.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LIST "[{\"Config\":\"img.json\",\"RepoTags\":null,\"Layers\":[\"1/layer.tar\"]}]"
#define WEB "{\"name\":\"app\",\"icons\":[]}"
#define SKOPEO "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"

/* What the names are; the content of each manifest.json is text, or it is a link if text is NULL.
 */
static enum members_kind kind_of(const char *const *names, const char *text)
{
	scoped_members struct members m = { .n = 0 };

	for (size_t i = 0; names[i]; i++) {
		size_t len = strlen(names[i]);
		bool directory = len > 0 && names[i][len - 1] == '/';

		members_add(&m, names[i], directory, text);
		/* In pieces of one byte. */
		for (const char *p = text; p && *p && members_wants(&m); p++)
			members_data(&m, p, 1);
	}
	return members_kind(&m);
}

struct known {
	const char *names[6], *text;
	enum members_kind kind;
};

static void check_all(const struct known *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum members_kind is = kind_of(list[i].names, list[i].text);

		if (is != list[i].kind)
			test_fail(__FILE__, __LINE__, "case %zu (%s): %d, not %d", i,
				list[i].names[0] ? list[i].names[0] : "", (int)is,
				(int)list[i].kind);
	}
}

TEST(the_archive_of_an_image_is_known_whatever_comes_first)
{
	static const struct known cases[] = {
		{ { "oci-layout", "index.json" }, "", MEMBERS_OCI },
		{ { "README", "etc/passwd", "index.json", "oci-layout" }, "", MEMBERS_OCI },
		{ { "1/layer.tar", "img.json", "manifest.json" }, LIST, MEMBERS_DOCKER },
		{ { "manifest.json", "img.json", "1/layer.tar" }, LIST, MEMBERS_DOCKER },
		{ { "._manifest.json", "x", "manifest.json", "img.json" }, LIST, MEMBERS_DOCKER },
		{ { "blobs/", "blobs/sha256/" HEX, "manifest.json", "index.json", "oci-layout" },
			LIST, MEMBERS_OCI },
		{ { HEX ".json", HEX ".tar", "x", "manifest.json" }, "[{", MEMBERS_DOCKER },
		{ { HEX ".json", HEX ".tar", "manifest.json" }, NULL, MEMBERS_DOCKER },
		{ { HEX "/VERSION", HEX "/json", HEX "/layer.tar", "repositories" }, "",
			MEMBERS_OLD },
		{ { "version", "manifest.json", HEX }, SKOPEO, MEMBERS_DIR },
		{ { "blobs/sha256/" HEX }, "", MEMBERS_PART },
		{ { "blobs/sha512/" HEX HEX, "oci-layout" }, "", MEMBERS_PART },
		{ { "sha256:" HEX, HEX ".tar.gz" }, "", MEMBERS_PART },
		{ { "d/", "d/oci-layout", "d/index.json", "d/blobs/sha256/" HEX }, "",
			MEMBERS_BELOW },
		{ { "d/manifest.json", "d/img.json" }, LIST, MEMBERS_BELOW },
	};

	check_all(cases, sizeof(cases) / sizeof(*cases));
}

TEST(a_layer_with_names_that_images_have_is_a_layer)
{
	static const struct known cases[] = {
		{ { "etc/", "etc/passwd" }, "", MEMBERS_LAYER },
		{ { "" }, "", MEMBERS_LAYER },
		{ { "manifest.json", "index.html" }, WEB, MEMBERS_LAYER },
		{ { "manifest.json", HEX ".json", "index.html" }, WEB, MEMBERS_LAYER },
		{ { "manifest.json" }, "[]", MEMBERS_LAYER },
		{ { "manifest.json" }, "[1]", MEMBERS_LAYER },
		{ { "manifest.json" }, "no json", MEMBERS_LAYER },
		{ { "oci-layout", "etc/passwd" }, "", MEMBERS_LAYER },
		{ { "index.json", "etc/passwd" }, "", MEMBERS_LAYER },
		{ { "repositories", "etc/passwd" }, "", MEMBERS_LAYER },
		{ { "blobs/sha256/" HEX, "etc/passwd" }, "", MEMBERS_LAYER },
		{ { HEX "0" }, "", MEMBERS_LAYER },
		{ { "d/oci-layout", "d/index.json", "e/x" }, "", MEMBERS_LAYER },
		{ { "d/blobs/sha256/" HEX }, "", MEMBERS_LAYER },
		{ { "d/manifest.json" }, WEB, MEMBERS_LAYER },
		{ { NULL }, "", MEMBERS_NONE },
	};

	check_all(cases, sizeof(cases) / sizeof(*cases));
}

TEST(a_refusal_says_what_it_is_and_how_it_can_be_unpacked)
{
	static const struct {
		enum members_kind kind;
		const char *what, *hint;
	} cases[] = {
		{ MEMBERS_NONE, "no entry", "again" },
		{ MEMBERS_OCI, "OCI layout",
			"oci-archive:a.tar; or, to unpack it as a layer, "
			"layer:a.tar" },
		{ MEMBERS_DOCKER, "docker save", "docker-archive:a.tar; or" },
		{ MEMBERS_OLD, "archive of an image", "docker load" },
		{ MEMBERS_DIR, "dir:", "layer:a.tar" },
		{ MEMBERS_PART, "part", "incomplete; or" },
		{ MEMBERS_BELOW, "directory", "layer:a.tar" },
	};
	struct err e = ERR_INIT;

	CHECK_INT(members_refuse(MEMBERS_LAYER, NULL, "a.tar", &e), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_INT(members_refuse(cases[i].kind, "a.tar", "a.tar", &e), -EINVAL);
		CHECK_HAS(e.what, cases[i].what);
		CHECK_HAS(e.hint, cases[i].hint);
		CHECK(e.why[0]);
	}
}

/* What the texts are as the contents of several manifest.json, beside another file. */
static enum members_kind kind_of_manifests(
	const char *name, const char *const *texts, size_t n, const char *other)
{
	scoped_members struct members m = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		members_add(&m, name, false, true);
		if (members_wants(&m))
			members_data(&m, texts[i], strlen(texts[i]));
	}
	members_add(&m, other, false, true);
	return members_kind(&m);
}

TEST(a_manifest_that_was_added_again_is_still_that_of_an_image)
{
	static const char *const twice[] = { LIST, LIST }, *const first[] = { LIST, "[]", "{" },
				 *const last[] = { "[]", WEB, LIST }, *const web[] = { WEB, WEB };
	static const char top[] = "manifest.json", below[] = "img/manifest.json";

	CHECK(kind_of_manifests(top, twice, 2, "l.tar") == MEMBERS_DOCKER);
	CHECK(kind_of_manifests(top, first, 3, "l.tar") == MEMBERS_DOCKER);
	CHECK(kind_of_manifests(top, last, 3, "l.tar") == MEMBERS_DOCKER);
	CHECK(kind_of_manifests(top, web, 2, "l.tar") == MEMBERS_LAYER);
	CHECK(kind_of_manifests(below, twice, 2, "img/l.tar") == MEMBERS_BELOW);
	CHECK(kind_of_manifests(below, web, 2, "img/l.tar") == MEMBERS_LAYER);
}
