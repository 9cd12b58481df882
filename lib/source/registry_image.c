/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* registry_image: read an image from a registry. */

#include "registry_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "../base/log.h"
#include "../base/vec.h"
#include "../registry/fetcher.h"
#include "../registry/part.h"
#include "../registry/registry_ref.h"
#include "../tar/blob.h"
#include "embedded.h"
#include "image_index.h"
#include "manifest.h"

/* A layer that was opened. */
struct arriving {
	struct fetch_blob blob;
	struct part *part; /* NULL: nothing of it is kept */
	uint64_t had;      /* bytes that the part had before */
};

struct source_registry {
	struct registry_ref ref;
	struct fetcher *fetcher;
	struct arriving *layers;
	int parts; /* the directory of parts, or -1 */
};

static int wrong_document(
	const char *what, const char *name, const struct registry_ref *ref, struct err *e)
{
	int r = err_say(e, EBADMSG, name, "what the registry sent has another %s", what);

	err_why(e, "%s, or a proxy on the way, changed the document", ref->host);
	return r;
}

/* This is a read_blob. */
static int read_document(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e)
{
	const struct source_registry *g = s->registry;
	size_t before = ret->len;
	char name[DIGEST_TEXT];
	struct digest is;
	int r;

	if (d->data)
		return embedded_read(d, ret, e);
	(void)digest_text(&d->digest, name);
	if (d->size > JSON_MAX_BYTES)
		return err_say(e, EFBIG, name, "is larger than %d bytes", (int)JSON_MAX_BYTES);
	r = d->kind == DOC_INDEX || d->kind == DOC_MANIFEST ?
		fetcher_manifest(g->fetcher, name, ret, e) :
		fetcher_document(g->fetcher, &d->digest, d->size, ret, e);
	if (r < 0)
		return r;
	if (ret->len - before != d->size)
		return wrong_document("length than its descriptor says", name, &g->ref, e);
	hash_bytes_as(d->digest.algorithm, ret->data + before, ret->len - before, &is);
	return digest_equal(&is, &d->digest) ? 0 : wrong_document("digest", name, &g->ref, e);
}

/*
 * Read the document that the reference names. Its digest is what was computed here; if the
 * reference has one, both must be equal.
 */
static int read_top(struct source *s, struct buf *ret, struct digest *digest, struct err *e)
{
	const struct source_registry *g = s->registry;
	const struct registry_ref *ref = &g->ref;
	char text[DIGEST_TEXT];
	int r = fetcher_manifest(
		g->fetcher, ref->has_digest ? digest_text(&ref->digest, text) : ref->tag, ret, e);

	if (r < 0)
		return r;
	hash_bytes_as(ref->has_digest ? ref->digest.algorithm : DIGEST_SHA256, buf_get(ret),
		ret->len, digest);
	if (ref->has_digest && !digest_equal(digest, &ref->digest))
		return wrong_document("digest", digest_text(&ref->digest, text), ref, e);
	return 0;
}

/* Give the document that was read already instead of fetching it again. */
static int read_top_again(
	const struct source *s, const struct descriptor *d, struct buf *ret, struct err *e)
{
	if (d->kind != DOC_MANIFEST)
		return read_document(s, d, ret, e);
	return s->manifest.len ? 0 : err_nomem(e);
}

static int load_manifest(struct source *s, struct buf *text, const char *type,
	const struct digest *digest, const struct source_options *o, struct err *e)
{
	struct descriptor d = {
		.kind = DOC_MANIFEST, .media_type = type, .digest = *digest, .size = text->len
	};

	s->manifest = *text;
	*text = BUF_INIT;
	return manifest_load(s, &d, read_top_again, o->platform, o->strict, e);
}

