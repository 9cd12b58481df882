/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_image: what podman needs to know about a stored image. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/json_shape.h"
#include "../base/log.h"
#include "../idmap/userns_self.h"
#include "../source/reference.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_image.h"
#include "store_layer.h"
#include "store_priv.h"

/* archive.Compression of containers-storage */
enum { COMPRESSION_NONE, COMPRESSION_GZIP = 2, COMPRESSION_ZSTD = 4 };

enum { LAYERS_MAX = 1000 }; /* OverlayFS accepts 500, and podman less */

#define DOCKER_TYPE "application/vnd.docker."

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && !strcmp(s + n - k, end);
}

static uint64_t compression_of(const char *media_type)
{
	if (ends_with(media_type, "gzip"))
		return COMPRESSION_GZIP;
	return ends_with(media_type, "zstd") ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

/* Copy a time of the configuration, without fractions. */
static void take_time(const char *text, char ret[static PODMAN_TIME])
{
	if (json_is_time(text) && ends_with(text, "Z") && text[0] != '0')
		(void)snprintf(ret, PODMAN_TIME, "%.19sZ", text);
}

/* ---- the documents ---- */

static int take_blob(
	const struct json *layers, size_t i, bool docker, struct podman_layer *l, struct err *e)
{
	static const char doc[] = "manifest.json";
	const struct json *item;
	const char *text = NULL, *type = NULL;
	struct digest d;
	int r = doc_item_object(layers, i, "layers", doc, &item, e);

	if (r == 0)
		r = doc_str(item, "digest", doc, true, &text, e);
	if (r == 0)
		r = digest_parse(text, doc, &d, e);
	if (r == 0)
		r = doc_u64(item, "size", doc, true, &l->blob_size, e);
	if (r == 0)
		r = doc_str(item, "mediaType", doc, false, &type, e);
	if (r < 0)
		return r;
	type = type ? type : "";
	if (docker &&
		(strncmp(type, DOCKER_TYPE, strlen(DOCKER_TYPE)) != 0 || ends_with(type, "zstd")))
		return err_say(e, EINVAL, doc, "a manifest of docker has a layer of another type");
	(void)digest_text(&d, l->blob);
	l->compression = compression_of(type);
	return 0;
}

/* Does podman take the manifest for one of docker? */
static bool is_dockers(const struct json *manifest, const struct json *config)
{
	static const char doc[] = "manifest.json";
	const char *type = NULL, *of_config = NULL;

	if (doc_str(manifest, "mediaType", doc, false, &type, NULL) == 0 && type)
		return !strncmp(type, DOCKER_TYPE, strlen(DOCKER_TYPE));
	return doc_str(config, "mediaType", doc, false, &of_config, NULL) < 0 || !of_config ||
		strcmp(of_config, "application/vnd.oci.image.config.v1+json") != 0;
}

static int take_blobs(const struct json *manifest, struct podman_image *i, struct err *e)
{
	const struct json *layers, *config = NULL;
	const char *text = NULL;
	char digest[DIGEST_TEXT];
	int r = podman_check_manifest(manifest, e);

	if (r == 0)
		r = doc_array(manifest, "layers", "manifest.json", true, &layers, e);
	if (r == 0)
		r = doc_object(manifest, "config", "manifest.json", true, &config, e);
	if (r == 0)
		r = doc_str(config, "digest", "manifest.json", true, &text, e);
	if (r < 0)
		return r;
	(void)snprintf(digest, sizeof(digest), "sha256:%s", i->id);
	if (doc_len(layers) != i->chain.len || strcmp(text, digest) != 0)
		return err_say(e, EINVAL, "manifest.json", "is not one that podman can use");
	for (size_t k = 0; r == 0 && k < i->chain.len; k++)
		r = take_blob(layers, k, is_dockers(manifest, config), &i->chain.items[k], e);
	return r;
}

/* The manifest that podman itself makes of what docker save wrote: its layers are plain archives.
 */
static int make_manifest(struct podman_image *i, struct err *e)
{
	struct json_writer w = { .depth = 0 };
	char digest[DIGEST_TEXT];

	(void)snprintf(digest, sizeof(digest), "sha256:%s", i->id);
	json_write_object(&w, NULL);
	json_write_i64(&w, "schemaVersion", 2);
	json_write_str(&w, "mediaType", DOCKER_TYPE "distribution.manifest.v2+json");
	json_write_object(&w, "config");
	json_write_str(&w, "mediaType", DOCKER_TYPE "container.image.v1+json");
	json_write_i64(&w, "size", (int64_t)i->config.len);
	json_write_str(&w, "digest", digest);
	json_write_end(&w);
	json_write_array(&w, "layers");
	for (size_t k = 0; k < i->chain.len; k++) {
		struct podman_layer *l = &i->chain.items[k];

		(void)snprintf(l->blob, sizeof(l->blob), "sha256:%.64s", l->dir + 7);
		l->blob_size = l->tar_size;
		json_write_object(&w, NULL);
		json_write_str(&w, "mediaType", DOCKER_TYPE "image.rootfs.diff.tar");
		json_write_i64(&w, "size", (int64_t)l->tar_size);
		json_write_str(&w, "digest", l->blob);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	buf_reset(&i->manifest);
	return json_writer_print(&w, JSON_LINE, &i->manifest) < 0 ? err_nomem(e) : 0;
}

static int take_manifest(struct podman_image *i, struct err *e)
{
	scoped_json struct json *manifest = NULL, *list = NULL;
	int r = 0;

	if (doc_parse_array(buf_get(&i->manifest), i->manifest.len, "manifest.json", &list, NULL) ==
		0)
		r = make_manifest(i, e);
	else
		r = doc_parse(
			buf_get(&i->manifest), i->manifest.len, "manifest.json", &manifest, e);
	if (r == 0 && manifest)
		r = take_blobs(manifest, i, e);
	if (r == 0)
		hash_bytes(buf_get(&i->manifest), i->manifest.len, &i->manifest_digest);
	return r;
}

/* ---- the layers ---- */

/* podman's id of a layer: storage_dest.go of containers/image, computeID() */
static void chain_id(const char *parent, const char *diff, char ret[static PODMAN_ID])
{
	char text[2 * PODMAN_ID], hex[DIGEST_HEX];
	struct digest sum;

	(void)snprintf(ret, PODMAN_ID, "%.64s", diff);
	if (!*parent)
		return;
	(void)snprintf(text, sizeof(text), "%.64s+%.64s", parent, diff);
	hash_bytes(text, strlen(text), &sum);
	(void)snprintf(ret, PODMAN_ID, "%.64s", digest_hex(&sum, hex));
}

/* Does the directory hold the layer with this diff_id, "sha256:DIGITS"? */
static bool is_of(const char *dir, const char *diff_id)
{
	return !strncmp(diff_id, "sha256:", 7) && !strncmp(diff_id + 7, dir + 7, 64);
}

/*
 * The directory of the kth layer, the lowest being the first. The store lists a directory once,
 * where it is uppermost (image/unpack_stack.h), and the image may list its layer several times.
 * NULL: it has none, or which one is not known.
 */
static const char *dir_of(const struct strv *diff_ids, size_t k, const struct strv *dirs)
{
	const char *diff_id = diff_ids->items[k], *ret = NULL;
	size_t listed = 0, above = 0, there = 0;

	for (size_t i = 0; i < diff_ids->len; i++) {
		listed += !strcmp(diff_ids->items[i], diff_id);
		above += i > k && !strcmp(diff_ids->items[i], diff_id);
	}
	for (size_t i = 0; i < dirs->len; i++)
		there += is_of(dirs->items[i], diff_id);
	if (there != 1 && there != listed)
		return NULL;
	for (size_t i = 0; i < dirs->len && !ret; i++)
		if (is_of(dirs->items[i], diff_id) && (there == 1 || above-- == 0))
			ret = dirs->items[i];
	return ret;
}

static int add_layer(struct store *s, struct podman_image *i, const char *dir, struct err *e)
{
	struct podman_layer l = { .used = true };
	struct store_layer facts;
	int r = store_layer_read(s, dir, &facts, e);

	if (r < 0)
		return r;
	l.tar_size = facts.tar_size;
	store_layer_done(&facts);
	(void)snprintf(l.dir, sizeof(l.dir), "%s", dir);
	(void)snprintf(l.created, sizeof(l.created), "%s", i->created);
	if (i->chain.len)
		memcpy(l.parent, i->chain.items[i->chain.len - 1].id, sizeof(l.parent));
	chain_id(l.parent, dir + 7, l.id);
	(void)podman_link(l.id, l.link);
	return VEC_ADD(&i->chain, l) < 0 ? err_nomem(e) : 0;
}

static int read_diff_ids(const struct json *config, struct strv *ret, struct err *e)
{
	static const char doc[] = "config.json";
	const struct json *rootfs, *ids;
	const char *text;
	int r = doc_object(config, "rootfs", doc, true, &rootfs, e);

	if (r == 0)
		r = doc_array(rootfs, "diff_ids", doc, true, &ids, e);
	for (size_t k = 0; r == 0 && k < doc_len(ids); k++) {
		r = doc_item_str(ids, k, "diff_ids", doc, &text, e);
		if (r == 0 && strv_add(ret, text) < 0)
			r = err_nomem(e);
	}
	return r;
}

/* Make the chain of those layers that the config lists and the store has. */
static int take_layers(struct store *s, struct podman_image *i, const struct json *config,
	const struct strv *dirs, struct err *e)
{
	scoped_strv struct strv ids = { 0 };
	int r = read_diff_ids(config, &ids, e);

	if (r < 0)
		return r;
	if (!ids.len || ids.len > LAYERS_MAX) {
		i->why = PODMAN_DOCUMENTS;
		return 0;
	}
	for (size_t k = 0; k < dirs->len; k++) {
		bool listed = false;

		for (size_t n = 0; n < ids.len && !listed; n++)
			listed = is_of(dirs->items[k], ids.items[n]);
		if (!listed)
			return err_say(
				e, EINVAL, "config.json", "its layers are not those of the store");
	}
	for (size_t k = 0; r == 0 && k < ids.len; k++) {
		const char *dir = dir_of(&ids, k, dirs);

		if (!dir) {
			i->why = PODMAN_CUT;
			return 0;
		}
		r = add_layer(s, i, dir, e);
	}
	return r;
}

static int read_documents(
	struct store *s, struct podman_image *i, const struct strv *dirs, struct err *e)
{
	scoped_json struct json *config = NULL;
	const char *created = NULL;
	char hex[DIGEST_HEX];
	struct digest d;
	int r = store_image_documents(s, i->name, &i->manifest, &i->config, e);

	if (r == 0)
		r = doc_parse(buf_get(&i->config), i->config.len, "config.json", &config, e);
	if (r == 0)
		r = podman_check_config(config, e);
	if (r < 0)
		return r;
	hash_bytes(buf_get(&i->config), i->config.len, &d);
	(void)snprintf(i->id, sizeof(i->id), "%.64s", digest_hex(&d, hex));
	if (doc_str(config, "created", "", false, &created, NULL) == 0 && created)
		take_time(created, i->created);
	r = take_layers(s, i, config, dirs, e);
	return r < 0 || i->why != PODMAN_GOOD ? r : take_manifest(i, e);
}

/* ---- the name ---- */

static int take_reference(struct podman_image *i, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;

	(void)reference_for_podman(i->name, &b); /* "" if it cannot be one */
	i->reference = buf_take(&b);
	if (!i->reference)
		return err_nomem(e);
	i->own = !strcmp(i->reference, i->name);
	return 0;
}

bool podman_is_wanted(const struct store *s)
{
	return !s->base.count && geteuid() == 0 && !userns_is_nested();
}

int podman_image_read(struct store *s, const char *name, struct podman_image *ret, struct err *e)
{
	struct podman_image i = { .why = s->base.count ? PODMAN_BASE :
			podman_is_wanted(s)            ? PODMAN_GOOD :
							 PODMAN_USER };
	scoped_strv struct strv dirs = { 0 };
	struct err own = ERR_INIT;
	int r;

	i.name = strdup(name);
	r = i.name ? take_reference(&i, e) : err_nomem(e);
	if (r < 0) {
		podman_image_done(&i);
		return r;
	}
	r = store_image_dirs(s, name, &dirs, &own);
	if (r == 0)
		r = read_documents(s, &i, &dirs, &own);
	if (store_cannot_read(r)) {
		podman_image_done(&i);
		if (e)
			*e = own;
		return r;
	}
	if (r < 0) {
		log_verbose("podman cannot use the image '%s': %s: %s", name, own.on, own.what);
		i.why = PODMAN_DOCUMENTS;
	}

	*ret = i;
	return 0;
}

void podman_image_done(struct podman_image *i)
{
	free(i->name);
	free(i->reference);
	buf_done(&i->manifest);
	buf_done(&i->config);
	free(i->chain.items);
}
