/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mstack_write: write the stack of a stored image as a directory NAME.mstack. */

#include "mstack_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "../base/log.h"
#include "../base/path.h"
#include "../mount/mstack.h"
#include "../store/publish_dir.h"
#include "../store/store_dir.h"
#include "../store/store_image.h"
#include "../store/store_layer.h"
#include "../store/tempdir.h"

#define TEMPDIR_PREFIX ".shiftbox-mstack-"

enum { DIGITS = 3, MODE = 0755 };

/*
 * --- what is replaced --------------------------------------------------------------------------
 */

/* Is it a link that write_links() has made, to a layer of any store, wherever it leads now? */
static bool is_own_link(int dir, const char *name)
{
	const size_t at = strlen("layer@");
	char text[PATH_MAX];
	const char *slash;
	ssize_t n;

	if (strncmp(name, "layer@", at) != 0 || strlen(name + at) < DIGITS ||
		name[at + strspn(name + at, "0123456789")])
		return false;
	n = readlinkat(dir, name, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	slash = strrchr(text, '/');
	return slash && slash - text > (ssize_t)strlen("/layers") &&
		!memcmp(slash - strlen("/layers"), "/layers", strlen("/layers")) &&
		store_layer_name_ok(slash + 1);
}

/* Does the directory name in parent hold nothing but such links? *ret_empty: or nothing at all. */
static int check_old(int parent, const char *name, const char *path, bool *ret_empty, struct err *e)
{
	scoped_strv struct strv names = { 0 };
	scoped_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? err_path(e, errno, path, "cannot open the directory") :
			 store_dir_list(fd, path, &names, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.len; i++) {
		if (is_own_link(fd, names.items[i]))
			continue;
		(void)err_say(e, ENOTEMPTY, path, "holds '%s', which this program did not write",
			names.items[i]);
		err_op(e, "mstack");
		err_try(e,
			"name another directory, or move that away; what a stack keeps in rw/ "
			"belongs to the layers that are there now");
		return -ENOTEMPTY;
	}
	*ret_empty = !names.len;
	return 0;
}

/*
 * --- the new one -------------------------------------------------------------------------------
 */

/* Print the text of a link in the directory path to the path to. Both are absolute. */
static void relative_path(const char *path, const char *to, struct buf *ret)
{
	size_t same = 0; /* the length of the directories that both have, with a slash at the end */

	for (size_t i = 0; path[i] && path[i] == to[i]; i++)
		if (path[i] == '/')
			same = i + 1;
	buf_str(ret, "../");
	for (const char *p = path + same; (p = strchr(p, '/')); p++)
		buf_str(ret, "../");
	buf_str(ret, to + same);
}

/*
 * Try where the link leads: something may be mounted over the path of the store. The link is not
 * there yet, but the directory that its directory will be in is.
 */
static int check_link(const struct publish_dir *place, const struct store *s, const char *layer,
	const char *link, struct err *e)
{
	scoped_fd int there = -1, want = -1;
	struct stat a, b;
	int r = store_layer_open(s, layer, &want, e);

	if (r == 0)
		r = path_open_in(place->parent, link + strlen("../"), O_PATH | O_DIRECTORY,
			"cannot open the layer", &there, e);
	if (r == 0 && (fstat(there, &a) < 0 || fstat(want, &b) < 0))
		r = err_set(e, errno, layer, "cannot stat the layer");
	if ((r < 0 && r != -ENOENT) || (r == 0 && same_file(&a, &b)))
		return r;
	if (e)
		*e = ERR_INIT;
	(void)err_say(e, ESTALE, layer, "cannot be linked to: '%s' leads elsewhere", link);
	err_op(e, "mstack");
	err_why(e, "something is mounted over the path of the store");
	err_try(e, "name the store by a path at which it can be seen: --store");
	return -ESTALE;
}

/*
 * systemd mounts with userxattr, and does not see which directories the root of an older version
 * has made opaque.
 */
static int check_marks(const struct store *s, const char *image, const char *layer, struct err *e)
{
	const char *name = strrchr(layer, '/') + 1; /* layer is absolute */
	struct layer_marks marks;
	struct store_layer l;
	int r = store_layer_read(s, name, &l, e);

	if (r < 0)
		return r;
	r = store_layer_marks(s, &l, &marks, e);
	store_layer_done(&l);
	if (r < 0 || !marks.trusted)
		return r;
	(void)err_say(e, EINVAL, image, "an older version stored a layer of it (%.20s...)", name);
	err_op(e, "mstack");
	err_why(e,
		"systemd mounts with userxattr, and would show what opaque directories of that "
		"layer hide");
	err_try(e, "shiftbox image-unpack --upgrade %s", image);
	return -EINVAL;
}

/* links: receives the texts of the links, lowest first. */
static int make_links(const struct publish_dir *place, struct store *s, const char *image,
	struct strv *links, struct err *e)
{
	scoped_strv struct strv layers = { 0 };
	int r = store_image_layers(s, image, &layers, NULL, e);

	for (size_t i = layers.len; r == 0 && i-- > 0;) { /* topmost first */
		scoped_buf struct buf link = BUF_INIT;

		relative_path(place->path, layers.items[i], &link);
		if (!buf_get(&link) || strv_add(links, link.data) < 0)
			return err_nomem(e);
		r = check_marks(s, image, layers.items[i], e);
		if (r == 0)
			r = check_link(place, s, layers.items[i], link.data, e);
	}
	return r;
}

static int write_links(int dir, const struct strv *links, const char *path, struct err *e)
{
	for (size_t i = 0; i < links->len; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "layer@%0*zu", DIGITS, i); /* fits: 20 digits */
		if (symlinkat(links->items[i], dir, name) < 0)
			return err_set(
				e, errno, path, "cannot create the symbolic link '%s'", name);
	}
	return fd_sync(dir, path, e);
}

