/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* members: tell the archive of an image from a layer by its members. */

#include "members.h"

#include <errno.h>
#include <string.h>

#include "../base/json.h"

/* The end of the digest in hex, perhaps behind "sha256:", that s begins with; or NULL. */
static const char *behind_digest(const char *s)
{
	size_t n;

	if (!strncmp(s, "sha256:", 7))
		s += 7;
	n = strspn(s, "0123456789abcdef");
	return n == 64 || n == 128 ? s + n : NULL;
}

/* A file of an image that is named by a digest. */
static bool is_part(const char *path, bool *ret_old_layer)
{
	static const char *const ends[] = { "", ".json", ".tar", ".tar.gz", "/layer.tar", "/json",
		"/VERSION" };
	bool blob = !strncmp(path, "blobs/sha256/", 13) || !strncmp(path, "blobs/sha512/", 13);
	const char *end = behind_digest(blob ? path + 13 : path);

	*ret_old_layer = end && !strcmp(end, "/layer.tar");
	for (size_t i = 0; end && i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(end, ends[i]))
			return true;
	return false;
}

/* A file of an image that says nothing alone, or one that macOS adds beside each file. */
static bool is_neutral(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(path, "version") || !strcmp(path, "config.json") ||
		!strncmp(slash ? slash + 1 : path, "._", 2);
}

static void add_file(struct members_files *m, const char *path, bool regular)
{
	bool old_layer;

	if (!strcmp(path, "oci-layout")) {
		m->oci_layout = true;
	} else if (!strcmp(path, "index.json")) {
		m->index_json = true;
	} else if (!strcmp(path, "repositories")) {
		m->repositories = true;
	} else if (!strcmp(path, "manifest.json")) {
		m->manifest_link |= !regular;
	} else if (is_part(path, &old_layer)) {
		m->part = true;
		m->old_layer |= old_layer;
	} else if (!is_neutral(path)) {
		m->other = true;
	}
}

/*
 * Of several files manifest.json, one that is an image's makes the archive that of an image, which
 * is refused for having several.
 */
static struct buf *want_manifest(struct members_files *f)
{
	enum members_kind kind = MEMBERS_NONE;

	if (f->manifest.len)
		kind = members_manifest_kind(&f->manifest);
	if (kind == MEMBERS_DOCKER || kind == MEMBERS_DIR)
		return NULL;
	buf_reset(&f->manifest);
	return &f->manifest;
}

void members_add(struct members *m, const char *path, bool directory, bool regular)
{
	const char *slash = strchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	m->n++;
	m->wanted = NULL;
	if (directory || !*path)
		return;
	add_file(&m->root, path, regular);
	if (!m->top[0] && n && n < sizeof(m->top))
		memcpy(m->top, path, n); /* the rest is zeros */
	m->flat |= !n || strlen(m->top) != n || memcmp(m->top, path, n);
	if (!m->flat)
		add_file(&m->below, slash + 1, regular);
	if (!strcmp(path, "manifest.json"))
		m->wanted = want_manifest(&m->root);
	else if (!m->flat && !strcmp(slash, "/manifest.json"))
		m->wanted = want_manifest(&m->below);
}

void members_add_invalid(struct members *m)
{
	m->n++;
	m->wanted = NULL;
	m->root.other = true;
	m->flat = true;
}

bool members_wants(const struct members *m)
{
	return m->wanted;
}

void members_data(struct members *m, const void *p, size_t n)
{
	size_t room = m->wanted->len < JSON_MAX_BYTES ? JSON_MAX_BYTES - m->wanted->len : 0;

	buf_add(m->wanted, p, n < room ? n : room);
}

static bool lists_images(const struct json *list)
{
	const struct json *image, *layers;

	return doc_len(list) && doc_item_object(list, 0, "", "", &image, NULL) == 0 &&
		doc_array(image, "Layers", "", true, &layers, NULL) == 0;
}

enum members_kind members_manifest_kind(const struct buf *manifest)
{
	const char *text = buf_get(manifest);
	scoped_json struct json *list = NULL, *object = NULL;

