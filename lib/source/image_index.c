/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_index: find the image in an index that fits the reference and the platform. */

#include "image_index.h"

#include <errno.h>
#include <string.h>

#include "../base/json.h"
#include "../base/vec.h"
#include "image_ref.h"

enum {
	MAX_CHOICES = 64, /* whose manifests are read to find out which are images */
	MAX_INDEX_DEPTH = 8,
	MAX_INDEXES = 256, /* in one search; an index that is named twice counts twice */
	MAX_INDEX_BYTES = 4 * JSON_MAX_BYTES, /* of all indexes of a search */
};

struct candidate {
	struct descriptor d; /* without media_type, which is in type */
	char type[128];
	char platform[100];       /* for messages; "" if not specified */
	char ref[256];            /* "" if it has none */
	char name[256];           /* the image's full name, by containerd; "" if it has none */
	size_t top;               /* index in index.json of it or of the index that contains it */
	struct digest top_digest; /* of that item */
	bool beside; /* it is not an image, but belongs to one: an attestation, a signature */
	int fit;
};

struct index_search {
	const struct source *s;
	const struct index_query *q;
	const struct platform *want;
	const char *ref; /* NULL: any */
	bool loose;      /* ref may be a part of a full name */
	VEC(struct candidate) found;
	size_t indexes;
	uint64_t index_bytes;
	char other[128]; /* media type of an item that is neither image nor index; "": none */
	VEC(struct json *) docs; /* the indexes, into which the descriptors of found point */
};

/* The document of an index. */
struct index_doc {
	const char *text;
	size_t n;
	const char *name; /* for messages */
	const char *type; /* media type that its descriptor gives; NULL: it has no descriptor */
	unsigned depth;   /* number of indexes that contain it */
	bool any;         /* all its items match */
};

static void platform_text(const struct json *platform, char *buf, size_t size)
{
	const char *os = NULL, *arch = NULL, *variant = NULL;

	buf[0] = '\0';
	if (!platform || doc_str(platform, "os", "", false, &os, NULL) < 0 ||
		doc_str(platform, "architecture", "", false, &arch, NULL) < 0 ||
		doc_str(platform, "variant", "", false, &variant, NULL) < 0)
		return;
	(void)snprintf(buf, size, "%.30s/%.30s%s%.30s", os ? os : "?", arch ? arch : "?",
		variant ? "/" : "", variant ? variant : "");
}

static bool has_prefix(const char *s, const char *prefix)
{
	return s && !strncmp(s, prefix, strlen(prefix));
}

/*
 * Is the item something that buildkit or cosign keep beside an image? Errors in these annotations
 * do not matter: then it is an image.
 */
static bool is_beside(const struct json *item, const struct json *annotations, const char *platform)
{
	const char *docker = NULL, *cosign = NULL, *artifact = NULL;

	if (annotations) {
		(void)doc_str(annotations, "vnd.docker.reference.type", "", false, &docker, NULL);
		(void)doc_str(annotations, "kind", "", false, &cosign, NULL);
	}
	(void)doc_str(item, "artifactType", "", false, &artifact, NULL);
	return docker || has_prefix(cosign, "dev.cosignproject.cosign/sig") ||
		has_prefix(cosign, "dev.cosignproject.cosign/att") ||
		has_prefix(cosign, "dev.cosignproject.cosign/sbom") || (artifact && *artifact) ||
		!strcmp(platform, "unknown/unknown");
}

/* Parse one item of an index. */
static int item_parse(const struct json *item, const char *doc, const struct platform *want,
	struct candidate *ret, struct err *e)
{
	const struct json *annotations, *platform;
	const char *ref = NULL, *name = NULL;
	int r;

	*ret = (struct candidate){ .fit = 0 };
	r = descriptor_parse(item, doc, &ret->d, e);
	if (r == 0)
		r = doc_object(item, "annotations", doc, false, &annotations, e);
	if (r == 0 && annotations)
		r = doc_str(annotations, "org.opencontainers.image.ref.name", doc, false, &ref, e);
	if (r == 0 && annotations)
		r = doc_str(annotations, "io.containerd.image.name", doc, false, &name, e);
	if (r == 0)
		r = doc_object(item, "platform", doc, false, &platform, e);
	if (r < 0)
		return r;

