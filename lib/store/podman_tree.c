/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_tree: a layer of the store as a layer of podman. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../layer/layer_limits.h"
#include "../layer/layer_reform.h"
#include "../mount/stored_layer.h"
#include "podman_priv.h"
#include "store_priv.h"

static int put(int dirfd, const char *name, const struct buf *text, struct err *e)
{
	scoped_fd int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (!buf_get(text))
		return err_nomem(e);
	if (fd < 0)
		return err_set(e, errno, name, "cannot create the file for podman");
	r = fd_write_all(fd, text->data, text->len);
	if (r < 0)
		return err_set(e, -r, name, "cannot write the file for podman");
	return fd_finish(&fd, name, e);
}

/* Directories of its own, and hard links to the other files. */
static int make_tree(const struct store *s, int to, const struct podman_layer *l, struct err *e)
{
	const struct layer_options o = { .limits = layer_default_limits };
	scoped_fd int fd = -1;
	struct layer *made;
	int r = stored_layer_open(s->fd, l->dir, O_PATH, &fd, e);

	if (r == 0)
		r = layer_reform(&(struct layer_finished){ fd, false },
			&(struct layer_dir){ to, "diff" }, &o, &made, e);
	if (r < 0)
		return r;
	r = layer_finish(made, e);
	layer_free(made);
	return r;
}

static int make_link(int to, const struct podman_layer *l, struct err *e)
{
	char text[STORED_LAYER_LINK];

	return symlinkat(stored_layer_link(l->id, text), to, "diff") < 0 ?
		err_set(e, errno, l->id, "cannot create the link for podman") :
		0;
}

/* The links of the layers below layer i, nearest first. */
static void print_lower(const struct podman_layers *chain, size_t i, struct buf *ret)
{
	for (size_t k = i; k-- > 0;)
		buf_printf(ret, "%sl/%s", k + 1 == i ? "" : ":", chain->items[k].link);
}

int podman_tree_make(const struct store *s, int to, const struct podman_layers *chain, size_t i,
	bool take, struct err *e)
{
	const struct podman_layer *l = &chain->items[i];
	scoped_buf struct buf lower = BUF_INIT, own = BUF_INIT;
	scoped_fd int fd = -1;
	int r;

	if (mkdirat(to, l->id, 0700) < 0)
		return err_set(e, errno, l->id, "cannot create the directory for podman");
	r = fd_open_beneath(to, l->id, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = take ? make_link(fd, l, e) : make_tree(s, fd, l, e);
	if (r == 0 && mkdirat(fd, "work", 0700) < 0)
		r = err_set(e, errno, "work", "cannot create the directory for podman");
	buf_str(&own, l->link);
	print_lower(chain, i, &lower);
	if (r == 0)
		r = put(fd, "link", &own, e);
	if (r == 0 && i)
		r = put(fd, "lower", &lower, e);
	return r;
}
