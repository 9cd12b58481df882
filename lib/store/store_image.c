/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_image: list, read and remove the images of a store. */

#include "store_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/suggest.h"
#include "../layer/layer.h"
#include "../mount/image_source.h"
#include "../mount/stored_layer.h"
#include "../source/reference.h"
#include "../source/source_word.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"

enum { MAX_LAYERS_FILE = 1 << 20, MAX_NAME = 200 };

/* Copy name with "%2F" in place of each slash. Returns its length, which may exceed the room. */
static size_t escape(const char *name, char ret[static STORE_IMAGE_FILE])
{
	size_t n = 0;

	for (; *name; name++) {
		const char *s = *name == '/' ? "%2F" : name;

		for (size_t k = *name == '/' ? 3 : 1; k > 0; k--, n++, s++)
			if (n < STORE_IMAGE_FILE - 1)
				ret[n] = *s;
	}
	ret[n < STORE_IMAGE_FILE ? n : STORE_IMAGE_FILE - 1] = '\0';
	return n;
}

static int name_refuse(const char *name, size_t good, struct err *e)
{
	char bad[32] = "";
	int r;

	if (name[good] >= ' ' && name[good] < 0x7f && name[good] != '/')
		(void)snprintf(bad, sizeof(bad), "'%c' is not allowed: ", name[good]); /* fits */
	r = err_say(e, EINVAL, name, "is not a valid name of an image");
	if (name[good] == '/' && good)
		err_why(e,
			"a name with slashes has the form HOST/PATH[:TAG], as in "
			"docker.io/library/debian:12");
	else
		err_why(e,
			"%sa name has 1 to %d letters, digits and ._+:@=~%%-, and begins with "
			"neither dot nor dash",
			bad, (int)MAX_NAME);
	err_try(e,
		"name the image as shiftbox image-unpack --list shows it (not by the source that "
		"it was unpacked from)");
	return r;
}

int store_image_file(const char *name, char ret[static STORE_IMAGE_FILE], struct err *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+:@=~%-";
	size_t n = escape(name, ret), good = strspn(name, letters);

	if (n && n <= MAX_NAME && name[0] != '.' && name[0] != '-' &&
		(name[good] == '\0' || reference_is_whole(name)))
		return 0;
	return name_refuse(name, good, e);
}

int store_image_name_check(const char *name, struct err *e)
{
	char file[STORE_IMAGE_FILE];

	return store_image_file(name, file, e);
}

/* What may be the name within "image:NAME" or "oci:DIR"; or name, if it has no such prefix. */
static const char *plain_name(const char *name)
{
	const struct source_word *w = source_word_find_any_case(name);

	if (!strncasecmp(name, IMAGE_SOURCE, strlen(IMAGE_SOURCE)))
		return name + strlen(IMAGE_SOURCE);
	return w ? name + strlen(w->word) : name;
}

int store_image_name_check_new(const char *name, struct err *e)
{
	const char *plain = plain_name(name);
	int r = store_image_name_check(name, e);

	if (r < 0 || plain == name)
		return r;
	r = err_say(e, EINVAL, name, "is not a valid name of a new image");
	err_why(e,
		"it begins with '%.*s', which other commands take for the kind of a source, and "
		"not for a part of the name",
		(int)(plain - name), name);
	err_try(e, "write the name alone: -N %s",
		store_image_name_check_new(plain, NULL) < 0 ? "NAME" : plain);
	return r;
}

/* The name of the image whose directory this is. */
static char *name_of(const char *file)
{
	scoped_buf struct buf b = BUF_INIT;
	const char *p = file;

	for (const char *slash; (slash = strstr(p, "%2F")); p = slash + 3) {
		buf_add(&b, p, (size_t)(slash - p));
		buf_char(&b, '/');
	}
	buf_str(&b, p);
	if (!b.oom && !reference_is_whole(buf_get(&b))) {
		buf_reset(&b);
		buf_str(&b, file);
	}
	return buf_take(&b);
}

int store_image_list(struct store *s, struct strv *ret, struct err *e)
{
	scoped_strv struct strv files = { 0 };
	int r = store_dir_list(s->images, s->path, &files, e);

	for (size_t i = 0; r == 0 && i < files.len; i++) {
		scoped_free char *name = name_of(files.items[i]);

		if (!name || strv_add(ret, name) < 0)
			r = err_nomem(e);
	}
	return r;
}

/* "debian:latest" and "debian", "debian" and "debian:bookworm-slim" */
static bool is_same_but_tag(const char *a, const char *b)
{
	size_t n = strcspn(a, ":@");

	return n == strcspn(b, ":@") && !strncmp(a, b, n);
}

