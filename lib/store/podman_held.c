/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_held: layers whose directory is that of a layer of podman. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../mount/stored_layer.h"
#include "podman_priv.h"
#include "store_dir.h"
#include "store_layer.h"
#include "store_priv.h"

/*
 * Is the entry of layers/ the link to a layer's directory? 1 and podman's id, 0, or -errno if it
 * cannot be read: a layer whose directory is in podman/ must not be taken for one that is not.
 */
static int read_link(
	const struct store *s, const char *dir, char ret[static STORED_LAYER_ID], struct err *e)
{
	int r = stored_layer_id(s->layers, dir, ret);

	if (r == -ENOENT || r == -ELOOP)
		return 0;
	return r < 0 ? err_set(e, -r, dir, "cannot read the link to the layer") : r;
}

int podman_holds(const struct store *s, const char *id, const char *dir, struct err *e)
{
	char held[STORED_LAYER_ID];
	int r = read_link(s, dir, held, e);

	if (r <= 0 || strcmp(held, id) != 0)
		return r < 0 ? r : 0;
	return stored_layer_exists(s->fd, dir, e);
}

int podman_read_held(const struct store *s, struct podman_held_list *ret, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	int r = store_dir_list(s->layers, s->path, &names, e);

	ret->len = 0;
	for (size_t i = 0; r == 0 && i < names.len; i++) {
		struct podman_held h = { .dir = "" };

		if (!store_layer_name_ok(names.items[i]))
			continue;
		(void)snprintf(h.dir, sizeof(h.dir), "%s", names.items[i]); /* fits: name_ok */
		r = read_link(s, h.dir, h.id, e);
		if (r > 0)
			r = VEC_ADD(ret, h) < 0 ? err_nomem(e) : 0;
	}
	return r;
}

const struct podman_held *podman_find_held(const struct podman_held_list *v, const char *id)
{
	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->items[i].id, id))
			return &v->items[i];
	return NULL;
}

static bool is_type(int dirfd, const char *name, mode_t type)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type;
}

/*
 * One step, before and after which both names lead to the directory. Users who have a view of
 * podman/ see the directory itself at its place from then on.
 */
static int exchange(const struct store *s, int fd, const struct podman_held *h, mode_t held,
	const char *what, struct err *e)
{
	const mode_t other = held == S_IFDIR ? S_IFLNK : S_IFDIR;

	if (!is_type(s->layers, h->dir, held) || !is_type(fd, "diff", other))
		return err_say(e, ESTALE, h->dir, "%s: its directory is not where it was", what);
	if (renameat2(s->layers, h->dir, fd, "diff", RENAME_EXCHANGE) < 0)
		return err_set(e, errno, h->dir, "%s", what);
	if (!is_type(s->layers, h->dir, other) || !is_type(fd, "diff", held))
		return err_say(e, EIO, h->dir, "%s: another process changes it", what);
	return 0;
}

int podman_take(
	const struct store *s, int overlay, const struct podman_held *h, bool sync, struct err *e)
{
	scoped_fd int fd = -1;
	int r = fd_open_beneath(overlay, h->id, O_RDONLY | O_DIRECTORY, &fd, e);

	if (r == 0)
		r = exchange(
			s, fd, h, S_IFDIR, "cannot move the layer to where podman reads it", e);
	return r == 0 && sync ? fd_sync(fd, h->id, e) : r;
}

int podman_give_back(const struct store *s, int overlay, const struct podman_held *h, struct err *e)
{
	scoped_fd int fd = -1;
	int r = fd_open_beneath(overlay, h->id, O_RDONLY | O_DIRECTORY, &fd, e);

	if (r == 0)
		r = exchange(s, fd, h, S_IFLNK, "cannot move the layer back into layers/", e);
	return r == 0 ? fd_sync(s->layers, s->path, e) : r;
}
