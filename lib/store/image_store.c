/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_store: look at the layers of a store that podman reads. */

#include "image_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/vec.h"

enum { ID_LEN = 64 };

struct indexed_layer {
	const char *id, *parent; /* of the document */
	bool wanted;             /* an image has it */
};

struct layer_index {
	struct json *layers, *images;
	VEC(struct indexed_layer) items;
};

static void index_done(struct layer_index *x)
{
	VEC_DONE(&x->items);
	doc_free(x->layers);
	doc_free(x->images);
}

#define scoped_index __attribute__((cleanup(index_done)))

bool image_store_is(int dirfd)
{
	return faccessat(dirfd, IMAGE_STORE_IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The owner of a view can hold a lease on the file, for which open(2) would wait (fcntl(2)). */
static int read_list(int dirfd, const char *path, struct json **ret, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, e);

	if (r == 0)
		r = fd_check_regular(fd, path, e);
	if (r == 0)
		r = fd_read_all(fd, path, JSON_MAX_BYTES, &text, e);
	return r == 0 ? doc_parse_array(buf_get(&text), text.len, path, ret, e) : r;
}

/* An id becomes a part of a path. */
static bool is_id(const char *id)
{
	return strlen(id) == ID_LEN && strspn(id, "0123456789abcdef") == ID_LEN;
}

static int read_layers(struct layer_index *x, struct err *e)
{
	for (size_t i = 0; i < doc_len(x->layers); i++) {
		struct indexed_layer l = { .wanted = false };
		const struct json *layer;
		int r = doc_item_object(x->layers, i, "layers", IMAGE_STORE_LAYERS, &layer, e);

		if (r == 0)
			r = doc_str(layer, "id", IMAGE_STORE_LAYERS, true, &l.id, e);
		if (r == 0)
			r = doc_str(layer, "parent", IMAGE_STORE_LAYERS, false, &l.parent, e);
		if (r < 0)
			return r;
		if (is_id(l.id) && VEC_ADD(&x->items, l) < 0)
			return err_nomem(e);
	}
	return 0;
}

static struct indexed_layer *find(struct layer_index *x, const char *id)
{
	for (size_t i = 0; i < x->items.len; i++)
		if (!strcmp(x->items.items[i].id, id))
			return &x->items.items[i];
	return NULL;
}

/* The layer, and those below it. */
static void want(struct layer_index *x, const char *id)
{
	struct indexed_layer *l;

	for (l = id ? find(x, id) : NULL; l && !l->wanted;
		l = l->parent ? find(x, l->parent) : NULL)
		l->wanted = true;
}

static int read_images(struct layer_index *x, struct err *e)
{
	for (size_t i = 0; i < doc_len(x->images); i++) {
		const struct json *image, *mapped = NULL;
		const char *id = NULL;
		int r = doc_item_object(x->images, i, "images", IMAGE_STORE_IMAGES, &image, e);

		if (r == 0)
			r = doc_str(image, "layer", IMAGE_STORE_IMAGES, false, &id, e);
		if (r == 0)
			r = doc_array(
				image, "mapped-layers", IMAGE_STORE_IMAGES, false, &mapped, e);
		want(x, id);
		for (size_t k = 0; r == 0 && mapped && k < doc_len(mapped); k++) {
			r = doc_item_str(mapped, k, "mapped-layers", IMAGE_STORE_IMAGES, &id, e);
			if (r == 0)
				want(x, id);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Returns 1, or 0 if the directory is not there. */
static int count(int dirfd, const char *id, struct layer_marks *ret, struct err *e)
{
	char path[ID_LEN + 32];
	struct err own = ERR_INIT;
	scoped_fd int fd = -1;
	int r;

	(void)snprintf(path, sizeof(path), "overlay/%s/diff", id); /* fits */
	r = fd_open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY, &fd, &own);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	if (r == 0)
		r = layer_count_marks(fd, ret, &own);
	if (r < 0 && e)
		*e = own;
	return r < 0 ? r : 1;
}

static void add(const struct layer_marks *m, struct layer_marks *sum)
{
	sum->trusted += m->trusted;
	sum->user += m->user;
	sum->trusted_alone += m->trusted_alone;
	sum->user_alone += m->user_alone;
	sum->dirs += m->dirs;
}

int image_store_marks(int dirfd,
	int (*fn)(const char *id, const struct layer_marks *marks, void *arg), void *arg,
	struct image_store_sum *ret, struct err *e)
{
	scoped_index struct layer_index x = { .layers = NULL };
	int r = read_list(dirfd, IMAGE_STORE_LAYERS, &x.layers, e);

	*ret = (struct image_store_sum){ .layers = 0 };
	if (r == 0)
		r = read_list(dirfd, IMAGE_STORE_IMAGES, &x.images, e);
	if (r == 0)
		r = read_layers(&x, e);
	if (r == 0)
		r = read_images(&x, e);
	for (size_t i = 0; i < x.items.len && r == 0; i++) {
		struct layer_marks marks = { .dirs = 0 };

		if (!x.items.items[i].wanted)
			continue;
		r = count(dirfd, x.items.items[i].id, &marks, e);
		if (r <= 0)
			continue;
		add(&marks, &ret->all);
		ret->layers++;
		r = marks.trusted || marks.user ? fn(x.items.items[i].id, &marks, arg) : 0;
	}
	return r;
}
