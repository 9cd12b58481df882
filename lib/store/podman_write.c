/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_write: write the files that podman reads, each in one step. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fd.h"
#include "podman_priv.h"
#include "store_priv.h"
#include "store_staging.h"

#define TEMP "podman-file"
#define TEMP_DIR "podman-new"

int podman_put_new(int dirfd, const char *name, const struct buf *text, bool sync, struct err *e)
{
	scoped_fd int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (!buf_get(text))
		return err_nomem(e);
	if (fd < 0)
		return err_set(e, errno, name, "cannot create the file for podman");
	r = fd_write_all(fd, buf_get(text), text->len);
	if (r < 0)
		return err_set(e, -r, name, "cannot write the file for podman");
	r = sync ? fd_sync(fd, name, e) : 0;
	return r == 0 ? fd_finish(&fd, name, e) : r;
}

static int move(int from, const char *temp, int dirfd, const char *name, struct err *e)
{
	if (renameat(from, temp, dirfd, name) == 0)
		return 0;
	return err_set(e, errno, name, "cannot move it to where podman reads it");
}

int podman_put(const struct store_staging *st, int dirfd, const char *name, const struct buf *text,
	bool sync, struct err *e)
{
	int r = podman_put_new(st->tempdir.fd, TEMP, text, sync, e);

	return r == 0 ? move(st->tempdir.fd, TEMP, dirfd, name, e) : r;
}

/* ---- the whole directory ---- */

/* An empty store of containers-storage. */
static int fill(int fd, bool sync, struct err *e)
{
	static const char *const dirs[] = { "overlay", "overlay/l", "overlay-layers",
		"overlay-images" };
	static const char *const locks[] = { "storage.lock", "overlay-layers/layers.lock",
		"overlay-images/images.lock" };
	static const char *const indexes[] = { "overlay-layers/layers.json",
		"overlay-images/images.json" };
	scoped_buf struct buf none = BUF_INIT, empty = BUF_INIT;
	int r = 0;

	buf_str(&none, "[]");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(fd, dirs[i], 0700) < 0)
			return err_set(e, errno, dirs[i], "cannot create the directory for podman");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(locks); i++)
		r = podman_put_new(fd, locks[i], &empty, sync, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(indexes); i++)
		r = podman_put_new(fd, indexes[i], &none, sync, e);
	return r;
}