/* Exchange what was not looked at before back. */
static int take_back(
	const struct publish_dir *place, const struct tempdir *t, const char *name, struct err *e)
{
	if (renameat2(t->fd, name, place->parent, place->name, RENAME_EXCHANGE) < 0)
		log_warn("'%s': cannot undo the replacement: %s; what was there is in '%s/%s'",
			place->path, strerrordesc_np(errno), place->parent_path, t->name);
	return e ? -e->num : -ENOTEMPTY;
}

static int make(
	const struct publish_dir *place, const struct strv *links, struct tempdir *t, struct err *e)
{
	bool had = place->there.st_ino, empty;
	char name[32];
	scoped_fd int dir = -1;
	int r;

	(void)tempdir_entry(0, "", name);
	if (fd_make_dir(t->fd, name, MODE) < 0)
		return err_set(e, errno, place->path, "cannot create the directory");
	dir = openat(t->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, errno, place->path, "cannot open the new directory");
	r = write_links(dir, links, place->path, e);
	if (r == 0)
		r = publish_dir_rename(place, t->fd, name, e);
	if (r < 0)
		return r;
	/* An entry may have been created in it since it was checked: it must not be removed. */
	if (had && faccessat(t->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		check_old(t->fd, name, place->path, &empty, e) < 0)
		return take_back(place, t, name, e);
	return fd_sync(place->parent, place->parent_path, e);
}

static int check_name(const char *dir, struct err *e)
{
	if (mstack_is_name(dir))
		return 0;
	return err_usage_try(e, "name it NAME" MSTACK_SUFFIX,
		"'%s' does not end in " MSTACK_SUFFIX
		", by which other programs know such a directory",
		dir);
}

int mstack_write(struct store *s, const char *image, const char *dir, bool dry_run,
	struct mstack_written *ret, struct err *e)
{
	struct publish_dir place = { .parent = -1 };
	struct tempdir t = TEMPDIR_INIT;
	scoped_strv struct strv links = { 0 };
	bool empty = true;
	int r = check_name(dir, e);

	if (r == 0)
		r = publish_dir_find(dir, true, &place, e);
	if (r < 0)
		return r;
	r = make_links(&place, s, image, &links, e);
	if (r == 0 && place.there.st_ino)
		r = check_old(place.parent, place.name, place.path, &empty, e);
	if (r == 0 && dry_run)
		r = tempdir_check(place.parent, place.parent_path, e);
	else if (r == 0)
		r = tempdir_new(place.parent, place.parent_path, TEMPDIR_PREFIX, &t, e);
	if (r == 0 && !dry_run)
		r = make(&place, &links, &t, e);
	tempdir_done(&t);
	if (r == 0)
		*ret = (struct mstack_written){ TAKE_PTR(place.path), links.len, !empty };
	publish_dir_done(&place);
	return r;
}
