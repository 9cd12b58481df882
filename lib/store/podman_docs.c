/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_docs: the texts of the files that podman reads. */

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "podman_priv.h"
#include "store_layer.h"

static int print(struct json_writer *w, struct buf *ret, struct err *e)
{
	return json_writer_print(w, JSON_LINE, ret) < 0 || !buf_get(ret) ? err_nomem(e) : 0;
}

/* ---- layers ---- */

static void write_layer(struct json_writer *w, const struct podman_layer *l)
{
	struct buf diff = BUF_INIT;

	buf_printf(&diff, "sha256:%.64s", l->dir + strlen("sha256-"));
	json_write_str(w, "id", l->id);
	if (*l->parent)
		json_write_str(w, "parent", l->parent);
	if (*l->created)
		json_write_str(w, "created", l->created);
	json_write_str(w, "compressed-diff-digest", l->blob);
	json_write_i64(w, "compressed-size", (int64_t)l->blob_size);
	if (buf_get(&diff))
		json_write_str(w, "diff-digest", diff.data);
	if (l->tar_size)
		json_write_i64(w, "diff-size", (int64_t)l->tar_size);
	if (l->compression)
		json_write_i64(w, "compression", (int64_t)l->compression);
	w->failed |= diff.oom;
	buf_done(&diff);
}