	if (!text)
		return MEMBERS_NONE;
	if (doc_parse_array(text, manifest->len, "", &list, NULL) == 0)
		return lists_images(list) ? MEMBERS_DOCKER : MEMBERS_LAYER;
	if (doc_parse(text, manifest->len, "", &object, NULL) < 0)
		return MEMBERS_NONE;
	return doc_has(object, "schemaVersion") &&
			(doc_has(object, "layers") || doc_has(object, "manifests") ||
				doc_has(object, "fsLayers")) ?
		MEMBERS_DIR :
		MEMBERS_LAYER;
}

static enum members_kind files_kind(const struct members_files *m)
{
	enum members_kind kind = members_manifest_kind(&m->manifest);
	bool manifest = m->manifest.len || m->manifest_link;

	if (m->oci_layout && m->index_json)
		return MEMBERS_OCI;
	if (kind == MEMBERS_DOCKER || kind == MEMBERS_DIR)
		return kind;
	/* A manifest that cannot be read has no other use beside files that are named by digests.
	 */
	if (manifest && m->part && (kind == MEMBERS_NONE || !m->other))
		return MEMBERS_DOCKER;
	if (m->repositories && m->old_layer)
		return MEMBERS_OLD;
	return m->part && !m->other ? MEMBERS_PART : MEMBERS_LAYER;
}

enum members_kind members_kind(const struct members *m)
{
	enum members_kind kind = files_kind(&m->root), below;

	if (!m->n)
		return MEMBERS_NONE;
	if (kind != MEMBERS_LAYER || m->flat)
		return kind;
	below = files_kind(&m->below);
	return below == MEMBERS_LAYER || below == MEMBERS_PART ? MEMBERS_LAYER : MEMBERS_BELOW;
}

int members_refuse(enum members_kind kind, const char *on, const char *file, struct err *e)
{
	static const struct {
		const char *what, *why, *hint;
	} texts[] = {
		[MEMBERS_NONE] = { "the archive has no entry, so there is nothing to unpack",
			"the input is empty, or the program that wrote it failed",
			"create the archive again" },
		[MEMBERS_OCI] = { "is the archive of an image (an OCI layout), not a layer",
			"it contains oci-layout and index.json", "unpack it as oci-archive:" },
		[MEMBERS_DOCKER] = { "is the archive of an image (docker save), not a layer",
			"its manifest.json lists images", "unpack it as docker-archive:" },
		[MEMBERS_OLD] = { "is the archive of an image, not a layer, and its format is not "
				  "supported",
			"docker before version 1.10 wrote it: it has the file repositories, and no "
			"manifest.json",
			"convert it: docker load, then docker save" },
		[MEMBERS_DIR] = { "is an archive of an image in skopeo's format dir:, not a layer",
			"its manifest.json is an image manifest",
			"extract it into a directory, and unpack dir:DIR" },
		[MEMBERS_PART] = { "is a part of the archive of an image, not a layer",
			"it contains blobs, but neither manifest.json nor oci-layout and "
			"index.json",
			"create the archive again: this one is incomplete" },
		[MEMBERS_BELOW] = { "is an archive of a directory with an image in it, not a layer",
			"all its files are in one directory, which contains the files of an image",
			"extract it, and unpack what the directory is" },
	};
	int r;

	if (kind == MEMBERS_LAYER)
		return 0;
	r = err_say(e, EINVAL, on, "%s", texts[kind].what);
	err_why(e, "%s", texts[kind].why);
	if (kind == MEMBERS_NONE)
		err_try(e, "%s", texts[kind].hint);
	else
		err_try(e, "%s%.300s; or, to unpack it as a layer, layer:%.300s", texts[kind].hint,
			kind == MEMBERS_OCI || kind == MEMBERS_DOCKER ? file : "", file);
	return r;
}

void members_done(struct members *m)
{
	buf_done(&m->root.manifest);
	buf_done(&m->below.manifest);
}