static int load(struct source *s, const struct source_options *o, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_json struct json *top = NULL;
	struct index_query q = { .read = read_document, .want = o->platform, .strict = o->strict };
	char name[DOC_TITLE], ref[REF_TEXT];
	struct digest digest;
	int r = read_top(s, &text, &digest, e);

	if (r < 0)
		return r;
	q.name = doc_title("manifest", &digest, name);
	q.form = "docker://HOST/PATH@DIGEST";
	r = doc_parse(buf_get(&text), text.len, q.name, &top, e);
	/* Its kind is what it contains; what the server calls it counts for nothing. */
	if (r == 0)
		r = doc_str(top, "mediaType", q.name, false, &q.type, e);
	if (r < 0)
		return r;
	log_verbose("%s: %s", registry_ref_text(&s->registry->ref, ref), name);
	if (!doc_has(top, "manifests"))
		return load_manifest(s, &text, q.type, &digest, o, e);
	q.name = doc_title("index", &digest, name);
	return image_index_load(s, &q, &text, e);
}

/* --- Layers --- */

static void arriving_done(struct arriving *a)
{
	cleanup_fd(&a->blob.data); /* before the thread is waited for that it feeds */
	a->blob.data = -1;
	part_free(a->part);
	fetch_blob_done(&a->blob);
	*a = (struct arriving){ .blob = FETCH_BLOB_INIT };
}

/* Open what an earlier run has received, if that is kept. */
static void open_part(
	const struct source_registry *g, const struct source_layer *l, struct arriving *a)
{
	int r;

	if (g->parts < 0 || l->size < PART_MIN || l->size == BLOB_SIZE_UNKNOWN)
		return;
	r = part_open(g->parts, &l->digest, l->size, &a->part, &a->had);
	if (r < 0)
		log_verbose("%s: what arrives is not kept: error %d", l->name, -r);
	else if (a->had)
		log_verbose("%s: %llu of %llu bytes have arrived before", l->name,
			(unsigned long long)a->had, (unsigned long long)l->size);
}

static int open_layer(
	const struct source *s, size_t i, int *ret_fd, uint64_t *ret_offset, struct err *e)
{
	const struct source_layer *l = &s->layers[i];
	struct source_registry *g = s->registry;
	struct arriving *a = &g->layers[i];
	int r = 0, fd;

	if (l->data)
		return embedded_open(l, ret_fd, ret_offset, e);
	arriving_done(a);
	open_part(g, l, a);
	if (!a->part || a->had < l->size)
		r = fetcher_blob(g->fetcher, &l->digest, l->size, a->had, &a->blob, e);
	if (r < 0)
		return r;
	fd = TAKE_FD(a->blob.data);
	if (a->part)
		r = part_feed(a->part, fd, &fd, e);
	if (r < 0)
		return r;

	*ret_fd = fd;
	*ret_offset = 0;
	return 0;
}

/* All has arrived, and is not what it should be. */
static void blame_part(struct arriving *a, struct err *e)
{
	part_drop(a->part);
	if (a->had)
		err_try(e,
			"run the command again: what an earlier run had received of this layer is "
			"removed now, and may have been damaged");
}

static int blame_layer(const struct source *s, size_t i, int r, struct err *e)
{
	struct arriving *a = &s->registry->layers[i];
	struct err own = ERR_INIT;
	/* Without a request, the part had all of it. */
	int fetched = a->blob.report >= 0 ? fetch_blob_end(s->registry->fetcher, &a->blob, &own) :
					    a->part != NULL;

	/* A reader that was stopped says nothing about what has arrived. */
	if (a->part && (fetched == 1 || fetched == -ERANGE || fetched == -EBADMSG))
		blame_part(a, fetched == 1 ? e : &own);
	arriving_done(a);
	if (fetched >= 0)
		return r;
	if (fetched == -ENOENT && s->layers[i].note)
		err_why(&own, "%s", s->layers[i].note);
	if (e)
		*e = own;
	return fetched;
}

int registry_image_keep_parts(struct source *s, int dirfd, struct err *e)
{
	if (!s->registry)
		return 0;
	s->registry->parts = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	return s->registry->parts < 0 ? err_set(e, errno, NULL, "cannot keep parts of downloads") :
					0;
}

void registry_image_drop_parts(struct source *s)
{
	struct source_registry *g = s->registry;

	if (!g || g->parts < 0)
		return;
	for (size_t i = 0; i < s->n_layers; i++)
		part_remove(g->parts, &s->layers[i].digest);
}