static int no_such_image(struct store *s, const char *name, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	const char *plain = plain_name(name);
	struct suggest near = suggest_for(plain, strlen(plain));
	int r = err_say(e, ENOENT, name, "there is no such image in the store '%s'", s->path);

	if (store_image_list(s, &names, NULL) < 0)
		return r;
	for (size_t i = 0; i < names.len && b.len < 800; i++) {
		buf_str(&b, i ? ", " : "");
		buf_str(&b, names.items[i]);
	}
	if (!names.len)
		err_why(e, "it holds no image");
	else if (buf_get(&b))
		err_why(e, "it holds %s", buf_get(&b));
	for (size_t i = 0; i < names.len; i++)
		suggest_offer(&near, names.items[i]);
	for (size_t i = 0; i < names.len && !near.best; i++)
		if (is_same_but_tag(plain, names.items[i]))
			near.best = names.items[i];
	if (near.best)
		err_try(e, "did you mean %s?", near.best);
	else if (names.len && plain != name)
		err_try(e,
			"name the image as shiftbox image-unpack --list shows it (not by the "
			"source that it was unpacked from)");
	else
		err_try(e,
			"unpack one by that name (shiftbox image-unpack -N %s SOURCE), or name the "
			"store that has it (--store)",
			name);
	return r;
}

static int open_image(struct store *s, const char *name, int *ret_fd, struct err *e)
{
	char file[STORE_IMAGE_FILE];
	int r = store_image_file(name, file, e);

	if (r < 0)
		return r;
	r = fd_open_beneath(s->images, file, O_RDONLY | O_DIRECTORY, ret_fd, e);
	return r == -ENOENT ? no_such_image(s, name, e) : r;
}

static int list_damaged(const char *name, struct err *e)
{
	(void)err_say(e, EBADMSG, name, "the image's list of layers is damaged");
	err_try(e, "unpack the image again: shiftbox image-unpack -N %s SOURCE", name);
	return -EBADMSG;
}

static int parse_dirs(const char *text, const char *name, struct strv *ret, struct err *e)
{
	static const char prefix[] = "layers/";

	while (*text) {
		size_t n = strcspn(text, "\n");
		char dir[128];

		if (n >= sizeof(dir) || strncmp(text, prefix, strlen(prefix)))
			return list_damaged(name, e);
		memcpy(dir, text + strlen(prefix), n - strlen(prefix));
		dir[n - strlen(prefix)] = '\0';
		if (!store_layer_name_ok(dir))
			return list_damaged(name, e);
		if (strv_add(ret, dir) < 0)
			return err_nomem(e);
		text += n + (text[n] == '\n');
	}
	return 0;
}

int store_image_dirs(struct store *s, const char *name, struct strv *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_fd int fd = -1;
	int r;

	r = open_image(s, name, &fd, e);
	if (r == 0)
		r = fd_read_file(fd, "layers", MAX_LAYERS_FILE, &b, e);
	if (r == -ENOENT && fd >= 0) {
		(void)err_say(e, ENOENT, name, "the image's list of layers is missing");
		err_try(e, "unpack the image again: shiftbox image-unpack -N %s SOURCE", name);
	}
	if (r == 0)
		r = parse_dirs(buf_get(&b), name, ret, e);
	return r;
}

static int layer_missing(const char *name, const char *layer, int num, struct err *e)
{
	int r = err_set(e, num, name, "its layer %s cannot be found in the store", layer);

	if (r == -ENOENT)
		err_try(e,
			"unpack the image again (shiftbox image-unpack -N %s SOURCE), which adds "
			"what is missing",
			name);
	return r;
}

int store_image_layers(
	struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e)
{
	scoped_strv struct strv dirs = { 0 };
	int r;

	r = store_lock_layers(s, e);
	/* Another unpack of this name may exchange the directory between opening and reading it. */
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);
	if (r < 0)
		return r;
	r = store_image_dirs(s, name, &dirs, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	for (size_t i = 0; r == 0 && i < dirs.len; i++) {
		scoped_free char *path = NULL, *spec = NULL;
		scoped_fd int fd = -1;

		r = stored_layer_open(s->fd, dirs.items[i], O_PATH, &fd, NULL);
		if (r < 0)
			return layer_missing(name, dirs.items[i], -r, e);
		if (asprintf(&path, "%s/layers/%s", s->path, dirs.items[i]) < 0 ||
			strv_add(layers, path) < 0)
			r = err_nomem(e);
		else if (specs &&
			(asprintf(&spec, "%s.mtree", path) < 0 || strv_add(specs, spec) < 0))
			r = err_nomem(e);
	}
	return r;
}