int podman_make_empty(
	const struct store_staging *st, int dirfd, const char *path, bool sync, struct err *e)
{
	scoped_fd int fd = -1;
	int r;

	if (mkdirat(st->tempdir.fd, TEMP_DIR, 0700) < 0)
		return err_set(e, errno, TEMP_DIR, "cannot create the directory for podman");
	r = fd_open_beneath(st->tempdir.fd, TEMP_DIR, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = fill(fd, sync, e);
	return r == 0 ? move(st->tempdir.fd, TEMP_DIR, dirfd, path, e) : r;
}

static int make(const struct store_staging *st, struct err *e)
{
	if (mkdirat(st->store->fd, PODMAN_RECORDS, 0700) < 0 && errno != EEXIST)
		return err_set(
			e, errno, PODMAN_RECORDS, "cannot create the directory in the store");
	return podman_make_empty(st, st->store->fd, PODMAN_DIR, true, e);
}

int podman_open(const struct store_staging *st, int *ret_fd, struct err *e)
{
	const struct store *s = st->store;
	int r = faccessat(s->fd, PODMAN_DIR, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : make(st, e);

	return r == 0 ? fd_open_beneath(s->fd, PODMAN_DIR, O_RDONLY | O_DIRECTORY, ret_fd, e) : r;
}

/* ---- layers ---- */

int podman_write_layers(const struct store_staging *st, int podman,
	const struct podman_layers *layers, bool sync, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_fd int fd = -1;
	int r = fd_open_beneath(podman, "overlay-layers", O_RDONLY | O_DIRECTORY, &fd, e);

	if (r == 0)
		r = podman_print_layers(layers, NULL, false, &text, e);
	if (r == 0)
		r = podman_put(st, fd, "layers.json", &text, sync, e);
	return r == 0 && sync ? fd_sync(fd, "overlay-layers", e) : r;
}

/* ---- images ---- */

static int manifest_file(const struct podman_image *i, struct buf *ret, struct err *e)
{
	char key[DIGEST_TEXT + 16], text[DIGEST_TEXT];

	(void)snprintf(key, sizeof(key), "manifest-%s", digest_text(&i->manifest_digest, text));
	return podman_data_file(key, ret, e);
}

static int put_missing(const struct store_staging *st, int dirfd, const char *name,
	const struct buf *text, bool sync, struct err *e)
{
	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return podman_put(st, dirfd, name, text, sync, e);
}

/* Is "manifest" a link to the file? The file itself is not read. */
static bool is_manifest(int dirfd, const char *file)
{
	struct stat a, b;

	return fstatat(dirfd, "manifest", &a, AT_SYMLINK_NOFOLLOW) == 0 &&
		fstatat(dirfd, file, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino;
}

static int link_manifest(const struct store_staging *st, int dirfd, const char *file, struct err *e)
{
	if (linkat(dirfd, file, st->tempdir.fd, TEMP, 0) < 0)
		return err_set(e, errno, file, "cannot link the manifest for podman");
	return move(st->tempdir.fd, TEMP, dirfd, "manifest", e);
}

/* Write what is missing of image n, and of others with its configuration. */
static int fill_image(const struct store_staging *st, int dirfd, struct podman_images *images,
	size_t n, bool sync, struct err *e)
{
	struct podman_image *i = &images->items[n];
	scoped_buf struct buf config = BUF_INIT, first = BUF_INIT;
	size_t linked = images->len;
	char key[DIGEST_TEXT];
	int r;

	(void)snprintf(key, sizeof(key), "sha256:%s", i->id);
	r = podman_data_file(key, &config, e);
	if (r == 0)
		r = put_missing(st, dirfd, buf_get(&config), &i->config, sync, e);
	for (size_t k = n; r == 0 && k < images->len; k++) {
		const struct podman_image *o = &images->items[k];
		scoped_buf struct buf file = BUF_INIT;

		if (!podman_runs(o->why) || strcmp(o->id, i->id) != 0)
			continue;
		r = manifest_file(o, &file, e);
		if (r == 0)
			r = put_missing(st, dirfd, buf_get(&file), &o->manifest, sync, e);
		if (r == 0 && linked == images->len && is_manifest(dirfd, buf_get(&file)))
			linked = k;
	}
	if (r == 0)
		r = manifest_file(i, &first, e);
	if (r < 0)
		return r;
	if (linked == images->len)
		return link_manifest(st, dirfd, buf_get(&first), e);
	if (linked != n) {
		struct podman_image other = images->items[linked];

		images->items[linked] = *i;
		*i = other;
	}
	return 0;
}

static int put_image(const struct store_staging *st, int dirfd, struct podman_images *images,
	size_t n, bool sync, struct err *e)
{
	const char *id = images->items[n].id;
	const bool there = faccessat(dirfd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	scoped_fd int fd = -1;
	int r;

	if (!there && mkdirat(st->tempdir.fd, id, 0700) < 0)
		return err_set(e, errno, id, "cannot create the directory for podman");
	r = fd_open_beneath(there ? dirfd : st->tempdir.fd, id, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r == 0)
		r = fill_image(st, fd, images, n, sync, e);
	if (r == 0 && sync)
		r = fd_sync(fd, id, e);
	return r < 0 || there ? r : move(st->tempdir.fd, id, dirfd, id, e);
}

int podman_write_images(const struct store_staging *st, int podman, struct podman_images *images,
	bool sync, struct err *e)
{
	scoped_buf struct buf text = BUF_INIT;
	scoped_strv struct strv done = { 0 };
	scoped_fd int fd = -1;
	int r = fd_open_beneath(podman, "overlay-images", O_RDONLY | O_DIRECTORY, &fd, e);

	for (size_t i = 0; r == 0 && i < images->len; i++) {
		const struct podman_image *x = &images->items[i];

		if (!podman_runs(x->why) || strv_has(&done, x->id))
			continue;
		r = strv_add(&done, x->id) < 0 ? err_nomem(e) :
						 put_image(st, fd, images, i, sync, e);
	}
	if (r == 0)
		r = podman_print_images(images, NULL, &text, e);
	if (r == 0)
		r = podman_put(st, fd, "images.json", &text, sync, e);
	return r == 0 && sync ? fd_sync(fd, "overlay-images", e) : r;
}