	(void)snprintf(ret->type, sizeof(ret->type), "%.127s", ret->d.media_type);
	ret->d.media_type = NULL; /* it is in type; the document that data points into is kept */
	(void)snprintf(ret->ref, sizeof(ret->ref), "%.255s", ref ? ref : "");
	(void)snprintf(ret->name, sizeof(ret->name), "%.255s", name ? name : "");
	platform_text(platform, ret->platform, sizeof(ret->platform));
	ret->beside = is_beside(item, annotations, ret->platform);
	ret->fit = platform_fit(platform, want);
	return 0;
}

static bool is_digest_of(const struct candidate *c, const char *ref)
{
	char text[DIGEST_TEXT];

	return ref && !strcmp(digest_text(&c->d.digest, text), ref);
}

static bool ref_matches(const struct index_search *q, const struct candidate *c)
{
	if (q->loose)
		return image_ref_matches(c->name, q->ref);
	return !strcmp(c->ref, q->ref) || (c->name[0] && !strcmp(c->name, q->ref)) ||
		is_digest_of(c, q->ref);
}

/* The images in an index inherit its names. */
static void inherit(struct candidate *c, const struct candidate *from, size_t i, bool is_top)
{
	if (!c->ref[0])
		memcpy(c->ref, from->ref, sizeof(c->ref));
	if (!c->name[0])
		memcpy(c->name, from->name, sizeof(c->name));
	if (is_top) {
		c->top = i;
		c->top_digest = from->d.digest;
	}
}

static int search_index(struct index_search *q, const struct index_doc *doc, struct err *e);

static int search_nested(struct index_search *q, const struct index_doc *parent,
	const struct candidate *c, bool any, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct index_doc doc = { .type = c->type, .depth = parent->depth + 1, .any = any };
	char name[DOC_TITLE];
	int r;

	q->index_bytes += c->d.size > MAX_INDEX_BYTES ? MAX_INDEX_BYTES + 1 : c->d.size;
	if (parent->depth == MAX_INDEX_DEPTH || ++q->indexes > MAX_INDEXES ||
		q->index_bytes > MAX_INDEX_BYTES)
		return err_say(e, ELOOP, q->q->name,
			"indexes are nested too deeply, or there are too many");
	r = q->q->read(q->s, &c->d, &b, e);
	if (r < 0)
		return r;
	doc.text = buf_get(&b);
	doc.n = b.len;
	doc.name = doc_title("index", &c->d.digest, name);
	return search_index(q, &doc, e);
}

/*
 * Add the items that match to q->found. If none of them matches, search the indexes among them.
 */
static int search_items(struct index_search *q, const struct index_doc *doc,
	const struct candidate *items, size_t n, struct err *e)
{
	bool matched = false;
	int r = 0;

	for (int pass = 0; pass < 2 && !(pass && (doc->any || matched)); pass++)
		for (size_t i = 0; r == 0 && i < n; i++) {
			bool hit = doc->any || ref_matches(q, &items[i]);
			size_t before = q->found.len;

			if (items[i].beside && !is_digest_of(&items[i], q->ref))
				continue;
			matched |= hit;
			if (items[i].d.kind == DOC_INDEX && (hit || pass))
				r = search_nested(q, doc, &items[i], hit, e);
			else if (items[i].d.kind != DOC_MANIFEST && hit)
				memcpy(q->other, items[i].type, sizeof(q->other));
			else if (hit && !pass)
				r = VEC_ADD(&q->found, items[i]) < 0 ? err_nomem(e) : 0;
			for (size_t k = before; r == 0 && k < q->found.len; k++)
				inherit(&q->found.items[k], &items[i], i, !doc->depth);
		}
	return r;
}

