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

/* Is it a link that write_links() has made, to a layer of any store? */
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
	if (n <= 0 || *text != '/')
		return false;
	text[n] = '\0';
	slash = strrchr(text, '/');
	return slash - text > (ssize_t)strlen("/layers") &&
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

/* Absolute links, so that the directory can be moved; the store stays where it is. */
static int write_links(int dir, const struct strv *layers, const char *path, struct err *e)
{
	for (size_t i = 0; i < layers->len; i++) {
		const char *layer = layers->items[layers->len - 1 - i]; /* topmost first */
		char name[32];

		(void)snprintf(name, sizeof(name), "layer@%0*zu", DIGITS, i); /* fits: 20 digits */
		if (symlinkat(layer, dir, name) < 0)
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

static int make(const struct publish_dir *place, const struct strv *layers, struct tempdir *t,
	struct err *e)
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
	r = write_links(dir, layers, place->path, e);
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
	scoped_strv struct strv layers = { 0 };
	bool empty = true;
	int r = check_name(dir, e);

	if (r == 0)
		r = store_image_layers(s, image, &layers, NULL, e);
	if (r == 0)
		r = publish_dir_find(dir, true, &place, e);
	if (r < 0)
		return r;
	if (place.there.st_ino)
		r = check_old(place.parent, place.name, place.path, &empty, e);
	if (r == 0 && dry_run)
		r = tempdir_check(place.parent, place.parent_path, e);
	else if (r == 0)
		r = tempdir_new(place.parent, place.parent_path, TEMPDIR_PREFIX, &t, e);
	if (r == 0 && !dry_run)
		r = make(&place, &layers, &t, e);
	tempdir_done(&t);
	if (r == 0)
		*ret = (struct mstack_written){ TAKE_PTR(place.path), layers.len, !empty };
	publish_dir_done(&place);
	return r;
}