static int read_document(
	int dirfd, const char *path, struct digest *ret_digest, struct json **ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	int r = fd_read_file(dirfd, path, JSON_MAX_BYTES, &b, e);

	if (r < 0)
		return r;
	hash_bytes(buf_get(&b), b.len, ret_digest);
	return ret ? doc_parse(buf_get(&b), b.len, path, ret, e) : 0;
}

static char *member(const struct json *object, const char *key)
{
	const char *s = NULL;

	(void)doc_str(
		object, key, "", false, &s, NULL); /* for display only: other types are not shown */
	return strdup(s ? s : "");
}

/* The documents of a stored image are copies of those that it was unpacked from. */
static void document_damaged(const char *name, struct err *e)
{
	if (!e || e->hint[0])
		return;
	err_prefix(e, "image '%s'", name);
	err_try(e, "unpack the image again: shiftbox image-unpack -N %s SOURCE", name);
}

static int read_image(struct store *s, const char *name, struct store_image *ret, struct err *e)
{
	struct store_image i = { .name = NULL };
	scoped_json struct json *config = NULL;
	scoped_strv struct strv dirs = { 0 };
	scoped_fd int fd = -1;
	int r;

	r = open_image(s, name, &fd, e);
	if (r == 0)
		r = store_image_dirs(s, name, &dirs, e);
	if (r == 0)
		r = read_document(fd, "manifest.json", &i.manifest, NULL, e);
	if (r == 0)
		r = read_document(fd, "config.json", &i.config, &config, e);
	if (r < 0 && fd >= 0)
		document_damaged(name, e);
	if (r < 0)
		return r;

	i.name = strdup(name);
	i.created = member(config, "created");
	i.os = member(config, "os");
	i.arch = member(config, "architecture");
	if (!i.name || !i.created || !i.os || !i.arch)
		r = err_nomem(e);
	for (size_t k = 0; r == 0 && k < dirs.len; k++) {
		struct store_layer l;

		r = store_layer_read(s, dirs.items[k], &l, e);
		if (r == 0 && VEC_ADD(&i.layers, l) < 0) {
			store_layer_done(&l);
			r = err_nomem(e);
		}
	}
	if (r < 0) {
		store_image_done(&i);
		return r;
	}

	*ret = i;
	return 0;
}

/* docker save writes an array without digests; other manifests have that of the configuration. */
static int check_manifest(const struct buf *text, const struct digest *config, struct err *e)
{
	static const char path[] = "manifest.json";
	scoped_json struct json *array = NULL, *manifest = NULL;
	const struct json *descriptor = NULL;
	const char *digest = NULL;
	struct digest wanted;
	int r;

	if (doc_parse_array(text->data, text->len, path, &array, NULL) == 0)
		return 0;
	r = doc_parse(text->data, text->len, path, &manifest, e);
	if (r == 0)
		r = doc_object(manifest, "config", path, true, &descriptor, e);
	if (r == 0)
		r = doc_str(descriptor, "digest", path, true, &digest, e);
	if (r == 0)
		r = digest_parse(digest, path, &wanted, e);
	if (r == 0 && wanted.algorithm == config->algorithm && !digest_equal(&wanted, config))
		r = err_say(e, EBADMSG, "config.json",
			"has another digest than the one in manifest.json");
	return r;
}

static int check_documents(struct store *s, const char *name, struct err *e)
{
	scoped_json struct json *config = NULL;
	scoped_buf struct buf manifest = BUF_INIT;
	struct digest digest;
	scoped_fd int fd = -1;
	int r = open_image(s, name, &fd, e);

	if (r == 0)
		r = read_document(fd, "config.json", &digest, &config, e);
	if (r == 0)
		r = fd_read_file(fd, "manifest.json", JSON_MAX_BYTES, &manifest, e);
	if (r == 0 && !buf_get(&manifest))
		r = err_nomem(e);
	return r < 0 ? r : check_manifest(&manifest, &digest, e);
}

int store_image_check(struct store *s, const char *name, struct err *e)
{
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = check_documents(s, name, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

int store_image_read(struct store *s, const char *name, struct store_image *ret, struct err *e)
{
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = read_image(s, name, ret, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
}

int store_image_documents(struct store *s, const char *name, struct buf *ret_manifest,
	struct buf *ret_config, struct err *e)
{
	scoped_fd int fd = -1;
	int r = open_image(s, name, &fd, e);

	if (r == 0)
		r = fd_read_file(fd, "manifest.json", JSON_MAX_BYTES, ret_manifest, e);
	return r < 0 ? r : fd_read_file(fd, "config.json", JSON_MAX_BYTES, ret_config, e);
}

void store_image_done(struct store_image *i)
{
	free(i->name);
	free(i->created);
	free(i->os);
	free(i->arch);
	for (size_t k = 0; k < i->layers.len; k++)
		store_layer_done(&i->layers.items[k]);
	VEC_DONE(&i->layers);
}