/* A value with the key of an earlier one replaces that. */
static void write_map(struct json_writer *w, const char *key, const struct idranges *ids)
{
	json_write_array(w, key);
	for (size_t i = 0; i < ids->len; i++) {
		json_write_object(w, NULL);
		json_write_i64(w, "container_id", ids->items[i].disk);
		json_write_i64(w, "host_id", ids->items[i].seen);
		json_write_i64(w, "size", ids->items[i].count);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_mapped(struct json_writer *w, const struct podman_layer *l,
	const struct podman_map *m, bool with_ids)
{
	char id[PODMAN_ID];

	write_layer(w, l);
	json_write_str(w, "id", podman_map_id(m->text, l->id, id));
	if (*l->parent)
		json_write_str(w, "parent", podman_map_id(m->text, l->parent, id));
	if (!with_ids)
		return;
	write_map(w, "uidmap", &m->ids.uid);
	write_map(w, "gidmap", &m->ids.gid);
}

int podman_print_layers(const struct podman_layers *layers, const struct podman_maps *maps,
	bool with_ids, struct buf *ret, struct err *e)
{
	struct json_writer w = { .depth = 0 };

	json_write_array(&w, NULL);
	for (size_t i = 0; i < layers->len; i++) {
		json_write_object(&w, NULL);
		write_layer(&w, &layers->items[i]);
		json_write_end(&w);
	}
	for (size_t k = 0; maps && k < maps->len; k++)
		for (size_t i = 0; i < layers->len; i++) {
			json_write_object(&w, NULL);
			write_mapped(&w, &layers->items[i], &maps->items[k], with_ids);
			json_write_end(&w);
		}
	json_write_end(&w);
	return print(&w, ret, e);
}

int podman_print_record(const struct podman_layer *l, struct buf *ret, struct err *e)
{
	struct json_writer w = { .depth = 0 };

	json_write_object(&w, NULL);
	json_write_str(&w, "directory", l->dir);
	write_layer(&w, l);
	json_write_end(&w);
	return print(&w, ret, e);
}

/* Copy a member of a record; one that is not there is "". */
static int copy_str(const struct json *j, const char *key, char *ret, size_t room, struct err *e)
{
	const char *s = NULL;
	int r = doc_str(j, key, "record", false, &s, e);

	if (r == 0 && s && strlen(s) >= room)
		r = err_say(e, EINVAL, "record", "the value of \"%s\" is too long", key);
	if (r == 0)
		memcpy(ret, s ? s : "", s ? strlen(s) + 1 : 1);
	return r;
}

int podman_read_record(
	const char *text, size_t n, const char *id, struct podman_layer *ret, struct err *e)
{
	scoped_json struct json *j = NULL;
	struct podman_layer l = { .used = false };
	int r = doc_parse(text, n, id, &j, e);

	if (r == 0)
		r = copy_str(j, "id", l.id, sizeof(l.id), e);
	if (r == 0)
		r = copy_str(j, "parent", l.parent, sizeof(l.parent), e);
	if (r == 0)
		r = copy_str(j, "directory", l.dir, sizeof(l.dir), e);
	if (r == 0)
		r = copy_str(j, "created", l.created, sizeof(l.created), e);
	if (r == 0)
		r = copy_str(j, "compressed-diff-digest", l.blob, sizeof(l.blob), e);
	if (r == 0)
		r = doc_u64(j, "compressed-size", id, true, &l.blob_size, e);
	if (r == 0)
		r = doc_u64(j, "diff-size", id, false, &l.tar_size, e);
	if (r == 0)
		r = doc_u64(j, "compression", id, false, &l.compression, e);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || strcmp(l.id, id) != 0 || !store_layer_name_ok(l.dir))
		return err_say(e, EBADMSG, id, "the record of the layer is damaged");
	(void)podman_link(l.id, l.link);

	*ret = l;
	return 0;
}

/* ---- images ---- */

static bool is_plain(const char *key)
{
	return strspn(key, ".0123456789abcdefghijklmnopqrstuvwxyz") == strlen(key);
}

int podman_data_file(const char *key, struct buf *ret, struct err *e)
{
	const size_t n = strlen(key), room = BASE64_ENCODE_RAW_LENGTH(n);
	scoped_free char *out = malloc(room + 1);

	if (!out)
		return err_nomem(e);
	if (is_plain(key)) {
		buf_str(ret, key);
	} else {
		base64_encode_raw(out, n, (const uint8_t *)key);
		buf_char(ret, '=');
		buf_add(ret, out, room);
	}
	return buf_get(ret) ? 0 : err_nomem(e);
}

/* The keys of the data of an image and of others with the same configuration. */
struct data {
	struct strv keys, digests;
	VEC(uint64_t) sizes;
};

static int add_data(
	struct data *d, const char *key, const char *digest, uint64_t size, struct err *e)
{
	if (strv_has(&d->keys, key))
		return 0;
	return strv_add(&d->keys, key) < 0 || strv_add(&d->digests, digest) < 0 ||
			VEC_ADD(&d->sizes, size) < 0 ?
		err_nomem(e) :
		0;
}

static int collect_data(
	const struct podman_images *images, size_t first, struct data *d, struct err *e)
{
	const struct podman_image *i = &images->items[first];
	char config[DIGEST_TEXT], manifest[DIGEST_TEXT], key[DIGEST_TEXT + 16];
	int r;

	(void)snprintf(config, sizeof(config), "sha256:%s", i->id);
	r = add_data(d, config, config, i->config.len, e);
	if (r == 0)
		r = add_data(d, "manifest", digest_text(&i->manifest_digest, manifest),
			i->manifest.len, e);
	for (size_t k = first; r == 0 && k < images->len; k++) {
		const struct podman_image *o = &images->items[k];

		if (!podman_runs(o->why) || strcmp(o->id, i->id) != 0)
			continue;
		(void)digest_text(&o->manifest_digest, manifest);
		(void)snprintf(key, sizeof(key), "manifest-%s", manifest);
		r = add_data(d, key, manifest, o->manifest.len, e);
	}
	return r;
}

static void write_data(struct json_writer *w, const struct data *d)
{
	json_write_array(w, "big-data-names");
	for (size_t i = 0; i < d->keys.len; i++)
		json_write_str(w, NULL, d->keys.items[i]);
	json_write_end(w);
	json_write_object(w, "big-data-sizes");
	for (size_t i = 0; i < d->keys.len; i++)
		json_write_i64(w, d->keys.items[i], (int64_t)d->sizes.items[i]);
	json_write_end(w);
	json_write_object(w, "big-data-digests");
	for (size_t i = 0; i < d->keys.len; i++)
		json_write_str(w, d->keys.items[i], d->digests.items[i]);
	json_write_end(w);
}

/* Is it the first image with this configuration? podman has one image of each id. */
static bool is_first(const struct podman_images *images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (podman_runs(images->items[i].why) &&
			!strcmp(images->items[i].id, images->items[n].id))
			return false;
	return true;
}

static void write_names(struct json_writer *w, const struct podman_images *images, size_t first)
{
	json_write_array(w, "names");
	for (size_t i = first; i < images->len; i++) {
		const struct podman_image *o = &images->items[i];

		if (podman_runs(o->why) && *o->reference && !strcmp(o->id, images->items[first].id))
			json_write_str(w, NULL, o->reference);
	}
	json_write_end(w);
}

/* The topmost layer under the other maps. */
static void write_mapped_layers(
	struct json_writer *w, const char *id, const struct podman_maps *maps)
{
	char mapped[PODMAN_ID];

	json_write_array(w, "mapped-layers");
	for (size_t k = 0; k < maps->len; k++)
		if (maps->items[k].mounted)
			json_write_str(w, NULL, podman_map_id(maps->items[k].text, id, mapped));
	json_write_end(w);
}

static int write_image(struct json_writer *w, const struct podman_images *images, size_t n,
	const struct podman_maps *maps, struct err *e)
{
	const struct podman_image *i = &images->items[n];
	const char *top = i->chain.len ? i->chain.items[i->chain.len - 1].id : "";
	struct data d = { .keys = { 0 } };
	char text[DIGEST_TEXT];
	int r = collect_data(images, n, &d, e);

	if (r == 0) {
		json_write_object(w, NULL);
		json_write_str(w, "id", i->id);
		json_write_str(w, "digest", digest_text(&i->manifest_digest, text));
		write_names(w, images, n);
		json_write_str(w, "layer", top);
		if (maps)
			write_mapped_layers(w, top, maps);
		json_write_str(w, "metadata", "{}");
		write_data(w, &d);
		if (*i->created)
			json_write_str(w, "created", i->created);
		json_write_end(w);
	}
	strv_done(&d.keys);
	strv_done(&d.digests);
	VEC_DONE(&d.sizes);
	return r;
}

int podman_print_images(const struct podman_images *images, const struct podman_maps *maps,
	struct buf *ret, struct err *e)
{
	struct json_writer w = { .depth = 0 };
	int r = 0;

	json_write_array(&w, NULL);
	for (size_t i = 0; r == 0 && i < images->len; i++)
		if (podman_runs(images->items[i].why) && is_first(images, i))
			r = write_image(&w, images, i, maps, e);
	if (r < 0) {
		json_writer_done(&w);
		return r;
	}
	json_write_end(&w);
	return print(&w, ret, e);
}
