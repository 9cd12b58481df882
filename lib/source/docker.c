/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * docker: read the archives that "docker save" writes. manifest.json lists the images, and for each
 * one the members with its config and its layers. manifest.json contains no digests of layers:
 * these are verified against the diff_ids in the config. The bytes of a config or layer must match
 * the digest in its name if that is the name of a blob (blobs/sha256/DIGEST). A digest in
 * another name need not match: people edit configs, and docker, podman and skopeo load them.
 */

#include "docker.h"

#include <errno.h>
#include <string.h>

#include "../base/json.h"
#include "../base/log.h"
#include "../base/num.h"
#include "../base/vec.h"
#include "image_ref.h"
#include "manifest.h"
#include "source_part.h"

static const char document[] = "manifest.json";

/* The images of an archive, and which of them the user's reference names. */
struct choice {
	const char *ref;                  /* NULL: any */
	const struct json *exact, *loose; /* the first image with this tag, or with one like it */
	size_t n_loose;                   /* number of images with a tag like it */
	struct strv there;                /* words that choose one image each */
};

static int add_word(struct choice *c, const char *tag, size_t i, struct err *e)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "@%zu", i); /* fits */
	for (size_t k = 0; tag && k < c->there.len; k++)
		if (!strcmp(c->there.items[k], tag))
			tag = NULL; /* another image has this tag too */
	return strv_add(&c->there, tag ? tag : number) < 0 ? err_nomem(e) : 0;
}

/* Compare image number i with the reference. */
static int look_at(struct choice *c, const struct json *image, size_t i, struct err *e)
{
	const struct json *tags = NULL;
	bool exact = false, loose = false;
	const char *tag;
	uint64_t number;
	int r = 0;

	if (c->ref && c->ref[0] == '@')
		exact = num_u64(c->ref + 1, &number) == 0 && number == i;
	if (!doc_is_null(image, "RepoTags"))
		r = doc_array(image, "RepoTags", document, false, &tags, e);
	for (size_t k = 0; r == 0 && tags && k < doc_len(tags); k++) {
		r = doc_item_str(tags, k, "RepoTags", document, &tag, e);
		if (r < 0)
			return r;
		exact |= c->ref && !strcmp(tag, c->ref);
		loose |= c->ref && image_ref_matches(tag, c->ref);
		r = add_word(c, tag, i, e);
	}
	if (r == 0 && (!tags || !doc_len(tags)))
		r = add_word(c, NULL, i, e);
	if (exact && !c->exact)
		c->exact = image;
	if ((loose || !c->ref) && !c->n_loose++)
		c->loose = image;
	return r;
}

static int no_choice(const struct choice *c, struct err *e)
{
	scoped_buf struct buf there = BUF_INIT;
	int r;

	if (!c->there.len) {
		r = err_say(e, ENOENT, document, "names no image");
		err_why(e, "its list of images is empty");
		err_try(e, "save the image again: docker save NAME -o FILE");
		return r;
	}
	if (c->n_loose)
		r = err_say(e, EINVAL, document,
			c->ref ? "more than one image has a tag like that" :
				 "names more than one image");
	else
		r = err_say(e, ENOENT, c->ref, "the archive has no image with this tag");
	for (size_t i = 0; i < c->there.len && there.len < 700; i++)
		buf_printf(&there, "%s%.300s", i ? ", " : "", c->there.items[i]);
	err_why(e, "it has these: %s", buf_get(&there) ? buf_get(&there) : "");
	err_try(e, "add one of them to the source: docker-archive:FILE:REPO:TAG");
	return r;
}

/* The image that the reference names. Of several with the same tag, the first one counts. */
static int choose(const struct json *list, const char *ref, const struct json **ret, struct err *e)
{
	struct choice c = { .ref = ref };
	const struct json *image;
	int r = 0;

	for (size_t i = 0; r == 0 && i < doc_len(list); i++) {
		r = doc_item_object(list, i, "images", document, &image, e);
		if (r == 0)
			r = look_at(&c, image, i, e);
	}
	if (r == 0 && c.exact)
		*ret = c.exact;
	else if (r == 0 && c.n_loose == 1)
		*ret = c.loose;
	else if (r == 0)
		r = no_choice(&c, e);
	strv_done(&c.there);
	return r;
}

