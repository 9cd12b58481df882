/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manifest: parse and validate image manifests and configs, of OCI and of docker. */

#include "manifest.h"

#include <errno.h>
#include <string.h>

#include "../base/json.h"
#include "../base/plural.h"
#include "../base/vec.h"
#include "../tar/blob.h"
#include "embedded.h"
#include "source_part.h"

#define FOREIGN "its media type says that it is not distributed with the image"

#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

static const struct {
	const char *type;
	enum doc_kind kind;
	const char *note;
} media_types[] = {
	{ "application/vnd.oci.image.index.v1+json", DOC_INDEX, NULL },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", DOC_INDEX, NULL },
	{ "application/vnd.oci.image.manifest.v1+json", DOC_MANIFEST, NULL },
	{ DOCKER_MANIFEST, DOC_MANIFEST, NULL },
	{ "application/vnd.oci.image.config.v1+json", DOC_CONFIG, NULL },
	{ "application/vnd.docker.container.image.v1+json", DOC_CONFIG, NULL },
	{ "application/vnd.oci.image.layer.v1.tar", DOC_LAYER, NULL },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", DOC_LAYER, NULL },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", DOC_LAYER, NULL },
	{ "application/vnd.docker.image.rootfs.diff.tar", DOC_LAYER, NULL },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", DOC_LAYER, NULL },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", DOC_LAYER, NULL },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", DOC_LAYER, FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", DOC_LAYER, FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", DOC_LAYER, FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", DOC_LAYER, FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", DOC_LAYER, FOREIGN },
};

/* What a media type means; NULL and unknown types are DOC_OTHER. ret_note may be NULL. */
static enum doc_kind media_type_kind(const char *type, const char **ret_note)
{
	if (ret_note)
		*ret_note = NULL;
	for (size_t i = 0; type && i < ARRAY_LEN(media_types); i++) {
		if (strcmp(media_types[i].type, type))
			continue;
		if (ret_note)
			*ret_note = media_types[i].note;
		return media_types[i].kind;
	}
	return DOC_OTHER;
}

const char *doc_title(const char *kind, const struct digest *d, char buf[static DOC_TITLE])
{
	char text[DIGEST_TEXT];

	(void)snprintf(buf, DOC_TITLE, "%.16s %s", kind, digest_text(d, text)); /* fits */
	return buf;
}

static int parse(const struct json *object, const char *doc, bool typed, struct descriptor *ret,
	struct err *e)
{
	struct descriptor d = { .kind = DOC_OTHER };
	const char *digest;
	int r;

	r = doc_str(object, "mediaType", doc, typed, &d.media_type, e);
	if (r == 0)
		r = doc_str(object, "digest", doc, true, &digest, e);
	if (r == 0)
		r = digest_parse(digest, doc, &d.digest, e);
	if (r == 0)
		r = doc_u64(object, "size", doc, true, &d.size, e);
	if (r < 0)
		return r;
	r = doc_str(object, "data", doc, false, &d.data, e);
	if (r < 0)
		return r;
	d.kind = media_type_kind(d.media_type, &d.note);

	*ret = d;
	return 0;
}

int descriptor_parse(
	const struct json *object, const char *doc, struct descriptor *ret, struct err *e)
{
	return parse(object, doc, true, ret, e);
}

/*
 * Registries and clients of 2016 stored configs of docker's manifests under these types
 * (docker/distribution#1621), and docker and containerd still take them for configs.
 */