static int search_index(struct index_search *q, const struct index_doc *doc, struct err *e)
{
	scoped_json struct json *index = NULL;
	scoped_free struct candidate *items = NULL;
	const struct json *list, *item;
	int r;

	r = doc_parse(doc->text, doc->n, doc->name, &index, e);
	if (r == 0)
		r = doc_check_kind(index, doc->name, DOC_INDEX, doc->type, e);
	if (r == 0)
		r = doc_array(index, "manifests", doc->name, true, &list, e);
	if (r < 0)
		return r;

	items = calloc(doc_len(list) + 1, sizeof(*items));
	if (!items || VEC_ADD(&q->docs, index) < 0)
		return err_nomem(e);
	index = NULL;
	for (size_t i = 0; i < doc_len(list); i++) {
		r = doc_item_object(list, i, "manifests", doc->name, &item, e);
		if (r == 0)
			r = item_parse(item, doc->name, q->want, &items[i], e);
		if (r < 0)
			return r;
	}
	return search_items(q, doc, items, doc_len(list), e);
}

/* Are both the same item of index.json, or of one index in it, under the same names? */
static bool is_same_choice(const struct candidate *a, const struct candidate *b)
{
	return a->top == b->top && !strcmp(a->ref, b->ref) && !strcmp(a->name, b->name);
}

/*
 * A word that chooses this image and no other: its reference, its full name, or a digest, which is
 * that of the index if all images in it have the same names.
 */
static const char *word_of(
	const struct index_search *q, const struct candidate *c, char buf[static DIGEST_TEXT])
{
	bool ref = c->ref[0], name = c->name[0], top = true;

	for (size_t i = 0; i < q->found.len; i++) {
		const struct candidate *o = &q->found.items[i];

		if (is_same_choice(o, c))
			continue;
		ref &= strcmp(o->ref, c->ref) != 0;
		name &= strcmp(o->name, c->name) != 0;
		top &= o->top != c->top;
	}
	if (ref || name)
		return ref ? c->ref : c->name;
	return digest_text(top ? &c->top_digest : &c->d.digest, buf);
}

/* Add the available references, or platforms, to an error, each once. */
static void list_candidates(const struct index_search *q, bool refs, struct err *e)
{
	scoped_strv struct strv words = { 0 };
	scoped_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < q->found.len && b.len < 700; i++) {
		const struct candidate *c = &q->found.items[i];
		char text[DIGEST_TEXT];
		const char *word = refs ? word_of(q, c, text) :
			c->platform[0]  ? c->platform :
					  "(not specified)";

		if (strv_has(&words, word) || strv_add(&words, word) < 0)
			continue;
		buf_printf(&b, "%s%s", b.len ? ", " : "", word);
	}
	err_why(e, "it has %s: %s", refs ? "these" : "images for", buf_get(&b) ? buf_get(&b) : "");
}

/*
 * The image that fits best; of several that fit equally, the first (image-spec, image-index.md:
 * "the first matching entry SHOULD be used"). *ret_tie: another one with other names fits as well.
 */
static const struct candidate *best_of(const struct index_search *q, bool *ret_tie)
{
	const struct candidate *best = NULL;

	*ret_tie = false;
	for (size_t i = 0; i < q->found.len; i++) {
		const struct candidate *c = &q->found.items[i];

		if (!c->fit || (best && c->fit < best->fit))
			continue;
		if (!best || c->fit > best->fit) {
			best = c;
			*ret_tie = false;
		} else if (!is_same_choice(c, best) &&
			!digest_equal(&c->d.digest, &best->d.digest)) {
			*ret_tie = true;
		}
	}
	return best;
}

/* Say what the index has instead of images. */
static void say_other(const struct index_search *q, struct err *e)
{
	if (!q->other[0]) {
		err_why(e,
			"its list of manifests is empty, or has only signatures, attestations "
			"and other data about images");
		err_try(e, "copy the image again: skopeo copy docker://NAME oci:DIR:TAG");
		return;
	}
	err_why(e, "it has an item of type '%s', which is not an image%s", q->other,
		strstr(q->other, "docker.distribution.manifest.v1") ?
			" that can be read: docker before version 1.10 made it" :
			"");
	err_try(e,
		"convert the image: skopeo copy --format oci; an artifact is read with the tool "
		"that made it");
}

