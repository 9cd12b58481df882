/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_image: what the store knows of its images and layers. */

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../layer/layer.h"
#include "store_priv.h"

enum { MAX_LAYERS_FILE = 1 << 20, MAX_NAME = 200 };

const char *const store_sidecars[] = { ".mtree", ".lower", ".json", NULL };

int store_name_check(const char *name, struct err *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+:@=~%-";
	size_t n = strlen(name);
	int r;

	if (n && n <= MAX_NAME && n == strspn(name, letters) && name[0] != '.' && name[0] != '-')
		return 0;
	r = err_say(e, EINVAL, name, "cannot be the name of an image");
	err_why(e,
		"a name has 1 to %d letters, digits and ._+:@=~%%-, and begins with neither dot "
		"nor dash",
		(int)MAX_NAME);
	err_try(e, "choose one with --name");
	return r;
}

static bool hex_digits(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

bool store_layer_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (strncmp(name, "sha256-", 7) || n < 71 || !hex_digits(name + 7, 64))
		return false;
	return n == 71 || (n == 88 && name[71] == '.' && hex_digits(name + 72, 16));
}

int store_find_layers(
	const struct store *s, const struct digest *diff_id, struct strv *ret, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	char base[DIGEST_NAME];
	int r = store_dir_list(s->layers, s->path, &names, e);

	if (r < 0)
		return r;
	(void)digest_name(diff_id, base);
	for (size_t i = 0; i < names.len; i++) {
		struct stat st;

		if (strncmp(names.items[i], base, strlen(base)) ||
			!store_layer_name_ok(names.items[i]))
			continue;
		if (fstatat(s->layers, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISDIR(st.st_mode))
			continue;
		if (strv_add(ret, names.items[i]) < 0)
			return err_nomem(e);
	}
	return 0;
}

int store_layer_answers(const struct store *s, const char *dir, struct buf *ret, struct err *e)
{
	char path[128];
	scoped_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s.lower", dir);
	fd = openat(s->layers, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, errno, path, "cannot open what the layer depends on");
	return fd_read_all(fd, path, LAYER_DEPS_MAX + 4096, ret, e);
}

int store_layer_read(const struct store *s, const char *dir, struct store_layer *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_json struct json *facts = NULL;
	struct store_layer l = { .dir = NULL };
	uint64_t opaque = 0;
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), "%s.json", dir);
	r = fd_read_file(s->layers, path, 4096, &b, e);
	if (r == 0)
		r = doc_parse(buf_get(&b), b.len, path, &facts, e);
	if (r == 0)
		r = doc_u64(facts, "entries", path, true, &l.entries, e);
	if (r == 0)
		r = doc_u64(facts, "bytes", path, true, &l.bytes, e);
	if (r == 0)
		r = doc_u64(facts, "root_opaque", path, true, &opaque, e);
	if (r < 0)
		return r;
	l.root_opaque = opaque != 0;
	l.dir = strdup(dir);
	if (!l.dir)
		return err_nomem(e);

	*ret = l;
	return 0;
}

void store_layer_done(struct store_layer *l)
{
	free(l->dir);
	l->dir = NULL;
}

int store_images(struct store *s, struct strv *ret, struct err *e)
{
	return store_dir_list(s->images, s->path, ret, e);
}

static int no_such_image(struct store *s, const char *name, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	scoped_buf struct buf b = BUF_INIT;
	int r = err_say(e, ENOENT, name, "there is no such image in the store '%s'", s->path);

	if (store_images(s, &names, NULL) < 0)
		return r;
	for (size_t i = 0; i < names.len && b.len < 800; i++) {
		buf_str(&b, i ? ", " : "");
		buf_str(&b, names.items[i]);
	}
	if (!names.len)
		err_why(e, "it holds no image");
	else if (buf_get(&b))
		err_why(e, "it holds %s", buf_get(&b));
	err_try(e,
		"unpack one by that name (shiftbox image-unpack -N NAME SOURCE), or name the store "
		"that has it (--store)");
	return r;
}

static int open_image(struct store *s, const char *name, int *ret_fd, struct err *e)
{
	int r = store_name_check(name, e);

	if (r < 0)
		return r;
	r = fd_open_beneath(s->images, name, O_RDONLY | O_DIRECTORY, ret_fd, e);
	return r == -ENOENT ? no_such_image(s, name, e) : r;
}

static int parse_dirs(const char *text, const char *name, struct strv *ret, struct err *e)
{
	static const char prefix[] = "layers/";

	while (*text) {
		size_t n = strcspn(text, "\n");
		char dir[128];

		if (n >= sizeof(dir) || strncmp(text, prefix, strlen(prefix)))
			return err_say(e, EINVAL, name, "the image's list of layers is damaged");
		memcpy(dir, text + strlen(prefix), n - strlen(prefix));
		dir[n - strlen(prefix)] = '\0';
		if (!store_layer_name_ok(dir))
			return err_say(e, EINVAL, name, "the image's list of layers is damaged");
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
	if (r == 0)
		r = parse_dirs(buf_get(&b), name, ret, e);
	return r;
}

static const char *last_name(const char *path)
{
	return strrchr(path, '/') + 1; /* an absolute path */
}

int store_open_layer(const struct store *s, const char *path, int *ret_fd, struct err *e)
{
	return fd_open_beneath(s->layers, last_name(path), O_PATH | O_DIRECTORY, ret_fd, e);
}

int store_open_spec(const struct store *s, const char *path, int *ret_fd, struct err *e)
{
	return fd_open_regular(s->layers, last_name(path), O_NOFOLLOW, ret_fd, e);
}

int store_image_layers(
	struct store *s, const char *name, struct strv *layers, struct strv *specs, struct err *e)
{
	scoped_strv struct strv dirs = { 0 };
	int r;

	r = store_hold_layers(s, e);
	/*
	 * Another unpack of this name exchanges the directory: not between our opening and reading
	 * it.
	 */
	if (r == 0)
		r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);
	if (r < 0)
		return r;
	r = store_image_dirs(s, name, &dirs, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	for (size_t i = 0; r == 0 && i < dirs.len; i++) {
		scoped_free char *path = NULL, *spec = NULL;

		if (faccessat(s->layers, dirs.items[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(e, errno, name, "its layer %s cannot be found in the store",
				dirs.items[i]);
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
		object, key, "", false, &s, NULL); /* only shown: what is no string is not shown */
	return strdup(s ? s : "");
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

int store_image_read(struct store *s, const char *name, struct store_image *ret, struct err *e)
{
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = read_image(s, name, ret, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	return r;
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
