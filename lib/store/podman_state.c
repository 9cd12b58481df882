/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_state: which layers and images STORE/podman has, and why it lacks others. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_image.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"

enum { RECORD_MAX = 4096 };

const char *podman_why_text(enum podman_why why)
{
	static const char *const texts[] = {
		[PODMAN_GOOD] = "",
		[PODMAN_NO_SPLIT] = "podman can run it, but not save or push it: a layer has no "
				    "tar-split",
		[PODMAN_BASE] = "a store with a base has other ids than its images",
		[PODMAN_USER] = "only a store that root has made on the host is for podman",
		[PODMAN_CUT] = "a layer hides all below it, which are not stored",
		[PODMAN_DOCUMENTS] = "its documents are not those of an image for podman",
		[PODMAN_OTHER] = "another image has a layer of it that was unpacked with other "
				 "options",
		[PODMAN_OLD] = "an older version stored it: run image-unpack --upgrade",
	};

	return texts[why];
}

struct podman_layer *podman_find(const struct podman_layers *v, const char *id)
{
	for (size_t i = 0; *id && i < v->len; i++)
		if (!strcmp(v->items[i].id, id))
			return &v->items[i];
	return NULL;
}

static int has_tree(const struct store *s, const char *id, struct err *e)
{
	char path[PODMAN_ID + 32];
	struct stat st;

	(void)snprintf(path, sizeof(path), PODMAN_DIR "/overlay/%s/diff", id);
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode);
	return errno == ENOENT || errno == ENOTDIR ?
		0 :
		err_set(e, errno, path, "cannot find the layer's directory");
}

/* A record without its layer, or one that is damaged, is one of a killed process. */
static int read_layer(const struct store *s, int records, const char *id, struct podman_layers *ret,
	struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	struct err own = ERR_INIT;
	struct podman_layer l;
	int r = store_dir_read(records, id, RECORD_MAX, &b, &own);

	if (r == 0)
		r = podman_read_record(buf_get(&b), b.len, id, &l, &own);
	if (store_cannot_read(r)) {
		if (e)
			*e = own;
		return r;
	}
	if (r < 0) {
		log_verbose("'%s/" PODMAN_RECORDS "/%s' is not valid: podman's layer of this id is "
			    "removed",
			s->path, id);
		return 0;
	}
	r = has_tree(s, id, e);
	if (r > 0)
		r = VEC_ADD(ret, l) < 0 ? err_nomem(e) : 0;
	return r;
}

int podman_read_layers(const struct store *s, struct podman_layers *ret, struct err *e)
{
	scoped_strv struct strv ids = { 0 };
	scoped_fd int fd = -1;
	struct err own = ERR_INIT;
	int r = fd_open_beneath(s->fd, PODMAN_RECORDS, O_RDONLY | O_DIRECTORY, &fd, &own);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (e)
			*e = own;
		return r;
	}
	r = store_dir_list(fd, s->path, &ids, e);
	for (size_t i = 0; r == 0 && i < ids.len; i++)
		r = read_layer(s, fd, ids.items[i], ret, e);
	return r;
}

/* podman refuses an index in which two images have the same name. */
static void take_away(struct podman_images *images, bool own)
{
	for (size_t i = 0; i < images->len; i++) {
		struct podman_image *x = &images->items[i];

		for (size_t k = 0; x->own == own && *x->reference && k < images->len; k++) {
			struct podman_image *y = &images->items[k];

			if (k != i && !strcmp(x->reference, y->reference))
				*y->reference = '\0';
		}
	}
}

int podman_read_images(struct store *s, struct podman_images *ret, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_image_list(s, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		struct podman_image x;

		r = podman_image_read(s, names.items[i], &x, e);
		if (r == 0 && VEC_ADD(ret, x) < 0) {
			podman_image_done(&x);
			r = err_nomem(e);
		}
	}
	take_away(ret, true);
	take_away(ret, false);
	return r;
}

static bool has_split(const struct store *s, const struct podman_layer *l)
{
	char path[192];

	(void)snprintf(path, sizeof(path), "%s" STORE_TAR_SPLIT, l->dir);
	if (faccessat(s->layers, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return l->tar_size;
	(void)snprintf(path, sizeof(path), PODMAN_DIR "/overlay-layers/%s" STORE_TAR_SPLIT, l->id);
	return l->tar_size && faccessat(s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void podman_judge(const struct store *s, struct podman_image *i, const struct podman_layers *layers)
{
	for (size_t k = 0; podman_runs(i->why) && k < i->chain.len; k++) {
		const struct podman_layer *want = &i->chain.items[k];
		struct podman_layer *is = podman_find(layers, want->id);

		if (!is)
			i->why = PODMAN_OLD;
		else if (strcmp(is->dir, want->dir) != 0)
			i->why = PODMAN_OTHER;
		else if (!has_split(s, is))
			i->why = PODMAN_NO_SPLIT;
	}
}

static int ask(struct store *s, struct podman_images *images, struct err *e)
{
	struct podman_layers layers = { .items = NULL };
	int r = podman_read_layers(s, &layers, e);

	if (r == 0)
		r = podman_read_images(s, images, e);
	for (size_t i = 0; r == 0 && i < images->len; i++)
		podman_judge(s, &images->items[i], &layers);
	free(layers.items);
	return r;
}

int podman_ask(struct store *s, struct podman_answers *ret, struct err *e)
{
	struct podman_images images = { .items = NULL };
	int r = store_lock(s, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = ask(s, &images, e);
	(void)store_lock(s, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	for (size_t i = 0; r == 0 && i < images.len; i++) {
		struct podman_image *x = &images.items[i];

		r = VEC_ADD(ret, (struct podman_answer){ x->name, x->reference, x->why }) < 0 ?
			err_nomem(e) :
			0;
		if (r == 0)
			x->name = x->reference = NULL;
	}
	podman_images_done(&images);
	return r;
}

void podman_answers_done(struct podman_answers *a)
{
	for (size_t i = 0; i < a->len; i++) {
		free(a->items[i].name);
		free(a->items[i].reference);
	}
	VEC_DONE(a);
}
