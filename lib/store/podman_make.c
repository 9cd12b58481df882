/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_make: make the layers of an image that podman lacks, in the staging directory. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/syncfs.h"
#include "../mount/stored_layer.h"
#include "podman_priv.h"
#include "store_layer.h"
#include "store_lock.h"
#include "store_priv.h"

/* Is what fails a property of the filesystem, with which the store itself works? */
static bool is_harmless(int r)
{
	return r == -EMLINK || r == -EPERM || r == -EOPNOTSUPP || r == -EXDEV;
}

/* Older versions marked opaque directories in a way that is not for all mounts. 1: it has none. */
static int is_unmarked(const struct store *s, const char *dir, struct err *e)
{
	struct layer_marks marks;
	struct store_layer l;
	int r = store_layer_read(s, dir, &l, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, &l, &marks, e);
	store_layer_done(&l);
	return r < 0 ? r : !marks.trusted && !marks.user;
}

/* Can podman have the layer's own directory? Another layer of podman may have it already. */
static bool is_free(const struct store *s, const struct podman_layers *chain,
	const struct podman_layers *there, size_t i)
{
	char id[STORED_LAYER_ID];

	for (size_t k = 0; k < i; k++)
		if (!strcmp(chain->items[k].dir, chain->items[i].dir) &&
			!podman_find(there, chain->items[k].id))
			return false;
	return stored_layer_id(s->layers, chain->items[i].dir, id) == 0;
}

static int make_layer(const struct store *s, int to, const struct podman_image *i, size_t k,
	bool take, struct err *e)
{
	const struct podman_layer *l = &i->chain.items[k];

	/* A process was killed after it moved the directory, and before it wrote the record. */
	int r = podman_holds(s, l->id, l->dir, e);

	return r == 0 ? podman_tree_make(s, to, &i->chain, k, take, e) : r < 0 ? r : 0;
}

static int make_layers(struct store_staging *st, const struct podman_image *i,
	const struct podman_layers *there, bool trees, size_t *ret_made, struct err *e)
{
	const struct store *s = st->store;
	scoped_fd int fd = -1;
	int r;

	r = fd_remove_tree(st->tempdir.fd, PODMAN_STAGED, e);
	if (r < 0)
		return r;
	if (mkdirat(st->tempdir.fd, PODMAN_STAGED, 0700) < 0)
		return err_set(e, errno, PODMAN_STAGED, "cannot create the directory for podman");
	r = fd_open_beneath(st->tempdir.fd, PODMAN_STAGED, O_RDONLY | O_DIRECTORY, &fd, e);
	for (size_t k = 0; r == 0 && k < i->chain.len; k++) {
		const struct podman_layer *l = &i->chain.items[k];

		if (podman_find(there, l->id))
			continue;
		r = is_unmarked(s, l->dir, e);
		if (r <= 0)
			return r;
		r = make_layer(s, fd, i, k, !trees && is_free(s, &i->chain, there, k), e);
		*ret_made += r == 0;
	}
	return r;
}

/* What was made goes: a tree that lacks files must not be taken for podman's layer. */
static int give_up(struct store_staging *st, const char *name, int r, const struct err *why,
	size_t *ret_made, struct err *e)
{
	log_warn("podman cannot use the image '%s': %s: %s: %s", name, why->on, why->what,
		strerror(-r));
	*ret_made = 0;
	return fd_remove_tree(st->tempdir.fd, PODMAN_STAGED, e);
}

int podman_make_missing(struct store_staging *st, const struct podman_adoption *a, bool sync,
	size_t *ret_made, struct err *e)
{
	struct podman_layers there = { .items = NULL };
	struct podman_image i = { .name = NULL };
	struct err own = ERR_INIT;
	int r = store_lock(st->store, STORE_IMAGES, LOCK_SHARED, e);

	if (r < 0)
		return r;
	r = podman_image_read(st->store, a->name, &i, e);
	if (r == 0)
		r = podman_read_layers(st->store, &there, e);
	(void)store_lock(st->store, STORE_IMAGES, LOCK_OFF, NULL); /* does not fail */
	if (r == 0)
		podman_judge(st->store, &i, &there);
	if (r == 0 && i.why == PODMAN_OLD) {
		r = make_layers(st, &i, &there, a->trees, ret_made, &own);
		if (is_harmless(r))
			r = give_up(st, a->name, r, &own, ret_made, e);
		else if (r < 0 && e)
			*e = own;
	}
	if (r == 0 && sync && *ret_made)
		r = syncfs_wait(st->tempdir.fd, st->store->path,
			"cannot write the layers for podman to disk", e);
	podman_image_done(&i);
	free(there.items);
	return r;
}