static int alloc_layers(struct source *s, struct err *e)
{
	struct source_registry *g = s->registry;

	g->layers = calloc(s->n_layers + 1, sizeof(*g->layers));
	if (!g->layers)
		return err_nomem(e);
	for (size_t i = 0; i < s->n_layers; i++)
		g->layers[i].blob = FETCH_BLOB_INIT;
	s->open_layer = open_layer;
	s->blame_layer = blame_layer;
	return 0;
}

/* --- Opening --- */

static int start(const char *word, const struct source_options *o, struct registry_ref *ref,
	struct fetcher **ret, struct err *e)
{
	static const char prefix[] = "docker://";
	struct fetch_options f = {
		.insecure = o->insecure,
		.authfile = o->authfile,
		.cert_dir = o->cert_dir,
		.tries = o->tries ? o->tries : FETCH_TRIES,
		.stall = FETCH_STALL,
	};
	char text[REF_TEXT];
	bool prefixed = !strncmp(word, prefix, strlen(prefix));
	int r = registry_ref_parse(word + (prefixed ? strlen(prefix) : 0), ref, e);

	if (r < 0)
		return r;
	if (ref->guessed_host || !prefixed)
		log_verbose("'%s' is taken for the image %s", word, registry_ref_text(ref, text));
	f.ref = *ref;
	return fetcher_start(&f, ret, e);
}

static int name_image(struct source *s, struct err *e)
{
	const struct registry_ref *ref = &s->registry->ref;
	const char *slash = strrchr(ref->path, '/');
	scoped_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s%s", slash ? slash + 1 : ref->path, *ref->tag ? ":" : "", ref->tag);
	s->default_name = buf_take(&b);
	return s->default_name ? 0 : err_nomem(e);
}

int registry_image_open(
	struct source *s, const char *word, const struct source_options *o, struct err *e)
{
	int r;

	s->registry = calloc(1, sizeof(*s->registry));
	if (!s->registry)
		return err_nomem(e);
	s->registry->parts = -1;
	r = start(word, o, &s->registry->ref, &s->registry->fetcher, e);
	if (r == 0)
		r = name_image(s, e);
	if (r < 0)
		return r;
	r = load(s, o, e);
	if (r == 0)
		r = alloc_layers(s, e);
	if (r < 0)
		err_prefix(e, "%s", s->name);
	return r;
}

void registry_image_done(struct source *s)
{
	struct source_registry *g = s->registry;

	if (!g)
		return;
	for (size_t i = 0; g->layers && i < s->n_layers; i++)
		arriving_done(&g->layers[i]);
	free(g->layers);
	cleanup_fd(&g->parts);
	fetcher_free(g->fetcher);
	free(g);
	s->registry = NULL;
}

/* --- Tags --- */

static int take_tags(const char *page, struct strv *ret, struct err *e)
{
	scoped_json struct json *j = NULL;
	const struct json *tags;
	const char *tag;
	int r = doc_parse(page, strlen(page), "the list of tags", &j, e);

	/* A repository without tags has null, in some registries. */
	if (r < 0 || doc_is_null(j, "tags"))
		return r;
	r = doc_array(j, "tags", "the list of tags", false, &tags, e);
	for (size_t i = 0; r == 0 && tags && i < doc_len(tags); i++) {
		r = doc_item_str(tags, i, "tags", "the list of tags", &tag, e);
		if (r == 0 && strv_add(ret, tag) < 0)
			r = err_nomem(e);
	}
	return r;
}

int registry_image_tags(
	const char *word, const struct source_options *o, struct strv *ret, struct err *e)
{
	scoped_strv struct strv pages = { 0 };
	struct fetcher *f = NULL;
	struct registry_ref ref;
	int r = start(word, o, &ref, &f, e);

	if (r == 0)
		r = fetcher_tags(f, &pages, e);
	fetcher_free(f);
	for (size_t i = 0; r == 0 && i < pages.len; i++)
		r = take_tags(pages.items[i], ret, e);
	if (r < 0)
		err_prefix(e, "%s", word);
	return r;
}