/* Parse the digest in a member's name, between prefix and suffix. */
static bool digest_of_name(
	const char *name, const char *prefix, const char *suffix, struct digest *ret)
{
	size_t p = strlen(prefix), s = strlen(suffix), n = strlen(name);
	char text[DIGEST_TEXT];

	if (n != p + 64 + s || strncmp(name, prefix, p) || strcmp(name + p + 64, suffix))
		return false;
	(void)snprintf(text, sizeof(text), "sha256:%.64s", name + p);
	return digest_parse(text, name, ret, NULL) == 0;
}

static int load_config(struct source *s, const char *name, struct err *e)
{
	struct digest named;
	char text[DIGEST_TEXT];
	bool blob;
	int r;

	r = source_part_read_file(s, name, JSON_MAX_BYTES, &s->config, e);
	if (r < 0)
		return r;
	hash_bytes(buf_get(&s->config), s->config.len, &s->config_digest);
	blob = digest_of_name(name, "blobs/sha256/", "", &named);
	if (!blob && !digest_of_name(name, "", ".json", &named) &&
		!digest_of_name(name, "sha256:", "", &named))
		return 0;
	if (digest_equal(&named, &s->config_digest))
		return 0;
	if (!blob) {
		log_warn("%s: the config does not match the digest in its name: it was edited",
			name);
		return 0;
	}
	r = err_say(e, EBADMSG, name, "the config does not match the digest in its name");
	err_why(e, "its content is %s", digest_text(&s->config_digest, text));
	return r;
}

static int load_layer(
	const struct source *s, const char *name, struct source_layer *ret, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	int r = source_part_open(s, name, &p, e);

	if (r < 0)
		return r;
	ret->name = strdup(name);
	if (!ret->name)
		return err_nomem(e);
	ret->size = p.size;
	ret->has_digest = digest_of_name(name, "blobs/sha256/", "", &ret->digest);
	return 0;
}

static int load_layers(struct source *s, const struct json *layers, struct err *e)
{
	const char *name;
	int r = source_layers_alloc(s, doc_len(layers), document, e);

	for (; r == 0 && s->n_layers < doc_len(layers); s->n_layers++) {
		r = doc_item_str(layers, s->n_layers, "Layers", document, &name, e);
		if (r == 0)
			r = load_layer(s, name, &s->layers[s->n_layers], e);
		if (r < 0)
			break;
	}
	return r;
}

static int open_member(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	scoped_source_part struct source_part p = SOURCE_PART_INIT;
	int r = source_part_open(s, s->layers[i].name, &p, e);

	if (r == 0)
		source_part_give(&p, ret_fd, ret_offset);
	return r;
}

int docker_open(
	struct source *s, const char *ref, const struct platform *want, bool strict, struct err *e)
{
	scoped_json struct json *list = NULL;
	const struct json *image = NULL, *layers = NULL;
	const char *config = NULL;
	int r;

	s->open_layer = open_member;
	r = source_part_read_file(s, document, JSON_MAX_BYTES, &s->manifest, e);
	if (r == 0)
		r = doc_parse_array(buf_get(&s->manifest), s->manifest.len, document, &list, e);
	if (r == 0)
		r = choose(list, ref, &image, e);
	if (r == 0)
		r = doc_str(image, "Config", document, true, &config, e);
	if (r == 0)
		r = doc_array(image, "Layers", document, true, &layers, e);
	if (r == 0)
		r = load_layers(s, layers, e);
	if (r == 0)
		r = load_config(s, config, e);
	if (r == 0) {
		hash_bytes(buf_get(&s->manifest), s->manifest.len, &s->manifest_digest);
		r = config_load(s, config, want, strict, e);
	}
	return r;
}
