/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_layer: the layers in layers/ and the files beside them. */

#include "store_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../layer/layer_deps.h"
#include "../mount/stored_layer.h"
#include "store_dir.h"
#include "store_priv.h"

enum { FACTS_MAX = 65536 };

const char *const store_layer_sidecars[] = { ".mtree", ".lower", STORE_TAR_SPLIT, ".json", NULL };

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

int store_layer_find(
	const struct store *s, const struct digest *diff_id, struct strv *ret, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	char base[DIGEST_NAME];
	int r = store_dir_list(s->layers, s->path, &names, e);

	if (r < 0)
		return r;
	(void)digest_name(diff_id, base);
	for (size_t i = 0; i < names.len; i++) {
		if (strncmp(names.items[i], base, strlen(base)) ||
			!store_layer_name_ok(names.items[i]))
			continue;
		r = stored_layer_exists(s->fd, names.items[i], e);
		if (r > 0 && strv_add(ret, names.items[i]) < 0)
			r = err_nomem(e);
		if (r < 0)
			return r;
	}
	return 0;
}

int store_layer_deps(const struct store *s, const char *dir, struct buf *ret, struct err *e)
{
	char path[128];
	struct err own = ERR_INIT;
	int r;

	(void)snprintf(path, sizeof(path), "%s.lower", dir);
	r = store_dir_read(s->layers, path, LAYER_DEPS_MAX + 4096, ret, &own);
	if (r == -ENOENT)
		return 0; /* it depends on nothing */
	if (r < 0 && e)
		*e = own;
	return r;
}

static int read_ids(
	const struct json *facts, const char *path, struct store_layer *l, struct err *e)
{
	const char *uids = NULL, *gids = NULL;
	int r = doc_str(facts, "uids", path, false, &uids, e);

	if (r == 0)
		r = doc_str(facts, "gids", path, false, &gids, e);
	if (r < 0 || !uids || !gids)
		return r;
	if (id_spans_parse(uids, &l->ids.uid) < 0 || id_spans_parse(gids, &l->ids.gid) < 0)
		return err_say(e, EINVAL, path, "has a malformed list of ids");
	l->ids_known = true;
	return 0;
}

int store_layer_read(const struct store *s, const char *dir, struct store_layer *ret, struct err *e)
{
	scoped_buf struct buf b = BUF_INIT;
	scoped_json struct json *facts = NULL;
	struct store_layer l = { .dir = NULL };
	uint64_t opaque = 0, unmarked = 0;
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), "%s.json", dir);
	r = fd_read_file(s->layers, path, FACTS_MAX, &b, e);
	if (r == 0)
		r = doc_parse(buf_get(&b), b.len, path, &facts, e);
	if (r == 0)
		r = doc_u64(facts, "entries", path, true, &l.entries, e);
	if (r == 0)
		r = doc_u64(facts, "bytes", path, true, &l.bytes, e);
	if (r == 0)
		r = doc_u64(facts, "root_opaque", path, true, &opaque, e);
	if (r == 0)
		r = doc_u64(facts, "tar_size", path, false, &l.tar_size, e);
	if (r == 0)
		r = doc_u64(facts, "unmarked", path, false, &unmarked, e);
	if (r == 0)
		r = read_ids(facts, path, &l, e);
	if (r < 0)
		return r;
	l.root_opaque = opaque != 0;
	l.unmarked = unmarked != 0;
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

int store_layer_marks(
	const struct store *s, const struct store_layer *l, struct layer_marks *ret, struct err *e)
{
	scoped_fd int fd = -1;
	int r = 0;

	*ret = (struct layer_marks){ .trusted = 0 };
	if (!l->unmarked)
		r = stored_layer_open(s->fd, l->dir, O_RDONLY, &fd, e);
	return r < 0 || l->unmarked ? r : layer_count_marks(fd, ret, e);
}

static const char *last_name(const char *path)
{
	return strrchr(path, '/') + 1; /* path is absolute */
}

int store_layer_open(const struct store *s, const char *path, int *ret_fd, struct err *e)
{
	return stored_layer_open(s->fd, last_name(path), O_PATH, ret_fd, e);
}

int store_layer_open_spec(const struct store *s, const char *path, int *ret_fd, struct err *e)
{
	return fd_open_regular(s->layers, last_name(path), O_NOFOLLOW, ret_fd, e);
}

/* "sha256-...mtree" without its suffix; NULL if it is not the name of such a file. */
static char *sidecar_owner(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; store_layer_sidecars[i]; i++) {
		size_t k = strlen(store_layer_sidecars[i]);

		if (n > k && !strcmp(name + n - k, store_layer_sidecars[i]))
			return strndup(name, n - k);
	}
	return NULL;
}

static int sweep_file(const struct store *s, const char *name, const char *why, struct err *e)
{
	log_verbose("removing '%s': %s", name, why);
	return unlinkat(s->layers, name, 0) < 0 ?
		err_set(e, errno, name, "cannot remove the file from the store") :
		0;
}

/* A link is removed if nothing is where it leads, but not if that cannot be found out. */
static int sweep_link(const struct store *s, const char *name, struct err *e)
{
	char id[STORED_LAYER_ID];
	int r;

	if (!store_layer_name_ok(name) || stored_layer_id(s->layers, name, id) != 1)
		return 0;
	r = stored_layer_exists(s->fd, name, e);
	if (r != 0)
		return r < 0 ? r : 0;
	return sweep_file(s, name, "its layer was removed from podman/", e);
}

/* Links come first: each sorts before the files beside its layer. */
int store_layer_sweep(const struct store *s, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(s->layers, s->path, &names, e);

	for (size_t i = 0; r == 0 && i < names.len; i++) {
		const char *name = names.items[i];
		scoped_free char *owner = sidecar_owner(name);

		r = sweep_link(s, name, e);
		if (r == 0 && owner && store_layer_name_ok(owner) &&
			faccessat(s->layers, owner, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
			errno == ENOENT)
			r = sweep_file(s, name, "its layer was never finished", e);
	}
	return r;
}

void store_layer_say_try(const char *dir, struct err *e)
{
	err_prefix(e, "layer '%s'", dir);
	err_try(e,
		"replace the layer: remove the images that have it (image-unpack --remove), then "
		"image-unpack --prune, and unpack them again");
}