static bool is_old_config_type(const char *type)
{
	static const char *const types[] = { "", "application/octet-stream", "application/json",
		"text/html" };

	for (size_t i = 0; type && i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return !type;
}

/* Parse the descriptor of the config of manifest m, whose document is manifest. */
static int config_descriptor(const struct json *manifest, const struct descriptor *m,
	const char *doc, struct descriptor *ret, struct err *e)
{
	bool docker = m->media_type && !strcmp(m->media_type, DOCKER_MANIFEST);
	const struct json *config;
	const char *type = NULL;
	int r;

	r = doc_object(manifest, "config", doc, true, &config, e);
	if (r == 0)
		r = parse(config, doc, !docker, ret, e);
	if (r == 0)
		r = doc_str(manifest, "artifactType", doc, false, &type, e);
	if (r < 0 || ret->kind == DOC_CONFIG || (docker && is_old_config_type(ret->media_type)))
		return r;

	r = err_say(e, EINVAL, doc, "is an artifact of type '%.100s', not an image",
		type && *type ? type : ret->media_type);
	err_why(e,
		"an artifact is data of another kind, such as a chart or a signature, that a "
		"registry stores beside images");
	err_try(e, "read it with the tool that made it, or choose an image");
	return r;
}

int doc_check_kind(const struct json *object, const char *doc, enum doc_kind kind,
	const char *media_type, struct err *e)
{
	static const char *const foreign[][4] = {
		[DOC_INDEX] = { "layers", "config", "fsLayers", NULL },
		[DOC_MANIFEST] = { "manifests", "fsLayers", NULL },
	};
	const char *own = NULL;
	uint64_t version;
	int r;

	r = doc_u64(object, "schemaVersion", doc, true, &version, e);
	if (r < 0)
		return r;
	if (version != 2)
		return err_say(e, EINVAL, doc, "schemaVersion is %llu, and only 2 can be read",
			(unsigned long long)version);
	r = doc_str(object, "mediaType", doc, false, &own, e);
	if (r < 0)
		return r;
	if (own && media_type_kind(own, NULL) != kind)
		return err_say(e, EINVAL, doc, "declares itself as '%.100s'", own);
	if (own && media_type && strcmp(own, media_type))
		return err_say(e, EINVAL, doc,
			"declares itself as '%.100s', but its descriptor as '%.100s'", own,
			media_type);

	/* Tools would see different images in a document that can be read as either kind. */
	for (size_t i = 0; foreign[kind][i]; i++)
		if (doc_has(object, foreign[kind][i]))
			return err_say(e, EINVAL, doc, "is an %s but has \"%s\"",
				kind == DOC_INDEX ? "index" : "image manifest", foreign[kind][i]);
	return 0;
}

int config_load(
	struct source *s, const char *name, const struct platform *want, bool strict, struct err *e)
{
	scoped_json struct json *config = NULL;
	const struct json *rootfs, *ids;
	const char *type, *id;
	int r;

	r = doc_parse(buf_get(&s->config), s->config.len, name, &config, e);
	if (r == 0)
		r = doc_object(config, "rootfs", name, true, &rootfs, e);
	if (r == 0)
		r = doc_str(rootfs, "type", name, true, &type, e);
	if (r == 0)
		r = doc_array(rootfs, "diff_ids", name, true, &ids, e);
	if (r < 0)
		return r;
	if (strcmp(type, "layers"))
		return err_say(e, EINVAL, name, "rootfs.type is '%.40s', not 'layers'", type);
	if (doc_len(ids) != s->n_layers)
		return err_say(e, EINVAL, name, "has %zu %s for %zu %s", doc_len(ids),
			plural(doc_len(ids), "diff_id", "diff_ids"), s->n_layers,
			plural(s->n_layers, "layer", "layers"));

	for (size_t i = 0; i < s->n_layers; i++) {
		r = doc_item_str(ids, i, "diff_ids", name, &id, e);
		if (r == 0)
			r = digest_parse(id, name, &s->layers[i].diff_id, e);
		if (r < 0)
			return r;
		s->layers[i].has_diff_id = true;
	}
	return platform_check(config, name, want, strict, e);
}

bool manifest_is_beside(const struct descriptor *m, const struct buf *document)
{
	scoped_json struct json *manifest = NULL;
	const char *text = buf_get(document);
	struct descriptor c;
	const struct json *config;

	if (!text || doc_parse(text, document->len, "", &manifest, NULL) < 0)
		return false;
	if (doc_has(manifest, "subject"))
		return true;
	return doc_object(manifest, "config", "", true, &config, NULL) == 0 &&
		parse(config, "", false, &c, NULL) == 0 &&
		config_descriptor(manifest, m, "", &c, NULL) < 0;
}

/* The first of the URLs of a descriptor; NULL: it has none. */
static int first_url(const struct json *item, const char *doc, char **ret, struct err *e)
{
	const struct json *urls;
	const char *url;
	int r = doc_array(item, "urls", doc, false, &urls, e);

	if (r < 0 || !urls || !doc_len(urls))
		return r;
	r = doc_item_str(urls, 0, "urls", doc, &url, e);
	if (r == 0 && !(*ret = strdup(url)))
		r = err_nomem(e);
	return r;
}

static int layer_from(
	const struct json *item, const char *doc, struct source_layer *ret, struct err *e)
{
	struct descriptor d;
	char text[DIGEST_TEXT];
	int r;

	r = descriptor_parse(item, doc, &d, e);
	if (r < 0)
		return r;
	if (d.kind != DOC_LAYER) {
		r = err_say(e, EINVAL, doc, "layer %s has the unknown media type '%.100s'",
			digest_text(&d.digest, text), d.media_type);
		if (strstr(d.media_type, "+encrypted")) {
			err_why(e, "the layer is encrypted");
			err_try(e, "decrypt the image: skopeo copy --decryption-key KEY");
		}
		return r;
	}
	r = d.note ? first_url(item, doc, &ret->url, e) : 0;
	if (r < 0)
		return r;

	ret->name = strdup(digest_text(&d.digest, text));
	if (!ret->name)
		return err_nomem(e);
	if (d.data && !(ret->data = strdup(d.data)))
		return err_nomem(e);
	ret->has_digest = true;
	ret->digest = d.digest;
	ret->size = d.size;
	ret->note = d.note;
	return 0;
}

static int layers_load(struct source *s, const struct json *layers, const char *doc, struct err *e)
{
	const struct json *item;
	int r = source_layers_alloc(s, doc_len(layers), doc, e);

	for (; r == 0 && s->n_layers < doc_len(layers); s->n_layers++) {
		r = doc_item_object(layers, s->n_layers, "layers", doc, &item, e);
		if (r == 0)
			r = layer_from(item, doc, &s->layers[s->n_layers], e);
		if (r < 0)
			break;
	}
	return r;
}

int manifest_load(struct source *s, const struct descriptor *m, read_blob *read,
	const struct platform *want, bool strict, struct err *e)
{
	scoped_json struct json *manifest = NULL;
	const struct json *layers;
	struct descriptor c;
	char name[DOC_TITLE];
	int r;

	(void)doc_title("manifest", &m->digest, name);
	r = read(s, m, &s->manifest, e);
	if (r == 0)
		r = doc_parse(buf_get(&s->manifest), s->manifest.len, name, &manifest, e);
	if (r == 0)
		r = doc_check_kind(manifest, name, DOC_MANIFEST, m->media_type, e);
	if (r == 0)
		r = config_descriptor(manifest, m, name, &c, e);
	if (r == 0)
		r = doc_array(manifest, "layers", name, true, &layers, e);
	if (r < 0)
		return r;

	s->manifest_digest = m->digest;
	s->config_digest = c.digest;
	r = layers_load(s, layers, name, e);
	if (r == 0)
		r = c.data ? embedded_read(&c, &s->config, e) : read(s, &c, &s->config, e);
	if (r == 0)
		r = config_load(s, doc_title("config", &c.digest, name), want, strict, e);
	return r;
}