static int choose(const struct index_search *q, const struct candidate **ret, struct err *e)
{
	bool tie;
	const struct candidate *best = best_of(q, &tie);
	int r;

	if (!q->found.len && q->ref)
		return err_say(e, ENOENT, q->ref, "the image has no such reference");
	if (!q->found.len) {
		r = err_say(e, ENOENT, q->q->name, "names no image");
		say_other(q, e);
		return r;
	}
	if (!best) {
		r = err_say(e, ENOENT, q->q->name, "has no image for %s/%s%s%s", q->want->os,
			q->want->arch, *q->want->variant ? "/" : "", q->want->variant);
		list_candidates(q, false, e);
		err_try(e, "choose one with --platform");
		return r;
	}
	if (tie && (!q->ref || q->loose)) {
		r = err_say(e, EINVAL, q->q->name, "names more than one image");
		list_candidates(q, true, e);
		err_try(e, "add one of them to the source: %s", q->q->form);
		return r;
	}

	*ret = best;
	return 0;
}

static void forget_found(struct index_search *q)
{
	q->found.len = 0;
	q->indexes = 0;
	q->index_bytes = 0;
}

/* Is there only one image, or one for each platform? */
static bool is_single(const struct index_search *q)
{
	for (size_t i = 0; i < q->found.len; i++)
		if (!is_same_choice(&q->found.items[i], &q->found.items[0]))
			return false;
	return q->found.len;
}

/* Add the available references to the error for a reference that was not found. */
static void suggest_refs(struct index_search *q, struct index_doc doc, struct err *e)
{
	const char *ref = q->ref;
	const struct candidate *c;

	q->ref = NULL;
	forget_found(q);
	doc.any = true;
	(void)search_index(q, &doc, NULL); /* for a hint only */
	list_candidates(q, true, e);
	c = q->found.items;
	if (!is_single(q)) {
		err_try(e, "write one of these in place of '%s'", ref);
	} else if (c->ref[0] || c->name[0]) {
		err_try(e, "write %.*s%s, or omit ':%s'", (int)(strlen(q->s->name) - strlen(ref)),
			q->s->name, c->ref[0] ? c->ref : c->name, ref);
	} else {
		err_why(e, "its only image has no name");
		err_try(e, "omit ':%s'", ref);
	}
}

static bool is_beside_an_image(const struct index_search *q, const struct candidate *c)
{
	scoped_buf struct buf b = BUF_INIT;
	struct descriptor d = c->d;

	d.media_type = c->type;
	return q->q->read(q->s, &d, &b, NULL) == 0 && manifest_is_beside(&d, &b);
}

/* Of several images, skip those whose manifests say that they are not images. */
static void drop_beside(struct index_search *q)
{
	bool beside[MAX_CHOICES];
	size_t n = 0;

	if (q->found.len < 2 || q->found.len > MAX_CHOICES)
		return;
	for (size_t i = 0; i < q->found.len; i++) {
		beside[i] = is_beside_an_image(q, &q->found.items[i]);
		n += !beside[i];
	}
	if (!n)
		return; /* then it is said what they are */
	n = 0;
	for (size_t i = 0; i < q->found.len; i++)
		if (!beside[i])
			q->found.items[n++] = q->found.items[i];
	q->found.len = n;
}

/* Find the images that the reference names: exactly, or else as a part of their full names. */
static int search(struct index_search *q, const struct index_doc *doc, struct err *e)
{
	int r = search_index(q, doc, e);

	if (r == 0 && !q->found.len && q->ref) {
		forget_found(q);
		q->loose = true;
		r = search_index(q, doc, e);
	}
	if (r == 0)
		drop_beside(q);
	return r;
}

int image_index_load(
	struct source *s, const struct index_query *query, const struct buf *text, struct err *e)
{
	struct index_search q = { .s = s, .q = query, .want = query->want, .ref = query->ref };
	const struct index_doc doc = { .text = buf_get(text),
		.n = text->len,
		.name = query->name,
		.type = query->type,
		.any = !query->ref };
	const struct candidate *c = NULL;
	struct descriptor d;
	int r = search(&q, &doc, e);

	if (r == 0) {
		r = choose(&q, &c, e);
		if (r == -ENOENT && query->ref && !q.found.len)
			suggest_refs(&q, doc, e);
	}
	if (r == 0) {
		d = c->d;
		d.media_type = c->type;
		r = manifest_load(s, &d, query->read, query->want, query->strict, e);
	}
	VEC_DONE(&q.found);
	for (size_t i = 0; i < q.docs.len; i++)
		doc_free(q.docs.items[i]);
	VEC_DONE(&q.docs);
	return r;
}
